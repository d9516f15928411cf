/** Keeps the cache on this machine's disk below a quota: what was not used for longest goes first, never what a prefix uses. */
import {
  heldBlobs,
  type HeldEqual,
  heldEquals,
  type HeldManifest,
  heldManifests,
  heldTrees,
  notedPrefixes,
  remains,
} from '../cache/disk-content.ts';
import { recordsOf } from '../install/generations.ts';
import type { Digest } from '../model/digest.ts';
import { fileStat, removeTree } from '../system/files.ts';

interface Swept {
  readonly kind: 'artifact' | 'archive' | 'remains';
  /** `name@version` and key of an artifact, the digest of an archive, the path of remains. */
  readonly what: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly usedMs: number;
}

interface DiskSweep {
  /** In the order in which they went, or would go. */
  readonly swept: readonly Swept[];
  readonly keptBytes: number;
  /** Of what is kept, that which prefixes use. */
  readonly inUseBytes: number;
}

/** What another run may be about to use is left alone, whatever the quota. */
const graceMs = 60 * 60 * 1000;
const remainsMs = 24 * 60 * 60 * 1000;

/**
 * @param folder     Absolute, of the cache.
 * @param quotaBytes For artifacts and archives together.
 * @param dryRun     Nothing is removed.
 */
export async function sweepDisk(folder: string, quotaBytes: number, dryRun: boolean): Promise<DiskSweep> {
  const nowMs = Date.now();
  const used = new Set(
    notedPrefixes(folder).flatMap((prefix) =>
      recordsOf(prefix).flatMap(({ packages }) => Object.entries(packages).map(([name, { key }]) => `${name} ${key}`)),
    ),
  );
  const manifests = [...(await heldManifests(folder)), ...(await heldEquals(folder))];
  const units = unitsOf(manifests, heldBlobs(folder), heldTrees(folder), used);
  const swept: Swept[] = [];
  const sweep = ({ paths, ...one }: Swept & { readonly paths: readonly string[] }): void => {
    swept.push(one);
    // Folders stay: another process may be about to write there.
    if (!dryRun) for (const path of paths) removeTree(path);
  };
  for (const { path, sizeBytes, usedMs } of remains(folder))
    if (nowMs - usedMs > remainsMs) sweep({ kind: 'remains', what: path, sizeBytes, usedMs, paths: [path] });

  let total = units.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const unit of [...units].sort((a, b) => a.usedMs - b.usedMs)) {
    if (total <= quotaBytes) break;
    if (unit.inUse || nowMs - unit.usedMs < graceMs) continue;
    const { inUse: _, ...one } = unit;
    total -= one.sizeBytes;
    sweep(one);
  }
  const inUseBytes = units.filter(({ inUse }) => inUse).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { swept, keptBytes: total, inUseBytes };
}

interface Unit extends Swept {
  /** Manifests before their body, so that none is ever without one. */
  readonly paths: readonly string[];
  readonly inUse: boolean;
}

type OneHeld = HeldManifest | HeldEqual;

const keyOf = (one: OneHeld): string => ('key' in one ? one.key : one.equal);

/** A body goes with all manifests that name it; a blob that none names is the archive or the packed tree of a source. */
function unitsOf(
  manifests: readonly OneHeld[],
  blobs: ReturnType<typeof heldBlobs>,
  trees: ReturnType<typeof heldTrees>,
  used: Set<string>,
): Unit[] {
  const packed = Map.groupBy(trees, ({ blob }) => blob);
  const naming = Map.groupBy(manifests, ({ body, path }): Digest | string => body?.digest ?? path);
  const units = blobs.map(({ digest, path, sizeBytes, usedMs }): Unit => {
    const named = naming.get(digest) ?? [];
    naming.delete(digest);
    const [first] = named;
    return {
      kind: first === undefined ? 'archive' : 'artifact',
      what: first === undefined ? digest : `${first.name}@${first.version} ${keyOf(first)}`,
      sizeBytes: sizeBytes + sizeOf(named),
      usedMs: Math.max(first === undefined ? usedMs : 0, ...named.map((one) => one.usedMs)),
      paths: [...[...named, ...(packed.get(digest) ?? [])].map((one) => one.path), path],
      inUse: named.some((one) => used.has(`${one.name} ${keyOf(one)}`)),
    };
  });
  // Those without a body, or that cannot be read.
  for (const named of naming.values()) {
    const [first] = named;
    if (first === undefined) continue;
    const usedMs = Math.max(...named.map((one) => one.usedMs));
    const what = `${first.name}@${first.version ?? '?'} ${keyOf(first)}`;
    units.push({
      kind: 'artifact',
      what,
      sizeBytes: sizeOf(named),
      usedMs,
      paths: named.map(({ path }) => path),
      inUse: false,
    });
  }
  return units;
}

const sizeOf = (manifests: readonly OneHeld[]): number =>
  manifests.reduce((sum, { path }) => sum + (fileStat(path)?.sizeBytes ?? 0), 0);
