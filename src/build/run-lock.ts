/** One run at a time works in a work folder; others wait for it. */
import { join } from 'node:path';
import type { Emit } from '../model/event.ts';
import { makeFolder } from '../system/files.ts';
import { acquireLock } from '../system/lock.ts';
import { completeSaves } from './cut-off-saves.ts';
import { beginRun } from './remains.ts';
import type { Workspace } from './workspace.ts';

/** Waits for its turn, and says so; then ends, completes and removes what a killed run left. */
export async function takeWorkFolder(workspace: Workspace, emit: Emit, signal: AbortSignal): Promise<AsyncDisposable> {
  makeFolder(workspace.state);
  await using stack = new AsyncDisposableStack();
  stack.use(
    await acquireLock(join(workspace.state, 'lock'), {
      signal,
      onWait: (holder) =>
        emit({
          type: 'notice',
          level: 'info',
          code: 'waiting-for-lock',
          headline: 'Another vbuild works on this Buildfile, waiting for it',
          ...(holder && { facts: { process: String(holder.pid) } }),
        }),
    }),
  );
  stack.use(await beginRun(workspace, emit));
  await completeSaves(workspace, emit, signal);
  return stack.move();
}
