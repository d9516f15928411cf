/** What an archive is compressed with, told from its first bytes, and the way back to plain bytes. */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { VbuildError } from '../model/error.ts';
import { archiveRefused } from './archive-guard.ts';
import { canFill, zstdPieces } from './zstd-read.ts';
import type { DigestedPieces } from './zstd-thread.ts';

type Format = 'plain' | 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'lzip' | 'zip';

const magics: readonly (readonly [Format, offset: number, hex: string])[] = [
  ['gzip', 0, '1f8b'],
  ['zstd', 0, '28b52ffd'],
  ['xz', 0, 'fd377a585a00'],
  ['bzip2', 0, '425a68'],
  ['lzip', 0, '4c5a4950'],
  ['zip', 0, '504b0304'],
  ['zip', 0, '504b0506'],
  ['plain', 257, Buffer.from('ustar').toString('hex')],
];

/** The first block of a file and its size. */
export function headOf(file: string): { head: Buffer; sizeBytes: number } {
  const opened = openSync(file, 'r');
  try {
    const head = Buffer.alloc(512);
    return { head: head.subarray(0, readSync(opened, head, 0, 512, 0)), sizeBytes: fstatSync(opened).size };
  } finally {
    closeSync(opened);
  }
}

/** Undefined for anything without a magic number, old tar included. */
export const formatOf = (head: Buffer): Format | undefined =>
  magics.find(([, offset, hex]) => head.subarray(offset, offset + hex.length / 2).toString('hex') === hex)?.[0];

const tools = {
  xz: { argv: ['xz', '-dc', '-T1'], debian: 'xz-utils' },
  bzip2: { argv: ['bzip2', '-dc'], debian: 'bzip2' },
  lzip: { argv: ['lzip', '-dc', '--trailing-error'], debian: 'lzip' },
} as const;

/** @param chunks The memory of each is used again once the next one is asked for. */
type Consume = (chunks: AsyncIterable<Buffer> | DigestedPieces) => Promise<void>;

/** From here on a thread of its own is worth its start: it takes as long as what so many bytes unpack to. */
const threadFromBytes = 4 * 2 ** 20;

const deservesThread = (sizeBytes: number): boolean => sizeBytes >= threadFromBytes && canFill();

/** Begins what a `.tar.zst` of this size will need for its digests, so that it is there after other work. */
export async function prepareFor(sizeBytes: number): Promise<void> {
  if (deservesThread(sizeBytes)) (await import('./zstd-thread.ts')).startThread();
}

/**
 * Hands the plain bytes to `consume`.
 *
 * @param digests Whether those of a tar's files are of use.
 * @throws {VbuildError} `archive-refused` for bytes behind the end, `tool-missing`; a codec's own error for damage
 */
export async function decompressed(
  file: string,
  format: Exclude<Format, 'zip'>,
  sizeBytes: number,
  digests: boolean,
  consume: Consume,
): Promise<void> {
  if (format === 'xz' || format === 'bzip2' || format === 'lzip') return byTool(file, format, consume);
  if (format === 'zstd' && digests && deservesThread(sizeBytes))
    return consume((await import('./zstd-thread.ts')).piecesByThread(file));
  if (format === 'zstd' && canFill()) return consume(zstdPieces(file));
  const packed = createReadStream(file, { highWaterMark: 256 * 1024 });
  if (format === 'plain') return pipeline(packed, consume);
  const codec =
    format === 'gzip' ? createGunzip({ chunkSize: 256 * 1024 }) : createZstdDecompress({ chunkSize: 256 * 1024 });
  await pipeline(packed, codec, consume);
  // Both codecs stop in silence at bytes behind the last complete frame.
  if (codec.bytesWritten !== sizeBytes)
    throw archiveRefused(undefined, `${sizeBytes - codec.bytesWritten} bytes follow the end of the compressed data`);
}

async function byTool(file: string, format: keyof typeof tools, consume: Consume): Promise<void> {
  const { argv, debian } = tools[format];
  const { stream } = await import('./process.ts');
  const stop = new AbortController();
  const { stdout, finished } = await stream({
    argv: [...argv, '--', file],
    cwd: dirname(file),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
    signal: stop.signal,
  });
  let refusal: unknown;
  try {
    await pipeline(stdout, consume);
  } catch (error) {
    refusal = error;
    stop.abort();
  }
  const { failure, exitStatus, stderr } = await finished;
  if (failure === 'ENOENT')
    throw new VbuildError('tool-missing', 'Tool for unpacking is not installed', {
      facts: { tool: argv[0] },
      mend: `install it with apt-get install ${debian}`,
    });
  if (refusal !== undefined && (refusal instanceof VbuildError || exitStatus !== 0)) throw refusal;
  // bzip2 only warns of bytes behind the end and exits with 0.
  if (exitStatus !== 0 || stderr !== '')
    throw archiveRefused(
      undefined,
      `${argv[0]} says: ${stderr.trim().split('\n').at(-1) ?? `exit status ${exitStatus}`}`,
    );
}
