/**
 * One pool of job tokens for vbuild and every GNU make and ninja below it: our own, or that of the make that started us.
 * @see GNU make manual, "Sharing Job Slots with GNU make", "POSIX Jobserver Interaction"
 */
import { closeSync, constants, fstatSync, linkSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VbuildError } from '../model/error.ts';
import { run } from './process.ts';

/** What a tool below learns about the pool. */
export interface JobserverAccess {
  /** How many tokens there are in all; for a tool's own flags only. */
  readonly jobs: number;
  /** A descriptor to read and write tokens, that reads block on. */
  readonly descriptor: number;
  /** Gives the pool a name in a folder, for tools that open it by name; false where that cannot be. */
  nameIn(folder: string): boolean;
}

export interface Jobserver extends JobserverAccess, Disposable {
  /** Takes a token, which stands for the one job that a child may always run; waits until one is free. */
  take(signal: AbortSignal): Promise<void>;
  /** Takes as many as are free now, for a tool that cannot share; @returns how many. */
  takeFree(most: number): number;
  /** Gives back tokens, one when not told otherwise. */
  give(count?: number): void;
  /** How many tokens are with somebody now; undefined where others have the pool in common with us. */
  readonly inUse?: () => number;
  /** A child that may have held tokens was ended by force: no more are given out until all of ours are back and can be counted. */
  suspect(): void;
}

/** The name that the pool gets in a folder. */
export const pipeName = 'jobserver';

const waitMs = 10;

/**
 * A pool of our own.
 *
 * @param folder Absolute; an existing folder of this process alone, for the named pipe.
 * @param jobs How many tokens there are, at least 1.
 * @throws {VbuildError} `disk-trouble`
 */
export async function startJobserver(folder: string, jobs: number): Promise<Jobserver> {
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
  const pool = poolOf(pipe, jobs, pipe);
  const fill = (): void => pool.put(Buffer.alloc(jobs, '+'));
  fill();
  let held = 0;
  let suspected = false;
  /** With nothing running below us, what is in the pipe is all that is left, and can be made whole again. */
  const recount = (): void => {
    if (held > 0) return;
    while (pool.get() !== undefined);
    fill();
    suspected = false;
  };
  const taken = (): boolean => {
    recount();
    if (suspected || pool.get() === undefined) return false;
    held += 1;
    return true;
  };
  return {
    ...pool.access,
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
      pool.put(Buffer.alloc(count, '+'));
    },
    inUse() {
      let free = 0;
      while (pool.get() !== undefined) free += 1;
      // Before any reader has noticed: they wait for a token as long as it takes.
      if (free > 0) pool.put(Buffer.alloc(free, '+'));
      return jobs - free;
    },
    suspect: () => void (suspected = true),
    [Symbol.dispose]() {
      pool[Symbol.dispose]();
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

/**
 * Joins the pool of a make above us. The one token that came with being started needs no taking.
 *
 * @returns undefined when it cannot be reached, as below a line of a makefile that has no `+` before it.
 */
export function joinJobserver({ jobs, by }: ParentPool): Jobserver | undefined {
  let pool: ReturnType<typeof poolOf>;
  try {
    if ('fifo' in by) pool = poolOf(by.fifo, jobs, by.fifo);
    else {
      // Closed numbers may be another file of ours by now.
      if (!by.descriptors.every((descriptor) => descriptor > 2 && fstatSync(descriptor).isFIFO())) return undefined;
      pool = poolOf(`/proc/self/fd/${by.descriptors[0]}`, jobs);
    }
  } catch {
    return undefined;
  }
  // A token is given back as it came: make may mean something by it.
  const held: (number | 'ours')[] = [];
  const taken = (): boolean => {
    const token = held.includes('ours') ? pool.get() : 'ours';
    if (token !== undefined) held.push(token);
    return token !== undefined;
  };
  const give = (count = 1): void => {
    for (let at = 0; at < count; at += 1) {
      const index = held.findLastIndex((token) => token !== 'ours');
      const [token] = held.splice(index, 1);
      if (typeof token === 'number') pool.put(Buffer.of(token));
    }
  };
  return {
    ...pool.access,
    async take(signal) {
      while (!taken()) await sleep(waitMs, undefined, { signal });
    },
    takeFree(most) {
      let count = 0;
      while (count < most && taken()) count += 1;
      return count;
    },
    give,
    // Others use it: nobody but its owner can count.
    suspect: () => {},
    [Symbol.dispose]() {
      give(held.length);
      pool[Symbol.dispose]();
    },
  };
}

/** @param path The pipe, opened anew: flags such as non-blocking belong to an opening, and make reads blocking, we must not. */
function poolOf(
  path: string,
  jobs: number,
  named?: string,
): Disposable & {
  readonly access: JobserverAccess;
  get(): number | undefined;
  put(tokens: Buffer): void;
} {
  const ours = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const theirs = openSync(path, constants.O_RDWR);
  const token = Buffer.alloc(1);
  return {
    access: {
      jobs,
      descriptor: theirs,
      nameIn(folder) {
        if (named === undefined) return false;
        try {
          linkSync(named, join(folder, pipeName));
          return true;
        } catch {
          return false;
        }
      },
    },
    get() {
      try {
        return readSync(ours, token, 0, 1, null) === 1 ? token[0] : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
        throw error;
      }
    },
    put: (tokens) => void writeSync(ours, tokens),
    [Symbol.dispose]() {
      closeSync(ours);
      closeSync(theirs);
    },
  };
}
