/** What becomes of an ELF file's run path: entries relative to the file's own place, left-overs dropped, anything else refused (pure). */
import { posix } from 'node:path';
import { type BuildPlaces, inPrefix, isWithin, leadsOut } from './places.ts';

interface RunPathVerdict {
  /** The new run path, empty when nothing is left. */
  readonly value: string;
  /** Entries that lead outside of what an installed file may rely on; with any of them the file is refused. */
  readonly refused: readonly string[];
}

/** Folders where the dynamic loader looks by itself; as entries they would put the host's libraries before ours. */
const systemFolder = /^(\/usr)?\/(lib|lib32|lib64|libx32|lib\/[a-z0-9_]+-linux-gnu[a-z0-9]*)$/;

/**
 * @param value  The run path as linked: entries joined by `:`.
 * @param file   The file that has it, relative to the prefix.
 */
export function runPathVerdict(value: string, file: string, places: BuildPlaces): RunPathVerdict {
  const folder = posix.dirname(file);
  const kept: string[] = [];
  const refused: string[] = [];
  for (const entry of value.split(':')) {
    const origin = /^\$(?:ORIGIN|\{ORIGIN\})(?:\/(.*))?$/.exec(entry);
    const inside = origin === null ? inPrefix(places, entry) : posix.join(folder, origin[1] ?? '');
    if (inside !== undefined && !leadsOut(inside)) kept.push(fromOrigin(folder, inside));
    // CMake leaves the build tree's folders behind, libtool the stage's; an empty entry means the working folder of whoever runs it.
    else if (
      entry !== '' &&
      !isWithin(places.root, posix.normalize(entry)) &&
      !systemFolder.test(posix.normalize(entry).replace(/\/$/, ''))
    )
      refused.push(entry);
  }
  return { value: [...new Set(kept)].join(':'), refused };
}

/** @param inside Relative to the prefix. */
function fromOrigin(folder: string, inside: string): string {
  const path = posix.relative(`/${folder}`, `/${inside}`);
  return path === '' ? '$ORIGIN' : `$ORIGIN/${path}`;
}

/** The folders, relative to the prefix, that a packed file's run path leads to. */
export const runPathFolders = (value: string, file: string): string[] =>
  value
    .split(':')
    .filter((entry) => entry !== '')
    .map((entry) => posix.join(posix.dirname(file), entry.replace(/^\$ORIGIN\/?/, './')).replace(/\/$/, '') || '.');
