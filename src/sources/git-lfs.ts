/** Files that a repository keeps in Git LFS: found by the pointers in their places, and put there by the digest that a pointer names. */
import { join } from 'node:path';
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { digestFile, readBytes, replaceFile, walk } from '../system/files.ts';

interface LfsPointer {
  /** Relative to the tree. */
  readonly path: string;
  readonly mode: number;
  readonly digest: Digest;
}

/** No pointer is longer. */
const longestBytes = 1024;

/** @see The Git LFS specification, "The Pointer". */
const pointer = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize \d+\n$/;

/** @param tree Absolute path of an exported tree. */
export function lfsPointers(tree: string): LfsPointer[] {
  return walk(tree).flatMap(({ path, type, mode, sizeBytes }) => {
    if (type !== 'file' || sizeBytes > longestBytes || sizeBytes < 100) return [];
    const digest = pointer.exec(readBytes(join(tree, path)).toString('latin1'))?.[1];
    return digest === undefined ? [] : [{ path, mode, digest: digest as Digest }];
  });
}

/** @param place What messages call the server. @throws {VbuildError} `source-missing` for a file that the server did not give, `pin-mismatch` for one with other bytes. */
export async function putInPlace(
  pointers: readonly LfsPointer[],
  tree: string,
  files: { largeFile(digest: string): string | undefined },
  place: string,
): Promise<void> {
  for (const { path, mode, digest } of pointers) {
    const file = files.largeFile(digest);
    if (file === undefined)
      throw new VbuildError('source-missing', 'Server of Git LFS does not have a file', {
        facts: { url: place, file: path, expected: `SHA-256 ${digest}` },
        mend: 'tell upstream, or leave LFS out of the source',
      });
    const found = await digestFile(file);
    if (found !== digest)
      throw new VbuildError('pin-mismatch', 'File of Git LFS is not the one that its pointer names', {
        facts: { url: place, file: path, expected: `SHA-256 ${digest}`, found: `SHA-256 ${found}` },
        mend: 'remove the work folder, then run again',
      });
    replaceFile(join(tree, path), readBytes(file), mode);
  }
}
