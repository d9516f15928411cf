/** The small object that leads from the digest of a tree to the blob it is packed in; packing gives other bytes with another zstd, so the one digest cannot stand for the other (pure). */
import { type Digest, isDigest } from '../model/digest.ts';
import type { BlobRef, TreeAnswer } from './cache.ts';

/** No such object is longer. */
export const LARGEST_POINTER = 1024;

/** No source that could be unpacked is larger. */
const largestBytes = 32 * 2 ** 30;

/** @param tree Said as well, so that an object in a wrong place is told. */
export const pointerText = (tree: Digest, { digest, sizeBytes }: Required<BlobRef>): string =>
  `${JSON.stringify({ format: 1, tree, body: { digest, sizeBytes } })}\n`;

export function readPointer(text: string, tree: Digest): Exclude<TreeAnswer, { outcome: 'absent' | 'unreachable' }> {
  const rejected = (reason: string): ReturnType<typeof readPointer> => ({ outcome: 'rejected', reason });
  if (text.length > LARGEST_POINTER) return rejected('what says where the source lies is too long');
  let data: { format?: unknown; tree?: unknown; body?: { digest?: unknown; sizeBytes?: unknown } } | null;
  try {
    data = JSON.parse(text) as typeof data;
  } catch {
    return rejected('what says where the source lies is not JSON');
  }
  if (data?.format !== 1) return rejected(`what says where the source lies has format ${JSON.stringify(data?.format)}`);
  if (data.tree !== tree) return rejected('what says where the source lies is about another one');
  const { digest, sizeBytes } = data.body ?? {};
  if (typeof digest !== 'string' || !isDigest(digest) || !Number.isSafeInteger(sizeBytes) || Number(sizeBytes) < 0)
    return rejected('what says where the source lies names no blob');
  if (Number(sizeBytes) > largestBytes) return rejected(`the packed source is said to have ${Number(sizeBytes)} bytes`);
  return { outcome: 'hit', body: { digest, sizeBytes: Number(sizeBytes) } };
}
