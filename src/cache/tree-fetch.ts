/** Brings the tree of a source out of a cache: found by its digest, unpacked, and compared. */
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { emptyFolder } from '../system/files.ts';
import { unpackTree } from '../system/tree-archive.ts';
import type { BlobRef, CacheTier, Lack } from './cache.ts';
import type { DiskCache } from './disk.ts';
import type { NamedLack } from './lacks.ts';

/** Where no tier has it, every tier that could have is named with its reason. */
export type FetchedTree =
  | { readonly outcome: 'done'; readonly tier: string }
  | { readonly outcome: 'lacking'; readonly lacks: readonly NamedLack<Lack>[] };

/**
 * @param tiers The disk first; what another one has lands there too.
 * @param into  Absolute path of an empty folder; empty again when no tier has the tree.
 * @param bring Makes a blob of a tier be on the disk, verified.
 * @throws {VbuildError} `disk-trouble`
 */
export async function fetchTreeFrom(
  tree: Digest,
  into: string,
  {
    disk,
    tiers,
    bring,
    signal,
  }: {
    readonly disk: DiskCache;
    readonly tiers: readonly CacheTier[];
    readonly bring: (tier: CacheTier, blob: BlobRef) => Promise<{ readonly outcome: 'done' } | Lack>;
    readonly signal: AbortSignal;
  },
): Promise<FetchedTree> {
  const attempt = async (tier: CacheTier): Promise<Lack | undefined> => {
    const found = await tier.lookUpTree(tree, signal);
    if (found.outcome !== 'hit') return found;
    const brought = await bring(tier, found.body);
    if (brought.outcome === 'absent') return { outcome: 'rejected', reason: 'the packed source is not there' };
    if (brought.outcome !== 'done') return brought;
    const lack = await unpacked(disk.blobs.pathOf(found.body.digest), tree, into);
    if (lack === undefined && tier !== disk) await disk.putTree(tree, found.body, signal);
    return lack;
  };
  const lacks: NamedLack<Lack>[] = [];
  for (const tier of tiers) {
    const lack = await attempt(tier);
    if (lack === undefined) return { outcome: 'done', tier: tier.name };
    lacks.push([tier.name, lack]);
  }
  return { outcome: 'lacking', lacks };
}

/** Why the blob is not the tree; the folder is empty then. */
async function unpacked(file: string, tree: Digest, into: string): Promise<Lack | undefined> {
  let reason: string;
  try {
    const found = await unpackTree({ file, into });
    if (found === tree) return undefined;
    reason = `the packed source unpacks to another tree, ${found}`;
  } catch (error) {
    if (!(error instanceof VbuildError) || error.code === 'disk-trouble') throw error;
    reason = `the packed source cannot be unpacked: ${error.facts['reason'] ?? error.message}`;
  }
  emptyFolder(into);
  return { outcome: 'rejected', reason };
}
