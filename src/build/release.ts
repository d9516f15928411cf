/** Makes releases from what caches have, opens them, and installs by them. */
import { resolve } from 'node:path';
import type { Manifest } from '../artifact/manifest.ts';
import {
  LARGEST_RELEASE,
  parseRelease,
  type Release,
  type ReleasedPackage,
  releaseNaming,
} from '../artifact/release.ts';
import { claimedSigner, openSealed } from '../artifact/sealed.ts';
import { UNSIGNED } from '../artifact/signer.ts';
import { packageId } from '../buildfile/package.ts';
import { insistOnOnePrefix } from '../buildfile/targets.ts';
import type { CacheTier } from '../cache/cache.ts';
import { signatureRefusal, signersFor, type Trust } from '../cache/trust.ts';
import { VbuildError } from '../model/error.ts';
import { licenceTexts } from '../sources/licences.ts';
import { exists, fileStat, readBytes } from '../system/files.ts';
import type { PackageFacts } from './facts.ts';
import { fullClosure, runClosure } from './graph.ts';
import { inParallel } from './in-parallel.ts';
import { keyedFacts } from './keyed.ts';
import { notReady } from './not-ready.ts';
import { throwAll } from './pinning.ts';
import { provenanceOf } from './provenance.ts';
import type { BuildRequest } from './request.ts';
import { startRun } from './start-run.ts';

/** How many artifacts are looked for at once. */
const parallel = 8;

/**
 * A release of what these targets are now. What servers will find is what counts: where the Buildfile names caches, the artifacts in
 * them, not those on this disk.
 *
 * @throws {VbuildError | VbuildErrors} `unpinned`; `not-ready` for each artifact that no cache has.
 */
export async function makeRelease(request: BuildRequest, name: string): Promise<Release> {
  const { build, platform, targets, workspace, publishing } = request;
  const { run, tiers } = startRun(request);
  insistOnOnePrefix(targets);
  const packages = runClosure(targets);
  const facts = keyedFacts(fullClosure(packages), request);
  const wanted = packages.map((one) => facts.of(one));
  await run.cache.foresee(
    wanted.map(({ package: { name: one }, key }) => ({ name: one, key })),
    run.signal,
  );
  const places: readonly Pick<CacheTier, 'lookUp'>[] = tiers.length > 0 ? tiers : [run.disk];
  const found = await inParallel(wanted, parallel, async (one) => {
    run.labels.set(one.key, one.id);
    for (const place of places) {
      const answer = await place.lookUp(one.package.name, one.key, run.signal);
      if (answer.outcome === 'hit') return released(one, answer.manifest);
    }
    return notReady(one.id, one.key, { answer: 'absent' });
  });
  throwAll(found.filter((one) => one instanceof VbuildError));
  const provenance = await provenanceOf({ folder: workspace.folder, files: publishing.files }, facts, run);
  const revisions = packages.flatMap((one) => provenance.revision(one) ?? []);
  const [revision] = revisions;
  return {
    format: 1,
    name,
    createdAt: new Date().toISOString(),
    platform,
    targets: targets.map(packageId),
    cache: build.cache.map((spec) =>
      spec.kind === 'directory' ? { ...spec, path: resolve(workspace.folder, spec.path) } : { ...spec },
    ),
    ...(revision !== undefined && { revision: { ...revision, clean: revisions.every(({ clean }) => clean) } }),
    packages: found.flatMap((one) => (one instanceof VbuildError ? [] : [one])),
  };
}

function released({ source, series, patches, places }: PackageFacts, manifest: Manifest): ReleasedPackage {
  const { package: one, key, keyText, tree, body } = manifest;
  const licences = exists(places.source)
    ? licenceTexts(places.source).flatMap(({ ids, isOwn }) => (isOwn ? ids : []))
    : undefined;
  return {
    name: one.name,
    version: one.version,
    key,
    keyText,
    tree,
    body,
    pin: source.pin,
    patches: series.map((patch, at) => ({ name: patch.name, digest: patches[at]?.input.value as never })),
    ...(licences !== undefined && { licences: [...new Set(licences)].sort() }),
  };
}

export interface Opening {
  /** Absolute folder that a path is relative to. */
  readonly cwd: string;
  /** Where a name is looked for. */
  readonly tiers: readonly CacheTier[];
  /** Whose releases are accepted: only those that nobody signed when not given. */
  readonly trust: Trust | undefined;
  readonly signal: AbortSignal;
}

/**
 * @param wanted The path of a document, or the name of a release in one of the tiers.
 * @throws {VbuildError} `not-ready` when there is none, `release-refused` when it is not acceptable.
 */
export async function openRelease(wanted: string, { cwd, tiers, trust, signal }: Opening): Promise<Release> {
  const file = resolve(cwd, wanted);
  const sizeBytes = fileStat(file)?.sizeBytes;
  if (sizeBytes !== undefined && !wanted.endsWith('/')) {
    if (sizeBytes > LARGEST_RELEASE) throw refused(wanted, `it has ${sizeBytes} bytes, more than ${LARGEST_RELEASE}`);
    return judged(wanted, readBytes(file), trust);
  }
  const answers: string[] = [];
  for (const tier of releaseNaming.test(wanted) ? tiers : []) {
    for (const signer of signersFor(trust)) {
      const answer = await tier.releases?.get(wanted, signer, signal);
      if (answer?.outcome === 'done') return judged(wanted, answer.bytes, trust, signer);
      answers.push(
        `${tier.name}: ${answer === undefined ? 'has no releases' : 'reason' in answer ? answer.reason : answer.outcome}`,
      );
    }
  }
  throw new VbuildError('not-ready', 'There is no such release', {
    facts: { expected: wanted, found: [`no file ${file}`, ...answers].join('; ') },
    mend: 'name a file, or a release that is in a cache; --from names the cache where there is no Buildfile',
  });
}

/** @param place Whose place it lay in, where it did. */
function judged(wanted: string, bytes: Uint8Array, trust: Trust | undefined, place?: string): Release {
  const signer = claimedSigner(bytes);
  if (place !== undefined && place !== signer)
    throw refused(wanted, `it lies in the place of ${place} and is signed by ${signer}`);
  if (trust === undefined && signer !== UNSIGNED)
    throw refused(
      wanted,
      `it is signed by ${signer}, and nobody said whom to trust`,
      'give the keys with --trust FILE',
    );
  const opened = openSealed(bytes, signer);
  if ('rejected' in opened) throw refused(wanted, opened.rejected);
  const unproven = trust && signatureRefusal(opened, signer, trust);
  if (unproven !== undefined) throw refused(wanted, unproven);
  const parsed = parseRelease(opened.payload);
  if ('rejected' in parsed) throw refused(wanted, parsed.rejected);
  const { ref } = trust?.require ?? {};
  const { revision } = parsed.release;
  if (ref !== undefined && (revision?.ref !== ref || !revision.clean))
    throw refused(
      wanted,
      `it was made from ${revision?.ref ?? 'no branch'}, and the policy wants ${ref} with nothing modified`,
    );
  return parsed.release;
}

const refused = (wanted: string, found: string, mend = 'take another release, or make it anew'): VbuildError =>
  new VbuildError('release-refused', 'Release is not acceptable', { facts: { release: wanted, found }, mend });
