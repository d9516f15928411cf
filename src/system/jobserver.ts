/**
 * One pool of job tokens for vbuild and every GNU make below it, spoken over a named pipe that children inherit as a descriptor.
 * @see GNU make manual, "Sharing Job Slots with GNU make"
 */
import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './process.ts';

export interface Jobserver extends Disposable {
  /** The descriptor that every make inherits. */
  readonly descriptor: number;
  /** Takes a token, which stands for the one job that a child may always run; waits until one is free. */
  take(signal: AbortSignal): Promise<void>;
  give(): void;
}

const waitMs = 10;

/**
 * @param folder Absolute; an existing folder for the named pipe.
 * @param jobs How many tokens there are, at least 1.
 */
export async function startJobserver(folder: string, jobs: number): Promise<Jobserver> {
  const pipe = join(folder, `jobserver-${process.pid}`);
  const made = await run({ argv: ['mkfifo', '-m', '600', pipe], cwd: folder, env: { PATH: '/usr/bin:/bin' } });
  if (made.exitStatus !== 0) throw new Error(`mkfifo failed: ${made.stderr}`);
  // Two openings, because the flags of an opening are shared: make reads blocking, we must not.
  const ours = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const theirs = openSync(pipe, constants.O_RDWR);
  unlinkSync(pipe);
  writeSync(ours, '+'.repeat(jobs));
  const token = Buffer.alloc(1);
  const taken = (): boolean => {
    try {
      return readSync(ours, token, 0, 1, null) === 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      throw error;
    }
  };
  return {
    descriptor: theirs,
    async take(signal) {
      while (!taken()) await sleep(waitMs, undefined, { signal });
    },
    give: () => void writeSync(ours, '+'),
    [Symbol.dispose]() {
      closeSync(ours);
      closeSync(theirs);
    },
  };
}
