/** `vbuild patch apply PATCH…`: patches for any tree, all or none; needs no Buildfile. */
import { resolve } from 'node:path';
import { VbuildError } from '../model/error.ts';
import type { Emit } from '../model/event.ts';
import { applySeries } from '../patches/apply-series.ts';
import { takeBackCutOff } from '../system/change-tree.ts';
import { isFolder } from '../system/files.ts';
import { type Command, printResult } from './command.ts';
import { patchData, patchLine } from './patch-report.ts';

export const patchApply: Command = async (context) => {
  const { cwd, line, reporter } = context;
  const { tree = '.', strip = 1, dialect = 'strict', quiet } = line.options;
  const top = resolve(cwd, tree);
  if (!isFolder(top)) {
    throw new VbuildError('usage', 'Tree to patch is not a folder', {
      where: { file: top },
      mend: 'name the folder that holds the tree with -d',
    });
  }
  const patches = line.targets.map((name) => ({ name, path: resolve(cwd, name), strip }));
  const folder = patches.find(({ path }) => isFolder(path));
  if (folder !== undefined) {
    throw new VbuildError('usage', 'Patch is a folder', {
      where: { file: folder.path },
      mend: 'name the patches in it, in their order',
    });
  }
  const emit: Emit = (event) => reporter.event(event);
  if (takeBackCutOff(top)) {
    const headline = 'Applying patches to this tree was cut off; what it had done is taken back';
    emit({ type: 'notice', level: 'info', code: 'patch-apply-taken-back', headline, facts: { tree: top } });
  }
  const reports = await applySeries({ tree: top, patches, dialect, emit, journaled: true });
  printResult(
    context,
    () => (quiet ? '' : reports.map(patchLine).join('')),
    () => ({ format: 1, tree: top, dialect, patches: reports.map(patchData) }),
  );
  return 0;
};
