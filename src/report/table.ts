/** Rows of cells as columns (pure; escaping included). */
import { printableLine } from './printable.ts';

/** Each row on a line, every column as wide as its widest cell. */
export function columns(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printableLine));
  const width = (column: number): number => Math.max(0, ...shown.map((row) => row[column]?.length ?? 0));
  const widths = (shown[0] ?? []).map((_, column) => width(column));
  return shown
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
