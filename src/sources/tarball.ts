/** Upstream archives: downloaded from one of several places, or read from the disk, and kept by digest. */
import { basename, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Digest, isDigest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Downloaded } from '../system/download.ts';
import type { FetchTarget, Pin, PinnedFile, SourceContext, SourceKind } from './source.ts';

export interface TarballSpec {
  readonly kind: 'tarball';
  /** Places of one and the same archive, asked in this order: `http:`, `https:` or `file:` URLs, or paths relative to the Buildfile. */
  readonly from: readonly string[];
  readonly sha256?: string;
  readonly strip?: number;
  readonly subdir?: string;
}

export interface TarballOptions {
  /** SHA-256 of the archive; what comes first is pinned when not given. */
  readonly sha256?: string;
  /** Leading path parts to drop from the names in it; a top folder that holds everything is dropped when not given. */
  readonly strip?: number;
  /** The folder of the archive, after `strip`, that is the source. */
  readonly subdir?: string;
}

/** An archive: .tar (plain, .gz, .bz2, .xz, .zst, .lz) or .zip. @param from One place or several mirrors, asked in order. */
export const tarball = (from: string | readonly string[], options: TarballOptions = {}): TarballSpec => ({
  kind: 'tarball',
  from: typeof from === 'string' ? [from] : from,
  ...options,
});

export const tarballKind: SourceKind<TarballSpec> = {
  kind: 'tarball',
  problems,

  async resolve(spec, context) {
    const wanted = spec.sha256 as Digest | undefined;
    const name = nameOf(spec.from[0] ?? '');
    if (wanted !== undefined) {
      const there = await context.findBlob(wanted);
      const { fileStat } = await import('../system/files.ts');
      const stat = there === undefined ? undefined : fileStat(there);
      if (stat !== undefined) return pinOf({ name, digest: wanted, sizeBytes: stat.sizeBytes });
    }
    const { digest, sizeBytes } = await bring(spec, wanted === undefined ? {} : { digest: wanted }, context);
    return pinOf({ name, digest, sizeBytes });
  },

  async fetch(spec, pin, target, context) {
    const { name, digest, sizeBytes } = pinnedFile(pin);
    const file = (await context.findBlob(digest)) ?? (await bring(spec, { digest, sizeBytes }, context)).path;
    await unpack(file, name, spec, target);
  },
};

function problems({ from, sha256, strip, subdir }: TarballSpec): readonly string[] {
  const found: string[] = [];
  if (!Array.isArray(from) || from.length === 0) found.push('tarball needs a URL or a path');
  else for (const place of from as readonly unknown[]) found.push(...placeProblems(place));
  if (sha256 !== undefined && (typeof sha256 !== 'string' || !isDigest(sha256)))
    found.push('sha256 must be 64 lower-case hexadecimal digits');
  if (strip !== undefined && (!Number.isSafeInteger(strip) || strip < 0))
    found.push('strip must be a whole number, 0 or more');
  if (subdir !== undefined && !isInside(subdir)) found.push('subdir must be a relative path without ".."');
  return found;
}

function placeProblems(place: unknown): readonly string[] {
  if (typeof place !== 'string' || place === '') return ['tarball needs a URL or a path, as a string'];
  const scheme = schemeOf(place);
  if (scheme === undefined) return [];
  if (!['http:', 'https:', 'file:'].includes(scheme))
    return [`a tarball cannot be fetched by ${scheme} (http:, https: and file: can)`];
  return URL.canParse(place) ? [] : [`${JSON.stringify(place)} is not a URL`];
}

/** Whether a value is a path that stays below where it starts. */
export const isInside = (path: unknown): boolean =>
  typeof path === 'string' && path !== '' && !isAbsolute(path) && !path.split('/').includes('..');

/** `https:` and the like; undefined for a path. */
const schemeOf = (place: string): string | undefined => /^([a-z][a-z0-9+.-]*:)\/\//i.exec(place)?.[1]?.toLowerCase();

const pinOf = (file: PinnedFile): Pin => ({ kind: 'tarball', files: [file] });

function pinnedFile(pin: Pin): PinnedFile {
  const [file] = pin.files ?? [];
  if (file === undefined)
    throw new VbuildError('lock-file-invalid', 'Pin of an archive names no file', {
      mend: 'pin it anew with vbuild update',
    });
  return file;
}

/** The last part of a URL or path, fit for a file name. */
function nameOf(place: string): string {
  const path = schemeOf(place) === undefined ? place : new URL(place).pathname;
  return basename(path).replaceAll(/[^\w.+~-]/g, '_') || 'archive';
}

type Wanted = Partial<Pick<PinnedFile, 'digest' | 'sizeBytes'>>;

/** Brings the archive into the blob store from the first place that has it. @throws the trouble of the first place when none has. */
async function bring(
  spec: TarballSpec,
  wanted: Wanted,
  context: SourceContext,
): Promise<Pick<Downloaded, 'digest' | 'sizeBytes'> & { readonly path: string }> {
  const troubles: VbuildError[] = [];
  for (const [index, place] of spec.from.entries()) {
    try {
      return await (/^https?:$/.test(schemeOf(place) ?? '')
        ? downloaded(place, wanted, context)
        : copied(place, wanted, context));
    } catch (error) {
      if (!(error instanceof VbuildError)) throw error;
      troubles.push(error);
      if (index + 1 < spec.from.length)
        context.emit({
          type: 'notice',
          level: 'warning',
          code: error.code,
          headline: 'Mirror is passed over',
          package: context.package,
          facts: { ...error.facts, next: spec.from[index + 1] ?? '' },
        });
    }
  }
  // A place that answers with other bytes tells more than one that does not answer.
  throw (
    troubles.find(({ code }) => code === 'pin-mismatch') ??
    troubles[0] ??
    new Error('a tarball without a place passed validation')
  );
}

async function downloaded(
  url: string,
  wanted: Wanted,
  context: SourceContext,
): Promise<Downloaded & { readonly path: string }> {
  const { download } = await import('../system/download.ts');
  const { moveFile } = await import('../system/files.ts');
  const { digestOf } = await import('../model/digest.ts');
  // A name that the next run finds again, so that it resumes what a crash cut off.
  const into = resolve(context.state, `download-${digestOf(url).slice(0, 16)}`);
  const result = await download({
    url,
    into,
    ...wanted,
    expect: 'archive',
    offline: context.offline,
    signal: context.signal,
    ...(context.environment && { environment: context.environment }),
    progress: (doneBytes, totalBytes) =>
      context.emit({
        type: 'transfer',
        package: context.package,
        what: nameOf(url),
        doneBytes,
        ...(totalBytes !== undefined && { totalBytes }),
      }),
  });
  const temporary = context.blobs.temporaryPath();
  moveFile(into, temporary);
  return { ...result, path: context.blobs.add(temporary, result.digest) };
}

/** A copy is kept even of a file on this disk: it may be gone tomorrow, and then the digest still finds it. */
async function copied(
  place: string,
  wanted: Wanted,
  context: SourceContext,
): Promise<{ digest: Digest; sizeBytes: number; path: string }> {
  const { fileStat, removeTree } = await import('../system/files.ts');
  const { copyHashed } = await import('../system/landing.ts');
  const file = schemeOf(place) === 'file:' ? fileURLToPath(place) : resolve(context.buildfileFolder, place);
  const stat = fileStat(file);
  if (stat === undefined)
    throw new VbuildError('source-missing', 'Archive is not there', {
      where: { file },
      mend: 'put it there, or correct the path; a relative one starts at the folder of the Buildfile',
    });
  const temporary = context.blobs.temporaryPath();
  const digest = await copyHashed(file, temporary);
  if (wanted.digest !== undefined && wanted.digest !== digest) {
    removeTree(temporary);
    throw new VbuildError('pin-mismatch', 'Archive is not the one that was pinned', {
      where: { file },
      facts: { expected: `SHA-256 ${wanted.digest}`, found: `SHA-256 ${digest}` },
      mend: 'find out why it changed; if the change is meant, pin it anew with vbuild update',
    });
  }
  return { digest, sizeBytes: stat.sizeBytes, path: context.blobs.add(temporary, digest) };
}

async function unpack(file: string, name: string, { strip, subdir }: TarballSpec, target: FetchTarget): Promise<void> {
  const { unpackArchive } = await import('../system/archive.ts');
  await unpackArchive({
    file,
    into: target.tree,
    name,
    ...(strip !== undefined && { strip }),
    ...(subdir !== undefined && { subdir }),
  });
}
