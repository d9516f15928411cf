/** A folder of immutable files named by their digest: downloaded archives and artifact bodies lie in it. */
import { renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Digest } from '../model/digest.ts';
import { digestFile, exists, makeFolder, markUsed, temporaryName } from './files.ts';

export interface BlobStore {
  /** Where a blob of this digest lies or would lie; absolute. */
  pathOf(digest: Digest): string;
  /** The absolute path if it is there and its bytes still have this digest; a damaged one is set aside and counts as not there. */
  find(digest: Digest): Promise<string | undefined>;
  /** A fresh name in the store's own file system, to be written and then handed to `add`. */
  temporaryPath(): string;
  /** Takes over a finished file by rename, under the digest that the caller has computed; where that fails, the file goes. */
  add(file: string, digest: Digest): string;
}

/** @param top Absolute path of the folder; it need not exist. Layout: `sha256/AB/ABCD…`. */
export function blobStore(top: string): BlobStore {
  const pathOf = (digest: Digest): string => join(top, 'sha256', digest.slice(0, 2), digest);
  return {
    pathOf,
    async find(digest) {
      const path = pathOf(digest);
      if (!exists(path)) return undefined;
      try {
        if ((await digestFile(path)) === digest) {
          markUsed(path);
          return path;
        }
        const quarantine = join(top, 'quarantine');
        makeFolder(quarantine);
        renameSync(path, join(quarantine, `${digest}.${Date.now()}`));
      } catch (error) {
        // Another process swept it away, or set it aside, in the meantime.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
      return undefined;
    },
    temporaryPath() {
      makeFolder(top);
      return temporaryName(join(top, 'incoming'));
    },
    add(file, digest) {
      const path = pathOf(digest);
      try {
        makeFolder(dirname(path));
        renameSync(file, path);
      } catch (error) {
        rmSync(file, { force: true });
        throw error;
      }
      return path;
    },
  };
}
