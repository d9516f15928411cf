/** The last step of saving patches: files, branch and note are changed together, also when a crash comes in between. */
import { basename, dirname } from 'node:path';
import { realPath, exists, writeAtomically } from '../system/files.ts';
import { type GitWork, readNote, removeNote, writeNote } from '../system/git-work.ts';
import { removeTemporaries } from '../system/temporaries.ts';
import { journal } from './cut-off-saves.ts';

interface Save {
  /** Absolute paths with the bytes that they get, as latin1; in the order in which they are written. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** The commit that the branch is put on; its tree is that of the one before. */
  readonly head: string;
  /** What `vbuild.json` then holds. */
  readonly state: string;
}

interface Noted extends Save {
  /** The process that began it. */
  readonly pid: number;
}

/** Writes all of it. What a crash cuts off, `finishSave` completes. */
export async function carryOut(work: GitWork, save: Save): Promise<void> {
  writeNote(work.folder, journal, JSON.stringify({ ...save, pid: process.pid } satisfies Noted));
  await finishSave(work);
}

/** Does nothing when no save was cut off. */
export async function finishSave(work: GitWork): Promise<void> {
  const text = readNote(work.folder, journal);
  if (text === undefined) return;
  const { files, head, state, pid } = JSON.parse(text) as Noted;
  for (const file of files) {
    // A symlink in the patch folder stays one.
    const path = exists(file.path) ? realPath(file.path) : file.path;
    removeTemporaries(dirname(path), { of: basename(path), by: pid });
    writeAtomically(path, Buffer.from(file.text, 'latin1'));
  }
  if ((await work.head()) !== head) await work.moveHead(head);
  writeNote(work.folder, 'vbuild.json', state);
  removeNote(work.folder, journal);
}
