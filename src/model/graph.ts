/** The packages of a Buildfile with what each of them needs and where it stands on this machine, as data. */
import type { ContentKey } from './digest.ts';
import type { Reason } from './event.ts';

/**
 * `fresh`: nothing to do. `cached`: its artifact is on the disk, to be restored. `stale`: neither, so that a cache elsewhere must have it or
 * it is built. `failed`: building just this failed the last time. `unpinned`: without a content key until sources or tools have pins.
 */
export const standings = ['fresh', 'cached', 'stale', 'failed', 'unpinned'] as const;

export type Standing = (typeof standings)[number];

export interface GraphPackage {
  /** `name@version`. */
  readonly package: string;
  readonly standing: Standing;
  readonly key?: ContentKey;
  /** Ids of its direct dependencies: those that reach the prefix, and those that only the build needs. */
  readonly deps: readonly string[];
  readonly buildDeps: readonly string[];
  /** Whether it was ever made ready from here; only then there is something to compare it with. */
  readonly everReady: boolean;
  /** Inputs of its own that differ since it was last made ready. */
  readonly changed: readonly Reason[];
  /** Ids of those direct dependencies that moved since. */
  readonly follows: readonly string[];
  /** The stage in which it failed. */
  readonly failedIn?: string;
}

export interface PackageGraph {
  /** Ids of the targets; without any, of the packages that no other one needs. */
  readonly roots: readonly string[];
  /** Each after what it depends on. */
  readonly packages: readonly GraphPackage[];
}

/** What a package needs directly, each once: what reaches the prefix, then what only its build needs. */
export const needsOf = ({
  deps,
  buildDeps,
}: Pick<GraphPackage, 'deps' | 'buildDeps'>): { readonly to: string; readonly forBuild: boolean }[] => [
  ...deps.map((to) => ({ to, forBuild: false })),
  ...buildDeps.filter((to) => !deps.includes(to)).map((to) => ({ to, forBuild: true })),
];
