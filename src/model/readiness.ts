/** Whether what is asked of a prefix is there, as data: what `check` answers. */
import type { ContentKey } from './digest.ts';
import type { Reason } from './event.ts';
import type { Missed } from './plan.ts';

/** One package of the closure. */
export type CheckedPackage = {
  /** `name@version`. */
  readonly package: string;
  readonly key: ContentKey;
} & (
  | { readonly state: 'installed' }
  /** Not in the prefix; this tier has it. `transferBytes` is what there is to bring: nothing from the disk. */
  | { readonly state: 'available'; readonly tier: string; readonly transferBytes: number }
  /** Not in the prefix, and a cache has it, but it does not fit this host; the reason begins with the name of the tier. */
  | { readonly state: 'unfit'; readonly reason: string }
  /** Neither in the prefix nor in a cache that can be used. */
  | ({ readonly state: 'missing' } & Missed)
);

export interface Readiness {
  /** Names of the targets. */
  readonly targets: readonly string[];
  /** The one whose artifacts are looked for. */
  readonly platform: string;
  /** Absolute path of the prefix; absent where only the caches were asked about. */
  readonly prefix?: string;
  /** Number of its current generation, if there is one. */
  readonly generation?: number;
  /** Each after what it depends on. */
  readonly packages: readonly CheckedPackage[];
  /** Why the prefix is not what these targets ask for; none when it is. */
  readonly reasons: readonly Reason[];
}

/**
 * 3 when something is in no cache, 4 when all is somewhere, but some of it not for this host, 3 when all of it is only still to be
 * installed, and 0 when nothing is left to do.
 */
export function readinessStatus({ packages, reasons }: Pick<Readiness, 'packages' | 'reasons'>): 0 | 3 | 4 {
  const has = (state: CheckedPackage['state']): boolean => packages.some((one) => one.state === state);
  if (has('missing')) return 3;
  if (has('unfit')) return 4;
  return reasons.length > 0 ? 3 : 0;
}
