/** How long a remote tier is waited for: tries with pauses, a deadline for each request, and none at all once the tier is given up. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Times are in milliseconds. */
export interface Patience {
  /** For a connection to come about. */
  readonly connectMs: number;
  /** For a connection that has gone silent. */
  readonly idleMs: number;
  /** For a small request as a whole, all its tries and pauses included. */
  readonly smallMs: number;
  /** For one try at a body: this much, and a second more for each `slowestBytes` of it. */
  readonly bodyMs: number;
  /** In bytes per second: a line slower than this is no better than none. */
  readonly slowestBytes: number;
  /** A look-up that takes longer is slow, even if there is an answer in the end; */
  readonly slowMs: number;
  /** and after so many slow ones in a row there are no more of them in a run. */
  readonly slowLookUps: number;
  /** Before the second try, the third, and so on; there are no more tries than these and the first. */
  readonly pausesMs: readonly number[];
}

/** A tier that is dead costs a run about this much once, and nothing afterwards. */
export const defaultPatience: Patience = {
  connectMs: 4_000,
  idleMs: 15_000,
  smallMs: 20_000,
  bodyMs: 60_000,
  slowestBytes: 16_384,
  slowMs: 6_000,
  slowLookUps: 5,
  pausesMs: [300, 2_000],
};

/** Over-long waits as they are told apart from an abort by the user. */
export class TooSlow extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Runs `work` until it succeeds, fails for good, or has used up its tries.
 *
 * @param passing Whether a thing that `work` threw may be gone at the next try; `tried` counts the tries before this one.
 * @throws what the last try threw that came to its end, {@link TooSlow}, or the reason of `signal`.
 */
export async function persist<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: {
    readonly signal: AbortSignal;
    readonly pausesMs: readonly number[];
    readonly tryMs?: number;
    readonly allMs?: number;
    readonly passing: (thrown: unknown, tried: number) => boolean;
  },
): Promise<T> {
  const { signal, pausesMs, tryMs, allMs, passing } = options;
  const all = allMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(allMs)]);
  let before: unknown;
  for (let tried = 0; ; tried += 1) {
    // A signal of its own for each try, so that what listens to it goes with it.
    const once = AbortSignal.any(tryMs === undefined ? [all] : [all, AbortSignal.timeout(tryMs)]);
    try {
      return await work(once);
    } catch (error) {
      signal.throwIfAborted();
      // What an earlier try met tells more than that there was no time for this one.
      if (all.aborted) throw before ?? new TooSlow(`no answer within ${allMs} ms`, { cause: error });
      const trouble = once.aborted ? new TooSlow(`not done within ${tryMs} ms`, { cause: error }) : error;
      const pauseMs = pausesMs[tried];
      if (pauseMs === undefined || !passing(trouble, tried)) throw trouble;
      before = trouble;
      await sleep(pauseMs, undefined, { signal: all }).catch(() => {
        signal.throwIfAborted();
        throw trouble;
      });
    }
  }
}
