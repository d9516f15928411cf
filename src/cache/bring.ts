/** Brings blobs from the tiers below to the disk. */
import type { BlobRef, CacheTier, Fetched } from './cache.ts';
import type { DiskCache } from './disk.ts';

/** After so many bodies in a row that came damaged, at every try, a tier is asked for no more of them: building costs less than that. */
const mostDamaged = 3;

type Bring = (
  tier: CacheTier,
  blob: BlobRef,
  signal: AbortSignal,
  progress?: (doneBytes: number) => void,
) => Promise<Fetched>;

/** For a run: it remembers which tiers damage what they give. */
export function bringer(disk: DiskCache): Bring {
  /** How many came damaged since the last one that did not. */
  const damagedInRow = new Map<CacheTier, number>();
  return async (tier, blob, signal, progress) => {
    if ((await disk.blobs.find(blob.digest)) !== undefined) return { outcome: 'done' };
    const damaged = damagedInRow.get(tier) ?? 0;
    if (damaged >= mostDamaged)
      return { outcome: 'rejected', reason: `${damaged} bodies one after the other came damaged` };
    // Through a name that nobody reads, so that a half-written body is never found.
    const temporary = disk.blobs.temporaryPath();
    const fetched = await tier.fetchBlob(blob, temporary, signal, progress);
    if (fetched.outcome === 'done') disk.blobs.add(temporary, blob.digest);
    if (fetched.outcome !== 'absent') damagedInRow.set(tier, fetched.outcome === 'rejected' ? damaged + 1 : 0);
    return fetched;
  };
}
