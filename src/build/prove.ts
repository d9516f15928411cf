/** Proves of a closure that every artifact of it can be restored from the tiers below the disk: read whole, verified, acceptable. */
import type { Manifest } from '../artifact/manifest.ts';
import { type Mixed, mixedAmong } from '../artifact/mixed.ts';
import { equalKey, restsOn, standIn } from '../artifact/equal.ts';
import type { Package } from '../buildfile/package.ts';
import type { Answer, CacheTier } from '../cache/cache.ts';
import { VbuildError } from '../model/error.ts';
import type { ContentKey } from '../model/digest.ts';
import { removeTree } from '../system/files.ts';
import { platformOfServers } from './choose-platform.ts';
import { dependenciesOf } from './cutoff.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { fullClosure, runClosure, visibleTo } from './graph.ts';
import { inParallel } from './in-parallel.ts';
import { keyedFacts } from './keyed.ts';
import type { BuildRequest } from './request.ts';
import { arrival, foresee, type Run } from './run.ts';
import { countedTraffic, startRun } from './start-run.ts';

export interface Proof {
  /** `name@version`. */
  readonly package: string;
  readonly key: ContentKey;
  /** The first tier that has it whole and acceptable; undefined when none has. */
  readonly tier: string | undefined;
  readonly signer: string | undefined;
  readonly sizeBytes: number | undefined;
  /** What the tiers before that one have instead, each with its name. */
  readonly findings: readonly { readonly tier: string; readonly answer: string; readonly reason?: string }[];
}

interface Proofs {
  readonly proofs: readonly Proof[];
  /** Worth knowing, but no lack: each artifact is sound. */
  readonly mixed: readonly Mixed[];
}

/** How many artifacts are read at once. */
const parallel = 4;

/**
 * Every body is read from the tier, whatever lies on the disk, and nothing of it is kept. Of several platforms that the Buildfile accepts it is
 * about the one that servers like this one would choose.
 *
 * @throws {VbuildError} `unpinned`; `usage` where there is no tier.
 */
export async function prove(asked: BuildRequest): Promise<Proofs> {
  const request = { ...asked, platform: await platformOfServers(asked, false) };
  const { run, tiers } = startRun(request);
  using _traffic = countedTraffic(tiers, run.emit);
  if (tiers.length === 0)
    throw new VbuildError('usage', 'There is no cache to prove anything of', {
      mend: 'name one in the Buildfile, as in cache: [s3({ … })]',
    });
  const facts = keyedFacts(fullClosure(request.targets), request);
  const wanted = runClosure(request.targets).map((one) => facts.of(one));
  await foresee(wanted, run);
  const proven = new Map(
    await inParallel(
      wanted,
      async (one) => [one.package, await proveOne(one, byKey(one), tiers, run)] as const,
      parallel,
    ),
  );
  await proveEqual({ facts, proven, tiers, run });
  const inOrder = [...proven.values()];
  return {
    proofs: inOrder.map(({ proof }) => proof),
    mixed: mixedAmong(inOrder.flatMap(({ manifest }) => manifest ?? [])),
  };
}

interface Proven {
  readonly proof: Proof;
  readonly manifest: Manifest | undefined;
}

type Ask = (tier: CacheTier, signal: AbortSignal) => Promise<Answer>;

const byKey =
  ({ package: { name }, key }: PackageFacts): Ask =>
  (tier, signal) =>
    tier.lookUp(name, key, signal);

/** What no tier has by its key may be there as one that was made of the same, as a run would find it; each after its dependencies. */
async function proveEqual(at: {
  readonly facts: Facts;
  readonly proven: Map<Package, Proven>;
  readonly tiers: readonly CacheTier[];
  readonly run: Run;
}): Promise<void> {
  const { facts, proven, tiers, run } = at;
  const known = new Map<Package, Manifest>();
  for (const [one, { manifest }] of proven) if (manifest !== undefined) known.set(one, manifest);
  if (known.size === proven.size) return;
  for (const one of fullClosure([...proven.keys()])) {
    if (known.has(one)) continue;
    const own = facts.of(one);
    const before = proven.get(one);
    const found = before === undefined ? await firstHit(byKey(own), tiers, run) : undefined;
    const visible = visibleTo(one);
    if (found !== undefined) known.set(one, found);
    else if (visible.length > 0 && visible.every((other) => known.has(other))) {
      const { dependencies, against = [] } = restsOn(dependenciesOf(one, (other) => known.get(other) as Manifest));
      const equal = equalKey(own.keyText, against);
      if (equal === undefined) continue;
      const ask: Ask = (tier, signal) => tier.lookUpEqual(one.name, equal, signal);
      const { key, keyText } = own;
      const stands = (manifest: Manifest): Manifest => standIn(manifest, { key, keyText, dependencies, against });
      if (before === undefined) {
        const other = await firstHit(ask, tiers, run);
        if (other !== undefined) known.set(one, stands(other));
        continue;
      }
      const { proof, manifest } = await proveOne(own, ask, tiers, run);
      if (manifest === undefined) continue;
      known.set(one, stands(manifest));
      proven.set(one, { proof: { ...proof, findings: before.proof.findings }, manifest: stands(manifest) });
    }
  }
}

async function firstHit(ask: Ask, tiers: readonly CacheTier[], { signal }: Run): Promise<Manifest | undefined> {
  for (const tier of tiers) {
    const answer = await ask(tier, signal);
    if (answer.outcome === 'hit') return answer.manifest;
  }
  return undefined;
}

async function proveOne({ id, key }: PackageFacts, ask: Ask, tiers: readonly CacheTier[], run: Run): Promise<Proven> {
  const findings: { tier: string; answer: string; reason?: string }[] = [];
  for (const tier of tiers) {
    const answer = await ask(tier, run.signal);
    if (answer.outcome === 'hit') {
      const { body } = answer.manifest;
      const temporary = run.disk.blobs.temporaryPath();
      const arrived = arrival(id, run);
      const fetched = await tier.fetchBlob(body, temporary, run.signal, (bytes) => arrived(bytes, body.sizeBytes));
      removeTree(temporary);
      if (fetched.outcome === 'done') {
        const { manifest, signer } = answer;
        return { manifest, proof: { package: id, key, tier: tier.name, signer, sizeBytes: body.sizeBytes, findings } };
      }
      const why = fetched.outcome === 'absent' ? 'its body is not there' : `its body: ${fetched.reason}`;
      findings.push({ tier: tier.name, answer: 'rejected', reason: why });
    } else
      findings.push({
        tier: tier.name,
        answer: answer.outcome,
        ...('reason' in answer && { reason: answer.reason }),
      });
  }
  return {
    manifest: undefined,
    proof: { package: id, key, tier: undefined, signer: undefined, sizeBytes: undefined, findings },
  };
}
