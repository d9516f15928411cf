/** Saves of patches that a crash cut off: completed before a run reads the series, and told of by what may not write. */
import { join } from 'node:path';
import type { Package } from '../buildfile/package.ts';
import type { Emit } from '../model/event.ts';
import { VbuildError } from '../model/error.ts';
import { exists, namesIn } from '../system/files.ts';
import { removeTemporaries } from '../system/temporaries.ts';
import { placesOf, type Workspace } from './workspace.ts';

/** What is to be written, in the `.git` of an edited tree; there from before the first file is written until after the last one is. */
export const journal = 'vbuild-save.json';

const isCutOff = (folder: string): boolean => exists(join(folder, '.git', journal));

/** To be called under the lock of the work folder, before anything reads patches. */
export async function completeSaves({ state }: Workspace, emit: Emit, signal: AbortSignal): Promise<void> {
  for (const name of namesIn(join(state, 'edit'))) {
    const folder = join(state, 'edit', name);
    removeTemporaries(join(folder, '.git'));
    if (!isCutOff(folder)) continue;
    const [{ openGitWork }, { finishSave }] = await Promise.all([
      import('../system/git-work.ts'),
      import('./patch-journal.ts'),
    ]);
    await finishSave(openGitWork(folder, signal));
    emit({
      type: 'notice',
      level: 'info',
      code: 'patch-save-completed',
      headline: 'Saving patches was cut off, and is completed now',
      facts: { tree: folder },
    });
  }
}

/** @throws {VbuildError} `patch-edit-unsaved` where the series of a package may be on disk in part. */
export function refuseCutOff(one: Package, workspace: Workspace): void {
  const { edit } = placesOf(workspace, one);
  if (!isCutOff(edit)) return;
  throw new VbuildError('patch-edit-unsaved', 'Patches are saved in part, as saving them was cut off', {
    where: { file: edit },
    mend: `complete it with vbuild patch check ${one.name}`,
  });
}
