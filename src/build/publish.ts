/** Completes what the tiers below the disk lack of a closure, without building anything. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { CacheTier } from '../cache/cache.ts';
import { tiersToFill } from '../cache/tiers.ts';
import { VbuildError, lowestStatus } from '../model/error.ts';
import { fullClosure, runClosure } from './graph.ts';
import { inParallel } from './in-parallel.ts';
import { keyedFacts } from './keyed.ts';
import { startPushes } from './pushes.ts';
import type { BuildRequest } from './request.ts';
import type { Run } from './run.ts';
import { countedTraffic, startRun } from './start-run.ts';

interface PublishOutcome {
  readonly exitStatus: number;
  /** Packages whose artifact is in every tier now, or was already; by `name@version`. */
  readonly present: readonly string[];
  /** Those that rest on what no commit holds, and were not named. */
  readonly withheld: readonly string[];
  /** Those that some tier does not have because an upload failed: their own, or that of something they need. */
  readonly unsent: readonly string[];
  /** Those that are needed to run, and no cache has. */
  readonly missing: readonly string[];
}

/**
 * Pushes what lies on the disk, and carries over what one tier has and another one lacks. What only compiling needs is pushed where it is
 * on the disk.
 *
 * @param repair Objects that cannot be used are replaced.
 * @throws {VbuildError} `unpinned`, `signing-key`; `usage` where there is nothing to push to.
 */
export async function publish(request: BuildRequest, repair: boolean): Promise<PublishOutcome> {
  const { run, tiers, trust } = startRun(request, { forThisHost: false });
  using _traffic = countedTraffic(tiers, run.emit);
  const writable = tiersToFill(tiers);
  const packages = fullClosure(request.targets);
  const needed = new Set(runClosure(request.targets));
  const facts = keyedFacts(packages, request);
  const pushes = startPushes(
    { tiers: writable, facts, publishing: request.publishing, trust, thorough: true, repair },
    run,
  );
  const places = await inParallel(packages, async (one) => {
    run.signal.throwIfAborted();
    const { key, id } = facts.of(one);
    run.labels.set(key, id);
    return { one, id, key, where: await whereabouts(one, needed.has(one), { run, tiers, writable, key }) };
  });
  // In their order, so that each waits for those it depends on.
  for (const { one, where } of places) if (where === 'here') pushes.add(one);
  const present = places.flatMap(({ id, where }) => (where === 'nowhere' ? [] : [id]));
  const missing = places.filter(({ one, where }) => where === 'nowhere' && needed.has(one));
  const failed = [...(await pushes.done())];
  for (const { id, key } of missing) {
    const error = new VbuildError('not-ready', 'No cache has the artifact', {
      where: { package: id },
      facts: { key },
      mend: 'build it first',
    });
    run.emit({ type: 'package-failed', package: id, error });
    failed.push(error);
  }
  const withheld = [...pushes.withheld.keys()].map(packageId);
  const unsent = packages.filter((one) => pushes.unsent.has(one)).map(packageId);
  return {
    exitStatus: lowestStatus(failed.map((error) => error.exitStatus)),
    present: present.filter((id) => !withheld.includes(id) && !unsent.includes(id)),
    withheld,
    unsent,
    missing: missing.map(({ id }) => id),
  };
}

/** `here`: on the disk, brought there if need be because some tier lacks it. */
async function whereabouts(
  { name }: Package,
  isNeeded: boolean,
  at: {
    readonly run: Run;
    readonly tiers: readonly CacheTier[];
    readonly writable: readonly CacheTier[];
    readonly key: Parameters<CacheTier['lookUp']>[1];
  },
): Promise<'here' | 'everywhere' | 'nowhere'> {
  const { run, tiers, writable, key } = at;
  if ((await run.disk.lookUp(name, key, run.signal)).outcome === 'hit') return 'here';
  if (!isNeeded) return 'nowhere';
  const answers = await Promise.all(
    tiers.map(async (tier) => [tier, (await tier.lookUp(name, key, run.signal)).outcome] as const),
  );
  const lacking = answers.filter(([tier, outcome]) => writable.includes(tier) && outcome !== 'hit');
  if (lacking.length === 0) return 'everywhere';
  if (answers.every(([, outcome]) => outcome !== 'hit')) return 'nowhere';
  const fetched = await run.cache.fetchArtifact(name, key, run.signal);
  return fetched.outcome === 'done' ? 'here' : 'nowhere';
}
