/** Proves of a closure that every artifact of it can be restored from the tiers below the disk: read whole, verified, acceptable. */
import type { Manifest } from '../artifact/manifest.ts';
import { type Mixed, mixedAmong } from '../artifact/mixed.ts';
import type { CacheTier } from '../cache/cache.ts';
import { VbuildError } from '../model/error.ts';
import type { ContentKey } from '../model/digest.ts';
import { removeTree } from '../system/files.ts';
import { fullClosure, runClosure } from './graph.ts';
import { inParallel } from './in-parallel.ts';
import { keyedFacts } from './keyed.ts';
import type { BuildRequest } from './request.ts';
import type { Run } from './run.ts';
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

export interface Proofs {
  readonly proofs: readonly Proof[];
  /** Worth knowing, but no lack: each artifact is sound. */
  readonly mixed: readonly Mixed[];
}

/** How many artifacts are read at once. */
const parallel = 4;

/**
 * Every body is read from the tier, whatever lies on the disk, and nothing of it is kept.
 *
 * @throws {VbuildError} `unpinned`; `usage` where there is no tier.
 */
export async function prove(request: BuildRequest): Promise<Proofs> {
  const { run, tiers } = startRun(request);
  using _traffic = countedTraffic(tiers, run.emit);
  if (tiers.length === 0)
    throw new VbuildError('usage', 'There is no cache to prove anything of', {
      mend: 'name one in the Buildfile, as in cache: [s3({ … })]',
    });
  const facts = keyedFacts(fullClosure(request.targets), request);
  const wanted = runClosure(request.targets).map((one) => facts.of(one));
  await run.cache.foresee(
    wanted.map(({ package: { name }, key }) => ({ name, key })),
    run.signal,
  );
  const inOrder = await inParallel(wanted, parallel, ({ id, package: { name }, key }) =>
    proveOne(id, name, key, tiers, run),
  );
  return {
    proofs: inOrder.map(({ proof }) => proof),
    mixed: mixedAmong(inOrder.flatMap(({ manifest }) => manifest ?? [])),
  };
}

async function proveOne(
  id: string,
  name: string,
  key: ContentKey,
  tiers: readonly CacheTier[],
  run: Run,
): Promise<{ proof: Proof; manifest: Manifest | undefined }> {
  const findings: { tier: string; answer: string; reason?: string }[] = [];
  for (const tier of tiers) {
    const answer = await tier.lookUp(name, key, run.signal);
    if (answer.outcome === 'hit') {
      const { body } = answer.manifest;
      const temporary = run.disk.blobs.temporaryPath();
      const fetched = await tier.fetchBlob(body, temporary, run.signal, (doneBytes) =>
        run.emit({ type: 'transfer', package: id, what: 'artifact', doneBytes, totalBytes: body.sizeBytes }),
      );
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
