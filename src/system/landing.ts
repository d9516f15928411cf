/** Files that land whole where nothing was before: create-only writes, and streams that are hashed on their way to the disk. */
import { createReadStream, createWriteStream, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../model/digest.ts';
import { makeFolder, temporaryName, writeAtomically } from './files.ts';
import { Damaged, type Objects } from './objects.ts';

/**
 * Writes a whole file only where nothing is yet: the first complete writer wins, whatever process it is in.
 * @param mode Its permissions.
 * @returns false when something was there already, which is left as it is.
 */
export function writeOnce(path: string, content: string | Uint8Array, mode = 0o644): boolean {
  makeFolder(dirname(path));
  const temporary = temporaryName(path);
  writeAtomically(temporary, content, mode);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') return false;
    // A file system without hard links: the last complete writer wins there.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error;
    renameSync(temporary, path);
    return true;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Copies a file to where nothing is yet, on disk for good when this returns. @returns the SHA-256 of what was written. */
export async function copyHashed(from: string, to: string): Promise<Digest> {
  return (await writeHashed(createReadStream(from), to)).digest;
}

/**
 * Writes a stream to a new file, on disk for good when this returns; on failure nothing is left.
 *
 * @param to    Absolute; must not exist, its folder must.
 * @param watch Sees the number of bytes after each chunk, and stops the writing by throwing.
 */
export async function writeHashed(
  from: Readable,
  to: string,
  watch?: (doneBytes: number) => void,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const sink = createWriteStream(to, { fd: openFor(from, to), flush: true });
  try {
    await pipeline(
      from,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          sizeBytes += chunk.length;
          watch?.(sizeBytes);
          yield chunk;
        }
      },
      sink,
    );
  } catch (error) {
    if (!sink.destroy().closed) await new Promise<void>((closed) => sink.once('close', () => closed()));
    rmSync(to, { force: true });
    throw error;
  }
  return { digest: hash.digest('hex') as Digest, sizeBytes };
}

/**
 * Writes what a store sends of an object to a new file; on failure nothing is left.
 *
 * @param announcedBytes What the store says that it has, where it says so.
 * @throws {Damaged} when it is another one than was asked for.
 */
export async function landObject(
  body: Readable,
  into: string,
  announcedBytes: number | undefined,
  { digest, sizeBytes, watch }: Pick<Parameters<Objects['getFile']>[2], 'digest' | 'sizeBytes' | 'watch'>,
): ReturnType<Objects['getFile']> {
  if (sizeBytes !== undefined && announcedBytes !== undefined && announcedBytes !== sizeBytes)
    throw new Damaged(`it has ${announcedBytes} bytes, expected ${sizeBytes}`);
  const written = await writeHashed(body, into, (doneBytes) => {
    if (sizeBytes !== undefined && doneBytes > sizeBytes) throw new Damaged(`it has more than ${sizeBytes} bytes`);
    watch(doneBytes);
  });
  if (digest === undefined || written.digest === digest) return written;
  rmSync(into, { force: true });
  throw new Damaged(`its SHA-256 is ${written.digest}, expected ${digest}; it has ${written.sizeBytes} bytes`);
}

/** Opened before the stream flows: a file that a stream opens by itself may appear after the stream was given up. */
function openFor(from: Readable, to: string): number {
  try {
    return openSync(to, 'wx');
  } catch (error) {
    from.on('error', () => {}).destroy();
    throw error;
  }
}
