/** Fills a prefix from artifacts alone: all of them are found and judged before the first is brought, and nothing is ever compiled. */
import { dirname, join } from 'node:path';
import { unpackVerified } from '../artifact/unpack.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { notePrefix } from '../cache/disk-content.ts';
import type { FetchedArtifact } from '../cache/layered.ts';
import { placeOf } from '../install/generations.ts';
import { VbuildError } from '../model/error.ts';
import type { Outcome } from '../model/event.ts';
import type { Missed } from '../model/plan.ts';
import type { Member } from '../prefix/assemble.ts';
import { checkOwners } from '../prefix/owners.ts';
import { makeFolder } from '../system/files.ts';
import { inParallel } from './in-parallel.ts';
import { notReady } from './not-ready.ts';
import { throwAll } from './pinning.ts';
import type { Asked, Deployment } from './released.ts';
import type { Run } from './run.ts';
import { switchPrefix } from './switch-prefix.ts';

/** How many artifacts are looked for, brought and unpacked at once. */
const parallel = 8;

/**
 * Brings what is asked for to this machine and switches the prefix to it. Before that, nothing is written but in the disk cache.
 *
 * @param run Made for `installingOf` what is asked for.
 * @returns How each package came to be ready, by `name@version`.
 * @throws {VbuildError | VbuildErrors} `not-ready` for each that no cache has, `unfit-host` for each that does not fit this host;
 *   `install-refused` for what does not go together: all of these before any body is brought.
 */
export async function deploy(
  { prefix, asked, roots, notes, reasons, isSince }: Deployment,
  run: Run,
): Promise<ReadonlyMap<string, Outcome>> {
  for (const { id, key } of asked) run.labels.set(key, id);
  await run.cache.foresee(asked, run.signal);
  checkOwners(await foreseen(asked, run));
  const outcomes = new Map<string, Outcome>();
  const manifests = await inParallel(asked, parallel, (one) => bring(one, outcomes, run));
  makeFolder(dirname(prefix));
  const place = placeOf(prefix);
  notePrefix(run.disk.folder, place);
  const members = (scratch: string): Promise<Member[]> =>
    inParallel(manifests, parallel, (one) => unpacked(one, scratch, run));
  const content = {
    prefix,
    roots: roots.join(' '),
    manifests,
    members,
    notes: notes(place),
    reasons,
    ...(isSince && { isSince }),
  };
  const { keepGenerations: keep } = run.options;
  await switchPrefix({ ...content, ...(keep !== undefined && { keep }) }, run);
  return outcomes;
}

/** The manifests of all of them; nothing is brought yet. */
async function foreseen(asked: readonly Asked[], run: Run): Promise<Manifest[]> {
  const answers = await inParallel(asked, parallel, async ({ id, name, key }) => {
    const answer = await run.cache.foreseeArtifact(name, key, run.signal);
    return answer.outcome === 'done' ? answer.manifest : notReady(id, key, missedBy(answer));
  });
  throwAll(answers.filter((answer) => answer instanceof VbuildError));
  return answers.flatMap((answer) => (answer instanceof VbuildError ? [] : [answer]));
}

async function bring({ id, name, key }: Asked, outcomes: Map<string, Outcome>, run: Run): Promise<Manifest> {
  run.signal.throwIfAborted();
  const startedMs = performance.now();
  const fetched = await run.cache.fetchArtifact(name, key, run.signal, (doneBytes, totalBytes) =>
    run.emit({ type: 'transfer', package: id, what: 'artifact', doneBytes, totalBytes }),
  );
  if (fetched.outcome !== 'done') throw notReady(id, key, missedBy(fetched));
  outcomes.set(id, 'restored');
  const durationMs = performance.now() - startedMs;
  run.emit({ type: 'package-finished', package: id, outcome: 'restored', durationMs });
  return fetched.manifest;
}

async function unpacked(manifest: Manifest, scratch: string, { disk }: Run): Promise<Member> {
  const { name, version } = manifest.package;
  const tree = join(scratch, `${name}_${version}`);
  await unpackVerified({ manifest, bodyFile: disk.blobs.pathOf(manifest.body.digest), into: tree });
  return { manifest, tree, isSpare: true };
}

const missedBy = ({ outcome, ...rest }: Exclude<FetchedArtifact, { outcome: 'done' }>): Missed => ({
  answer: outcome,
  ...rest,
});
