/** Durations, sizes, counts, lists and paths as people read them (pure). */
import { isAbsolute, relative } from 'node:path';
import { withoutPasswords } from '../model/passwords.ts';

/** `0.4 s`, `43 s`, `1 min 24 s`, `1 h 2 min`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `0:07`, `1:24`, `1:02:03`: for a line that is redrawn, so that it keeps its width. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const tail = `${String(Math.floor(seconds / 60) % 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return seconds < 3600 ? tail : `${Math.floor(seconds / 3600)}:${tail.padStart(5, '0')}`;
}

/** Decimal units, as disks and networks are sold: `812 B`, `412 kB`, `3.4 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `zlib`, `zlib and pil`, `zlib, png and pil`; of a long list the first ones and how many more there are. */
export function list(words: readonly string[], most = 4): string {
  const shown = words.length > most ? [...words.slice(0, most - 1), `${words.length - most + 1} more`] : words;
  const last = shown.at(-1) ?? '';
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${last}` : last;
}

/** How many there are of each sort, in the order of the sorts, without those of which there is none. */
export const numberOfEach = <Sort>(
  sorts: readonly Sort[],
  found: readonly Sort[],
): (readonly [sort: Sort, number: number])[] =>
  sorts.map((sort) => [sort, found.filter((one) => one === sort).length] as const).filter(([, number]) => number > 0);

/** By how much more it is now, in whole percent; 0 where it was nothing before. */
export const percentMore = (now: number, before: number): number =>
  before === 0 ? 0 : Math.round((100 * (now - before)) / before);

/** `+12 %`, `−3 %`, `±0 %`. */
export const signedPercent = (percent: number): string =>
  `${percent > 0 ? '+' : percent < 0 ? '−' : '±'}${Math.abs(percent)} %`;

/** Digests cut to twelve digits, and the whole to `most` characters; a password goes first, as a cut could hide that it is one. */
export function shortened(text: string, most = 60): string {
  const cut = withoutPasswords(text).replace(/\b([0-9a-f]{12})[0-9a-f]{28,}\b/g, '$1…');
  const characters = Array.from(cut);
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : cut;
}

/** A path as the user would type it: relative to the current folder where it lies inside. */
export function pathFrom(cwd: string, path: string): string {
  if (!isAbsolute(path)) return path;
  const inside = relative(cwd, path);
  return inside === '..' || inside.startsWith('../') ? path : inside || '.';
}
