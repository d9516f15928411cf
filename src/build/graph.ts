/** Packages → closures and an order in which each comes after what it needs (pure). */
import type { Package } from '../buildfile/package.ts';

/** The folder name of a package; `_` is in no name, so two packages never share one. */
export const packageFolder = ({ name, version }: Package): string => `${name}_${version}`;

/** Packages and everything that `next` leads to from them, each once, after all that it leads to. */
function closure(from: readonly Package[], next: (one: Package) => readonly Package[]): Package[] {
  const order = new Set<Package>();
  const visit = (one: Package): void => {
    if (order.has(one)) return;
    for (const other of next(one)) visit(other);
    order.add(one);
  };
  for (const one of from) visit(one);
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
