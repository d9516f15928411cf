/** Makes a plan: decides as a run does, by the same functions, and does nothing. */
import type { Package } from '../buildfile/package.ts';
import { packageId } from '../buildfile/package.ts';
import { tiersToFill } from '../cache/tiers.ts';
import { currentGeneration } from '../install/generations.ts';
import type { ContentKey } from '../model/digest.ts';
import type { Plan, PlannedPackage } from '../model/plan.ts';
import { exists } from '../system/files.ts';
import { expectedDurations } from './durations.ts';
import { mayBeEqual } from './cutoff.ts';
import { factsNow, type PackageFacts } from './facts.ts';
import { fullClosure, runClosure, visibleTo } from './graph.ts';
import { insistOnLeave } from './pinning.ts';
import { planOf } from './plan.ts';
import { plannedPush } from './push-plan.ts';
import { type BuildRequest, isUpToDate } from './request.ts';
import type { Run } from './run.ts';
import { type Settled, settle, wantedBy } from './settle.ts';
import { startRun } from './start-run.ts';
import { installReasons } from './install-reasons.ts';
import { stagesToRun } from './verdicts.ts';
import type { Assumption } from './what-if.ts';

/**
 * What a run of this request would do now. Writes nothing: no lock file, no stamp, no cache, no folder. Tools are asked for their
 * versions, and the tiers below the disk for manifests, where a run would ask them.
 *
 * @param assumed What is taken to be so although it is not.
 * @throws {VbuildError | VbuildErrors} what would stop the run before any package.
 */
export async function planBuild(request: BuildRequest, assumed?: Assumption): Promise<Plan> {
  const { options, workspace, platform, prefix } = request;
  const targets = request.targets.map(({ name }) => name);
  if (assumed === undefined && isUpToDate(request)) {
    const packages = runClosure(request.targets);
    const { known } = factsNow(fullClosure(packages), { workspace, platform });
    const fresh = packages.map((one) => planned(one, known.get(one), { outcome: 'fresh' }));
    return planOf({ targets, packages: fresh, installOpen: false, pushTo: [], jobs: options.jobs });
  }
  const want = wantedBy(request, request.emit);
  const installing = { prefix, packages: want.packages.map(packageId) };
  const { run, tiers, trust } = startRun(
    { ...request, options: { ...options, installTools: false, planOnly: true } },
    { installing },
  );
  const filled = options.push ? tiersToFill(tiers) : [];
  const settled = await settle(
    want,
    {
      save: () => {},
      pin: async (unpinned, lock) => {
        insistOnLeave(unpinned, lock, run);
        return lock;
      },
      assume: assumed?.apply,
      begin: () => {},
      keep: undefined,
    },
    run,
  );
  const { facts, found, missing, open } = settled;
  const installed = currentGeneration(prefix)?.record?.packages;
  // What is open may come out as it is installed now.
  const keyOf = (one: Package): ContentKey | undefined => facts.known.get(one)?.key ?? installed?.[one.name]?.key;
  const reasons = options.noInstall ? [] : installReasons(want, request, keyOf);
  const below = tiers.length > 0 && !options.noCache;
  const all = fullClosure(want.packages).filter((one) => found.has(one) || missing.has(one) || open.includes(one));
  const pushed = fullClosure(want.packages).filter((one) => found.has(one) || missing.has(one));
  return planOf({
    targets,
    ...(assumed !== undefined && { assumed: assumed.words }),
    packages: await Promise.all(all.map((one) => plannedPackage(one, settled, below, run))),
    ...(reasons.length > 0 && { install: { prefix, reasons } }),
    installOpen: !options.noInstall && reasons.length === 0 && open.length > 0,
    pushTo: filled.map(({ name }) => name),
    ...(filled.length > 0 &&
      (await plannedPush(pushed, { facts, tiers: filled, publishing: request.publishing, trust }, run))),
    jobs: options.jobs,
  });
}

const planned = (
  one: Package,
  facts: PackageFacts | undefined,
  rest: Pick<PlannedPackage, 'outcome'> & Partial<PlannedPackage>,
): PlannedPackage => ({
  package: packageId(one),
  ...(facts !== undefined && { key: facts.key }),
  stages: [],
  unpinned: false,
  after: [],
  ...rest,
});

/** @param below Whether there are caches below the disk to be asked for what is equal. */
async function plannedPackage(
  one: Package,
  { facts, found, missing }: Settled,
  below: boolean,
  run: Run,
): Promise<PlannedPackage> {
  const known = facts.known.get(one);
  const missed = missing.get(one);
  if (known === undefined) return planned(one, known, { outcome: 'open', unpinned: facts.unpinned.includes(one) });
  if (missed !== undefined) {
    const durations = await expectedDurations(known, run.disk);
    const after = visibleTo(one).filter((other) => missing.has(other));
    return planned(one, known, {
      outcome: 'built',
      missed,
      ...(after.length > 0 && (below || (await mayBeEqual(known, run))) && { unlessEqual: true }),
      stages: stagesToRun(known).map(({ stage, reasons }) => {
        const expectedMs = durations[stage];
        return { stage, reasons, ...(expectedMs !== undefined && { expectedMs }) };
      }),
      after: after.map(packageId),
    });
  }
  const { outcome = 'fresh', tier, manifest, equal = [] } = found.get(one) ?? {};
  if (outcome === 'fresh' || tier === undefined || manifest === undefined) return planned(one, known, { outcome });
  const { digest, sizeBytes } = manifest.body;
  return planned(one, known, {
    outcome,
    tier,
    ...(equal.length > 0 && { equal }),
    transferBytes: exists(run.disk.blobs.pathOf(digest)) ? 0 : sizeBytes,
  });
}
