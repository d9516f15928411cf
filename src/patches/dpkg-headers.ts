/** What dpkg-source insists on in a patch before GNU patch sees it, for the dpkg dialect. */
import { VbuildError } from '../model/error.ts';
import { malformed } from './parse-hunk.ts';
import { splitLines } from './section.ts';

/** Where dpkg-source looks for the headers of a file; what stands between is a comment to it. */
const begins = /^(--- |\+\+\+ |@@ -)/;

/**
 * Insists on a `--- ` line, a `+++ ` line and hunks, in this order, wherever one of them is: a line of prose that looks like a header is
 * none to GNU patch, but dpkg-source stops at it. What a hunk holds, and paths, are for others to judge.
 *
 * @param text The patch, latin1.
 * @throws {VbuildError} `patch-malformed`; `patch-unsupported` for a name in quotes.
 * @see Dpkg::Source::Patch in dpkg, `analyze()`.
 */
export function insistAsDpkg(text: string, file: string): void {
  const lines = splitLines(text).map((line) => line.replace(/\r?\n$|\r$/, ''));
  const refuse = (at: number, headline: string): never => malformed(file, at + 1, headline, lines[at] ?? '');
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    if (!begins.test(line)) {
      at += 1;
      continue;
    }
    if (!line.startsWith('--- ')) refuse(at, 'No line with --- comes before the header of a file or a hunk');
    if (lines[at + 1]?.startsWith('+++ ') !== true) refuse(at + 1, 'No line with +++ follows the one with ---');
    const names = [at, at + 1].map((one) => nameIn(lines[one] ?? '', one + 1, file));
    if (!names.some((name) => name !== '/dev/null' && name.includes('/')))
      refuse(at, 'Neither name has a leading part that can be dropped');
    if (names[0]?.endsWith('.dpkg-orig')) refuse(at, 'Patch changes a file with the name of a backup of dpkg');
    const end = behindHunks(lines, at + 2, (one) =>
      refuse(one, 'Hunk has a line that is neither context nor a change'),
    );
    if (end === at + 2) refuse(end, 'File header is not followed by a hunk');
    at = end;
  }
}

function nameIn(line: string, number: number, file: string): string {
  const text = line.slice('--- '.length).trimStart();
  if (text.startsWith('"'))
    throw new VbuildError('patch-unsupported', 'Patch names a file in quotes, which dpkg-source refuses', {
      where: { file, line: number },
      facts: { found: line },
      mend: 'apply it in the strict dialect',
    });
  return /^[^\t]*(?=\t)/.exec(text)?.[0] ?? text.replace(/\s.*$/, '');
}

/** @returns The index of the first line that belongs to no hunk; `from` where there is none. */
function behindHunks(lines: readonly string[], from: number, refuse: (at: number) => never): number {
  let [at, hunks] = [from, 0];
  for (; at < lines.length; ) {
    if (lines[at]?.startsWith('\\ ')) {
      at += 1;
      continue;
    }
    const header = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@(?: .*)?$/.exec(lines[at] ?? '');
    if (header === null) break;
    let [oldLeft, newLeft] = [Number(header[1] ?? 1), Number(header[2] ?? 1)];
    for (at += 1; (oldLeft > 0 || newLeft > 0) && at < lines.length; at += 1) {
      const mark = lines[at]?.[0] ?? ' ';
      if (mark === '\\') continue;
      if (!' -+'.includes(mark)) refuse(at);
      if (mark !== '+') oldLeft -= 1;
      if (mark !== '-') newLeft -= 1;
    }
    hunks += 1;
  }
  return hunks === 0 ? from : at;
}
