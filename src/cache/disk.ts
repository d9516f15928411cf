/** The cache on this machine's disk, shared by all sites of a user: written by many processes at once, and never trusted blindly. */
import { basename, dirname, join } from 'node:path';
import type { ContentKey } from '../model/digest.ts';
import { VbuildError, messageOf } from '../model/error.ts';
import { type BlobStore, blobStore } from '../system/blob-store.ts';
import { exists, fileStat, moveIntoPlace, readBytes, removeTree } from '../system/files.ts';
import { copyHashed, writeOnce } from '../system/landing.ts';
import type { Answer, CacheTier, Fetched } from './cache.ts';
import { blobFolder, manifestObject } from './layout.ts';

export interface DiskCache extends CacheTier {
  /** Absolute. */
  readonly folder: string;
  readonly blobs: BlobStore;
  /** Whether an artifact is there, by its manifest's presence alone; for the path on which nothing needs doing. */
  has(name: string, key: ContentKey): boolean;
  /** Moves the manifest of a key out of the way, for later study. */
  setAside(name: string, key: ContentKey): void;
}

/**
 * A manifest that cannot be used, or whose body is gone, is set aside when it is looked up: the answer is `rejected` once, and
 * `absent` from then on.
 *
 * @param folder Absolute; it need not exist.
 * @throws {VbuildError} from its writing methods: `disk-trouble`, not `upload-failed`, for nothing is uploaded.
 */
export function diskCache(folder: string): DiskCache {
  const blobs = blobStore(join(folder, blobFolder));
  const manifestPath = (name: string, key: ContentKey): string => join(folder, manifestObject(name, key));

  const setAside = (name: string, key: ContentKey): void => {
    const path = manifestPath(name, key);
    try {
      moveIntoPlace(path, join(folder, 'v1', 'quarantine', `${name}.${key}.${basename(path)}.${Date.now()}`));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw diskTrouble(path, error);
    }
  };
  const rejected = (name: string, key: ContentKey, reason: string): Answer => {
    setAside(name, key);
    return { outcome: 'rejected', reason };
  };
  async function look(name: string, key: ContentKey): Promise<Answer> {
    const path = manifestPath(name, key);
    let bytes: Uint8Array;
    try {
      bytes = readBytes(path);
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? { outcome: 'absent' } : { outcome: 'unreachable', reason: messageOf(error) };
    }
    const { judgeManifest } = await import('./judge.ts');
    const answer = judgeManifest(bytes, name, key);
    if (answer.outcome === 'rejected') return rejected(name, key, answer.reason);
    const { digest, sizeBytes } = answer.manifest.body;
    const found = fileStat(blobs.pathOf(digest))?.sizeBytes;
    if (found === sizeBytes) return answer;
    return rejected(
      name,
      key,
      found === undefined ? 'its body is not there' : `its body has ${found} bytes, expected ${sizeBytes}`,
    );
  }

  return {
    name: 'disk',
    writable: true,
    folder,
    blobs,
    setAside,
    has: (name, key) => exists(manifestPath(name, key)),
    async lookUp(name, key, signal) {
      signal.throwIfAborted();
      return look(name, key);
    },
    async fetchBlob({ digest }, into, signal, progress): Promise<Fetched> {
      signal.throwIfAborted();
      const path = blobs.pathOf(digest);
      if (!exists(path)) return { outcome: 'absent' };
      const found = await written(into, () => copyHashed(path, into));
      if (found === digest) {
        progress?.(fileStat(into)?.sizeBytes ?? 0);
        return { outcome: 'done' };
      }
      removeTree(into);
      // Judged once more on its own, and set aside.
      await blobs.find(digest);
      return { outcome: 'rejected', reason: `its SHA-256 is ${found}, expected ${digest}` };
    },
    async putBlob(digest, file, signal) {
      signal.throwIfAborted();
      await written(blobs.pathOf(digest), async () => {
        if ((await blobs.find(digest)) !== undefined) return;
        const temporary = blobs.temporaryPath();
        const found = await copyHashed(file, temporary);
        if (found !== digest) {
          removeTree(temporary);
          throw new Error(`${file} has SHA-256 ${found}, not ${digest}`);
        }
        blobs.add(temporary, digest);
      });
    },
    async putManifest(manifest, signal) {
      signal.throwIfAborted();
      const { key, body } = manifest;
      const { name } = manifest.package;
      if (!exists(blobs.pathOf(body.digest)))
        throw new Error(`the body of ${name} ${key} must be put before its manifest`);
      const path = manifestPath(name, key);
      const { serialiseManifest } = await import('./judge.ts');
      // The second time, what could not be used has been set aside.
      for (let tries = 0; tries < 3; tries += 1) {
        if (await written(path, async () => writeOnce(path, serialiseManifest(manifest)))) return;
        if ((await look(name, key)).outcome === 'hit') return;
      }
      throw diskTrouble(path, new Error('it comes back each time it is set aside'));
    },
  };
}

const codeOf = (thrown: unknown): string | undefined => (thrown as NodeJS.ErrnoException | undefined)?.code;

async function written<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VbuildError || codeOf(error) === undefined) throw error;
    throw diskTrouble(path, error);
  }
}

const diskTrouble = (path: string, cause: unknown): VbuildError =>
  new VbuildError('disk-trouble', 'Cache on disk cannot be written', {
    where: { file: path },
    facts: { found: messageOf(cause) },
    mend: `make room, or give the user the right to write in ${dirname(path)}, or set VBUILD_CACHE to another folder`,
    cause,
  });
