/** Packages → closures and an order in which each comes after what it needs (pure). */
import type { Package } from '../buildfile/package.ts';

/** The folder name of a package; `_` is in no name, so two packages never share one. */
export const packageFolder = ({ name, version }: Package): string => `${name}_${version}`;

/** Packages and everything that `next` leads to from them, each once, after all that it leads to. */
function closure(from: readonly Package[], next: (one: Package) => readonly Package[]): Package[] {
  const order = new Set<Package>();
  // No recursion: a chain of packages may be longer than the stack is deep.
  const path: { readonly one: Package; readonly ahead: Iterator<Package> }[] = [];
  const enter = (one: Package): void => {
    if (!order.has(one)) path.push({ one, ahead: next(one)[Symbol.iterator]() });
  };
  for (const first of from) {
    enter(first);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const { done, value } = at.ahead.next();
      if (done !== true) enter(value);
      else order.add(path.pop()?.one ?? first);
    }
  }
  return [...order];
}

const runs = (one: Package): readonly Package[] => one.deps ?? [];
const builds = (one: Package): readonly Package[] => [...(one.deps ?? []), ...(one.buildDeps ?? [])];

/** What reaches a prefix with these packages, themselves included. */
export const runClosure = (from: readonly Package[]): Package[] => closure(from, runs);

/** What it may take to make these packages from source, themselves included. */
export const fullClosure = (from: readonly Package[]): Package[] => closure(from, builds);

/** What a package sees in its private prefix: its direct dependencies of both kinds, and what those need to run. */
export const visibleTo = (one: Package): Package[] => runClosure(builds(one));

/** The direct dependencies of both kinds, each once. */
export const directDependencies = (one: Package): Package[] => [...new Set(builds(one))];
