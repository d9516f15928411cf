/** How two texts differ, for people: by lines and by words. Loaded only when something is to be shown. */
import { diffArrays, structuredPatch } from 'diff';
import type { FirstDifference, Piece } from '../model/explanation.ts';

/** Beyond this, or this many lines of difference, the first difference has to do. */
const largestBytes = 500_000;
const mostLines = 60;

/** Where two contents first differ; undefined when they do not. Where one is the beginning of the other, that is where it ends. */
export function firstDifference(before: Uint8Array, now: Uint8Array): FirstDifference | undefined {
  const shorter = Math.min(before.length, now.length);
  let at = 0;
  let line = 1;
  while (at < shorter && before[at] === now[at]) {
    if (now[at] === 0x0a) line += 1;
    at += 1;
  }
  return at === shorter && before.length === now.length ? undefined : { line, byte: at + 1 };
}

/** The hunks of a unified diff, without file names, cut after some lines; undefined for what is no text, or too large. */
export function lineDiff(before: Uint8Array, now: Uint8Array): string | undefined {
  if (before.length > largestBytes || now.length > largestBytes || before.includes(0) || now.includes(0))
    return undefined;
  const { hunks } = structuredPatch('', '', textOf(before), textOf(now), undefined, undefined, { context: 2 });
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: body }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...body,
  ]);
  const more = lines.length - mostLines;
  return more > 0 ? [...lines.slice(0, mostLines), `… ${more} more lines`].join('\n') : lines.join('\n');
}

/** UTF-8 where the bytes are, else one character a byte, so that nothing is lost. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

/** Both texts as one run of pieces. Words are what blanks part, as in a command line: `-O2` is one of them. */
export function wordDiff(before: string, now: string): Piece[] {
  const words = (text: string): string[] => text.match(/\s+|\S+/g) ?? [];
  return diffArrays(words(before), words(now)).map(({ value, added, removed }) => ({
    in: added ? 'now' : removed ? 'before' : 'both',
    text: value.join(''),
  }));
}
