/** Words for a patch that does not apply: what was expected, what was found, and what likely happened. Loaded only then. */
import { VbuildError } from '../model/error.ts';
import type { PatchText, Rejection } from './apply-patch.ts';
import type { Direction } from './direction.ts';
import { allowed, bestGuess, lineSearch, placeHunks } from './place.ts';
import type { Hunk, Section } from './section.ts';
import { placeOf } from './section-paths.ts';
import { type Alignment, alignment, sideBySide } from './side-by-side.ts';
import type { TreeView } from './tree-view.ts';

/** One thing that did not fit. Of thousands only a few are shown whole, so what takes long is worked out for those alone. */
interface Finding {
  /** 1-based line in the patch. */
  readonly line: number;
  /** One clause that names it among others. */
  readonly name: string;
  /** What was expected beside what was found. */
  readonly table?: () => string;
  readonly facts: () => Readonly<Record<string, string>>;
  readonly mend: string;
}

/** The words for a line that is not as it should be; `expected` begins with its number. */
interface Seen {
  readonly expected: string;
  readonly found: string;
}

/**
 * One error for one patch: everything that does not fit, with expected and found lines side by side, the first one in words as well.
 *
 * @param rejections At least one.
 * @param view       The tree that the patch met, for finding the right strip level.
 * @returns {VbuildError} `patch-rejected` with the facts `file`, `hunk`, `expected`, `found`, and where they apply `likely`, `lines` and `also`.
 */
export function rejectionError(
  patch: PatchText,
  rejections: readonly Rejection[],
  view: Pick<TreeView, 'has'>,
): VbuildError {
  const findings = rejections.flatMap((rejection) => findingsOf(rejection, patch, view));
  const [first, ...others] = findings;
  if (first === undefined) throw new Error('rejectionError() needs a rejection');
  return new VbuildError('patch-rejected', 'Patch does not apply', {
    where: { file: patch.file, line: first.line },
    facts: {
      ...first.facts(),
      ...(first.table !== undefined && { lines: first.table() }),
      ...(others.length > 0 && { also: namesOf(others) }),
    },
    mend: first.mend,
  });
}

/** More than any patch has that a person reads: so many are shown in full, and so many named. */
const mostTables = 50;
const mostNames = 1000;

function namesOf(findings: readonly Finding[]): string {
  const named = findings.slice(0, mostNames).map(({ line, name, table }, at) => {
    const heading = `line ${line}: ${name}`;
    return table === undefined || at >= mostTables ? heading : `${heading}\n${table().replaceAll(/^/gm, '  ')}`;
  });
  return [...named, ...(findings.length > mostNames ? [`${findings.length - mostNames} more`] : [])].join('\n');
}

const refresh = 'refresh the patch against the source that is pinned';
/** What it means that the tree is as the patch leaves it: that cannot be told from a patch that was made from new to old, but for its headers. */
const thereAlready: Readonly<Record<Direction | 'unknown', Pick<Finding, 'mend'> & { readonly likely: string }>> = {
  forward: { likely: 'the patch is applied already', mend: 'take the patch out of the series: the change is there' },
  backward: {
    likely: 'the patch is reversed: by its headers, the lines that it takes away are the newer ones',
    mend: 'turn the patch round: make it again, from the old file to the new one',
  },
  unknown: {
    likely: 'the patch is applied already',
    mend: 'take the patch out of the series if upstream has the change, or turn it round if it was made from new to old',
  },
};
const thereBy = ({ direction }: Section): (typeof thereAlready)[Direction] => thereAlready[direction ?? 'unknown'];

function findingsOf(rejection: Rejection, patch: PatchText, view: Pick<TreeView, 'has'>): Finding[] {
  const { section } = rejection;
  const { line } = section;
  switch (rejection.why) {
    case 'no-file': {
      const strip = rightStrip(rejection, patch, view);
      const there = thereBy(section);
      const named =
        rejection.names.length > 0
          ? rejection.names.join(' or ')
          : [...new Set([section.oldName, section.newName, section.indexName])].filter(Boolean).join(' or ');
      return [
        {
          line,
          name: `${named} is not there`,
          facts: () => ({
            file: named,
            expected: `a file of that name, at strip level ${patch.strip}`,
            found: 'no such file in the tree',
            ...(strip !== undefined
              ? { likely: `the strip level is ${strip}, not ${patch.strip}` }
              : section.new === 'absent' && { likely: `${there.likely}: it deletes this file` }),
          }),
          mend:
            strip !== undefined
              ? `set the strip level of this patch to ${strip}`
              : section.new === 'absent'
                ? there.mend
                : refresh,
        },
      ];
    }
    case 'exists': {
      const [hunk] = section.hunks;
      const equal = hunk !== undefined && hunk.new.join('') === rejection.text;
      const { likely, mend } = thereBy(section);
      return [
        {
          line,
          name: `${rejection.path} is there already`,
          facts: () => ({
            file: rejection.path,
            expected: 'no such file, as the patch creates it',
            found: 'a file of that name',
            ...(equal && { likely }),
          }),
          mend: equal ? mend : refresh,
        },
      ];
    }
    case 'not-a-symlink':
      return [
        {
          line,
          name: `${rejection.path} is not a symlink`,
          facts: () => ({ file: rejection.path, expected: 'a symlink', found: 'a plain file' }),
          mend: refresh,
        },
      ];
    case 'text-left': {
      const found = `${rejection.lines.length} more lines, the first of them ${quoted(rejection.lines[0])}`;
      return [
        {
          line,
          name: `${rejection.path} holds more than the patch deletes`,
          facts: () => ({ file: rejection.path, expected: 'nothing left once the patch has deleted the file', found }),
          mend: refresh,
        },
      ];
    }
    case 'hunks':
      return hunkFindings(rejection);
    default:
      return rejection satisfies never;
  }
}

function hunkFindings({ section, path, lines, placements }: Extract<Rejection, { why: 'hunks' }>): Finding[] {
  const { hunks } = section;
  const applied = fit(
    lines,
    hunks.map((hunk) => ({ ...hunk, old: hunk.new, new: hunk.old })),
  );
  const lineEnds =
    !applied &&
    fit(
      lines.map(withoutCr),
      hunks.map((hunk) => ({ ...hunk, old: hunk.old.map(withoutCr) })),
    );
  const otherEnds = section.strippedCr
    ? {
        likely:
          'only the line ends differ: the line +++ of the patch ends with CR LF, so no CR of its hunks counts, as in GNU patch',
        mend: `end the lines --- and +++ of the patch with LF alone; its hunks may keep the line ends of ${path}`,
      }
    : { likely: 'only the line ends differ', mend: `give the patch the line ends of ${path}` };
  const search = lineSearch(lines);
  return hunks.flatMap((hunk, i) => {
    if (placements[i] !== undefined) return [];
    const elsewhere =
      hunk.old.length === 0
        ? undefined
        : search(hunk.old, hunk.oldStart - 1, { first: 0, last: lines.length - hunk.old.length });
    const there = thereBy(section);
    const likely = applied ? there.likely : lineEnds ? otherEnds.likely : undefined;
    const mend = applied ? there.mend : lineEnds ? otherEnds.mend : refresh;
    const facts = ({ expected, found }: Seen): ReturnType<Finding['facts']> => ({
      file: path,
      hunk: `${i + 1} of ${hunks.length}, ${hunk.header}`,
      expected: `${path}:${expected}`,
      found,
      ...(likely !== undefined && { likely }),
    });
    const { line } = hunk;
    const name = `hunk ${i + 1} of ${path}`;
    if (hunk.old.length > 0 && elsewhere === undefined) {
      const aligned = (): Alignment => alignment(hunk.old, lines, bestGuess(lines, hunk));
      const table = (): string => sideBySide(aligned(), path);
      return [{ line, name, table, facts: () => facts(difference(aligned(), hunk, lines)), mend }];
    }
    const seen =
      elsewhere === undefined
        ? { expected: `${hunk.oldStart} to be followed by new lines`, found: `${lines.length} lines in the file` }
        : misplaced(hunk, elsewhere, lines.length);
    const named = `${name}, expected ${path}:${seen.expected}, found ${seen.found}`;
    return [{ line, name: named, facts: () => facts(seen), mend }];
  });
}

/** Whether all hunks have a place that says something; the first one is tried alone, since it mostly decides. */
const fit = (lines: readonly string[], hunks: readonly Hunk[]): boolean =>
  hunks.every(({ old }) => old.length > 0) &&
  [hunks.slice(0, 1), hunks].every((some) => placeHunks(lines, some, true).every((placed) => placed !== undefined));

/** The hunk's lines stand in the file, at a place where it must not go. */
function misplaced(hunk: Hunk, at: number, lineCount: number): Seen {
  const { first, last } = allowed(hunk, lineCount, 0);
  const found = `those lines only at ${at + 1}`;
  if (at > last) return { expected: '1 to begin with the lines of the hunk', found };
  if (at < first) return { expected: `${lineCount} to end with the lines of the hunk`, found };
  return { expected: `${hunk.oldStart} to hold the lines of the hunk, below those of the hunk before`, found };
}

/** The first line that differs where the hunk fits best, as an alignment of its lines with the file's shows it. */
function difference({ parts, at }: Alignment, hunk: Hunk, lines: readonly string[]): Seen {
  let line = at;
  for (const [i, part] of parts.entries()) {
    if (part.removed) {
      const instead = parts[i + 1]?.added ? parts[i + 1]?.value[0] : lines[line];
      return { expected: `${line + 1} to read ${quoted(part.value[0])}`, found: quoted(instead) };
    }
    if (part.added && i > 0)
      return {
        expected: `${line + 1} to read ${quoted(parts[i + 1]?.value[0] ?? parts[i - 1]?.value.at(-1))}`,
        found: quoted(part.value[0]),
      };
    line += part.value.length;
  }
  return { expected: `${at + 1} to read ${quoted(hunk.old[0])}`, found: quoted(lines[at]) };
}

/** Another number of leading parts with which a name of the section is there. */
function rightStrip({ section }: Rejection, patch: PatchText, view: Pick<TreeView, 'has'>): number | undefined {
  const names = [section.oldName, section.newName, section.indexName].filter((name) => name !== undefined);
  const there = (strip: number): boolean =>
    names.some((name) => {
      const place = placeOf(name, strip);
      return place !== undefined && place.reason === undefined && view.has(place.path);
    });
  return [0, 1, 2, 3, 4, 5, 6, 7, 8].find((strip) => strip !== patch.strip && there(strip));
}

const withoutCr = (line: string): string => line.replace(/\r\n$/, '\n');

/** A line as a person should see it: quoted, what cannot be seen spelt out, long ones cut. */
function quoted(line: string | undefined): string {
  if (line === undefined) return 'the end of the file';
  const text = Buffer.from(line.replace(/\n$/, ''), 'latin1').toString();
  const shown = JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
  return line.endsWith('\n') ? shown : `${shown} without a line end`;
}
