/** Archives, the only door to tar: unpacks what upstreams publish, under guard, and packs and unpacks our own artifacts. */
import { createWriteStream, lstatSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { Header, Parser, Pax, type ReadEntry } from 'tar';
import type { Digest } from '../model/digest.ts';
import { messageOf, VbuildError } from '../model/error.ts';
import { archiveRefused } from './archive-guard.ts';
import { decompressed, formatOf, headOf } from './decompress.ts';
import { inPieces, type Part, pieceBytes } from './pieces.ts';
import { type FileSink, type Shape, Unpacking } from './unpacking.ts';

export interface UnpackRequest extends Shape {
  /** Absolute path of the archive. Its format is told from its first bytes, never from its name. */
  readonly file: string;
  /** Absolute path of an existing, empty folder that nobody else writes to; after a failure it holds rubbish. */
  readonly into: string;
  /** What messages call the archive; the file's own name when not given. */
  readonly name?: string;
}

/**
 * Unpacks a stranger's archive: .tar (plain, gzip, bzip2, xz, zstd, lzip) or .zip.
 *
 * Files come out at mode 0644 or 0755 and folders at 0755, owned by who runs this, with the present time; hard links as copies.
 * Without `strip`, a top folder that holds everything is dropped; `strip: 0` keeps it.
 *
 * @throws {VbuildError} `archive-refused`, naming the member: for anything that would land outside of `into` or lead out of the tree, that
 *   is no file, folder or link, that cannot be written exactly (sparse members, names that are not UTF-8), that comes twice; for archives
 *   that are damaged, cut short, followed by other bytes, or past `archiveLimits`. `tool-missing` for a decompressor that is not installed,
 *   `disk-trouble` when the disk is full or not writable.
 */
export async function unpackArchive(request: UnpackRequest, digests?: Map<string, Digest>): Promise<void> {
  const name = request.name ?? basename(request.file);
  try {
    const { head, sizeBytes } = headOf(request.file);
    const format = formatOf(head) ?? (isOldTar(head) ? 'plain' : undefined);
    const unpacking = new Unpacking(request.into, sizeBytes, request, digests);
    try {
      if (format === 'zip') await (await import('./zip.ts')).unpackZip(request.file, unpacking);
      else if (format === undefined) throw archiveRefused(undefined, describeHead(head));
      else
        await decompressed(request.file, format, sizeBytes, (chunks) =>
          unpackTar(chunks, format === 'plain', unpacking),
        );
      unpacking.finish();
    } catch (error) {
      throw mended(error, unpacking.current);
    }
  } catch (error) {
    throw error instanceof VbuildError ? error.at({ file: name }) : error;
  }
}

/**
 * Unpacks an artifact of ours, whose digest the caller has verified; guarded all the same.
 * @returns The SHA-256 of each file as it was written, by its path.
 * @throws as `unpackArchive`
 */
export async function unpackTarZst(request: {
  readonly file: string;
  readonly into: string;
}): Promise<ReadonlyMap<string, Digest>> {
  const digests = new Map<string, Digest>();
  await unpackArchive({ ...request, strip: 0 }, digests);
  return digests;
}

/** Seconds since 1970 of every member that we pack: 1980, the earliest time that zip and so Python's wheels can tell. */
const packedTime = new Date(315_532_800_000);

/** Measured on 75 MB of libraries, headers and Python: level 6 saves 7 % of the bytes and takes five times as long, level 19 saves 20 % for a hundred times. */
const zstdLevel = 3;

/**
 * Packs files, symlinks and folders into a new .tar.zst: equal trees give equal bytes, whatever their times, owners, inodes and umask.
 *
 * @param top   Absolute path of the tree.
 * @param paths What to pack, relative to `top`, in the order in which it is to stand; sort in code-unit order. Folders count without content.
 * @param into  Absolute path of the file to write; on disk for good when this returns.
 * @returns The size of the file, and that of the tar inside.
 */
export async function packTarZst(request: {
  readonly top: string;
  readonly paths: readonly string[];
  readonly into: string;
}): Promise<{ readonly sizeBytes: number; readonly unpackedBytes: number }> {
  const compress = createZstdCompress({
    chunkSize: pieceBytes,
    params: { [constants.ZSTD_c_compressionLevel]: zstdLevel, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const sink = createWriteStream(request.into, { flags: 'wx', flush: true });
  let unpackedBytes = 0;
  const pieces = function* (): Iterable<Buffer> {
    for (const piece of inPieces(tarParts(request.top, request.paths))) {
      unpackedBytes += piece.length;
      yield piece;
    }
  };
  await pipeline(Readable.from(pieces()), compress, sink);
  return { sizeBytes: sink.bytesWritten, unpackedBytes };
}

function* tarParts(top: string, paths: readonly string[]): Iterable<Part> {
  for (const path of paths) {
    const full = join(top, path);
    const stat = lstatSync(full);
    if (stat.isSymbolicLink())
      yield* tarHeader({ path, type: 'SymbolicLink', mode: 0o777, size: 0, linkpath: readlinkSync(full) });
    else if (stat.isDirectory()) yield* tarHeader({ path: `${path}/`, type: 'Directory', mode: 0o755, size: 0 });
    else if (stat.isFile()) {
      // Every name is packed with its content: whether two names share an inode is an accident of how the tree was made.
      yield* tarHeader({ path, type: 'File', mode: stat.mode & 0o100 ? 0o755 : 0o644, size: stat.size });
      if (stat.size > 0) yield { file: full, sizeBytes: stat.size };
      if (stat.size % 512 !== 0) yield Buffer.alloc(512 - (stat.size % 512));
    } else throw new Error(`packTarZst() was given something that is no file, folder or symlink: ${full}`);
  }
  yield Buffer.alloc(1024);
}

function* tarHeader(member: {
  path: string;
  type: 'File' | 'Directory' | 'SymbolicLink';
  mode: number;
  size: number;
  linkpath?: string;
}): Iterable<Buffer> {
  const fields = { ...member, uid: 0, gid: 0, mtime: packedTime };
  const header = new Header(fields);
  const block = Buffer.alloc(512);
  if (header.encode(block)) {
    const { path, linkpath, size } = fields;
    yield new Pax({ path, size, ...(linkpath !== undefined && { linkpath }) }).encode();
  }
  yield block;
}

/** Seventh Edition tar has no magic number; its header checksum is proof enough. */
function isOldTar(head: Buffer): boolean {
  try {
    return head.length === 512 && new Header(head).cksumValid;
  } catch {
    // A number in it that no file has.
    return false;
  }
}

function describeHead(head: Buffer): string {
  if (head.length === 0) return 'it is empty';
  if (/^\s*<(!doctype html|html)/i.test(head.toString('latin1'))) return 'it is a web page, not an archive';
  return `it is no archive that vbuild knows (tar, tar.gz, tar.bz2, tar.xz, tar.zst, tar.lz, zip); it begins with ${head.subarray(0, 8).toString('hex')}`;
}

/** Types that carry content or a place in the tree; every other one is refused by name. */
const kindOf: Readonly<Record<string, string>> = {
  CharacterDevice: 'a device',
  BlockDevice: 'a device',
  FIFO: 'a named pipe',
  SparseFile: 'a sparse file of GNU tar',
  GNUDumpDir: 'a folder listing of an incremental dump',
  ContinuationFile: 'a part of a file that began in another volume',
};

/** Reads a tar stream; all events of the parser are synchronous, so what they throw comes out of `write`. */
async function unpackTar(chunks: AsyncIterable<Buffer>, needsEndMark: boolean, unpacking: Unpacking): Promise<void> {
  let zeroBlock = false;
  let ended = false;
  let sparse = false;
  let refusal: unknown;
  let sink: FileSink | undefined;
  const refuse = (error: unknown): void => void (refusal ??= error);

  const parser = new Parser({ zstd: false, maxMetaEntrySize: 4 * 2 ** 20 });
  parser.on('nullBlock', () => (zeroBlock = true));
  parser.on('eof', () => (ended = true));
  parser.on('meta', (text: string) => {
    const trouble = text.endsWith('\n') ? paxTrouble(text) : undefined;
    if (trouble !== undefined) refuse(archiveRefused(undefined, trouble));
    sparse ||= /^\d+ GNU\.sparse\./m.test(text);
  });
  parser.on('warn', (code: string, message: string | Error) =>
    refuse(
      archiveRefused(
        unpacking.current || undefined,
        `it is no sound tar archive behind this member: ${messageOf(message)} (${code})`,
      ),
    ),
  );
  parser.on('ignoredEntry', (entry: ReadEntry) =>
    refuse(archiveRefused(entry.path, `it is ${kindOf[entry.type] ?? `a member of type ${entry.type}`}`)),
  );
  parser.on('entry', (entry: ReadEntry) => {
    try {
      if (refusal !== undefined) return;
      if (zeroBlock) throw archiveRefused(entry.path, 'it comes after the end of the archive');
      if (sparse) throw archiveRefused(entry.path, 'it is a sparse file of GNU tar');
      sink = admit(entry, unpacking);
    } catch (error) {
      refuse(error);
    } finally {
      const file = sink;
      entry.on('data', (bytes: Buffer) => {
        try {
          if (refusal === undefined) file?.write(bytes);
        } catch (error) {
          refuse(error);
        }
      });
      entry.on('end', () => {
        file?.close();
        sink = undefined;
      });
    }
  });

  const feed = (bytes: Buffer): void => {
    if (bytes.length > 0) parser.write(bytes);
    if (refusal !== undefined) throw refusal;
  };
  let total = 0;
  try {
    for await (const chunk of chunks) {
      if (total === 0 && chunk[0] === 0x1f && chunk[1] === 0x8b)
        throw archiveRefused(undefined, 'it is compressed twice');
      total += chunk.length;
      unpacking.countStream(chunk.length);
      // The end mark is two blocks of zeros, and only zeros may follow: so it must not come before the last byte that is none.
      const content = lengthWithoutZeros(chunk);
      if (!ended) feed(chunk.subarray(0, content));
      if (ended && content > 0) throw archiveRefused(undefined, 'other bytes follow the end of the archive');
      if (!ended) feed(chunk.subarray(content));
    }
    parser.end();
    if (refusal !== undefined) throw refusal;
    // A lone tar that was cut between two members looks whole but for its end mark; a compressed one has its own.
    if (!ended && !zeroBlock && needsEndMark)
      throw archiveRefused(undefined, 'it has no end mark: the archive is cut short');
    if (!ended && total % 512 !== 0)
      throw archiveRefused(undefined, 'it ends within a block: the archive is cut short');
  } finally {
    sink?.close();
  }
}

function admit(entry: ReadEntry, unpacking: Unpacking): FileSink | undefined {
  const { path, type, mode = 0, linkpath = '' } = entry;
  switch (type) {
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
      return unpacking.file(path, (mode & 0o100) !== 0);
    case 'Directory':
      unpacking.directory(path);
      return undefined;
    case 'SymbolicLink':
      unpacking.symlink(path, linkpath);
      return undefined;
    case 'Link':
      unpacking.hardLink(path, linkpath);
      return undefined;
    default:
      throw archiveRefused(path, `it is ${kindOf[type] ?? `a member of type ${type}`}`);
  }
}

/** The parser reads pax records line by line and drops those whose value holds a line end: then it would use another name than other tars do. */
function paxTrouble(text: string): string | undefined {
  const exact = text
    .slice(0, -1)
    .split('\n')
    .every((line) => Number.parseInt(line, 10) === Buffer.byteLength(line) + 1);
  if (!exact)
    return 'it has a pax header that cannot be read exactly (a line end in a name, or bytes that are not UTF-8)';
  return /^\d+ (path|linkpath)=.*\0/m.test(text) ? 'it has a pax header with a zero byte in a name' : undefined;
}

function lengthWithoutZeros(chunk: Buffer): number {
  let length = chunk.length;
  while (length > 0 && chunk[length - 1] === 0) length -= 1;
  return length;
}

/** Trouble of codecs and of the disk, in our words. */
function mended(error: unknown, member: string): unknown {
  if (error instanceof VbuildError || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code.startsWith('Z_') || code.startsWith('ZSTD_') || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return archiveRefused(undefined, `its compressed data is damaged or cut short (${error.message})`, error);
  if (code === 'ENAMETOOLONG' || code === 'EILSEQ')
    return archiveRefused(member, 'its name is longer than the file system allows', error);
  if (['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EPERM', 'EFBIG'].includes(code))
    return new VbuildError('disk-trouble', 'Archive cannot be written to disk', {
      facts: { member: JSON.stringify(member), reason: error.message },
      mend: 'make room or give another place, then run again',
      cause: error,
    });
  return error;
}
