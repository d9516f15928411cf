/** Brings an archive into the blob store from the first of its places that has it: a server, a bucket, or this disk. */
import { basename, resolve } from 'node:path';
import { type Digest, digestOf, isDigest } from '../model/digest.ts';
import { diskTrouble } from '../model/disk-trouble.ts';
import { VbuildError } from '../model/error.ts';
import { download } from '../system/download.ts';
import { fileStat, isFolder, moveFile, removeTree } from '../system/files.ts';
import { copyHashed } from '../system/landing.ts';
import { firstPlace, placesOfAll } from './first-place.ts';
import type { PinnedFile, SourceContext } from './source.ts';
import { pathOfFileUrl } from './spec-checks.ts';
import { schemeOf } from './tarball.ts';

/** What is insisted on. */
type Wanted = Partial<Pick<PinnedFile, 'digest' | 'sizeBytes'>>;

interface Brought {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Absolute, in the blob store. */
  readonly path: string;
}

/** The last part of a URL or path, fit for a file name. */
export function nameOf(place: string): string {
  const path = schemeOf(place) === undefined ? place : new URL(place).pathname;
  return basename(path).replaceAll(/[^\w.+~-]/g, '_') || 'archive';
}

/** The place of a file whose name is that of another one and a suffix. */
export function beside(place: string, suffix: string): string {
  if (schemeOf(place) === undefined) return place + suffix;
  const url = new URL(place);
  url.pathname += suffix;
  return url.href;
}

/**
 * Processes that want one and the same archive, by its digest or by all of its places, wait for the first of them and take what it brought.
 *
 * @param from As the Buildfile has it; mirrors are asked too.
 * @throws as `firstPlace`
 */
export function bring(from: readonly string[], wanted: Wanted, context: SourceContext): Promise<Brought> {
  const reach = { archives: true, digest: wanted.digest };
  const places = placesOfAll(from, reach, context);
  return context.alone(`archive ${wanted.digest ?? places.join(' ')}`, async (turn) => {
    // Which server stands behind a bucket's name is a matter of settings that another process need not have.
    const known = wanted.digest ?? (places.some((place) => schemeOf(place) === 's3:') ? undefined : turn.left);
    const path = known !== undefined && isDigest(known) ? await context.blobs.find(known) : undefined;
    if (path !== undefined) return { digest: known as Digest, sizeBytes: fileStat(path)?.sizeBytes ?? 0, path };
    const brought = await firstPlace(from, reach, context, (place) => broughtFrom(place, wanted, context));
    turn.leave(brought.digest);
    return brought;
  });
}

function broughtFrom(place: string, wanted: Wanted, context: SourceContext): Promise<Brought> {
  switch (schemeOf(place)) {
    case 'http:':
    case 'https:':
      return downloaded(place, wanted, context);
    case 's3:':
      return fromBucket(place, wanted, context);
    default:
      return copied(place, wanted, context);
  }
}

const progressOf =
  (place: string, context: SourceContext) =>
  (doneBytes: number, totalBytes: number | undefined): void =>
    context.emit({
      type: 'transfer',
      package: context.package,
      what: nameOf(place),
      doneBytes,
      ...(totalBytes !== undefined && { totalBytes }),
    });

async function downloaded(url: string, wanted: Wanted, context: SourceContext): Promise<Brought> {
  // A name that the next run finds again, so that it resumes what a crash cut off.
  const into = resolve(context.state, `download-${digestOf(url).slice(0, 16)}`);
  const { digest, sizeBytes } = await download({
    url,
    into,
    ...wanted,
    expect: 'archive',
    offline: context.offline,
    signal: context.signal,
    ...(context.environment && { environment: context.environment }),
    progress: progressOf(url, context),
  });
  const temporary = context.blobs.temporaryPath();
  moveFile(into, temporary);
  return { digest, sizeBytes, path: context.blobs.add(temporary, digest) };
}

async function fromBucket(url: string, wanted: Wanted, context: SourceContext): Promise<Brought> {
  const { downloadObject } = await import('../system/s3-download.ts');
  const temporary = context.blobs.temporaryPath();
  const { digest, sizeBytes } = await downloadObject({
    url,
    into: temporary,
    ...wanted,
    offline: context.offline,
    signal: context.signal,
    environment: context.environment ?? {},
    progress: progressOf(url, context),
  });
  return { digest, sizeBytes, path: context.blobs.add(temporary, digest) };
}

/** A copy is kept even of a file on this disk: it may be gone tomorrow, and then the digest still finds it. */
async function copied(place: string, wanted: Wanted, context: SourceContext): Promise<Brought> {
  const path = schemeOf(place) === 'file:' ? pathOfFileUrl(place) : resolve(context.buildfileFolder, place);
  // What a mirror makes of another place's URL may name nothing that a disk can hold.
  const file = path ?? place;
  const stat = path === undefined ? undefined : fileStat(path);
  if (stat === undefined || isFolder(file))
    throw new VbuildError('source-missing', 'Archive is not there', {
      where: { file },
      facts: {
        expected: wanted.digest === undefined ? 'an archive' : `SHA-256 ${wanted.digest}`,
        found: stat === undefined ? 'no such file' : 'a folder',
      },
      mend: 'put it there, or correct the path; a relative one starts at the folder of the Buildfile',
    });
  const temporary = context.blobs.temporaryPath();
  const digest = await copyHashed(file, temporary).catch((error: unknown) => {
    // A place that cannot be read is not the end: another one may serve.
    throw diskTrouble(error) ?? error;
  });
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
