/** What lies in the cache on this machine's disk, seen as a whole: for lists, and for sweeping. */
import { join } from 'node:path';
import type { Signer } from '../artifact/signer.ts';
import { type ContentKey, type Digest, digestOf, type EqualKey, isDigest } from '../model/digest.ts';
import { bytesIfReadable, exists, fileStat, namesIn, readIfThere, walk, writeAtomically } from '../system/files.ts';
import {
  artifactsFolder,
  type Asked,
  blobFolder,
  equalFolder,
  equalNamed,
  manifestNamed,
  sourceNamed,
  sourcesFolder,
} from './layout.ts';
import { readPointer } from './packed-tree.ts';

/** One manifest, by what it is asked for. */
type Held<By> = By & {
  /** Absolute. */
  readonly path: string;
  /** When it was last used, to the hour; milliseconds since 1970. */
  readonly usedMs: number;
  /** Undefined for one that cannot be read. */
  readonly version: string | undefined;
  readonly body: { readonly digest: Digest; readonly sizeBytes: number } | undefined;
};
type Whose = { readonly name: string; readonly signer: Signer };
export type HeldManifest = Held<Whose & { readonly key: ContentKey }>;
export type HeldEqual = Held<Whose & { readonly equal: EqualKey }>;

interface HeldBlob {
  readonly digest: Digest;
  readonly path: string;
  readonly sizeBytes: number;
  readonly usedMs: number;
}

/** Those by content key, in the order of names and keys. @param folder Absolute, of the cache. */
export async function heldManifests(folder: string): Promise<HeldManifest[]> {
  return await heldBelow(folder, artifactsFolder, manifestNamed);
}

/** Those by which equal artifacts are found, in the same order. @param folder Absolute, of the cache. */
export async function heldEquals(folder: string): Promise<HeldEqual[]> {
  return await heldBelow(folder, equalFolder, equalNamed);
}

async function heldBelow<Named extends Asked & { readonly signer: Signer }>(
  folder: string,
  top: string,
  named: (object: string) => Named | undefined,
): Promise<Held<Named>[]> {
  const { readHeld } = await import('./held.ts');
  return filesIn(join(folder, top)).flatMap(({ path, mtimeNs }) => {
    const place = named(`${top}/${path}`);
    if (place === undefined) return [];
    const file = join(folder, top, path);
    const manifest = readHeld(file, place);
    const { version } = manifest?.package ?? {};
    return [{ ...place, path: file, usedMs: Number(mtimeNs / 1_000_000n), version, body: manifest?.body }];
  });
}

/** What says where trees of sources lie packed. */
export const heldTrees = (folder: string): { readonly tree: Digest; readonly path: string; readonly blob?: Digest }[] =>
  filesIn(join(folder, sourcesFolder)).flatMap(({ path }) => {
    const tree = sourceNamed(`${sourcesFolder}/${path}`);
    if (tree === undefined) return [];
    const file = join(folder, sourcesFolder, path);
    const found = readPointer(Buffer.from(bytesIfReadable(file) ?? []).toString(), tree);
    return [{ tree, path: file, ...(found.outcome === 'hit' && { blob: found.body.digest }) }];
  });

export const heldBlobs = (folder: string): HeldBlob[] =>
  filesIn(join(folder, blobFolder, 'sha256')).flatMap(({ path, sizeBytes, mtimeNs }) => {
    const digest = path.slice(path.indexOf('/') + 1);
    return isDigest(digest)
      ? [{ digest, path: join(folder, blobFolder, 'sha256', path), sizeBytes, usedMs: Number(mtimeNs / 1_000_000n) }]
      : [];
  });

/** What a crash left, and what was set aside: of no use to anybody after a while. */
export function remains(folder: string): Omit<HeldBlob, 'digest'>[] {
  const tops = [join(folder, 'v1/quarantine'), join(folder, blobFolder, 'quarantine')];
  const aside = tops.flatMap((top) => filesIn(top).map((one) => ({ ...one, path: join(top, one.path) })));
  const blobs = join(folder, blobFolder);
  const incoming = namesIn(blobs)
    .filter((name) => name.startsWith('.') && name.endsWith('.tmp'))
    .flatMap((name) => {
      const stat = fileStat(join(blobs, name));
      return stat === undefined ? [] : [{ ...stat, path: join(blobs, name) }];
    });
  return [...aside, ...incoming].map(({ path, sizeBytes, mtimeNs }) => ({
    path,
    sizeBytes,
    usedMs: Number(mtimeNs / 1_000_000n),
  }));
}

/**
 * Notes that artifacts of this cache are in use there. In a cache that may only be read nobody is told: what its owner sweeps away is no
 * loss for a prefix that is installed.
 *
 * @param place Absolute path of a prefix.
 */
export function notePrefix(folder: string, place: string): void {
  const note = join(folder, 'v1/prefixes', digestOf(place).slice(0, 16));
  try {
    if (!exists(note)) writeAtomically(note, `${place}\n`);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Absolute paths of every prefix that was ever noted, whether it is still there or not. */
export const notedPrefixes = (folder: string): string[] =>
  namesIn(join(folder, 'v1/prefixes')).flatMap((name) => {
    const place = readIfThere(join(folder, 'v1/prefixes', name))?.trimEnd();
    return place?.startsWith('/') === true ? [place] : [];
  });

const filesIn = (top: string): ReturnType<typeof walk> =>
  exists(top) ? walk(top).filter(({ type }) => type === 'file') : [];
