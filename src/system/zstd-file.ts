/** A file that is compressed with zstd while it is written. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type { Digest } from '../model/digest.ts';
import { writeAll } from './files.ts';

const compress = promisify(zstdCompress);
/** Measured on 75 MB of libraries, headers and Python: level 6 saves 7 % of the bytes and takes five times as long, level 19 saves 20 % for a hundred times. */
const level = 3;
/** While these are compressed, which other threads do, the next one is made. */
const atOnce = 2;

/**
 * Writes a new file, on disk for good when this returns.
 *
 * @param pieces Each becomes a frame of its own, and may be overwritten once the third one after it is asked for. Where they are cut decides the bytes of the file.
 * @param into   Absolute path; nothing may be there.
 */
export async function writeCompressed(
  pieces: Iterable<Buffer>,
  into: string,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number; readonly unpackedBytes: number }> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  const file = openSync(into, 'wx');
  const hash = createHash('sha256');
  let [sizeBytes, unpackedBytes] = [0, 0];
  const underWay: Promise<Buffer>[] = [];
  const writeNext = async (): Promise<void> => {
    const frame = (await underWay.shift()) as Buffer;
    hash.update(frame);
    writeAll(file, frame);
    sizeBytes += frame.length;
    // Given back at once, the next frame has it; else the collector comes for every few of them.
    if (frame.length > Buffer.poolSize) (frame.buffer as ArrayBuffer).transfer(0);
  };
  try {
    for (const piece of pieces) {
      const chunkSize = Math.max(2 ** 16, piece.length >> 1);
      const frame = compress(piece, { chunkSize, params, pledgedSrcSize: piece.length });
      frame.catch(() => {});
      underWay.push(frame);
      unpackedBytes += piece.length;
      if (underWay.length > atOnce) await writeNext();
    }
    while (underWay.length > 0) await writeNext();
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return { digest: hash.digest('hex') as Digest, sizeBytes, unpackedBytes };
}
