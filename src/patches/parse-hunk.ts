/** Reads one hunk of a unified diff by the counts in its header. */
import { VbuildError } from '../model/error.ts';
import type { Hunk } from './section.ts';

/** @throws {VbuildError} `patch-malformed` */
export function malformed(file: string, line: number, headline: string, found: string): never {
  throw new VbuildError('patch-malformed', headline, {
    where: { file, line },
    facts: { found: found === '' ? 'an empty line or the end of the patch' : JSON.stringify(found) },
    mend: 'make the patch again with `git diff` or `diff -u`; it was cut short or edited by hand',
  });
}

/**
 * Reads a hunk. Accepted as GNU patch accepts them: context lines whose leading blank was eaten, and up to two blank lines of
 * trailing context cut off at the end of the patch.
 *
 * @param lines The patch's lines with their line ends.
 * @param start Index of the header.
 * @param stripCr Take a CR off the end of each line.
 * @returns The hunk, and the index of the first line behind it.
 * @throws {VbuildError} `patch-malformed`
 */
export function readHunk(
  lines: readonly string[],
  start: number,
  file: string,
  stripCr: boolean,
): { readonly hunk: Hunk; readonly next: number } {
  const header = /^@@ -(\d{1,15})(?:,(\d{1,15}))? \+(\d{1,15})(?:,(\d{1,15}))? @@/.exec(lines[start] ?? '');
  if (!header) malformed(file, start + 1, 'Hunk header cannot be read', (lines[start] ?? '').trimEnd());
  const old: string[] = [];
  const fresh: string[] = [];
  let oldLeft = Number(header[2] ?? 1);
  let newLeft = Number(header[4] ?? 1);
  let [leading, trailing, changes] = [0, 0, 0];
  let last: readonly string[][] = [];
  let next = start + 1;
  const context = (text: string): void => {
    old.push(text);
    fresh.push(text);
    last = [old, fresh];
    oldLeft -= 1;
    newLeft -= 1;
    if (changes === 0) leading += 1;
    trailing += 1;
  };
  const change = (side: string[], text: string): void => {
    side.push(text);
    last = [side];
    changes += 1;
    trailing = 0;
  };

  for (; oldLeft > 0 || newLeft > 0; next += 1) {
    const raw = lines[next];
    if (raw === undefined) {
      if (oldLeft !== newLeft || oldLeft > 2)
        malformed(file, next, 'Patch ends in the middle of a hunk', (lines[next - 1] ?? '').trimEnd());
      for (let missing = oldLeft; missing > 0; missing -= 1) context('\n');
      break;
    }
    const line = withLineEnd(raw, stripCr);
    const text = line.slice(1);
    if (line.startsWith(' ') && oldLeft > 0 && newLeft > 0) context(text);
    else if (/^[\t\n]/.test(line) && oldLeft > 0 && newLeft > 0) context(line);
    else if (line.startsWith('-') && oldLeft > 0) {
      oldLeft -= 1;
      change(old, text);
    } else if (line.startsWith('+') && newLeft > 0) {
      newLeft -= 1;
      change(fresh, text);
    } else if (!line.startsWith('\\') || !cutLineEnd(last))
      malformed(file, next + 1, 'Hunk holds a line that does not belong to it', raw.trimEnd());
  }
  if (lines[next]?.startsWith('\\') && cutLineEnd(last)) next += 1;
  if (changes === 0) malformed(file, start + 1, 'Hunk changes nothing', header[0]);
  if ([old, fresh].some((side) => side.slice(0, -1).some((line) => !line.endsWith('\n')))) {
    malformed(file, start + 1, 'Hunk marks a line as the last one of the file that is not', header[0]);
  }
  return {
    hunk: { line: start + 1, header: header[0], oldStart: Number(header[1]), old, new: fresh, leading, trailing },
    next,
  };
}

/** The patch's own last line may lack its end; the line it stands for does not. */
const withLineEnd = (raw: string, stripCr: boolean): string => {
  const line = raw.endsWith('\n') ? raw : `${raw}\n`;
  return stripCr ? line.replace(/\r\n$/, '\n') : line;
};

/** Obeys `\ No newline at end of file`; false when there is no line to which it could belong. */
function cutLineEnd(sides: readonly string[][]): boolean {
  for (const side of sides) {
    const line = side.at(-1);
    if (!line?.endsWith('\n')) return false;
    side[side.length - 1] = line.slice(0, -1);
  }
  return sides.length > 0;
}
