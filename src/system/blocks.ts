/** Bytes of files as blocks, the way a packer wants them. */
import { closeSync, openSync, readSync } from 'node:fs';

const pieceBytes = 1024 * 1024;

/** Joins small blocks and cuts large ones, so that the compressor sees the same pieces for the same content. */
export function* inPieces(blocks: Iterable<Buffer>): Iterable<Buffer> {
  let piece = Buffer.allocUnsafe(pieceBytes);
  let filled = 0;
  for (const block of blocks)
    for (let at = 0; at < block.length; ) {
      const taken = block.copy(piece, filled, at);
      at += taken;
      filled += taken;
      if (filled < pieceBytes) continue;
      yield piece;
      piece = Buffer.allocUnsafe(pieceBytes);
      filled = 0;
    }
  if (filled > 0) yield piece.subarray(0, filled);
}

/** The content of a file that is known to have this size, filled up with zeros to whole blocks of tar. */
export function* fileBlocks(file: string, sizeBytes: number): Iterable<Buffer> {
  const opened = openSync(file, 'r');
  try {
    let left = sizeBytes;
    while (left > 0) {
      const block = Buffer.allocUnsafe(Math.min(left, pieceBytes));
      const read = readSync(opened, block);
      if (read === 0) throw new Error(`a file shrank while it was packed: ${file}`);
      yield block.subarray(0, read);
      left -= read;
    }
  } finally {
    closeSync(opened);
  }
  if (sizeBytes % 512 !== 0) yield Buffer.alloc(512 - (sizeBytes % 512));
}
