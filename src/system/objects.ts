/** The contract of a store of objects, wherever it is: a bucket, a folder, a web server. Whole objects in and out, checked on both ways. */
import type { Digest } from '../model/digest.ts';

/** What has passed between this process and a store so far. */
export interface Traffic {
  /** Requests as the server counts them, each try for itself; for a folder, one for each object that was asked for. */
  requests: number;
  /** Content of objects; heads of messages and lists are not counted. */
  receivedBytes: number;
  sentBytes: number;
}

export interface ObjectStat {
  readonly sizeBytes: number;
  /** Milliseconds since 1970, by the store's clock, in whole seconds where it tells no more. */
  readonly modifiedMs: number;
}

export interface ListedObject extends ObjectStat {
  readonly name: string;
}

export type PutOutcome = 'written' | 'there' | 'unconditional';

/** Names are parts joined by `/`. Whatever goes wrong is thrown as it came; nothing is retried here. */
export interface Objects {
  readonly traffic: Readonly<Traffic>;
  /** A small object whole. @throws `Damaged` when it is not what was put. */
  getSmall(name: string, limitBytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Streams an object into a new file and checks it; on failure nothing is left. @throws `Damaged`, or what `watch` throws when it sees the bytes so far. */
  getFile(
    name: string,
    into: string,
    options: {
      /** Insisted on when given. */
      readonly digest?: Digest;
      readonly sizeBytes?: number;
      readonly signal: AbortSignal;
      readonly watch: (doneBytes: number) => void;
    },
  ): Promise<{ readonly digest: Digest; readonly sizeBytes: number }>;
  /** Undefined when it is not there, or when the server does not say why it refuses to tell. */
  stat(name: string, signal: AbortSignal): Promise<ObjectStat | undefined>;
  /** One page of what begins with `prefix`, in code-unit order; absent where the store cannot list. */
  list?(
    prefix: string,
    options: {
      /** Only names behind this one. */
      readonly after?: string;
      /** At most this many, as far as the store can be told. */
      readonly most?: number;
      readonly signal: AbortSignal;
    },
  ): Promise<{ readonly objects: readonly ListedObject[]; readonly more: boolean }>;
}

export interface WritableObjects extends Objects {
  /** @returns `there` when an object of this name exists, which is left; `unconditional` when the server cannot tell, and nothing was done. */
  putSmall(
    name: string,
    bytes: Uint8Array,
    options: { readonly replace: boolean; readonly signal: AbortSignal },
  ): Promise<PutOutcome>;
  /** Puts a file under its digest. */
  putFile(
    name: string,
    file: string,
    options: { readonly digest: Digest; readonly replace: boolean; readonly signal: AbortSignal },
  ): Promise<PutOutcome>;
  /** Makes an object look as if it had just been put. */
  renew(name: string, signal: AbortSignal): Promise<void>;
  /** Ends uploads that were begun before a time (milliseconds since 1970) and never ended. @returns How many; none where uploads leave nothing. */
  dropUnfinished?(prefix: string, beforeMs: number, signal: AbortSignal): Promise<number>;
  /** Removes an object; it need not be there. */
  remove(name: string, signal: AbortSignal): Promise<void>;
}

/** What arrived is not what was sent: the store or the way from it changed the bytes. */
export class Damaged extends Error {
  override readonly name = 'Damaged';
}

/** A web page where an object should be, as log-in portals and proxies serve it with status 200. */
export class NotFromStore extends Error {
  override readonly name = 'NotFromStore';
}

/** Collects a small body. @throws {Damaged} when it has more bytes than allowed. */
export async function collected(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
  traffic: Pick<Traffic, 'receivedBytes'>,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    traffic.receivedBytes += chunk.length;
    if (sizeBytes > limitBytes) throw new Damaged(`it has more than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Nothing came for as long as one is prepared to wait. */
export class Stalled extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * The chunks of a body, counted; not one that is silent for too long, nor one that nobody waits for any more. What holds the chunks back
 * may be a dead file system, so this does not wait for the body to admit it.
 *
 * @throws {Stalled}
 */
export async function* arriving(
  body: AsyncIterable<Uint8Array>,
  { idleMs, signal, traffic }: { readonly idleMs: number; readonly signal: AbortSignal; readonly traffic: Traffic },
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await within(chunks.next(), idleMs, signal);
    if (next.done === true) return;
    traffic.receivedBytes += next.value.length;
    yield next.value;
  }
}

/** What a promise gives, unless that takes too long. @throws {Stalled}, or the reason of `signal` */
export async function within<T>(work: Promise<T>, limitMs: number, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const given = Promise.withResolvers<never>();
  const timer = setTimeout(() => given.reject(new Stalled(`nothing for ${limitMs} ms`)), limitMs);
  const abort = (): void => given.reject(signal.reason as Error);
  signal.addEventListener('abort', abort);
  // What comes too late is nobody's any more.
  work.catch(() => {});
  try {
    return await Promise.race([work, given.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
