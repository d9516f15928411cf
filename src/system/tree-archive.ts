/** Whole trees in archives of ours: packed as they are, and told by their digest when they come out. */
import type { Digest } from '../model/digest.ts';
import { packTarZst, unpackTarZst } from './archive.ts';
import { walk } from './files.ts';
import { digestOfEntries } from './tree-digest.ts';

/** Packs all of a tree; see `packTarZst`. @param top Absolute path of the tree. @param into Absolute path of the file to write. */
export const packTree = (top: string, into: string): ReturnType<typeof packTarZst> =>
  packTarZst({ top, paths: walk(top).map(({ path }) => path), into });

/**
 * Unpacks an archive of ours into an empty folder.
 *
 * @returns The digest of the tree, as `treeDigest` tells it; each file counts as it was written, and is not read again.
 * @throws as `unpackArchive`
 */
export async function unpackTree(request: { readonly file: string; readonly into: string }): Promise<Digest> {
  return digestOfEntries(await unpackTarZst(request), ({ digest }) => digest as Digest);
}
