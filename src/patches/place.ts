/** Finds where hunks belong in a file, as GNU patch does at fuzz 0, in time that grows with file and hunk, not with their product. */
import { VbuildError } from '../model/error.ts';
import type { Hunk } from './section.ts';

/** Where a hunk belongs. */
export interface Placement {
  /** Index of the first line it covers, or in front of which it inserts. */
  readonly at: number;
  /** Lines further down than the patch says. */
  readonly offset: number;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * Places hunks in order: each behind what the one before changed (contexts may overlap), at the stated line plus the offset of the one before, else at the nearest
 * match, the later one on a tie. Less context before than after binds a hunk that begins at line 1 to the start of the file;
 * less context after than before binds it to the end. The line end is part of a line. Lines must match to the byte.
 *
 * @param lines  The file's lines with their line ends.
 * @param hunks  As the patch lists them.
 * @param lenient What GNU patch does: hunks whose stated ranges overlap are sought further down, lines to insert behind the end go to
 *                the end, and text may follow a line that lacks its line end; `splice` ends such a line. Otherwise such hunks fail.
 * @returns      For each hunk its place, or `undefined` when there is none.
 * @throws {VbuildError} `patch-unsupported` when the search takes more steps than any patch made from a real file needs.
 * @see GNU diffutils manual, "Merging with patch"; the search for one pattern is Knuth, Morris and Pratt's.
 */
export function placeHunks(
  lines: readonly string[],
  hunks: readonly Hunk[],
  lenient = false,
): (Placement | undefined)[] {
  const search = lineSearch(lines);
  let free = 0;
  let carried = 0;
  let statedEnd = -1;
  return hunks.map((hunk) => {
    const stated = hunk.old.length === 0 ? hunk.oldStart : hunk.oldStart - 1;
    const inOrder = stated >= statedEnd;
    statedEnd = stated + hunk.old.length - hunk.trailing;
    if (!inOrder && !lenient) return undefined;
    const guess = stated + carried;
    const bounds = allowed(hunk, lines.length, free);
    const at = hunk.old.length === 0 ? insertion(guess, lines.length, free, lenient) : search(hunk.old, guess, bounds);
    if (at === undefined || (!lenient && joinsLines(lines, hunk, at))) return undefined;
    free = at + hunk.old.length - hunk.trailing;
    carried = at - stated;
    return { at, offset: carried };
  });
}

/** The file's lines with each hunk's old lines replaced by its new ones. */
export function splice(lines: readonly string[], hunks: readonly Hunk[], placements: readonly Placement[]): string[] {
  const result: string[] = [];
  const append = (more: readonly string[], from = 0, to = more.length): void => {
    for (let i = from; i < to; i += 1) result.push(more[i] ?? '');
  };
  let done = 0;
  hunks.forEach((hunk, i) => {
    append(lines, done, (placements[i]?.at ?? 0) + hunk.leading);
    append(hunk.new, hunk.leading, hunk.new.length - hunk.trailing);
    done = (placements[i]?.at ?? 0) + hunk.old.length - hunk.trailing;
  });
  append(lines, done);
  return result.map((line, i) => (line.endsWith('\n') || i === result.length - 1 ? line : `${line}\n`));
}

/** Where a hunk may begin at all. */
export function allowed(hunk: Hunk, lineCount: number, free: number): Range {
  const end = lineCount - hunk.old.length;
  if (hunk.leading < hunk.trailing && hunk.oldStart <= 1) return { first: free, last: Math.min(0, end) };
  if (hunk.trailing < hunk.leading) return { first: Math.max(free, end), last: end };
  return { first: free, last: end };
}

/** Whether text would come to stand behind a line that lacks its line end. */
function joinsLines(lines: readonly string[], { old, new: fresh }: Hunk, at: number): boolean {
  const behind = at + old.length;
  return (
    (behind < lines.length && fresh.at(-1)?.endsWith('\n') === false) ||
    (behind === lines.length && fresh.length > 0 && old.length === 0 && lines.at(-1)?.endsWith('\n') === false)
  );
}

function insertion(guess: number, lineCount: number, free: number, lenient: boolean): number | undefined {
  const at = lenient ? Math.min(guess, lineCount) : guess;
  return at >= free && at <= lineCount ? at : undefined;
}

/** Some seconds' worth; a patch that is only out of date stays far below. */
const mostSteps = 5e8;

/**
 * A search over one file: the index nearest to `guess` within `range` at which `pattern` stands. Lines are numbered on the first
 * search that has to leave the guess.
 */
export function lineSearch(
  lines: readonly string[],
): (pattern: readonly string[], guess: number, range: Range) => number | undefined {
  let steps = 0;
  let numbers: ReadonlyMap<string, number> | undefined;
  let text: Int32Array = new Int32Array();
  return (pattern, guess, range) => {
    if (range.first > range.last) return undefined;
    const near = Math.min(Math.max(guess, range.first), range.last);
    if (pattern.every((line, i) => lines[near + i] === line)) return near;
    steps += range.last - range.first + pattern.length;
    if (steps > mostSteps) {
      throw new VbuildError('patch-unsupported', 'Hunks are too far from their lines to be found in reasonable time', {
        facts: { found: `${lines.length} lines in the file` },
        mend: 'make the patch again against the source that is pinned',
      });
    }
    if (numbers === undefined) ({ numbers, text } = numbered(lines));
    const wanted = new Int32Array(pattern.length);
    for (let i = 0; i < pattern.length; i += 1) {
      const number = numbers.get(pattern[i] ?? '');
      if (number === undefined) return undefined;
      wanted[i] = number;
    }
    const below = firstMatch(wanted, (i) => text[near + i], range.last + pattern.length - near);
    // A match above must be nearer than the one below, so it need not be sought any further up.
    const reach = below === undefined ? near - range.first : Math.min(near - range.first, below - 1);
    const bottom = near + pattern.length - 1;
    const above = firstMatch(wanted.toReversed(), (i) => text[bottom - i], reach + pattern.length);
    if (above !== undefined) return near - above;
    return below === undefined ? undefined : near + below;
  };
}

function numbered(lines: readonly string[]): { numbers: ReadonlyMap<string, number>; text: Int32Array } {
  const numbers = new Map<string, number>();
  const text = new Int32Array(lines.length);
  lines.forEach((line, i) => {
    const number = numbers.get(line) ?? numbers.size;
    numbers.set(line, number);
    text[i] = number;
  });
  return { numbers, text };
}

/** Index of the first match of `pattern` in a text of `length` numbers, each of which is looked at once. */
function firstMatch(
  pattern: Int32Array,
  textAt: (index: number) => number | undefined,
  length: number,
): number | undefined {
  const size = pattern.length;
  const fallback = new Int32Array(size);
  for (let i = 1, matched = 0; i < size; i += 1) {
    while (matched > 0 && pattern[i] !== pattern[matched]) matched = fallback[matched - 1] ?? 0;
    if (pattern[i] === pattern[matched]) matched += 1;
    fallback[i] = matched;
  }
  for (let i = 0, matched = 0; i < length; i += 1) {
    const number = textAt(i);
    while (matched > 0 && number !== pattern[matched]) matched = fallback[matched - 1] ?? 0;
    if (number === pattern[matched]) matched += 1;
    if (matched === size) return i - size + 1;
  }
  return undefined;
}

/** Where most of a hunk's lines stand in the right distance from one another; each line of the hunk votes for where the hunk would begin. */
export function bestGuess(lines: readonly string[], hunk: Hunk): number {
  const places = new Map<string, number[]>();
  lines.forEach((line, i) => {
    const known = places.get(line);
    if (known === undefined) places.set(line, [i]);
    else if (known.length < 64) known.push(i);
  });
  const stated = Math.min(Math.max(0, hunk.oldStart - 1), Math.max(0, lines.length - 1));
  const votes = new Map<number, number>();
  hunk.old.forEach((line, i) => {
    for (const place of places.get(line) ?? []) if (place >= i) votes.set(place - i, (votes.get(place - i) ?? 0) + 1);
  });
  let best = stated;
  for (const [at, count] of votes) {
    const most = votes.get(best) ?? 0;
    if (count > most || (count === most && Math.abs(at - stated) < Math.abs(best - stated))) best = at;
  }
  return best;
}
