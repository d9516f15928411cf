/** What a hunk expects beside what the file holds in its place, line by line, as `sdiff` shows two files. Loaded only for reports. */
import { type ArrayChange, diffArrays } from 'diff';

/** One row: a line that both have, two that differ (`|`), or one that only the patch (`<`) or only the file (`>`) has. */
interface Row {
  readonly mark: ' ' | '|' | '<' | '>';
  readonly left: string;
  readonly right: string;
  /** 1-based, in the file. */
  readonly number: number | undefined;
}

/** Letters of a line that are shown, and rows of a hunk. */
const widest = 48;
const mostRows = 40;
/** Equal rows that are shown around others. */
const context = 3;

/** Lines that a patch expects, aligned with those of the file. */
export interface Alignment {
  /** Index of the line of the file at which the parts begin. */
  readonly at: number;
  readonly parts: readonly Pick<ArrayChange<string>, 'added' | 'removed' | 'value'>[];
}

/**
 * @param expected The lines before the change, with their line ends, latin1.
 * @param lines    Those of the file.
 * @param at       Index of the line of the file that is most likely meant by the first one.
 */
export function alignment(expected: readonly string[], lines: readonly string[], at: number): Alignment {
  const found = lines.slice(at, at + expected.length + context);
  const parts = diffArrays([...expected], found, { maxEditLength: 400 }) ?? [
    { removed: true, added: false, value: [...expected] },
    { removed: false, added: true, value: found },
  ];
  return { at, parts };
}

/** @param path Of the file, for the heading. */
export function sideBySide(aligned: Alignment, path: string): string {
  const rows = rowsOf(aligned);
  const near = rows.map((_, i) =>
    rows.slice(Math.max(0, i - context), i + context + 1).some(({ mark }) => mark !== ' '),
  );
  const shown: (Row | undefined)[] = [];
  rows.forEach((row, i) => {
    if (near[i]) shown.push(row);
    else if (shown.at(-1) !== undefined || i === 0) shown.push(undefined);
  });
  const head = { left: 'the patch expects', right: `${path} has` };
  const texts = shown
    .slice(0, mostRows)
    .map((row) => row && { ...row, left: visible(row.left), right: visible(row.right) });
  const width = Math.max(head.left.length, ...texts.map((row) => row?.left.length ?? 0));
  const digits = Math.max(...texts.map((row) => String(row?.number ?? '').length), 1);
  const line = (left: string, mark: string, number: string, right: string): string =>
    `${left.padEnd(width)} ${mark} ${number.padStart(digits)}  ${right}`.trimEnd();
  return [
    line(head.left, ' ', '', head.right),
    ...texts.map((row) => (row ? line(row.left, row.mark, String(row.number ?? ''), row.right) : '…')),
    ...(shown.length > mostRows ? [`… ${shown.length - mostRows} more lines`] : []),
  ].join('\n');
}

function rowsOf({ parts, at }: Alignment): Row[] {
  const rows: Row[] = [];
  let number = at;
  let open: string[] = [];
  const close = (): void => {
    for (const left of open) rows.push({ mark: '<', left, right: '', number: undefined });
    open = [];
  };
  for (const { added, removed, value } of parts) {
    for (const text of value) {
      if (removed) open.push(text);
      else {
        number += 1;
        const left = added ? open.shift() : text;
        if (!added) close();
        rows.push({ mark: added ? (left === undefined ? '>' : '|') : ' ', left: left ?? '', right: text, number });
      }
    }
  }
  close();
  // The file goes on behind the hunk, which says nothing.
  while (rows.at(-1)?.mark === '>' && rows.length > 1) rows.pop();
  return rows;
}

/** A line with what cannot be seen spelt out: tabs, blanks at its end, a line end that is another one. */
function visible(line: string): string {
  if (line === '') return '';
  const ended = line.endsWith('\n');
  const text = Buffer.from(ended ? line.slice(0, -1) : line, 'latin1').toString();
  const spelt = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/\\(["\\])/g, '$1')
    .replace(/ +$/, (blanks) => '·'.repeat(blanks.length));
  const cut = spelt.length > widest ? `${spelt.slice(0, widest - 1)}…` : spelt;
  return ended ? cut : `${cut} (no line end)`;
}
