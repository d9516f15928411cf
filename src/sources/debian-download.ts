/** Brings the files of a Debian source package into the blob store. */
import { VbuildError } from '../model/error.ts';
import type { Apt } from '../system/apt.ts';
import type { OfferedFile } from '../system/apt-output.ts';
import { digestFile, fileStat, removeTree } from '../system/files.ts';
import type { PinnedFile, SourceContext } from './source.ts';

/** Those of the files that a store has, by name: the absolute paths of verified bytes. */
export async function findAll(files: readonly PinnedFile[], context: SourceContext): Promise<Map<string, string>> {
  const found = await Promise.all(
    files.map(async ({ name, digest }) => [name, await context.findBlob(digest)] as const),
  );
  return new Map(found.flatMap(([name, path]) => (path === undefined ? [] : [[name, path]])));
}

/**
 * Downloads into the blob store what no store has; processes that want the same wait for the first of them.
 *
 * @returns the names of those that the mirror does not have.
 * @throws {VbuildError} `download-failed` for any other reason.
 */
export async function acquire(files: readonly OfferedFile[], apt: Apt, context: SourceContext): Promise<string[]> {
  const found = await findAll(files, context);
  const wanted = files.filter(({ name }) => !found.has(name));
  if (wanted.length === 0 || context.offline) return wanted.map(({ name }) => name);
  const digests = wanted.map(({ digest }) => digest).sort();
  return context.alone(`archive ${digests.join(' ')}`, async () => {
    const there = await Promise.all(wanted.map(({ digest }) => context.blobs.find(digest)));
    return download(
      wanted.filter((_, at) => there[at] === undefined),
      apt,
      context,
    );
  });
}

async function download(wanted: readonly OfferedFile[], apt: Apt, context: SourceContext): Promise<string[]> {
  if (wanted.length === 0) return [];
  const downloads = wanted.map((file) => ({ ...file, into: context.blobs.temporaryPath() }));
  const report = (): void => {
    for (const { name, into, sizeBytes } of downloads) {
      context.emit({
        type: 'transfer',
        package: context.package,
        what: name,
        doneBytes: fileStat(into)?.sizeBytes ?? 0,
        totalBytes: sizeBytes,
      });
    }
  };
  const watch = setInterval(report, 500);
  const failures = await apt.download(downloads).finally(() => clearInterval(watch));
  report();
  for (const { uri, into, digest } of downloads) {
    if (failures.has(uri)) continue;
    // apt has checked the digest; that it did is not taken on trust.
    const actual = await digestFile(into);
    if (actual === digest) context.blobs.add(into, digest);
    else {
      removeTree(into);
      failures.set(uri, { missing: false, reason: `SHA-256 is ${actual}, not ${digest}` });
    }
  }
  const broken = wanted.find(({ uri }) => failures.get(uri)?.missing === false);
  if (broken !== undefined) {
    throw new VbuildError('download-failed', 'File of a Debian source package cannot be downloaded', {
      facts: { file: broken.name, from: broken.uri, reason: failures.get(broken.uri)?.reason ?? '' },
      mend: 'see that `apt-get update` works on this machine, then run again',
    });
  }
  return wanted.filter(({ uri }) => failures.has(uri)).map(({ name }) => name);
}

/** Where a pinned file may be on the mirror: where an index has its digest, else beside other versions, where archives keep it a while. */
export function whereabouts({ name, digest, sizeBytes }: PinnedFile, offered: readonly OfferedFile[]): OfferedFile[] {
  const listed = offered.filter((file) => file.digest === digest);
  const folders = new Set(offered.map(({ uri }) => uri.slice(0, uri.lastIndexOf('/') + 1)));
  const uris = new Set([
    ...listed.map(({ uri }) => uri),
    ...[...folders].map((folder) => folder + encodeURIComponent(name)),
  ]);
  return [...uris].map((uri) => ({ name, uri, digest, sizeBytes }));
}
