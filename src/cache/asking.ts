/** Requests to a store of objects: tried again while that helps, every trouble an answer, and a store out of reach waited for once. */
import { VbuildError } from '../model/error.ts';
import type { Objects, PutOutcome, Traffic, WritableObjects } from '../system/objects.ts';
import type { Lack } from './cache.ts';
import { type Patience, persist, TooSlow } from './patience.ts';

/** What went wrong, and what follows from it. */
export type Trouble =
  | { readonly outcome: 'absent' }
  | {
      readonly outcome: 'unreachable';
      readonly reason: string;
      readonly mend: string;
      /** Whether the same request may succeed a moment later. */
      readonly passing: boolean;
      /** Whether every other request would fare the same, so that the tier is not asked again in this run. */
      readonly everywhere: boolean;
    }
  | { readonly outcome: 'rejected'; readonly reason: string; readonly mend: string };

type Purpose = 'read' | 'write';

export interface Store {
  /** As shown to people: `s3://bucket/prefix`. */
  readonly name: string;
  /** Whether `--push` writes to it. */
  readonly writable: boolean;
  /** See `CacheTier`; absent for one that is never filled that way. */
  readonly fillable?: (signal: AbortSignal) => Promise<boolean>;
  /** It lists many names at the price of a few requests. */
  readonly pages: boolean;
  /** The full name of an object within the store. */
  readonly within: (object: string) => string;
  /** How messages call an object, by its full name. */
  readonly shown: (object: string) => string;
  /** Called once, at the first request. */
  readonly open: () => Promise<Objects | WritableObjects>;
  /** The verdict on something thrown by the store. */
  readonly judge: (thrown: unknown, purpose: Purpose) => Trouble;
}

type Asked<T> = { readonly outcome: 'done'; readonly value: T } | Trouble;
/** See `persist`. */
type Waits = { readonly tryMs?: number; readonly allMs?: number };
export interface Asking {
  /** What has passed so far. */
  readonly traffic: () => Readonly<Traffic>;
  /** Every request counts as small, that is as one that `allMs` bounds as a whole, unless told otherwise. */
  readonly ask: <T>(
    request: Request<Objects, T>,
    signal: AbortSignal,
    waits?: Waits,
    purpose?: Purpose,
  ) => Promise<Asked<T>>;
  /** @param object The full name of what it is about. @throws {VbuildError} `upload-failed` */
  readonly insist: <T>(
    object: string,
    request: Request<WritableObjects, T>,
    signal: AbortSignal,
    waits?: Waits,
  ) => Promise<T>;
  /** For commands about the cache itself, which are no use without an answer. @throws {VbuildError} `cache-trouble` */
  readonly demand: <T>(request: Request<WritableObjects, T>, signal: AbortSignal, purpose?: Purpose) => Promise<T>;
  /** The error for an object that cannot be put. @param object Its full name. */
  readonly failed: (object: string, why: { readonly reason: string; readonly mend: string }) => VbuildError;
}

/** Puts an object, create-only unless it is to replace what is there. @param object Its full name. @throws {VbuildError} `upload-failed` */
export type PutObject = (
  object: string,
  request: (objects: WritableObjects, replace: boolean, signal: AbortSignal) => Promise<PutOutcome>,
  signal: AbortSignal,
  options: { readonly waits?: Waits; readonly isThere: () => Promise<boolean>; readonly replace: boolean },
) => Promise<'written' | 'there'>;

/** What puts an object that is small. */
export const smallPut =
  (object: string, bytes: Uint8Array): Parameters<PutObject>[1] =>
  (objects, replace, signal) =>
    objects.putSmall(object, bytes, { replace, signal });

/** What a trouble leaves a tier to answer. */
export const lackOf = (trouble: Trouble): Lack =>
  trouble.outcome === 'absent' ? { outcome: 'absent' } : { outcome: trouble.outcome, reason: trouble.reason };

type Request<S, T> = (objects: S, signal: AbortSignal) => Promise<T>;

/** For as long as this lives, a store that proved to be out of reach is not asked again: the same answer comes at once. */
export function asking(store: Store, { pausesMs, smallMs }: Patience): Asking {
  const small = { allMs: smallMs };
  let opening: Promise<Objects | WritableObjects> | undefined;
  let opened: Objects | undefined;
  let givenUp: Trouble | undefined;

  const open = async (signal: AbortSignal): Promise<Objects | WritableObjects> => {
    opening ??= store.open();
    return (opened = await Promise.race([opening, aborted(signal)]));
  };
  // Damage is mostly in the store and stays, and silence costs the whole wait: they are tried a second time only.
  const passing = (thrown: unknown, tried: number): boolean => {
    if (thrown instanceof TooSlow) return false;
    const trouble = store.judge(thrown, 'read');
    if (trouble.outcome === 'rejected') return tried === 0;
    const { name, code } = thrown as NodeJS.ErrnoException;
    const silent = name === 'TimeoutError' && code === undefined;
    return trouble.outcome === 'unreachable' && trouble.passing && (!silent || tried === 0);
  };

  async function ask<T>(
    request: Request<Objects, T>,
    signal: AbortSignal,
    waits: Waits = small,
    purpose: Purpose = 'read',
  ): Promise<Asked<T>> {
    signal.throwIfAborted();
    if (givenUp) return givenUp;
    try {
      const work = async (once: AbortSignal): Promise<T> => request(await open(once), once);
      return { outcome: 'done', value: await persist(work, { signal, pausesMs, passing, ...waits }) };
    } catch (error) {
      signal.throwIfAborted();
      throwIfLocal(error);
      const trouble = store.judge(error, purpose);
      if (trouble.outcome === 'unreachable' && trouble.everywhere) givenUp = trouble;
      return trouble;
    }
  }

  const failed = (object: string, { reason, mend }: { readonly reason: string; readonly mend: string }): VbuildError =>
    new VbuildError('upload-failed', 'Upload to a cache failed', {
      facts: { object: store.shown(object), reason },
      mend,
    });

  async function insist<T>(
    object: string,
    request: Request<WritableObjects, T>,
    signal: AbortSignal,
    waits: Waits = small,
  ): Promise<T> {
    const asked = await ask(request as Request<Objects, T>, signal, waits, 'write');
    if (asked.outcome === 'done') return asked.value;
    throw failed(
      object,
      'reason' in asked
        ? asked
        : { reason: 'the server says that the key is absent', mend: 'check the endpoint and the bucket' },
    );
  }

  async function demand<T>(
    request: Request<WritableObjects, T>,
    signal: AbortSignal,
    purpose: Purpose = 'read',
  ): Promise<T> {
    const asked = await ask(request as Request<Objects, T>, signal, small, purpose);
    if (asked.outcome === 'done') return asked.value;
    const { reason, mend } =
      'reason' in asked ? asked : { reason: 'it says that what it listed is absent', mend: 'try again' };
    throw new VbuildError('cache-trouble', 'Cache cannot be used', { facts: { cache: store.name, reason }, mend });
  }

  return {
    ask,
    insist,
    demand,
    failed,
    traffic: () => opened?.traffic ?? { requests: 0, receivedBytes: 0, sentBytes: 0 },
  };
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, refuse) => {
    signal.addEventListener('abort', () => refuse(signal.reason as Error), { once: true });
  });

/** A full or read-only disk here is not the store's fault. */
function throwIfLocal(thrown: unknown): void {
  const { code = '', syscall } = thrown as NodeJS.ErrnoException;
  // A place that is taken or has no folder is the caller's mistake.
  if (syscall === 'open' && ['EEXIST', 'ENOENT', 'ENOTDIR'].includes(code)) throw thrown;
  if (!['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EMFILE'].includes(code) || syscall === 'connect') return;
  throw new VbuildError('disk-trouble', 'File could not be written or read', {
    facts: { found: (thrown as Error).message },
    mend: 'make room, or give the user the right to use the folder',
    cause: thrown,
  });
}
