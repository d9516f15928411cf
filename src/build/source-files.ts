/** The source of a package as it lies on this machine, fit to be put into a cache: its archives, or its tree packed. */
import type { SourceFiles } from '../cache/push.ts';
import type { Digest } from '../model/digest.ts';
import { sourceKind } from '../sources/index.ts';
import { digestFile, exists } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';
import type { PackageFacts } from './facts.ts';
import type { Run } from './run.ts';

/** As far as it is here, verified; a folder of the project is nobody else's source. */
export async function sourceFiles(
  { package: one, places, source: { pin, tree, series } }: PackageFacts,
  run: Run,
): Promise<SourceFiles> {
  if (pin.files === undefined)
    return sourceKind(one.source).current === undefined
      ? { archives: [], tree: { digest: tree, pack: () => packed(tree, places.source, run) } }
      : { archives: [] };
  const found = await Promise.all(
    pin.files.map(async ({ digest }) => ({ digest, file: await run.disk.blobs.find(digest) })),
  );
  const archives = found.flatMap(({ digest, file }) => (file === undefined ? [] : [{ digest, file }]));
  // Archives that upstream packed anew are not the pinned ones, but the tree is.
  const whole = archives.length === found.length || series !== undefined;
  return { archives, ...(!whole && { tree: { digest: tree, pack: () => packed(tree, places.source, run) } }) };
}

/** The disk cache keeps what was packed, so that the next cache gets the same bytes. */
async function packed(
  tree: Digest,
  folder: string,
  { disk, signal }: Run,
): ReturnType<NonNullable<SourceFiles['tree']>['pack']> {
  const known = await disk.lookUpTree(tree, signal);
  const there = known.outcome === 'hit' ? await disk.blobs.find(known.body.digest) : undefined;
  if (known.outcome === 'hit' && there !== undefined) return { ...known.body, file: there };
  if (!exists(folder) || treeDigest(folder) !== tree) return undefined;
  const { packTree } = await import('../system/tree-archive.ts');
  const temporary = disk.blobs.temporaryPath();
  const { sizeBytes } = await packTree(folder, temporary);
  const digest = await digestFile(temporary);
  const file = disk.blobs.add(temporary, digest);
  await disk.putTree(tree, { digest, sizeBytes }, signal);
  return { digest, sizeBytes, file };
}
