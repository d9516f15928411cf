/** Archives, the only door to tar: unpacks what upstreams publish, under guard, and packs and unpacks our own artifacts. */
import { lstatSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { archiveRefused } from './archive-guard.ts';
import { decompressed, formatOf, headOf } from './decompress.ts';
import { inPieces, type Part } from './pieces.ts';
import {
  blockBytes,
  hasPlainHeader,
  hasTarSum,
  packedTime,
  paddingAfter,
  type PlainMember,
  plainHeader,
} from './tar-header.ts';
import { unpackTar } from './tar-stream.ts';
import { type Shape, Unpacking, type Written } from './unpacking.ts';
import { writeCompressed } from './zstd-file.ts';

export { prepareFor } from './decompress.ts';

interface UnpackRequest extends Shape {
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
export async function unpackArchive(request: UnpackRequest, written?: Map<string, Written>): Promise<void> {
  const name = request.name ?? basename(request.file);
  try {
    const { head, sizeBytes } = headOf(request.file);
    const format = formatOf(head) ?? (hasTarSum(head) ? 'plain' : undefined);
    const unpacking = new Unpacking(request.into, sizeBytes, request, written);
    try {
      if (format === 'zip') await (await import('./zip.ts')).unpackZip(request.file, unpacking);
      else if (format === undefined) throw archiveRefused(undefined, describeHead(head));
      else
        await decompressed(request.file, format, sizeBytes, written !== undefined, (chunks) => {
          if ('digests' in chunks) unpacking.useDigests(chunks.digests);
          return unpackTar(chunks, format === 'plain', unpacking);
        });
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
 * @returns All that was written, in code-unit order of the path.
 * @throws as `unpackArchive`
 */
export async function unpackTarZst(request: {
  readonly file: string;
  readonly into: string;
}): Promise<readonly Written[]> {
  const written = new Map<string, Written>();
  await unpackArchive({ ...request, strip: 0 }, written);
  return [...written.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Packs files, symlinks and folders into a new .tar.zst: equal trees give equal bytes, whatever their times, owners, inodes and umask.
 *
 * @param top   Absolute path of the tree.
 * @param paths What to pack, relative to `top`, in the order in which it is to stand; sort in code-unit order. Folders count without content.
 * @param into  Absolute path of the file to write; on disk for good when this returns.
 * @returns The size of the file and its SHA-256, and the size of the tar inside.
 */
export async function packTarZst(request: {
  readonly top: string;
  readonly paths: readonly string[];
  readonly into: string;
}): Promise<{ readonly digest: Digest; readonly sizeBytes: number; readonly unpackedBytes: number }> {
  const members = request.paths.map((path) => memberAt(request.top, path));
  const longHeader = members.every(hasPlainHeader) ? undefined : await longHeaders();
  return writeCompressed(inPieces(tarParts(members, longHeader)), request.into);
}

interface PackedMember extends PlainMember {
  /** Absolute path of the file that holds its content. */
  readonly file: string;
}

function memberAt(top: string, path: string): PackedMember {
  const file = join(top, path);
  const stat = lstatSync(file);
  const none = { sizeBytes: 0, target: '' };
  if (stat.isSymbolicLink()) return { file, path, type: 'symlink', mode: 0o777, ...none, target: readlinkSync(file) };
  if (stat.isDirectory()) return { file, path: `${path}/`, type: 'directory', mode: 0o755, ...none };
  // Every name is packed with its content: whether two names share an inode is an accident of how the tree was made.
  if (stat.isFile())
    return { file, path, type: 'file', mode: stat.mode & 0o100 ? 0o755 : 0o644, sizeBytes: stat.size, target: '' };
  throw new Error(`packTarZst() was given something that is no file, folder or symlink: ${file}`);
}

type WriteHeader = (member: PlainMember) => Iterable<Buffer>;

function* tarParts(members: readonly PackedMember[], longHeader: WriteHeader | undefined): Iterable<Part> {
  for (const member of members) {
    const { file, sizeBytes } = member;
    if (longHeader === undefined || hasPlainHeader(member)) yield plainHeader(member);
    else yield* longHeader(member);
    if (sizeBytes > 0) yield { file, sizeBytes };
    if (paddingAfter(sizeBytes) > 0) yield Buffer.alloc(paddingAfter(sizeBytes));
  }
  yield Buffer.alloc(2 * blockBytes);
}

/** For names and sizes that a plain header has no room for. */
async function longHeaders(): Promise<WriteHeader> {
  const { Header, Pax } = await import('tar');
  const types = { file: 'File', directory: 'Directory', symlink: 'SymbolicLink' } as const;
  return function* ({ path, type, mode, sizeBytes: size, target }) {
    const linkpath = type === 'symlink' ? { linkpath: target } : {};
    const header = new Header({ path, type: types[type], mode, size, ...linkpath, uid: 0, gid: 0, mtime: packedTime });
    const block = Buffer.alloc(blockBytes);
    if (header.encode(block)) yield new Pax({ path, size, ...linkpath }).encode();
    yield block;
  };
}

function describeHead(head: Buffer): string {
  if (head.length === 0) return 'it is empty';
  if (/^\s*<(!doctype html|html)/i.test(head.toString('latin1'))) return 'it is a web page, not an archive';
  return `it is no archive that vbuild knows (tar, tar.gz, tar.bz2, tar.xz, tar.zst, tar.lz, zip); it begins with ${head.subarray(0, 8).toString('hex')}`;
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
