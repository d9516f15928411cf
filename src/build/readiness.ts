/** Finds out whether a prefix holds what targets ask for, and what the caches have of the rest; changes nothing. */
import type { Release } from '../artifact/release.ts';
import { currentGeneration, type Generation, type GenerationRecord } from '../install/generations.ts';
import type { CheckedPackage, Readiness } from '../model/readiness.ts';
import { exists } from '../system/files.ts';
import type { Facts } from './facts.ts';
import type { Foreseen } from './foreseen.ts';
import { fullClosure } from './graph.ts';
import { keyedFacts } from './keyed.ts';
import type { BuildRequest } from './request.ts';
import { wanted } from './roots.ts';
import type { Run } from './run.ts';
import { installReasons, placeToBe } from './install-reasons.ts';
import { type Asked, askedFor, deploymentOf, installingOf, releaseDifferences } from './released.ts';

/**
 * Writes nothing, and pins nothing. The caches are asked for what the prefix does not have, and only for manifests; offline, only the
 * disk is.
 *
 * @throws {VbuildError | VbuildErrors} `unpinned`: without pins for this platform there is nothing to ask for; `install-refused`:
 *   what the caches have of it does not go together.
 */
export async function checkReadiness(request: BuildRequest, place: Place): Promise<Readiness> {
  const { options, platform, prefix } = request;
  const targets = request.targets.map(({ name }) => name);
  const generation = options.noInstall ? undefined : currentGeneration(prefix);
  const want = wanted(request.targets, request.build.packages, generation?.record);
  const facts = keyedFacts(fullClosure(want.packages), request);
  const asked = want.packages.map((one) => askedFor(facts.of(one)));
  const packages = await checkedPackages(asked, generation?.record, judging(request, place), facts);
  if (options.noInstall) return { targets, platform, packages, reasons: [] };
  const reasons = [
    ...installReasons(want, request, (one) => facts.of(one).key),
    ...want.dropped.map((id) => ({ input: `root ${id}`, now: 'no longer in the Buildfile' })),
  ];
  return { targets, platform, ...inPrefix(prefix, generation), packages, reasons };
}

/** The same for what a release says. */
export async function checkReleaseReadiness(release: Release, request: BuildRequest, place: Place): Promise<Readiness> {
  const { options, prefix } = request;
  const generation = options.noInstall ? undefined : currentGeneration(prefix);
  const { asked } = deploymentOf(release, prefix, []);
  const [targets, { platform }] = [[release.name], release];
  const packages = await checkedPackages(asked, generation?.record, judging(request, place));
  if (options.noInstall) return { targets, platform, packages, reasons: [] };
  const reasons = releaseDifferences(generation?.record, release, placeToBe(prefix));
  return { targets, platform, ...inPrefix(prefix, generation), packages, reasons };
}

/** Whether artifacts have to fit the prefix of the request where nothing is to be installed now. */
interface Place {
  readonly mustFit: boolean;
}

const judging = (request: BuildRequest, { mustFit }: Place): BuildRequest =>
  mustFit ? { ...request, options: { ...request.options, noInstall: false } } : request;

const inPrefix = (prefix: string, generation: Generation | undefined): Pick<Readiness, 'prefix' | 'generation'> => ({
  prefix,
  ...(generation !== undefined && { generation: generation.number }),
});

/** Nothing that asks caches is loaded where there is nothing to ask. */
async function checkedPackages(
  asked: readonly Asked[],
  record: GenerationRecord | undefined,
  request: BuildRequest,
  facts?: Facts,
): Promise<readonly CheckedPackage[]> {
  const isInstalled = ({ name, key, tree }: Asked): boolean => {
    const held = record?.packages[name];
    return held?.key === key && (tree === undefined || held.tree === tree);
  };
  const lacking = asked.filter((one) => !isInstalled(one));
  const found = lacking.length === 0 ? new Map<Asked, CheckedPackage>() : await lookFor(lacking, request, facts);
  return asked.map((one) => found.get(one) ?? ({ package: one.id, key: one.key, state: 'installed' } as const));
}

async function lookFor(
  lacking: readonly Asked[],
  request: BuildRequest,
  facts: Facts | undefined,
): Promise<ReadonlyMap<Asked, CheckedPackage>> {
  const { countedTraffic, startRun } = await import('./start-run.ts');
  const { foreseen } = await import('./foreseen.ts');
  const { run, tiers } = startRun(request, { installing: installingOf(request.prefix, lacking) });
  using _traffic = countedTraffic(tiers, run.emit);
  const answers = await foreseen(lacking, run, facts);
  const { checkOwners } = await import('../prefix/owners.ts');
  checkOwners([...answers.values()].flatMap((found) => ('answer' in found ? [] : [found.manifest])));
  return new Map([...answers].map(([one, answer]) => [one, checked(one, answer, run)]));
}

function checked({ id, key }: Asked, found: Foreseen, { disk }: Run): CheckedPackage {
  const one = { package: id, key } as const;
  if (!('answer' in found)) {
    const { body } = found.manifest;
    return {
      ...one,
      state: 'available',
      tier: found.tier,
      transferBytes: exists(disk.blobs.pathOf(body.digest)) ? 0 : body.sizeBytes,
    };
  }
  const { answer, reason = '' } = found;
  return answer === 'unfit' ? { ...one, state: 'unfit', reason } : { ...one, state: 'missing', ...found };
}
