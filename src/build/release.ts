/** Makes releases from what caches have, opens them, and installs by them. */
import { resolve } from 'node:path';
import {
  LARGEST_RELEASE,
  parseRelease,
  type Release,
  type ReleasedPackage,
  releaseNaming,
} from '../artifact/release.ts';
import { claimedSigner, openSealed } from '../artifact/sealed.ts';
import { type Signer, UNSIGNED } from '../artifact/signer.ts';
import { packageId } from '../buildfile/package.ts';
import { insistOnOnePrefix } from '../buildfile/targets.ts';
import type { CacheTier } from '../cache/cache.ts';
import { signatureRefusal, signersFor, type Trust } from '../cache/trust.ts';
import { VbuildError } from '../model/error.ts';
import { licenceTexts } from '../sources/licences.ts';
import { exists, fileStat, isFolder, readBytes } from '../system/files.ts';
import { platformOfServers } from './choose-platform.ts';
import type { PackageFacts } from './facts.ts';
import { allForeseen, type Ready } from './foreseen.ts';
import { fullClosure, runClosure } from './graph.ts';
import { keyedFacts } from './keyed.ts';
import { provenanceOf } from './provenance.ts';
import { askedFor } from './released.ts';
import type { BuildRequest } from './request.ts';
import { startRun } from './start-run.ts';

/**
 * A release of what these targets are now. What servers will find is what counts: where the Buildfile names caches, the artifacts in
 * them, not those on this disk or in the prefix; of several platforms that it accepts, the one that servers would choose.
 *
 * @throws {VbuildError | VbuildErrors} `unpinned`; `not-ready` for each artifact that no cache has.
 */
export async function makeRelease(asked: BuildRequest, name: string): Promise<Release> {
  const { build, options, targets, workspace, publishing } = asked;
  const onDisk = options.offline || build.cache.length === 0;
  const request = { ...asked, platform: await platformOfServers(asked, onDisk) };
  insistOnOnePrefix(targets);
  const packages = runClosure(targets);
  const facts = keyedFacts(fullClosure(packages), request);
  // It is for servers, of any kind.
  const { run } = startRun(request, { forThisHost: false, onDisk });
  const parts = packages.map((one) => facts.of(one));
  const ready = await allForeseen(parts.map(askedFor), run, facts);
  const provenance = await provenanceOf({ folder: workspace.folder, files: publishing.files }, facts, run);
  const revisions = packages.flatMap((one) => provenance.revision(one) ?? []);
  const [revision] = revisions;
  return {
    format: 1,
    name,
    createdAt: new Date().toISOString(),
    platform: request.platform,
    targets: targets.map(packageId),
    cache: build.cache.map((spec) =>
      spec.kind === 'directory' ? { ...spec, path: resolve(workspace.folder, spec.path) } : { ...spec },
    ),
    ...(revision !== undefined && { revision: { ...revision, clean: revisions.every(({ clean }) => clean) } }),
    packages: ready.map((found, at) => released(parts[at] as PackageFacts, found)),
  };
}

function released({ source, series, patches, places }: PackageFacts, found: Ready): ReleasedPackage {
  const { package: one, key, keyText, tree, body, dependencies, against } = found.manifest;
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
    ...(found.isEqual && against !== undefined && { standing: { dependencies, against } }),
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
  const sizeBytes = isFolder(file) ? undefined : fileStat(file)?.sizeBytes;
  if (sizeBytes !== undefined) {
    if (sizeBytes > LARGEST_RELEASE) throw refused(wanted, `it has ${sizeBytes} bytes, more than ${LARGEST_RELEASE}`);
    return releaseIn(wanted, readBytes(file), trust);
  }
  return releaseNamed(wanted, file, { tiers, trust, signal });
}

/** @param bytes Of a file, which may bear any name. */
function releaseIn(wanted: string, bytes: Uint8Array, trust: Trust | undefined): Release {
  const signer = claimedSigner(bytes);
  if (trust === undefined && signer !== UNSIGNED)
    throw refused(
      wanted,
      `it is signed by ${signer}, and nobody said whom to trust`,
      'give the keys with --trust FILE',
    );
  const judged = judgedAs(signer, bytes, trust);
  if ('rejected' in judged) throw refused(wanted, judged.rejected);
  return judged.release;
}

/** The first acceptable one of this name: whoever can write to a cache can put another one, or none at all, in anybody's place. */
async function releaseNamed(
  wanted: string,
  file: string,
  { tiers, trust, signal }: Omit<Opening, 'cwd'>,
): Promise<Release> {
  const answers: string[] = [];
  let isRefused = false;
  for (const tier of releaseNaming.test(wanted) ? tiers : []) {
    for (const signer of signersFor(trust)) {
      const answer = await tier.releases?.get(wanted, signer, signal);
      const judged = answer?.outcome === 'done' ? judgedNamed(wanted, answer.bytes, trust, signer) : undefined;
      if (judged !== undefined && 'release' in judged) return judged.release;
      isRefused ||= judged !== undefined;
      const by = trust?.keys.get(signer)?.name;
      answers.push(`${tier.name}${by === undefined ? '' : ` by ${by}`}: ${judged?.rejected ?? lackIn(answer)}`);
    }
  }
  if (isRefused) throw refused(wanted, answers.join('; '));
  throw new VbuildError('not-ready', 'There is no such release', {
    facts: { expected: wanted, found: [`no file ${file}`, ...answers].join('; ') },
    mend: 'name a file, or a release that is in a cache; --from names the cache where there is no Buildfile',
  });
}

const lackIn = (answer: { readonly outcome: string; readonly reason?: string } | undefined): string =>
  answer === undefined ? 'has no releases' : (answer.reason ?? answer.outcome);

/** What an object is as a release, or why it will not do, as one clause. */
type Judged = { readonly release: Release } | { readonly rejected: string };

/** @param place Whose place it lay in. */
function judgedNamed(wanted: string, bytes: Uint8Array, trust: Trust | undefined, place: Signer): Judged {
  const signer = claimedSigner(bytes);
  if (place !== signer)
    return {
      rejected: `it lies in the place of ${place} and is ${signer === UNSIGNED ? 'not signed' : `signed by ${signer}`}`,
    };
  const judged = judgedAs(signer, bytes, trust);
  if ('rejected' in judged || judged.release.name === wanted) return judged;
  return { rejected: `it is release ${judged.release.name}` };
}

/** @param signer Who has signed it, as it claims itself. */
function judgedAs(signer: Signer, bytes: Uint8Array, trust: Trust | undefined): Judged {
  const opened = openSealed(bytes, signer);
  if ('rejected' in opened) return opened;
  const unproven = trust && signatureRefusal(opened, signer, trust);
  if (unproven !== undefined) return { rejected: unproven };
  const parsed = parseRelease(opened.payload);
  if ('rejected' in parsed) return parsed;
  const against = trust && policyRefusal(parsed.release, signer, trust);
  return against === undefined ? parsed : { rejected: against };
}

/** Why a release with a good signature does not do. */
function policyRefusal({ revision }: Release, signer: Signer, { keys, require }: Trust): string | undefined {
  const { builder, ref } = require;
  const role = keys.get(signer)?.role;
  if (builder !== undefined && role !== builder) return `it was made by ${role}, and the policy wants ${builder}`;
  if (ref === undefined || (revision?.ref === ref && revision.clean)) return undefined;
  return `it was made from ${revision?.ref ?? 'no branch'}, and the policy wants ${ref} with nothing modified`;
}

const refused = (wanted: string, found: string, mend = 'take another release, or make it anew'): VbuildError =>
  new VbuildError('release-refused', 'Release is not acceptable', { facts: { release: wanted, found }, mend });
