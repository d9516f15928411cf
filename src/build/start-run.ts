/** Sets up what the parts of a run share: the caches of this user and of the Buildfile, each answer of theirs emitted. */
import { join } from 'node:path';
import { packageId } from '../buildfile/package.ts';
import type { CacheTier } from '../cache/cache.ts';
import type { Judge } from '../cache/lacks.ts';
import { layeredCache } from '../cache/layered.ts';
import { tierOf } from '../cache/tiers.ts';
import type { Trust } from '../cache/trust.ts';
import { thisHost, unfitReasons } from '../install/host.ts';
import type { ContentKey, Digest } from '../model/digest.ts';
import type { Emit } from '../model/event.ts';
import { prefixProblems } from '../prefix/fits.ts';
import { diskOf, trustIn } from './disk.ts';
import { placeToBe } from './install-reasons.ts';
import type { BuildRequest } from './request.ts';
import type { Run } from './run.ts';

type Needed = Pick<BuildRequest, 'build' | 'workspace' | 'platform' | 'options' | 'environment' | 'emit' | 'signal'>;
/** What is put into which prefix; `packages` are named `name@version`. */
export type Installing = Pick<BuildRequest, 'prefix'> & {
  readonly packages: readonly string[];
  /** The trees that artifacts must have, by their keys; any will do for the others. */
  readonly trees?: ReadonlyMap<ContentKey, Digest>;
};

/** Tells at the end of its scope what it cost to ask the tiers. */
export const countedTraffic = (tiers: readonly CacheTier[], emit: Emit): Disposable => ({
  [Symbol.dispose]() {
    for (const { name, traffic } of tiers) {
      const counted = traffic?.();
      if (counted !== undefined && counted.requests > 0) emit({ type: 'cache-traffic', tier: name, ...counted });
    }
  },
});

/**
 * `tiers` are those below the disk; offline there are none. `trust` says whose artifacts all of them accept.
 *
 * @param onDisk      Whether what lies on the disk counts. Where it does not, nothing must be fetched.
 * @param forThisHost What cannot run here counts as not there; otherwise it is handed on all the same.
 * @param installing  So does what of these packages, `name@version`, cannot work in this prefix, unless nothing is to be installed.
 * @param among       What is asked below the disk in place of these tiers.
 */
export function startRun(
  { build, workspace, platform, options, environment, emit, signal }: Needed,
  {
    onDisk = true,
    forThisHost = true,
    installing,
    among = (tiers) => tiers,
  }: {
    readonly onDisk?: boolean;
    readonly forThisHost?: boolean;
    readonly installing?: Installing;
    readonly among?: (tiers: readonly CacheTier[]) => readonly CacheTier[];
  } = {},
): {
  run: Run;
  tiers: readonly CacheTier[];
  trust: Trust | undefined;
} {
  const host = thisHost(environment['PATH']);
  const place = installing === undefined || options.noInstall ? undefined : placeToBe(installing.prefix);
  const installed = new Set(installing?.packages);
  const judge: Judge = (manifest) => {
    const ofHost = unfitReasons(manifest, host);
    const ofPrefix = (
      place === undefined || !installed.has(packageId(manifest.package)) ? [] : prefixProblems(manifest, place)
    ).map(({ file, offset, found }) => `${file} cannot work in ${place}, at byte ${offset}: ${found}`);
    const reasons = [...ofHost, ...ofPrefix];
    if (reasons.length === 0) return undefined;
    return { reason: reasons.join('; '), misfit: ofPrefix.length > 0 ? 'prefix' : 'host' };
  };
  const labels = new Map<ContentKey, string>();
  const trust = trustIn(build);
  const disk = diskOf(build, onDisk ? workspace : { cache: join(workspace.state, 'nothing') });
  const tiers = options.offline
    ? []
    : build.cache.map((spec) => tierOf(spec, { folder: workspace.folder, environment, trust }));
  const cache = layeredCache(
    disk,
    options.noCache ? [] : among(tiers),
    ({ tier, name, key, equal, answer }) =>
      emit({
        type: 'cache-looked-up',
        package: labels.get(key) ?? name,
        key,
        ...(equal !== undefined && { equal }),
        tier,
        answer: answer.outcome,
        ...('reason' in answer && { reason: answer.reason }),
      }),
    (tier, { facts }) =>
      emit({
        type: 'notice',
        level: 'warning',
        code: 'cache-unfilled',
        headline: `Cache ${tier} cannot be filled`,
        facts,
      }),
    forThisHost ? judge : undefined,
    installing?.trees,
  );
  const { mirrors } = build;
  return {
    run: { workspace, platform, options, disk, cache, labels, mirrors, environment, emit, signal },
    tiers,
    trust,
  };
}
