/** Fills a prefix from artifacts alone: all of them are found and judged before the first is brought, and nothing is ever compiled. */
import { dirname, join } from 'node:path';
import { unpackVerified } from '../artifact/unpack.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { notePrefix } from '../cache/disk-content.ts';
import { placeOf } from '../install/generations.ts';
import type { Outcome } from '../model/event.ts';
import type { Member } from '../prefix/assemble.ts';
import { checkOwners } from '../prefix/owners.ts';
import { makeFolder } from '../system/files.ts';
import { allForeseen, type Ready } from './foreseen.ts';
import { inParallel } from './in-parallel.ts';
import { missedBy, notReady } from './not-ready.ts';
import type { Deployment } from './released.ts';
import { arrival, type Run } from './run.ts';
import { switchPrefix } from './switch-prefix.ts';

/**
 * Brings what is asked for to this machine and switches the prefix to it. Before that, nothing is written but in the disk cache.
 *
 * @param run Made for `installingOf` what is asked for.
 * @returns How each package came to be ready, by `name@version`.
 * @throws {VbuildError | VbuildErrors} `not-ready` for each that no cache has, `unfit-host` for each that does not fit this host;
 *   `install-refused` for what does not go together: all of these before any body is brought.
 */
export async function deploy(
  { prefix, asked, facts, roots, notes, reasons, isSince }: Deployment,
  run: Run,
): Promise<ReadonlyMap<string, Outcome>> {
  const ready = await allForeseen(asked, run, facts);
  checkOwners(ready.map(({ manifest }) => manifest));
  const outcomes = new Map<string, Outcome>();
  const manifests = await inParallel(ready, (one) => bring(one, outcomes, run));
  makeFolder(dirname(prefix));
  const place = placeOf(prefix);
  notePrefix(run.disk.folder, place);
  const members = (scratch: string): Promise<Member[]> => inParallel(manifests, (one) => unpacked(one, scratch, run));
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

async function bring({ one, manifest, isEqual }: Ready, outcomes: Map<string, Outcome>, run: Run): Promise<Manifest> {
  const { id, name, key } = one;
  run.signal.throwIfAborted();
  const startedMs = performance.now();
  const progress = arrival(id, run);
  const { keyText, dependencies, against = [] } = manifest;
  const fetched = isEqual
    ? await run.cache.fetchEqual(name, { key, keyText, dependencies, against }, run.signal, progress)
    : await run.cache.fetchArtifact(name, key, run.signal, progress);
  if (fetched.outcome !== 'done') throw notReady(one, missedBy(fetched));
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
