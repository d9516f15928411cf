/** The plain bytes of a file that is compressed with zstd, a piece at a time in memory that is used again. */
import { setImmediate } from 'node:timers/promises';
import { createZstdDecompress } from 'node:zlib';

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
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void;
}

/** The handle of a decompressor, and the two numbers that it leaves: bytes of the output that are free, and of the input that are not read. */
interface Inside {
  readonly _handle: Handle;
  readonly _writeState: Uint32Array;
}

let isThere: boolean | undefined;
/** Whether this Node has such a handle; looked at once. */
export const canFill = (): boolean => (isThere ??= hasHandle());

function hasHandle(): boolean {
  const codec = createZstdDecompress({ chunkSize: 64 });
  const { _handle: handle, _writeState: left } = codec as unknown as Partial<Inside>;
  const can = typeof handle?.writeSync === 'function' && left instanceof Uint32Array && left.length === 2;
  codec.destroy();
  return can;
}

/**
 * @returns Each piece is overwritten when the next one is asked for.
 * @throws the codec's own error for damage, and for bytes behind the end
 */
export async function* zstdPieces(file: string): AsyncIterable<Buffer> {
  const [input, output] = [pieceOf(), pieceOf()];
  let sinceTurn = 0;
  try {
    for (const length of fill(file, input, [output])) {
      yield output.subarray(0, length);
      sinceTurn += length;
      if (sinceTurn > turnBytes) {
        await setImmediate();
        sinceTurn = 0;
      }
    }
  } finally {
    spare.push(input, output);
  }
}

/**
 * Fills the outputs in turn with the plain bytes of a file. It uses nothing of this module, because its text is run on other threads.
 *
 * @yields How many bytes are in the output.
 */
export function* fill(file: string, input: Uint8Array, outputs: readonly Uint8Array[]): Iterable<number> {
  const { closeSync, openSync, readSync } = process.getBuiltinModule('node:fs');
  const { constants, createZstdDecompress: create } = process.getBuiltinModule('node:zlib');
  // Its own piece is not used.
  const codec = create({ chunkSize: 64 });
  // It is looked at below, at once.
  codec.on('error', () => {});
  const { _handle: handle, _writeState: left } = codec as unknown as Inside;
  const opened = openSync(file, 'r');
  try {
    for (let [filled, isDone] = [0, false]; !isDone; ) {
      const length = readSync(opened, input, 0, input.length, null);
      isDone = length === 0;
      for (let [at, isFull] = [0, true]; isFull; ) {
        const output = outputs[filled % outputs.length] as Uint8Array;
        const flush = isDone ? constants.ZSTD_e_end : constants.ZSTD_e_continue;
        handle.writeSync(flush, input, at, length - at, output, 0, output.length);
        if (codec.errored !== null) throw codec.errored;
        const [free = 0, unread = 0] = left;
        // Where a frame ends, the next call begins another, or finds that there is none.
        isFull = free === 0 || unread > 0;
        at = length - unread;
        if (free === output.length) continue;
        filled += 1;
        yield output.length - free;
      }
    }
  } finally {
    closeSync(opened);
    codec.destroy();
  }
}
