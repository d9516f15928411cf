/** The folder of the one run that has the lock; it is there exactly while a run lasts, or after one was killed. */
import { join } from 'node:path';
import { exists, readIfThere, writeAtomically } from '../system/files.ts';
import { isAlive } from '../system/temporaries.ts';
import type { Workspace } from './workspace.ts';

/** Absolute. */
export const privateFolder = ({ state }: Workspace): string => join(state, 'run');

const ownerFile = (workspace: Workspace): string => join(privateFolder(workspace), 'owner');

/** Makes the folder this process's own. */
export const takePrivateFolder = (workspace: Workspace): void =>
  writeAtomically(ownerFile(workspace), String(process.pid));

/** The process whose folder it is or was; undefined where there is none, or nobody can tell. */
export function privateOwner(workspace: Workspace): number | undefined {
  const owner = Number(readIfThere(ownerFile(workspace)));
  return Number.isInteger(owner) && owner > 0 ? owner : undefined;
}

/** Whether a run was killed here and no other one has tidied up since; also true for an instant while one begins or ends. */
export function wasKilled(workspace: Workspace): boolean {
  if (!exists(privateFolder(workspace))) return false;
  const owner = privateOwner(workspace);
  return owner === undefined || !isAlive(owner);
}
