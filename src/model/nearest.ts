/** Finds the name that was probably meant when an unknown one was given: for commands, options, targets and Buildfile fields. */

/**
 * The candidate that most resembles `name`, or undefined when none is near enough to be worth saying.
 *
 * Near enough: at most a third of the letters of the longer word differ (at least one may), upper and lower case count as
 * equal; of several equally near ones the first listed wins. A name of one letter suggests nothing.
 */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length < 2 || name.length > 200) return undefined;
  const wanted = name.toLowerCase();
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (distance <= allowed && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { candidate, distance };
  }
  return best?.candidate;
}

/**
 * Letters to insert, delete, replace, or swap with their neighbour, to get from `a` to `b`.
 *
 * @see Damerau 1964; the restricted form ("optimal string alignment"), which edits no part twice.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const differs = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + differs);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, at(beforeLast, column - 2) + 1);
      }
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
