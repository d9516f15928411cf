/** Digests of files, read in pieces: however large a file is, it takes no more memory than one. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createHash, hash } from 'node:crypto';
import type { Digest } from '../model/digest.ts';

const pieceBytes = 1024 * 1024;
let piece: Buffer | undefined;

/** SHA-256 of a file's content, a piece at a time: other work goes on meanwhile. One that is but a piece is read at once, which is quicker. */
export async function digestFile(path: string): Promise<Digest> {
  if (statSync(path).size < pieceBytes) return digestFileSync(path);
  return (await hashFile(path, 'sha256')).toString('hex') as Digest;
}

/** A digest of a file's content by any algorithm that node:crypto knows. */
export async function hashFile(path: string, algorithm: string): Promise<Buffer> {
  const digest = createHash(algorithm);
  await using file = await open(path, 'r');
  // Its own: several files may be read at once. One for all pieces, because a stream's new memory costs as much as the digest.
  const bytes = Buffer.allocUnsafeSlow(pieceBytes);
  for (;;) {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, null);
    if (bytesRead === 0) return digest.digest();
    digest.update(bytes.subarray(0, bytesRead));
  }
}

/** SHA-256 of a file's content, at once; quicker for the many small files of a tree. */
export function digestFileSync(path: string): Digest {
  const bytes = (piece ??= Buffer.allocUnsafeSlow(pieceBytes));
  const file = openSync(path, 'r');
  try {
    let length = fill(file, bytes);
    if (length < bytes.length) return hash('sha256', bytes.subarray(0, length)) as Digest;
    const digest = createHash('sha256');
    for (; length > 0; length = fill(file, bytes)) digest.update(bytes.subarray(0, length));
    return digest.digest('hex') as Digest;
  } finally {
    closeSync(file);
  }
}

/** @returns How many bytes there were; fewer than fit at the end of the file only. */
function fill(file: number, bytes: Buffer): number {
  for (let at = 0; ; ) {
    const length = at === bytes.length ? 0 : readSync(file, bytes, at, bytes.length - at, null);
    at += length;
    if (length === 0) return at;
  }
}
