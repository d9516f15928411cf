/** Which side of a patch is the newer one, as far as its headers tell (pure): a patch that was made the wrong way round says so itself. */
import type { HeaderName } from './header-names.ts';

/** `forward`: the new side is the newer one, as it should be; `backward`: the old side is. */
export type Direction = 'forward' | 'backward';

/** What people call a file, or a folder, that they keep from before a change, and what they call the changed one. */
const older = /(^|[-._])(orig|original|old|bak|pristine|upstream)$|~$/i;
const newer = /(^|[-._])(new|patched|modified)$/i;

/** What git puts before names where it says what it compares (`diff.mnemonicPrefix`) or is told to compare backwards (`-R`), old side first. */
const prefixes = ['c i', 'c w', 'i w', 'o w'];
const reversed = ['b a', ...prefixes.map((pair) => pair.split(' ').reverse().join(' '))];

/**
 * Asks the names first, then the dates. `a/` before `b/` tells nothing: that is how git writes it whichever way round two commits are
 * given to it.
 */
export function directionOf(old: HeaderName | undefined, now: HeaderName | undefined): Direction | undefined {
  const [before, after] = [old, now].map((side) => side?.name?.split(/\/+/));
  if (before === undefined || after === undefined) return undefined;
  const difference = age(after, before) - age(before, after);
  if (difference !== 0) return difference > 0 ? 'forward' : 'backward';
  const pair = `${before[0]} ${after[0]}`;
  if (before.length > 1 && before.slice(1).join('/') === after.slice(1).join('/')) {
    if (prefixes.includes(pair)) return 'forward';
    if (reversed.includes(pair)) return 'backward';
  }
  const [then, later] = [old?.hours, now?.hours];
  if (then === undefined || later === undefined || then === later || old?.absent || now?.absent) return undefined;
  return then < later ? 'forward' : 'backward';
}

/** Above 0 for names that say `new`, below for those that say `old`, by the parts that the other side does not have. */
const age = (parts: readonly string[], others: readonly string[]): number =>
  parts
    .filter((part) => !others.includes(part))
    .reduce((sum, part) => sum + (newer.test(part) ? 1 : older.test(part) ? -1 : 0), 0);
