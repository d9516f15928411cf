/** Upstream archives: downloaded from one of several places, or read from the disk, and kept by digest. */
import { dirname } from 'node:path';
import { type Digest, isDigest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { archiveOrigin } from './origin.ts';
import type { FetchTarget, PinnedFile, SourceContext, SourceKind } from './source.ts';
import { isEscaped, isInside, pathOfFileUrl, subdirProblems } from './spec-checks.ts';

/** A detached signature by which upstream vouches for an archive; verified whenever the archive is pinned. */
export type Signature =
  | {
      /** Public keys of upstream, a file relative to the Buildfile: what `gpg --export` writes, armoured or not. */
      readonly keyring: string;
      /** Where the signature is; the archive's own place with `.asc` behind it when not given. */
      readonly url?: string;
    }
  | {
      /** Upstream's minisign key: the line of base64 that `minisign -P` takes. */
      readonly minisignKey: string;
      /** Where the signature is; the archive's own place with `.minisig` behind it when not given. */
      readonly url?: string;
    };

export interface ArchiveOptions {
  /** SHA-256 of the archive; what comes first is pinned when not given. */
  readonly sha256?: string;
  /** Leading path parts to drop from the names in it; a top folder that holds everything is dropped when not given. */
  readonly strip?: number;
  /** The folder of the archive, after `strip`, that is the source. */
  readonly subdir?: string;
  /** Insists on a signature; without it the first download is taken as it comes. */
  readonly signature?: Signature;
}

/** One more archive, unpacked into the same tree. */
export interface FurtherArchive extends ArchiveOptions {
  /** As for the first one. */
  readonly from: string | readonly string[];
  /** The folder of the tree that it is unpacked into, `.` for the top; it may be there already, as long as no file is in both archives. */
  readonly into: string;
}

export interface TarballOptions extends ArchiveOptions {
  /** Archives that upstream publishes beside the first one and expects to be unpacked into its tree, in this order. */
  readonly also?: readonly FurtherArchive[];
}

interface ArchiveSpec extends ArchiveOptions {
  /** Places of one and the same archive, asked in this order: `http:`, `https:`, `s3:` or `file:` URLs, or paths relative to the Buildfile. */
  readonly from: readonly string[];
}

interface FurtherSpec extends ArchiveSpec {
  readonly into: string;
}

export interface TarballSpec extends ArchiveSpec {
  readonly kind: 'tarball';
  readonly also?: readonly FurtherSpec[];
}

const archiveOptions = ['from', 'sha256', 'strip', 'subdir', 'signature'] as const;

const listed = (from: string | readonly string[]): readonly string[] => (typeof from === 'string' ? [from] : from);

/**
 * An archive: .tar (plain, .gz, .bz2, .xz, .zst, .lz) or .zip.
 *
 * Bringing it may end with `source-missing`, `download-failed` or `disk-trouble`; `pin-mismatch` for other bytes than the pinned ones or
 * those of `sha256`, `signature-refused`, `archive-refused`, and `tool-missing` where a program that unpacks or verifies it is not here.
 *
 * @param from One place or several mirrors, asked in order: `http:`, `https:`, `s3:` or `file:` URLs, or paths relative to the folder of
 *             the Buildfile.
 */
export const tarball = (from: string | readonly string[], { also, ...options }: TarballOptions = {}): TarballSpec => ({
  kind: 'tarball',
  from: listed(from),
  ...options,
  ...(also !== undefined && { also: furtherOf(also) }),
});

/** What is of another shape than its type says is for validation to find. */
const furtherOf = (also: readonly FurtherArchive[]): readonly FurtherSpec[] =>
  (Array.isArray(also)
    ? also.map((one: FurtherArchive) => (typeof one?.from === 'string' ? { ...one, from: [one.from] } : one))
    : also) as readonly FurtherSpec[];

/** What unpacks archives of these names; other formats take no program. */
const programs = [
  [/\.t?bz2$/, 'bzip2'],
  [/\.t?(ar\.)?lz$/, 'lzip'],
  [/\.t?xz$/, 'xz'],
] as const;

export const tarballKind: SourceKind<TarballSpec> = {
  kind: 'tarball',
  options: [...archiveOptions, 'also'],

  needs(spec) {
    const archives = archivesOf(spec);
    const signed = archives.some(({ signature }) => signature !== undefined && 'keyring' in signature);
    const packed = programs.flatMap(([ending, program]) =>
      archives.some(({ from }) => from.some((place) => ending.test(place))) ? [program] : [],
    );
    return signed ? [...packed, 'gpgv'] : packed;
  },

  problems,

  loosened: ({ also, ...spec }) => ({
    ...withoutDigest(spec),
    ...(also !== undefined && { also: also.map(withoutDigest) }),
  }),

  origin: (spec, pin) =>
    archiveOrigin(
      pin,
      archivesOf(spec).map(({ from }) => from),
    ),

  async resolve(spec, context) {
    const files: PinnedFile[] = [];
    for (const archive of archivesOf(spec)) files.push(await pinned(archive, context));
    return { kind: 'tarball', files };
  },

  async fetch(spec, pin, target, context) {
    const archives = archivesOf(spec);
    if (pin.files?.length !== archives.length)
      throw new VbuildError('lock-file-invalid', 'Pin does not name the archives of the source', {
        facts: { expected: `${archives.length}`, found: `${pin.files?.length ?? 0}` },
        mend: 'pin it anew with vbuild update',
      });
    const { bring } = await import('./archive-places.ts');
    for (const [at, archive] of archives.entries()) {
      const { name, digest, sizeBytes } = pin.files[at] as PinnedFile;
      const file = (await context.findBlob(digest)) ?? (await bring(archive.from, { digest, sizeBytes }, context)).path;
      if (at === 0) await unpack(file, name, archive, target.tree);
      else await unpackBeside(file, name, archive as FurtherSpec, target);
    }
    if (archives.length > 1) {
      // A link that is innocent in its own archive may lead out by way of another one's.
      const { settleTree } = await import('../system/import-tree.ts');
      settleTree(target.tree);
    }
  },
};

function withoutDigest<Archive extends ArchiveSpec>(archive: Archive): Omit<Archive, 'sha256'> {
  const { sha256: _, ...others } = archive;
  return others;
}

const archivesOf = (spec: TarballSpec): readonly [ArchiveSpec, ...FurtherSpec[]] => [spec, ...(spec.also ?? [])];

function problems(spec: TarballSpec): readonly string[] {
  const { also } = spec;
  if (also === undefined) return archiveProblems(spec);
  const further = Array.isArray(also) ? (also as readonly unknown[]) : [undefined];
  return [
    ...archiveProblems(spec),
    ...further.flatMap((one, at) => {
      if (typeof one !== 'object' || one === null) return ['also must be a list of objects with from and into'];
      const { into } = one as FurtherSpec;
      const found = [...unknownIn(one, [...archiveOptions, 'into']), ...archiveProblems(one as FurtherSpec)];
      if (!isInside(into)) found.push('into must be a relative path without ".."');
      return found.map((clause) => `also[${at}]: ${clause}`);
    }),
  ];
}

/** What an object holds beside the options that are known. */
const unknownIn = (given: object, known: readonly string[]): string[] =>
  Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => `${name} is not an option; those are ${known.join(', ')}`);

function archiveProblems({ from, sha256, strip, subdir, signature }: ArchiveSpec): readonly string[] {
  const found: string[] = [];
  if (!Array.isArray(from) || from.length === 0) found.push('tarball needs a URL or a path');
  else for (const place of from as readonly unknown[]) found.push(...placeProblems(place));
  if (sha256 !== undefined && (typeof sha256 !== 'string' || !isDigest(sha256)))
    found.push('sha256 must be 64 lower-case hexadecimal digits');
  if (strip !== undefined && (!Number.isSafeInteger(strip) || strip < 0))
    found.push('strip must be a whole number, 0 or more');
  found.push(...subdirProblems(subdir));
  if (signature !== undefined) found.push(...signatureProblems(signature));
  return found;
}

function signatureProblems(signature: unknown): readonly string[] {
  if (typeof signature !== 'object' || signature === null) return ['signature must name a keyring or a minisignKey'];
  const { keyring, minisignKey, url } = signature as Readonly<Record<string, unknown>>;
  const found = [
    ...unknownIn(signature, ['keyring', 'minisignKey', 'url']).map((clause) => `signature: ${clause}`),
    ...(url === undefined ? [] : placeProblems(url).map((clause) => `signature.url: ${clause}`)),
  ];
  if ((keyring === undefined) === (minisignKey === undefined))
    return [...found, 'signature must name a keyring or a minisignKey, one of them'];
  if (keyring !== undefined && (typeof keyring !== 'string' || keyring === ''))
    return [...found, 'signature.keyring must be the path of a file of public keys'];
  // `Ed`, 8 bytes of its id, 32 of the key: 42 bytes are 56 letters without padding.
  if (minisignKey !== undefined && (typeof minisignKey !== 'string' || !/^RW[A-Za-z0-9+/]{54}$/.test(minisignKey)))
    return [...found, 'signature.minisignKey must be the line of 56 letters that begins with RW'];
  return found;
}

function placeProblems(place: unknown): readonly string[] {
  if (typeof place !== 'string' || place === '' || place.includes('\0'))
    return ['tarball needs a URL or a path, as a string'];
  const scheme = schemeOf(place);
  if (scheme === undefined) return [];
  if (!['http:', 'https:', 's3:', 'file:'].includes(scheme))
    return [`a tarball cannot be fetched by ${scheme} (http:, https:, s3: and file: can)`];
  if (scheme === 's3:' && !/^s3:\/\/[a-z0-9][a-z0-9.-]+\/[^/]/i.test(place))
    return [`${JSON.stringify(place)} does not name a bucket and an object in it`];
  if (!URL.canParse(place)) return [`${JSON.stringify(place)} is not a URL`];
  if (scheme === 's3:' && !isEscaped(place))
    return [
      `${JSON.stringify(place)} has a % that begins no escape (an object with % in its name is written with %25)`,
    ];
  if (scheme === 'file:' && pathOfFileUrl(place) === undefined)
    return [
      `${JSON.stringify(place)} names no file of this machine (file: has no host, no escape of a slash or a NUL, and % as %25)`,
    ];
  return [];
}

/** `https:` and the like; undefined for a path. */
export const schemeOf = (place: string): string | undefined =>
  /^([a-z][a-z0-9+.-]*:)\/\//i.exec(place)?.[1]?.toLowerCase();

/** What the archive is now; its bytes lie in the blob store afterwards, and its signature holds if one was asked for. */
async function pinned(archive: ArchiveSpec, context: SourceContext): Promise<PinnedFile> {
  const { bring, nameOf } = await import('./archive-places.ts');
  const { fileStat } = await import('../system/files.ts');
  const wanted = archive.sha256 as Digest | undefined;
  const there = wanted === undefined ? undefined : await context.findBlob(wanted);
  const { path, digest } =
    there !== undefined && wanted !== undefined
      ? { path: there, digest: wanted }
      : await bring(archive.from, wanted === undefined ? {} : { digest: wanted }, context).catch(notTheOneGiven);
  const file = { name: nameOf(archive.from[0] ?? ''), digest, sizeBytes: fileStat(path)?.sizeBytes ?? 0 };
  const { signature } = archive;
  if (signature === undefined) return file;
  const { beside } = await import('./archive-places.ts');
  const { verified } = await import('./signature.ts');
  const suffix = 'keyring' in signature ? '.asc' : '.minisig';
  const places = signature.url === undefined ? archive.from.map((place) => beside(place, suffix)) : [signature.url];
  const signed = { archive: path, signature: (await bring(places, {}, context)).path, name: file.name };
  return { ...file, signedBy: await verified(signed, signature, context) };
}

/** Nothing is pinned yet, so what was insisted on is the Buildfile's own `sha256`. */
function notTheOneGiven(thrown: unknown): never {
  if (!(thrown instanceof VbuildError) || thrown.code !== 'pin-mismatch') throw thrown;
  throw new VbuildError('pin-mismatch', 'Archive has another SHA-256 than the Buildfile gives', {
    where: thrown.where,
    facts: thrown.facts,
    mend: 'compare both with what upstream publishes: correct sha256 in the Buildfile, or name a place that has the right archive',
    cause: thrown,
  });
}

async function unpack(file: string, name: string, { strip, subdir }: ArchiveSpec, into: string): Promise<void> {
  const { unpackArchive } = await import('../system/archive.ts');
  const shape = { ...(strip !== undefined && { strip }), ...(subdir !== undefined && { subdir }) };
  await unpackArchive({ file, into, name, ...shape });
}

async function unpackBeside(file: string, name: string, archive: FurtherSpec, { tree }: FetchTarget): Promise<void> {
  const { temporaryFolder } = await import('../system/files.ts');
  const { mergeTree } = await import('../system/import-tree.ts');
  using scratch = temporaryFolder('.also', dirname(tree));
  await unpack(file, name, archive, scratch.path);
  try {
    mergeTree(scratch.path, tree, archive.into);
  } catch (error) {
    throw error instanceof VbuildError ? error.at({ file: name }) : error;
  }
}
