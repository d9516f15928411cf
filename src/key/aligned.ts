/** Two lists of fields in which what is numbered is told apart by what it says, not by its number (pure). */
import type { Reason } from '../model/event.ts';
import { differences, type Field } from './fields.ts';

export const isStep = ([name]: Field): boolean => name.startsWith('step.');

/** As `differences`, steps as `stepDifferences` has them; empty only where the fields are equal. */
export function alignedDifferences(before: readonly Field[], now: readonly Field[]): Reason[] {
  const plain = differences(before, now);
  if (!plain.some(({ input }) => isStep([input, '']))) return plain;
  const steps = stepDifferences(before.filter(isStep), now.filter(isStep));
  const first = plain.findIndex(({ input }) => isStep([input, '']));
  const others = plain.filter(({ input }) => !isStep([input, '']));
  return steps.length === 0 ? plain : [...others.slice(0, first), ...steps, ...others.slice(first)];
}

/** Steps are numbered, so that one more at the front would seem to change all: they are aligned by what they do. */
export function stepDifferences(before: readonly Field[], now: readonly Field[]): Reason[] {
  const group = ([name]: Field): string | undefined => name.split('.')[2];
  const essence = (step: Field): string => `${group(step)} ${step[1]}`;
  const kept = longestCommon(before.map(essence), now.map(essence));
  const left = (steps: readonly Field[]): Field[] => {
    const open = new Map(kept);
    return steps.filter((step) => {
      const times = open.get(essence(step)) ?? 0;
      open.set(essence(step), times - 1);
      return times <= 0;
    });
  };
  const dropped = left(before);
  const changes = left(now).map(([input, value]): Reason => {
    // One that only moved is gone there and new here.
    const at = dropped.findIndex((step) => group(step) === group([input, value]) && step[1] !== value);
    const [old] = at < 0 ? [] : dropped.splice(at, 1);
    return old === undefined ? { input, now: value } : { input, before: old[1], now: value };
  });
  return [...changes, ...dropped.map(([input, value]): Reason => ({ input, before: value }))];
}

/** A longest common subsequence, as how often each of its members is in it. */
export function longestCommon<Key>(a: readonly Key[], b: readonly Key[]): Map<Key, number> {
  const lengths = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = lengths[i] ?? [];
    for (let j = b.length - 1; j >= 0; j -= 1)
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const common = new Map<Key, number>();
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const key = a[i] as Key;
    if (key === b[j]) {
      common.set(key, (common.get(key) ?? 0) + 1);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return common;
}
