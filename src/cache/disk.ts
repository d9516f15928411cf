/** The cache on this machine's disk, shared by all sites of a user: written by many processes at once, and never trusted blindly. */
import { basename, dirname, join } from 'node:path';
import { equalKeyOf } from '../artifact/equal.ts';
import type { SealedManifest } from '../artifact/sealed.ts';
import { LOCAL, type Signer, UNSIGNED } from '../artifact/signer.ts';
import type { ContentKey, Digest } from '../model/digest.ts';
import { VbuildError, messageOf } from '../model/error.ts';
import { type BlobStore, blobStore } from '../system/blob-store.ts';
import {
  bytesIfThere,
  digestFile,
  exists,
  fileStat,
  markUsed,
  moveIntoPlace,
  namesIn,
  removeTree,
  writeAtomically,
} from '../system/files.ts';
import { copyHashed, writeOnce } from '../system/landing.ts';
import type { Answer, CacheTier, Fetched, TreeAnswer } from './cache.ts';
import { type Asked, blobFolder, folderFor, objectFor, signerIn, sourceObject } from './layout.ts';
import { pointerText, readPointer } from './packed-tree.ts';
import { signersFor, strangers, type Trust } from './trust.ts';

export interface DiskCache extends CacheTier {
  /** Absolute. */
  readonly folder: string;
  readonly blobs: BlobStore;
  /** Whether an artifact is there, by its manifest's presence alone; for the path on which nothing needs doing. */
  has(name: string, key: ContentKey): boolean;
  /** What a look-up would answer if the body were read too, but nothing is set aside: for plans. */
  peek(asked: Asked, signal: AbortSignal): Promise<Answer>;
  /** Moves one manifest out of the way, for later study; does nothing where there is none. @throws {VbuildError} `disk-trouble` */
  setAside(asked: Asked, signer: Signer): void;
}

/**
 * A manifest that nobody could use, or whose body is gone, is set aside when it is looked up: the answer is `rejected` once, and
 * `absent` from then on. One that is only against the policy stays for others.
 *
 * What this user packed here is always acceptable; what came from elsewhere has to satisfy the policy each time, for another Buildfile
 * of the same user may have let it in.
 *
 * @param folder Absolute; it need not exist.
 * @param trust  Whose artifacts are acceptable; everybody's when not given.
 * @throws {VbuildError} from its writing methods: `disk-trouble`, not `upload-failed`, for nothing is uploaded.
 */
export function diskCache(folder: string, trust?: Trust): DiskCache {
  const blobs = blobStore(join(folder, blobFolder));
  const pathOf = (asked: Asked, signer: Signer): string => join(folder, objectFor(asked, signer));
  const signersOf = (asked: Asked): Signer[] =>
    namesIn(join(folder, folderFor(asked))).flatMap((file) => signerIn(file) ?? []);
  const treePath = (tree: Digest): string => join(folder, sourceObject(tree));
  /** Those whose manifest may do, best first. */
  const candidates = (there: readonly Signer[]): Signer[] => {
    const order = [LOCAL, ...(trust === undefined ? [UNSIGNED, ...there] : signersFor(trust))];
    return [...new Set(order)].filter((signer) => there.includes(signer));
  };

  const setAside = (asked: Asked, signer: Signer): void => {
    const from = pathOf(asked, signer);
    const key = 'key' in asked ? asked.key : asked.equal;
    try {
      moveIntoPlace(from, join(folder, 'v1', 'quarantine', `${asked.name}.${key}.${basename(from)}.${Date.now()}`));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw diskTrouble(from, error);
    }
  };
  async function look(
    asked: Asked,
    effects: Effects = { refuse: setAside, use: markUsed },
    among?: readonly Signer[],
  ): Promise<Answer> {
    const reasons: string[] = [];
    try {
      const there = signersOf(asked);
      // Of a cache that cannot be read no list tells.
      const wanted = among ?? (there.length === 0 ? [LOCAL] : candidates(there));
      if (wanted.length === 0) return rejected([`it is ${strangers(there)}`]);
      for (const signer of wanted) {
        const answer = await lookAt(asked, signer, effects);
        if (answer?.outcome === 'hit') return answer;
        if (answer !== undefined) reasons.push(answer.reason);
      }
    } catch (error) {
      if (codeOf(error) === undefined || error instanceof VbuildError) throw error;
      return { outcome: 'unreachable', reason: messageOf(error) };
    }
    return reasons.length === 0 ? { outcome: 'absent' } : rejected(reasons);
  }
  async function lookAt(
    asked: Asked,
    signer: Signer,
    { refuse, use }: Effects,
  ): Promise<Exclude<Answer, { outcome: 'absent' | 'unreachable' }> | undefined> {
    const bytes = bytesIfThere(pathOf(asked, signer));
    if (bytes === undefined) return undefined;
    const { judgeManifest } = await import('./judge.ts');
    const judged = judgeManifest(bytes, { ...asked, signer, own: true }, signer === LOCAL ? undefined : trust);
    if (judged.outcome === 'rejected') {
      if (judged.damaged) refuse(asked, signer);
      return rejected([judged.reason]);
    }
    const { digest, sizeBytes } = judged.manifest.body;
    const found = fileStat(blobs.pathOf(digest))?.sizeBytes;
    if (found === sizeBytes) {
      use(pathOf(asked, signer));
      return judged;
    }
    refuse(asked, signer);
    return rejected([
      found === undefined ? 'its body is not there' : `its body has ${found} bytes, expected ${sizeBytes}`,
    ]);
  }

  function lookAtTree(tree: Digest): TreeAnswer {
    try {
      const bytes = bytesIfThere(treePath(tree));
      return bytes === undefined ? { outcome: 'absent' } : readPointer(bytes.toString(), tree);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return { outcome: 'unreachable', reason: messageOf(error) };
    }
  }

  /** @returns Whether one that will do is there now. */
  async function keep(asked: Asked, { manifest: { body }, signer, bytes }: SealedManifest): Promise<boolean> {
    if (!exists(blobs.pathOf(body.digest)))
      throw new Error(`the body of ${asked.name} ${body.digest} must be put before its manifest`);
    const to = pathOf(asked, signer);
    // The second time, what could not be used, or is against the policy that this one satisfies, has been set aside.
    for (let tries = 0; tries < 3; tries += 1) {
      if (await written(to, async () => writeOnce(to, bytes))) return true;
      if ((await lookAt(asked, signer, { refuse: setAside, use: markUsed }))?.outcome === 'hit') return true;
      setAside(asked, signer);
    }
    return false;
  }

  return {
    name: 'disk',
    writable: true,
    folder,
    blobs,
    setAside,
    has: (name, key) => candidates(signersOf({ name, key })).length > 0,
    async holds({ manifest, signer }, signal) {
      signal.throwIfAborted();
      const { digest } = manifest.body;
      const found = await look({ name: manifest.package.name, key: manifest.key }, { ...noEffects, use: markUsed }, [
        signer,
      ]);
      // A caller that has another body at hand goes on to use it.
      return (
        found.outcome === 'hit' && found.manifest.body.digest === digest && (await blobs.find(digest)) !== undefined
      );
    },
    async lookUp(name, key, signal, tree) {
      signal.throwIfAborted();
      return look({ name, key, tree });
    },
    async lookUpEqual(name, equal, signal, tree) {
      signal.throwIfAborted();
      return look({ name, equal, tree });
    },
    async peek(asked, signal) {
      signal.throwIfAborted();
      const answer = await look(asked, noEffects);
      if (answer.outcome !== 'hit') return answer;
      const { digest } = answer.manifest.body;
      return (await digestFile(blobs.pathOf(digest))) === digest ? answer : rejected(['its body was damaged']);
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
      return await written(blobs.pathOf(digest), async () => {
        if ((await blobs.find(digest)) !== undefined) return 'there';
        const temporary = blobs.temporaryPath();
        const found = await copyHashed(file, temporary);
        if (found !== digest) {
          removeTree(temporary);
          throw new Error(`${file} has SHA-256 ${found}, not ${digest}`);
        }
        blobs.add(temporary, digest);
        return 'written';
      });
    },
    async lookUpTree(tree, signal) {
      signal.throwIfAborted();
      return lookAtTree(tree);
    },
    async holdsTree(tree, signal) {
      signal.throwIfAborted();
      const found = lookAtTree(tree);
      if (found.outcome !== 'hit' || (await blobs.find(found.body.digest)) === undefined) return false;
      markUsed(treePath(tree));
      return true;
    },
    async putTree(tree, body, signal) {
      signal.throwIfAborted();
      // Of two packings either one will do, and this one is there.
      await written(treePath(tree), async () => writeAtomically(treePath(tree), pointerText(tree, body)));
    },
    async putManifest(sealed, signal) {
      signal.throwIfAborted();
      const { key, package: one } = sealed.manifest;
      if (await keep({ name: one.name, key }, sealed)) return;
      const to = pathOf({ name: one.name, key }, sealed.signer);
      throw diskTrouble(to, new Error('it comes back each time it is set aside'));
    },
    async putEqual(sealed, signal) {
      signal.throwIfAborted();
      const { name } = sealed.manifest.package;
      const equal = equalKeyOf(sealed.manifest);
      if (equal !== undefined) await keep({ name, equal }, sealed);
    },
  };
}

/** What looking at a manifest does to the disk. */
interface Effects {
  /** With one that nobody can use. */
  readonly refuse: DiskCache['setAside'];
  /** With the file of one that is found. */
  readonly use: (path: string) => void;
}

const noEffects: Effects = { refuse: () => {}, use: () => {} };

const rejected = (reasons: readonly string[]): Extract<Answer, { outcome: 'rejected' }> => ({
  outcome: 'rejected',
  reason: reasons.join('; '),
});

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
