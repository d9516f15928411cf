/** What a run keeps for itself while it lasts, and what becomes of it when the run is killed: the next one finds and ends it. */
import { basename, join } from 'node:path';
import { count } from '../model/count.ts';
import type { Emit } from '../model/event.ts';
import { namesIn, removeTree } from '../system/files.ts';
import { endOrphans, recordGroups } from '../system/process-groups.ts';
import { removeTemporaries } from '../system/temporaries.ts';
import { privateFolder, privateOwner, takePrivateFolder } from './private-folder.ts';
import type { Workspace } from './workspace.ts';

/** Where running steps are recorded. */
const recordsFolder = ({ state }: Workspace): string => join(state, 'steps');

/**
 * To be called under the run's lock, before anything else: ends and removes what a killed run left, then makes the folder of this one.
 * Disposing removes that.
 */
export async function beginRun(workspace: Workspace, emit: Emit): Promise<Disposable> {
  const own = privateFolder(workspace);
  const orphans = await endOrphans(recordsFolder(workspace));
  if (orphans.length > 0) {
    emit({
      type: 'notice',
      level: 'warning',
      code: 'orphans-ended',
      headline: `A killed run had left ${count(orphans.length, 'step')} running`,
      facts: { processes: orphans.join(', ') },
    });
  }
  const names = namesIn(workspace.state);
  if (names.includes(basename(own))) {
    sweepState(workspace);
    const owner = privateOwner(workspace);
    if (owner !== undefined) sweepAfter(workspace, owner);
  }
  for (const name of names) if (/^\.?[a-z]+-\w{6}$/.test(name)) removeTree(join(workspace.state, name));
  sweepCache(workspace);
  removeTree(own);
  takePrivateFolder(workspace);
  const records = recordGroups(recordsFolder(workspace));
  return {
    [Symbol.dispose]() {
      records[Symbol.dispose]();
      removeTree(own);
    },
  };
}

/**
 * Nobody else writes there while we have the lock, so whatever bears a temporary name is dead. Trees hold none: what is made of them
 * anew is removed first. Traces are written when the lock is free again, and look after themselves.
 */
function sweepState({ state, folder, lockFile }: Workspace): void {
  removeTemporaries(folder, { of: basename(lockFile) });
  removeTemporaries(state);
  const others = ['trees', 'build', 'run', 'traces'];
  for (const kind of namesIn(state).filter((name) => !others.includes(name))) sweep(join(state, kind), 3);
}

function sweep(folder: string, levels: number): void {
  removeTemporaries(folder);
  if (levels > 1) for (const name of namesIn(folder)) sweep(join(folder, name), levels - 1);
}

/** Folders of the cache in which files are written under temporary names. */
const shared = ({ cache }: Workspace): string[] =>
  ['v1/blobs', 'v1/prefixes', 'quick'].map((name) => join(cache, name));

/** What a certain process left in the cache that was killed. */
function sweepAfter(workspace: Workspace, by: number): void {
  const tops = ['v1/artifacts', 'v1/equal'].map((top) => join(workspace.cache, top));
  const packages = tops.flatMap((top) => namesIn(top).map((name) => join(top, name)));
  const keys = packages.flatMap((folder) => namesIn(folder).map((key) => join(folder, key)));
  for (const folder of [...shared(workspace), ...keys]) removeTemporaries(folder, { by });
}

/** What others left there stays while it may still be written. */
function sweepCache(workspace: Workspace): void {
  for (const folder of shared(workspace)) removeTemporaries(folder, { abandoned: true });
}
