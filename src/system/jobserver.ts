/**
 * One pool of job tokens for vbuild and every GNU make and ninja below it, which takes part in that of the make that started us.
 * @see GNU make manual, "Sharing Job Slots with GNU make", "POSIX Jobserver Interaction"
 */
import { closeSync, constants, fstatSync, linkSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VbuildError } from '../model/error.ts';
import { run } from './process.ts';

export interface Jobserver extends Disposable {
  /** How many tokens there are in all; for a tool's own flags only. */
  readonly jobs: number;
  /** A descriptor to read and write tokens, that reads block on. */
  readonly descriptor: number;
  /** Gives the pool a name in a folder, for tools that open it by name; false where that cannot be. */
  nameIn(folder: string): boolean;
  /** Takes a token, which stands for the one job that a child may always run; waits until one is free. */
  take(signal: AbortSignal): Promise<void>;
  /** Takes as many as are free now, for a tool that cannot share; @returns how many. */
  takeFree(most: number): number;
  /** Gives back tokens, one when not told otherwise. */
  give(count?: number): void;
  /** How many tokens are with us and what runs below us now. */
  inUse(): number;
  /** A child that may have held tokens was ended by force: no more are given out until all of ours are back and can be counted. */
  suspect(): void;
}

/** The name that the pool gets in a folder. */
export const pipeName = 'jobserver';

const waitMs = 10;

/** How long a token of the make above is offered to what runs below us, and how long none is after one that nobody wanted. */
const offerMs = 10;
const restMs = 40;

/**
 * A pool of our own. Below a make that shares its jobs it holds the one token that came with being started and what is borrowed from
 * that make: what runs below us never holds any of its tokens itself, so that none is lost when something is ended by force.
 *
 * @param folder Absolute; an existing folder of this process alone, for the named pipe.
 * @param jobs How many tokens there are, at least 1; below a make all of its.
 * @throws {VbuildError} `disk-trouble`
 */
export async function startJobserver(folder: string, jobs: number, above?: Lender): Promise<Jobserver> {
  const pipe = join(folder, pipeName);
  rmSync(pipe, { force: true });
  const made = await run({ argv: ['mkfifo', '-m', '600', pipe], cwd: folder, env: { PATH: '/usr/bin:/bin' } });
  if (made.exitStatus !== 0) {
    throw new VbuildError('disk-trouble', 'Named pipe cannot be made', {
      where: { file: pipe },
      facts: { found: made.failure ?? made.stderr },
      mend: 'make room, or name a work folder on a local file system with --work',
    });
  }
  const pool = openPool(pipe);
  const theirs = openSync(pipe, constants.O_RDWR);
  const own = above === undefined ? jobs : 1;
  const put = (count: number): void => (count > 0 ? pool.put(Buffer.alloc(count, '+')) : undefined);
  const drain = (): number => {
    let free = 0;
    while (pool.get() !== undefined) free += 1;
    return free;
  };
  put(own);
  let held = 0;
  let suspected = false;
  let trading: NodeJS.Timeout | undefined;
  /** With nothing running below us, what is in the pipe is all that is left, and can be made whole again. */
  const recount = (): void => {
    if (held > 0) return;
    clearTimeout(trading);
    trading = undefined;
    drain();
    above?.giveBack();
    put(own);
    suspected = false;
  };
  /** Takes back what nobody below wants; else offers one more. Nobody can see who waits for a token, only that it is gone. */
  const trade = (): void => {
    const free = drain();
    put(free - (above?.giveBack(free) ?? 0));
    const offers = free === 0 && above?.borrow() === true;
    if (offers) put(1);
    trading = setTimeout(trade, offers ? offerMs : restMs).unref();
  };
  const taken = (): boolean => {
    recount();
    if (suspected || (pool.get() === undefined && above?.borrow() !== true)) return false;
    held += 1;
    if (above !== undefined) trading ??= setTimeout(trade).unref();
    return true;
  };
  return {
    jobs,
    descriptor: theirs,
    nameIn(seen) {
      try {
        linkSync(pipe, join(seen, pipeName));
        return true;
      } catch {
        return false;
      }
    },
    async take(signal) {
      while (!taken()) await sleep(waitMs, undefined, { signal });
    },
    takeFree(most) {
      let count = 0;
      while (count < most && taken()) count += 1;
      return count;
    },
    give(count = 1) {
      held -= count;
      put(count);
      recount();
    },
    inUse() {
      const free = drain();
      // Before any reader has noticed: they wait for a token as long as it takes.
      put(free);
      return own + (above?.borrowed() ?? 0) - free;
    },
    suspect: () => void (suspected = true),
    [Symbol.dispose]() {
      clearTimeout(trading);
      above?.[Symbol.dispose]();
      pool[Symbol.dispose]();
      closeSync(theirs);
      rmSync(pipe, { force: true });
    },
  };
}

/** The pool of a make above us, as it stands in `MAKEFLAGS`. */
export interface ParentPool {
  /** As given with `-j`; 1 when it does not say. */
  readonly jobs: number;
  readonly by: { readonly descriptors: readonly [read: number, write: number] } | { readonly fifo: string };
}

/** The last word of `MAKEFLAGS` that has this form, which counts for make, too. What follows a lone -- are variables of the command line. */
const lastFlag = (makeflags: string | undefined, form: RegExp): string | undefined =>
  (makeflags ?? '')
    .split(/ -- /)[0]
    ?.split(/\s+/)
    .flatMap((word) => form.exec(word)?.[1] ?? [])
    .at(-1);

/** How many jobs the make above us was told to run; undefined where there is none, or it was not told. */
export function jobsAbove(makeflags: string | undefined): number | undefined {
  const jobs = lastFlag(makeflags, /^-j(\d+)$/);
  return jobs === undefined ? undefined : Number(jobs);
}

/** @returns undefined when no make above us shares its jobs. */
export function parentPool(makeflags: string | undefined): ParentPool | undefined {
  const place = lastFlag(makeflags, /^--jobserver-(?:auth|fds)=(.+)$/);
  if (place === undefined) return undefined;
  const jobs = jobsAbove(makeflags) ?? 1;
  if (place.startsWith('fifo:')) return { jobs, by: { fifo: place.slice('fifo:'.length) } };
  const [read, write] = place.split(',').map(Number);
  return read === undefined || write === undefined ? undefined : { jobs, by: { descriptors: [read, write] } };
}

/** The pool of a make above us, and what we have of it; disposing gives that back, as the end of this process does. */
interface Lender extends Disposable {
  /** @returns Whether there was a token. */
  borrow(): boolean;
  /** Gives back so many at most, all when not told otherwise; @returns how many. */
  giveBack(most?: number): number;
  readonly borrowed: () => number;
}

/** @returns undefined when the pool cannot be reached, as below a line of a makefile that has no `+` before it. */
export function joinJobserver({ by }: ParentPool): Lender | undefined {
  let pool: ReturnType<typeof openPool>;
  try {
    if ('fifo' in by) pool = openPool(by.fifo);
    else {
      // Closed numbers may be another file of ours by now.
      if (!by.descriptors.every((descriptor) => descriptor > 2 && fstatSync(descriptor).isFIFO())) return undefined;
      pool = openPool(`/proc/self/fd/${by.descriptors[0]}`);
    }
  } catch {
    return undefined;
  }
  // A token is given back as it came: make may mean something by it.
  const tokens: number[] = [];
  const giveBack = (most = tokens.length): number => {
    const back = tokens.splice(0, most);
    if (back.length > 0) pool.put(Buffer.from(back));
    return back.length;
  };
  // A second interrupt ends this process without another word.
  const atExit = (): void => void giveBack();
  process.once('exit', atExit);
  return {
    borrow() {
      const token = pool.get();
      if (token !== undefined) tokens.push(token);
      return token !== undefined;
    },
    giveBack,
    borrowed: () => tokens.length,
    [Symbol.dispose]() {
      process.off('exit', atExit);
      giveBack();
      pool[Symbol.dispose]();
    },
  };
}

/** @param path The pipe, opened anew: flags such as non-blocking belong to an opening, and make reads blocking, we must not. */
function openPool(path: string): Disposable & { get(): number | undefined; put(tokens: Buffer): void } {
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const token = Buffer.alloc(1);
  return {
    get() {
      try {
        return readSync(pipe, token, 0, 1, null) === 1 ? token[0] : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
        throw error;
      }
    },
    put: (tokens) => void writeSync(pipe, tokens),
    [Symbol.dispose]: () => closeSync(pipe),
  };
}
