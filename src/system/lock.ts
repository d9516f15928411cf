/** Locks between processes: kernel locks on an open file, so that they go with their holder, however it ends. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VbuildError } from '../model/error.ts';
import { makeFolder } from './files.ts';

/** Who has a lock, for messages only: it may be gone, or another one, by the time it is shown. */
export interface LockHolder {
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly since: string;
}

interface LockOptions {
  /** Gives up the waiting. */
  readonly signal?: AbortSignal;
  /** Called once when somebody else has the lock; that may be this very process. */
  readonly onWait?: (holder: LockHolder | undefined) => void;
  /** Removes the file when the lock is freed, for locks of which there are ever more. */
  readonly removed?: boolean;
}

/** A lock that is held, until it is disposed of. */
export interface Lock extends AsyncDisposable {
  /**
   * What the one left for whom this one waited. Then there is nothing to do any more, and nothing is held: only with `removed`, and only
   * where that one came to `leave` something.
   */
  readonly left?: string;
  /** Tells those who wait what came of the work that they want done. */
  leave(text: string): void;
}

/**
 * Waits for the exclusive lock that goes by a file, and takes it. The file stays when the lock is freed, unless told otherwise.
 *
 * The lock belongs to the open file, not to the `flock` program that asks for it: it stays with this process when that one has ended,
 * no child inherits it, and the kernel frees it when this process is gone.
 *
 * @param path Absolute path of the lock's file, made with its folder if it is not there; used for nothing else.
 * @throws {VbuildError} `tool-missing` without util-linux's `flock`; the signal's reason when it is aborted.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Lock> {
  makeFolder(dirname(path));
  const enough = noteAsker(path);
  try {
    const { file, left } = await waitForTurn(path, options);
    if (file === undefined) {
      enough();
      return { left, leave: () => {}, [Symbol.asyncDispose]: async () => {} };
    }
    let held = true;
    return {
      leave: (text) => noteHolder(file, text),
      // oxlint-disable-next-line require-await
      async [Symbol.asyncDispose]() {
        if (!held) return;
        held = false;
        // While it is still ours: who waits for it notices, and starts anew with another file.
        if (options.removed === true) rmSync(path, { force: true });
        closeSync(file);
        enough();
      },
    };
  } catch (error) {
    enough();
    throw error;
  }
}

/** @returns The open file that holds the lock; or what was left by the one waited for. */
async function waitForTurn(
  path: string,
  { signal, onWait }: LockOptions,
): Promise<{ readonly file: number; readonly left?: never } | { readonly file?: never; readonly left: string }> {
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    try {
      if (!(await flock(file, ['--nonblock'], signal))) {
        if (!told) onWait?.(holderOf(path));
        told = true;
        await flock(file, [], signal);
      }
      // Somebody may have removed the file while we waited: a lock on one that has no name keeps nobody out.
      if (fstatSync(file).ino !== statSync(path, { throwIfNoEntry: false })?.ino) {
        const left = noteIn(file)?.left;
        closeSync(file);
        if (left === undefined) continue;
        return { left };
      }
      noteHolder(file);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    return { file };
  }
}

/** How many in this process have a lock or ask for it, by its path. */
const askers = new Map<string, number>();

/** @returns To be called once that one neither has the lock nor asks for it. */
function noteAsker(path: string): () => void {
  askers.set(path, (askers.get(path) ?? 0) + 1);
  return () => {
    const others = (askers.get(path) ?? 1) - 1;
    if (others === 0) askers.delete(path);
    else askers.set(path, others);
  };
}

/** Who has a lock that we do not have. One of this process that has just got it has not had the time to write that down. */
const holderOf = (path: string): LockHolder | undefined =>
  noteIn(path) ?? ((askers.get(path) ?? 0) > 1 ? { pid: process.pid, since: new Date().toISOString() } : undefined);

/** @returns Whether the lock was taken; only with `--nonblock` it may not be. */
async function flock(file: number, flags: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
  const child = spawn('flock', ['--exclusive', '--conflict-exit-code', '200', ...flags, '3'], {
    stdio: ['ignore', 'ignore', 'ignore', file],
    ...(signal && { signal }),
  });
  try {
    const [status] = (await once(child, 'exit')) as [number | null];
    if (status === 0) return true;
    if (status === 200) return false;
    // An interrupt from the terminal ends it as well, perhaps before we hear of it.
    if (status === null) await sleep(50);
    signal?.throwIfAborted();
    throw new VbuildError('disk-trouble', 'Lock cannot be taken', {
      facts: { found: `flock ended with status ${status ?? 'of a signal'}` },
      mend: 'use a local file system that has locks',
    });
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new VbuildError('tool-missing', 'Tool is missing', {
      facts: { tool: 'flock' },
      mend: 'install util-linux',
      cause: error,
    });
  }
}

interface LockNote extends LockHolder {
  readonly left?: string;
}

/** For those who wait; a full disk is no reason not to have the lock. */
function noteHolder(file: number, left?: string): void {
  try {
    ftruncateSync(file);
    const note: LockNote = { pid: process.pid, since: new Date().toISOString(), ...(left !== undefined && { left }) };
    writeSync(file, `${JSON.stringify(note)}\n`, 0);
  } catch {
    // They are told of nobody by name, and do the work themselves.
  }
}

/** @param file A path, or an open file that nothing was read of. */
function noteIn(file: string | number): LockNote | undefined {
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof data !== 'object' || data === null || !('pid' in data) || !('since' in data)) return undefined;
    const { pid, since } = data;
    if (typeof pid !== 'number' || typeof since !== 'string') return undefined;
    return { pid, since, ...('left' in data && typeof data.left === 'string' && { left: data.left }) };
  } catch {
    return undefined;
  }
}

/** Who has the lock that goes by a file, as far as is written there: the last one to have had it, where nobody has. */
export const lastHolderOf = (path: string): LockHolder | undefined => noteIn(path);

/** Whether somebody has the lock that goes by a file, for messages only: it may be free, or taken, by the time one acts on it. */
export async function isLocked(path: string): Promise<boolean> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return false;
  const file = openSync(path, constants.O_RDONLY);
  try {
    return !(await flock(file, ['--nonblock', '--shared'], undefined));
  } finally {
    closeSync(file);
  }
}
