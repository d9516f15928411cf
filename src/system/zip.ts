/** Zip archives, the only door to yauzl. */
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { messageOf, VbuildError } from '../model/error.ts';
import { archiveRefused } from './archive-guard.ts';
import type { Unpacking } from './unpacking.ts';

const unix = 3;
const darwin = 19;

/** Unpacks by the central directory, as unzip does. @throws {VbuildError} `archive-refused` */
export async function unpackZip(file: string, unpacking: Unpacking): Promise<void> {
  let zip: ZipFile;
  try {
    // Names as bytes: the reader's own decoding would turn those that are not UTF-8 into something else.
    zip = await openPromise(file, { lazyEntries: true, decodeStrings: false, autoClose: false });
  } catch (error) {
    throw damaged(undefined, error);
  }
  try {
    for await (const entry of zip.eachEntry()) {
      const name = decodeName(entry.fileNameRaw);
      try {
        await unpackEntry(zip, entry, name, unpacking);
      } catch (error) {
        // System errors (a full disk, a name too long) carry a code; what the reader finds wrong does not.
        throw error instanceof VbuildError || (error as NodeJS.ErrnoException).syscall !== undefined
          ? error
          : damaged(name, error);
      }
    }
  } catch (error) {
    throw error instanceof VbuildError || (error as NodeJS.ErrnoException).syscall !== undefined
      ? error
      : damaged(undefined, error);
  } finally {
    zip.close();
  }
}

async function unpackEntry(zip: ZipFile, entry: Entry, name: string, unpacking: Unpacking): Promise<void> {
  const made = entry.versionMadeBy >>> 8;
  const mode = made === unix || made === darwin ? entry.externalFileAttributes >>> 16 : 0;
  const type = mode & 0o170000;
  if (name.includes('\\'))
    throw archiveRefused(name, 'its name has a backslash, which some programs take for a folder');
  if (entry.isEncrypted()) throw archiveRefused(name, 'it is encrypted');
  if (!entry.canDecodeFileData())
    throw archiveRefused(name, `it is compressed by method ${entry.compressionMethod}, which vbuild does not know`);
  if (![0, 0o040000, 0o100000, 0o120000].includes(type))
    throw archiveRefused(name, 'it is a device or another special file');
  if (name.endsWith('/') || type === 0o040000) return unpacking.directory(name);
  if (type === 0o120000) {
    if (entry.uncompressedSize > 4096) throw archiveRefused(name, 'it is a symlink with a target longer than any path');
    const target: Uint8Array[] = [];
    await copyOut(zip, entry, name, (bytes) => target.push(bytes));
    return unpacking.symlink(name, Buffer.concat(target).toString('utf8'));
  }
  const sink = unpacking.file(name, (mode & 0o100) !== 0);
  try {
    await copyOut(zip, entry, name, (bytes) => sink.write(bytes));
  } finally {
    sink.close();
  }
}

/** The reader checks sizes but not the checksum. */
async function copyOut(zip: ZipFile, entry: Entry, name: string, take: (bytes: Uint8Array) => void): Promise<void> {
  let sum = 0;
  for await (const bytes of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    sum = crc32(bytes, sum);
    take(bytes);
  }
  if (sum !== entry.crc32) throw archiveRefused(name, 'its content does not have the checksum that the archive states');
}

/** Strict: bytes that are not UTF-8 show up as U+FFFD, which the guard refuses by name. */
const decodeName = (raw: Buffer): string => raw.toString('utf8');

const damaged = (member: string | undefined, error: unknown): VbuildError =>
  archiveRefused(member, `the zip archive is damaged: ${messageOf(error)}`, error);
