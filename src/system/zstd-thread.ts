/** A tar that is compressed with zstd, read on a thread of its own, which takes the digests of its files as well, while this one writes them. */
import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Digest } from '../model/digest.ts';
import { fill } from './zstd-read.ts';

const [pieces, pieceBytes] = [4, 512 * 1024];

export interface DigestedPieces extends AsyncIterable<Buffer> {
  /** SHA-256 of the content of each regular file, in their order; once all pieces are read. */
  readonly digests: readonly Digest[];
}

/**
 * @param file Absolute path of a `.tar.zst`.
 * @returns Each piece is overwritten once the next one is asked for.
 * @throws as `zstdPieces`
 */
export function piecesByThread(file: string): DigestedPieces {
  const digests: Digest[] = [];
  return { digests, [Symbol.asyncIterator]: () => read(file, digests) };
}

/** Started, and without work. */
const idle: Worker[] = [];

/** Has a thread ready ahead of its work; nothing waits for one that gets none. */
export function startThread(): void {
  if (idle.length > 0) return;
  const text = `(${work.toString()})(${fill.toString()}, ${digestsOfFiles.toString()});`;
  const worker = new Worker(text, { eval: true, execArgv: [] });
  // Whoever reads hears of it; who stopped reading does not care.
  worker.on('error', () => {});
  worker.unref();
  idle.push(worker);
}

async function* read(file: string, digests: Digest[]): AsyncGenerator<Buffer> {
  const outputs = Array.from({ length: pieces }, () => Buffer.from(new SharedArrayBuffer(pieceBytes)));
  const free = new Int32Array(new SharedArrayBuffer(4)).fill(pieces);
  startThread();
  const worker = idle.pop() as Worker;
  worker.ref();
  let isDone = false;
  try {
    worker.postMessage({ file, outputs, free } satisfies Job);
    let taken = 0;
    for await (const [said] of on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[number | Digest[]]>) {
      if (typeof said !== 'number') {
        digests.push(...said);
        isDone = true;
        return;
      }
      yield (outputs[taken % pieces] as Buffer).subarray(0, said);
      taken += 1;
      Atomics.add(free, 0, 1);
      Atomics.notify(free, 0);
    }
  } finally {
    worker.unref();
    if (isDone) idle.push(worker);
    else await worker.terminate();
  }
}

interface Job {
  readonly file: string;
  readonly outputs: readonly Uint8Array[];
  /** How many of them may be written to. */
  readonly free: Int32Array;
}

/** What the thread does; like all that is handed to it, known to it by its text alone. It says how long each piece is, and at the end the digests. */
function work(fillAll: typeof fill, take: typeof digestsOfFiles): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const input = new Uint8Array(128 * 1024);
  parentPort?.on('message', ({ file, outputs, free }: Job) => {
    const taken = take();
    let filled = 0;
    for (const length of fillAll(file, input, outputs)) {
      parentPort.postMessage(length);
      // Only this thread writes to it.
      taken.read((outputs[filled % outputs.length] as Uint8Array).subarray(0, length));
      filled += 1;
      Atomics.sub(free, 0, 1);
      Atomics.wait(free, 0, 0);
    }
    parentPort.postMessage(taken.digests);
  });
}

/**
 * Digests of the contents that follow plain headers of regular files. Whoever reads the same stream as a tar knows whether it is one: in
 * another stream the digests are of no use, and do no harm.
 */
function digestsOfFiles(): { readonly digests: string[]; read(bytes: Uint8Array): void } {
  const { createHash, hash: hashOf } = process.getBuiltinModule('node:crypto');
  const digests: string[] = [];
  const header = Buffer.alloc(512);
  let [inHeader, content, padding] = [0, 0, 0];
  let hash: ReturnType<typeof createHash> | undefined;
  let isFile = false;
  return {
    digests,
    read(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const rest = bytes.length - at;
        if (content > 0) {
          const part = bytes.subarray(at, at + content);
          content -= part.length;
          at += part.length;
          if (!isFile) continue;
          hash ??= createHash('sha256');
          hash.update(part);
          if (content === 0) digests.push(hash.digest('hex'));
          if (content === 0) hash = undefined;
        } else if (padding > 0) {
          const skipped = Math.min(padding, rest);
          padding -= skipped;
          at += skipped;
        } else {
          const part = bytes.subarray(at, at + header.length - inHeader);
          header.set(part, inHeader);
          inHeader = (inHeader + part.length) % header.length;
          at += part.length;
          if (inHeader > 0) return;
          // Octal digits; what has no room in them stands there in binary.
          const isBinary = header.readUInt8(124) === 0x80;
          content = isBinary
            ? Number(header.readBigUInt64BE(128))
            : Number.parseInt(header.toString('latin1', 124, 136), 8) || 0;
          padding = -content & 511;
          isFile = header[0] !== 0 && header[156] === 0x30;
          if (!isFile || content > bytes.length - at) continue;
          digests.push(hashOf('sha256', bytes.subarray(at, at + content)));
          at += content;
          content = 0;
        }
      }
    },
  };
}
