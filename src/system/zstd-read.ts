/** The plain bytes of a file that is compressed with zstd, a piece at a time in memory that is used again. */
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { constants, createZstdDecompress } from 'node:zlib';
import { archiveRefused } from './archive-guard.ts';

const pieceBytes = 128 * 1024;
/** Two for each that ended: what has thousands of small files to read takes no new ones for each. */
const spare: Buffer[] = [];
const pieceOf = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);

/** After so many bytes other work gets a turn. */
const turnBytes = 8 * 2 ** 20;

/**
 * What Node's streams call, on this thread, with where to read from and where to write to. It is not documented, though the package minizlib
 * builds on it, too; so it is looked at before it is used.
 *
 * Measured on 70 MB: a stream, which takes new memory for each piece, needs twice the processor's time.
 */
interface Handle {
  writeSync(
    flush: number,
    input: Buffer,
    inputAt: number,
    inputBytes: number,
    output: Buffer,
    outputAt: number,
    outputBytes: number,
  ): void;
}

/** The handle of a decompressor, and the two numbers that it leaves: bytes of the output that are free, and of the input that are not read. */
interface Inside {
  readonly _handle?: Partial<Handle> | null;
  readonly _writeState?: unknown;
}

/**
 * @returns Each piece is overwritten when the next one is asked for. Undefined when this Node has no such handle.
 * @throws the codec's own error for damage; {VbuildError} `archive-refused` for bytes behind the end
 */
export function zstdPieces(file: string): AsyncIterable<Buffer> | undefined {
  // Its own piece is not used.
  const codec = createZstdDecompress({ chunkSize: 64 });
  const { _handle: handle, _writeState: left } = codec as unknown as Inside;
  if (typeof handle?.writeSync === 'function' && left instanceof Uint32Array && left.length === 2)
    return read(file, codec, handle as Handle, left);
  codec.destroy();
  return undefined;
}

async function* read(
  file: string,
  codec: ReturnType<typeof createZstdDecompress>,
  handle: Handle,
  left: Uint32Array,
): AsyncIterable<Buffer> {
  const [input, output] = [pieceOf(), pieceOf()];
  // It is looked at below, at once.
  codec.on('error', () => {});
  const opened = openSync(file, 'r');
  let [sinceTurn, isDone] = [0, false];
  try {
    while (!isDone) {
      const length = readSync(opened, input, 0, input.length, null);
      isDone = length === 0;
      for (let [at, isFull] = [0, true]; isFull; ) {
        handle.writeSync(
          isDone ? constants.ZSTD_e_end : constants.ZSTD_e_continue,
          input,
          at,
          length - at,
          output,
          0,
          output.length,
        );
        if (codec.errored !== null) throw codec.errored;
        const [free = 0, unread = 0] = left;
        at = length - unread;
        isFull = free === 0;
        if (!isFull && unread > 0) throw archiveRefused(undefined, 'other bytes follow the end of the compressed data');
        if (free < output.length) yield output.subarray(0, output.length - free);
        sinceTurn += output.length - free;
      }
      if (sinceTurn > turnBytes) {
        await setImmediate();
        sinceTurn = 0;
      }
    }
  } finally {
    closeSync(opened);
    codec.destroy();
    spare.push(input, output);
  }
}
