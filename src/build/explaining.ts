/** Gathers what an explanation rests on: the package as it is now, as it was made ready here, and as caches have it. */
import { type Build, type Package, packageId } from '../buildfile/package.ts';
import type { CacheTier } from '../cache/cache.ts';
import type { DiskCache } from '../cache/disk.ts';
import { manifestOnDisk, newestKeys, relativesOf } from '../cache/relatives.ts';
import { currentGeneration, type GenerationRecord } from '../install/generations.ts';
import { canonicalJson, differences, parseKeyText } from '../key/fields.ts';
import type { Manifest } from '../artifact/manifest.ts';
import type { ContentKey } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Explanation, LastRun, MissExplanation, Root } from '../model/explanation.ts';
import { nameOf } from '../model/package-id.ts';
import { diskOf } from './disk.ts';
import { evidenceFor, withEvidence } from './evidence.ts';
import { movedDependencies, rootCauses, type Snapshot, type SnapshotOf } from './explain.ts';
import { type Facts, factsNow, type PackageFacts } from './facts.ts';
import { fullClosure } from './graph.ts';
import { historiesOf, readFailure, readRecords, type ReadyRecord } from './history.ts';
import { standingReasons } from './install-reasons.ts';
import { readiness } from './verdicts.ts';
import { placesOf, type Workspace } from './workspace.ts';

export interface ExplainRequest {
  readonly build: Build;
  readonly workspace: Workspace;
  /** Absolute path of the prefix. */
  readonly prefix: string;
  readonly platform: string;
}

/** Why a package is as it is. Reads this machine's disk only. @throws {VbuildError} for patches, series and folders that are not there. */
export async function explainPackage(one: Package, request: ExplainRequest): Promise<Explanation> {
  const { workspace, prefix } = request;
  const at = situation(one, request);
  const records = historiesOf(workspace, one).flatMap(readRecords);
  const [latest] = records;
  const failure = readFailure(placesOf(workspace, one));
  const runs = {
    ...(latest !== undefined && { lastRun: await lastRun(latest, at) }),
    ...(failure !== undefined && { failure: await lastRun(failure, at) }),
  };
  const facts = at.facts.known.get(one);
  if (facts === undefined) {
    const unpinned = at.facts.unpinned.map(packageId);
    return { package: packageId(one), state: 'open', unpinned, onDisk: false, roots: [], ...runs };
  }
  const { key } = facts;
  const generation = currentGeneration(prefix);
  const installed = generation?.record?.packages[one.name];
  const onDisk = at.disk.has(one.name, key);
  const isInstalled = installed?.key === key;
  const state = readiness(facts, onDisk, isInstalled);
  const compared = await comparedWith(one, latest, installed, state, at);
  const reasons = standingReasons(request);
  return {
    package: packageId(one),
    state,
    key,
    unpinned: [],
    onDisk,
    ...(isInstalled && generation !== undefined && { generation: generation.number }),
    ...(!isInstalled && installed !== undefined && generation !== undefined && { otherGeneration: generation.number }),
    ...(reasons.length > 0 && { install: { prefix, reasons } }),
    ...(compared !== undefined && { base: compared.base }),
    roots: compared === undefined ? [] : await explained(compared.before, snapshotNow(facts), at),
    ...runs,
  };
}

/** What it was last made ready from; where that is what it is now, what the prefix holds. */
async function comparedWith(
  one: Package,
  latest: ReadyRecord | undefined,
  installed: Installed | undefined,
  state: Explanation['state'],
  at: Situation,
): Promise<(Required<Pick<Explanation, 'base'>> & { readonly before: Snapshot }) | undefined> {
  const asMade = latest && {
    base: { key: latest.key, package: latest.package, from: 'history' as const },
    before: snapshotOfBase(latest),
  };
  if (installed === undefined || (latest !== undefined && (state !== 'fresh' || installed.key === latest.key)))
    return asMade;
  const before = await stateOf(one.name, installed.key, at);
  return before === undefined
    ? asMade
    : { base: { key: installed.key, package: before.package, from: 'prefix' }, before };
}

/**
 * What the caches say to a package's key, and if none has it, the artifact in them that is nearest to it: of all on the disk, and of the
 * newest ones in each tier that can be listed.
 *
 * @param tiers Those below the disk that may be asked.
 * @returns Undefined for a package that has no key.
 */
export async function explainMiss(
  one: Package,
  request: ExplainRequest,
  tiers: readonly CacheTier[],
  signal: AbortSignal,
): Promise<MissExplanation | undefined> {
  const at = situation(one, request, async (name, wanted) => {
    for (const tier of tiers) {
      const answer = await tier.lookUp(name, wanted, signal);
      if (answer.outcome === 'hit') return answer.manifest;
    }
    return undefined;
  });
  const facts = at.facts.known.get(one);
  if (facts === undefined) return undefined;
  const { key, id } = facts;
  const asked = [
    at.disk.peek({ name: one.name, key }, signal),
    ...tiers.map((tier) => tier.lookUp(one.name, key, signal)),
  ];
  const answers = (await Promise.all(asked)).map((answer, i) => ({
    tier: ['disk', ...tiers.map(({ name }) => name)][i] ?? '',
    answer: answer.outcome,
    ...('reason' in answer && { reason: answer.reason }),
  }));
  if (answers.some(({ answer }) => answer === 'hit')) return { package: id, key, answers, relatives: 0, notListed: [] };
  const now = snapshotNow(facts);
  const reached = tiers.filter((_, i) => answers[i + 1]?.answer !== 'unreachable');
  const { relatives, notListed } = await relativesAnywhere(one.name, at.disk, reached, signal);
  relatives.delete(key);
  const [nearest] = [...relatives.values()]
    .map(({ manifest, tier }) => {
      const before = snapshotOfBase(manifest);
      return { manifest, tier, before, differing: differences(before.fields, now.fields).length };
    })
    .sort((a, b) => a.differing - b.differing);
  const told = { package: id, key, answers, relatives: relatives.size, notListed };
  if (nearest === undefined) return told;
  const names = new Set([...nearest.before.fields, ...now.fields].map(([name]) => name));
  return {
    ...told,
    nearest: {
      package: idOf(nearest.manifest),
      tier: nearest.tier,
      key: nearest.manifest.key,
      builtAt: nearest.manifest.build.startedAt,
      equal: names.size - nearest.differing,
      fields: names.size,
      roots: await explained(nearest.before, now, at),
    },
  };
}

/** By their keys; the nearer tier first where several have one. */
async function relativesAnywhere(
  name: string,
  disk: DiskCache,
  tiers: readonly CacheTier[],
  signal: AbortSignal,
): Promise<{ relatives: Map<string, { manifest: Manifest; tier: string }>; notListed: string[] }> {
  const relatives = new Map<string, { manifest: Manifest; tier: string }>(
    (await relativesOf(disk, name)).map((manifest) => [manifest.key, { manifest, tier: 'disk' }]),
  );
  const notListed: string[] = [];
  for (const tier of tiers) {
    const keys = await newestKeys(tier, name, signal).catch((error: unknown) => {
      if (!(error instanceof VbuildError)) throw error;
      return undefined;
    });
    if (keys === undefined) notListed.push(tier.name);
    const unknown = (keys ?? []).filter((key) => !relatives.has(key));
    for (const answer of await Promise.all(unknown.map((key) => tier.lookUp(name, key, signal))))
      if (answer.outcome === 'hit') relatives.set(answer.manifest.key, { manifest: answer.manifest, tier: tier.name });
  }
  return { relatives, notListed };
}

type Installed = GenerationRecord['packages'][string];

interface Situation extends ExplainRequest {
  readonly facts: Facts;
  readonly disk: DiskCache;
  /** The manifest of an artifact, from the nearest cache that has it among those that may be asked. */
  readonly manifestOf: (name: string, key: ContentKey) => Promise<Manifest | undefined>;
}

function situation(
  one: Package,
  request: ExplainRequest,
  asked?: (name: string, key: ContentKey) => Promise<Manifest | undefined>,
): Situation {
  const { build, workspace, platform } = request;
  const facts = factsNow(fullClosure([one]), { workspace, platform });
  const disk = diskOf(build, workspace);
  return {
    ...request,
    facts,
    disk,
    manifestOf: async (name, key) => (await manifestOnDisk(disk, name, key)) ?? (await asked?.(name, key)),
  };
}

const idOf = (base: ReadyRecord | { package: { name: string; version: string } }): string =>
  typeof base.package === 'string' ? base.package : packageId(base.package);

const snapshotNow = ({ id, keyText, patches, source }: PackageFacts): Snapshot => ({
  package: id,
  fields: parseKeyText(keyText),
  patches: patches.map(({ input, strip }) => ({ name: input.name, digest: input.value as never, strip })),
  source: { spec: canonicalJson(source.spec), pin: canonicalJson(source.pin) },
});

/** Of a record of the history, or of a manifest. */
function snapshotOfBase(base: ReadyRecord | { package: { name: string; version: string }; keyText: string }): Snapshot {
  const fields = parseKeyText(base.keyText);
  if (!('source' in base)) return { package: idOf(base), fields };
  const { patches, source } = base;
  return {
    package: base.package,
    fields,
    patches,
    source: { spec: canonicalJson(source.spec), pin: canonicalJson(source.pin) },
  };
}

/** Loads the states of all dependencies that moved between two states, then finds the roots and shows them to the byte. */
async function explained(before: Snapshot, now: Snapshot, at: Situation): Promise<Root[]> {
  const states = new Map<string, Snapshot | undefined>();
  const snapshotOf: SnapshotOf = (name, key) => states.get(`${name} ${key}`);
  const load = async (name: string, key: string): Promise<void> => {
    if (!states.has(`${name} ${key}`)) states.set(`${name} ${key}`, await stateOf(name, key as ContentKey, at));
  };
  let pairs: (readonly [Snapshot, Snapshot])[] = [[before, now]];
  while (pairs.length > 0) {
    const next: typeof pairs = [];
    for (const [was, is] of pairs) {
      for (const moved of movedDependencies(was, is)) {
        const isNew = !states.has(`${moved.name} ${moved.before}`) || !states.has(`${moved.name} ${moved.now}`);
        await load(moved.name, moved.before);
        await load(moved.name, moved.now);
        const [a, b] = [snapshotOf(moved.name, moved.before), snapshotOf(moved.name, moved.now)];
        if (isNew && a !== undefined && b !== undefined) next.push([a, b]);
      }
    }
    pairs = next;
  }
  const roots = rootCauses(before, now, snapshotOf);
  return withEvidence(roots, evidenceFor(at.workspace, at.build.packages, at.facts.known));
}

/** What a package of this name and key rested on: as it is now, as this project remembers, or as its artifact tells. */
async function stateOf(name: string, key: ContentKey, at: Situation): Promise<Snapshot | undefined> {
  for (const facts of at.facts.known.values())
    if (facts.package.name === name && facts.key === key) return snapshotNow(facts);
  const record = recordsOf(name, at).find((one) => one.key === key);
  if (record !== undefined) return snapshotOfBase(record);
  const manifest = await at.manifestOf(name, key);
  return manifest && snapshotOfBase(manifest);
}

/** What this project remembers of a package, of all its versions. */
function recordsOf(name: string, { build, workspace }: ExplainRequest): ReadyRecord[] {
  const one = build.packages.find((other) => other.name === name);
  return one === undefined ? [] : historiesOf(workspace, one).flatMap(readRecords);
}

/** What made a run happen: what differs from the time before. */
async function lastRun(record: ReadyRecord, at: Situation): Promise<LastRun> {
  const { outcome, endedAtMs, durationMs, key, stages, answers, equal, error } = record;
  const before = recordsOf(nameOf(record.package), at)
    .filter((one) => one.endedAtMs < endedAtMs)
    .sort((a, b) => b.endedAtMs - a.endedAtMs)[0];
  return {
    outcome,
    endedAtMs,
    durationMs,
    key,
    roots: before === undefined ? [] : await explained(snapshotOfBase(before), snapshotOfBase(record), at),
    stages,
    answers,
    ...(equal !== undefined && { equal }),
    ...(error !== undefined && { error }),
  };
}
