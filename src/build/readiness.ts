/** Finds out whether a prefix holds what targets ask for, and what the caches have of the rest; changes nothing. */
import { currentGeneration } from '../install/generations.ts';
import type { CheckedPackage, Readiness } from '../model/readiness.ts';
import { exists } from '../system/files.ts';
import type { PackageFacts } from './facts.ts';
import { fullClosure } from './graph.ts';
import { inParallel } from './in-parallel.ts';
import { keyedFacts } from './keyed.ts';
import type { BuildRequest } from './request.ts';
import { wanted } from './roots.ts';
import type { Run } from './run.ts';
import { installReasons } from './install-reasons.ts';

/** How many artifacts are looked for at once. */
const parallel = 8;

/**
 * Writes nothing, and pins nothing. The caches are asked for what the prefix does not have, and only for manifests; offline, only the
 * disk is.
 *
 * @throws {VbuildError} `unpinned`: without pins for this platform there is nothing to ask for.
 */
export async function checkReadiness(request: BuildRequest): Promise<Readiness> {
  const { options, platform, prefix } = request;
  const targets = request.targets.map(({ name }) => name);
  const generation = options.noInstall ? undefined : currentGeneration(prefix);
  const want = wanted(request.targets, request.build.packages, generation?.record);
  const facts = keyedFacts(fullClosure(want.packages), request);
  const installed = generation?.record?.packages ?? {};
  const isInstalled = ({ package: { name }, key }: PackageFacts): boolean => installed[name]?.key === key;
  const all = want.packages.map((one) => facts.of(one));
  const found = await lookFor(
    all.filter((one) => !isInstalled(one)),
    request,
  );
  const packages = all.map((one) => found.get(one) ?? ({ package: one.id, key: one.key, state: 'installed' } as const));
  if (options.noInstall) return { targets, platform, packages, reasons: [] };
  const reasons = [
    ...installReasons(want, prefix, (one) => facts.of(one).key),
    ...want.dropped.map((id) => ({ input: `root ${id}`, now: 'no longer in the Buildfile' })),
  ];
  return {
    targets,
    platform,
    prefix,
    ...(generation !== undefined && { generation: generation.number }),
    packages,
    reasons,
  };
}

/** Nothing that asks caches is loaded where there is nothing to ask. */
async function lookFor(
  lacking: readonly PackageFacts[],
  request: BuildRequest,
): Promise<ReadonlyMap<PackageFacts, CheckedPackage>> {
  if (lacking.length === 0) return new Map();
  const { countedTraffic, startRun } = await import('./start-run.ts');
  const { run, tiers } = startRun(request);
  using _traffic = countedTraffic(tiers, run.emit);
  const wantedKeys = lacking.map(({ package: { name }, key }) => ({ name, key }));
  await run.cache.foresee(wantedKeys, run.signal);
  return new Map(await inParallel(lacking, parallel, async (one) => [one, await lookForOne(one, run)] as const));
}

async function lookForOne({ package: { name }, id, key }: PackageFacts, run: Run): Promise<CheckedPackage> {
  run.labels.set(key, id);
  const answer = await run.cache.foreseeArtifact(name, key, run.signal);
  const checked = { package: id, key } as const;
  if (answer.outcome === 'unfit') return { ...checked, state: 'unfit', reason: answer.reason };
  if (answer.outcome !== 'done') {
    const { outcome, ...rest } = answer;
    return { ...checked, state: 'missing', answer: outcome, ...rest };
  }
  const { manifest, tier, body } = answer;
  return { ...checked, state: 'available', tier, transferBytes: exists(body) ? 0 : manifest.body.sizeBytes };
}
