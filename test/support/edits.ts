/** Random projects and random changes to them, for the property that an incremental build ends with what a clean one gives. */
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { TinyPackage } from './tiny.ts';

/** What a person may do to a project between two runs; numbers stand for packages and values, taken modulo how many there are. */
export type Edit =
  | { readonly kind: 'source' | 'patch' | 'word' | 'said' | 'unsaid'; readonly package: number; readonly value: number }
  | { readonly kind: 'unpatch'; readonly package: number }
  | { readonly kind: 'dep'; readonly package: number; readonly on: number }
  /** Takes the list of packages around, and with it nothing that counts. */
  | { readonly kind: 'order'; readonly by: number }
  /** Gives every file of the project one time, before or after the runs. */
  | { readonly kind: 'times'; readonly seconds: number }
  /** Takes back every change since the nth state before. */
  | { readonly kind: 'back'; readonly states: number }
  /** Work that was done is lost: all of the work folder, or the cache. */
  | { readonly kind: 'lose'; readonly what: 'work' | 'cache' | 'prefix' };

const names = ['a', 'b', 'c', 'd', 'e'];
const values = ['red', 'green', 'blue'];
const valueOf = (at: number): string => values[at % values.length] ?? '';

export const graphs = fc
  .array(fc.record({ deps: fc.array(fc.nat(4), { maxLength: 3 }), patched: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((rows) =>
    rows.map(({ deps, patched }, at): TinyPackage => {
      const name = names[at] ?? '';
      return {
        name,
        deps: [...new Set(deps.filter((dep) => dep < at).map((dep) => names[dep] ?? ''))].sort(),
        source: `source ${name}`,
        word: 'red',
        said: 'red',
        ...(patched && { patched: 'patched red' }),
      };
    }),
  );

const [one, value] = [fc.nat(4), fc.nat(2)];
export const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constantFrom('source', 'patch', 'word', 'said'), package: one, value }),
  fc.record({ kind: fc.constant('unsaid'), package: one, value }),
  fc.record({ kind: fc.constant('unpatch'), package: one }),
  fc.record({ kind: fc.constant('dep'), package: one, on: one }),
  fc.record({ kind: fc.constant('order'), by: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('times'), seconds: fc.constantFrom(1_000_000_000, 2_500_000_000) }),
  fc.record({ kind: fc.constant('back'), states: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('lose'), what: fc.constantFrom('work', 'cache', 'prefix') }),
) as fc.Arbitrary<Edit>;

function withoutPatch(now: TinyPackage): TinyPackage {
  const { patched, ...rest } = now;
  return patched === undefined ? now : rest;
}

/** The packages after an edit. */
export function edited(packages: readonly TinyPackage[], edit: Edit): readonly TinyPackage[] {
  if (!('package' in edit)) return packages;
  const at = edit.package % packages.length;
  return packages.map((now, index) => {
    if (index !== at) return now;
    switch (edit.kind) {
      case 'source':
        return { ...now, source: valueOf(edit.value) };
      case 'patch':
        return { ...now, patched: `patched ${valueOf(edit.value)}` };
      case 'unpatch':
        return withoutPatch(now);
      case 'word':
        return { ...now, word: valueOf(edit.value) };
      case 'said':
        return { ...now, said: valueOf(edit.value) };
      case 'unsaid':
        return { ...now, unsaid: valueOf(edit.value) };
      case 'dep': {
        const on = edit.on < at ? (packages[edit.on]?.name ?? '') : undefined;
        if (on === undefined) return now;
        const deps = now.deps.includes(on) ? now.deps.filter((dep) => dep !== on) : [...now.deps, on].sort();
        return { ...now, deps };
      }
      default:
        return edit satisfies never;
    }
  });
}

/** @param seconds Since 1970. */
export function setTimes(path: string, seconds: number): void {
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!/\/(\.vbuild|vendor|\.vendor\.generations)(\/|$)/.test(file)) utimesSync(file, seconds, seconds);
  }
}
