/** `vbuild clean [TARGET…]`: frees what can be made again. */
import { clean as cleanWork, openedPatches } from '../build/clean.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { columns } from '../report/table.ts';
import { pathFrom, size } from '../report/words.ts';
import { type Command, openProject, printResult } from './command.ts';

export const clean: Command = async (context) => {
  const { line, cwd, signal, reporter } = context;
  const { all, dryRun } = line.options;
  const { build, workspace } = await openProject(context);
  const removed = await cleanWork({
    workspace,
    packages: line.targets.length === 0 ? undefined : selectTargets(build, line.targets),
    all,
    dryRun,
    emit: (event) => reporter.event(event),
    signal,
  });
  const freedBytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const opened = all ? openedPatches(workspace) : [];
  printResult(
    context,
    () =>
      [
        columns(removed.map(({ path, sizeBytes }) => [pathFrom(cwd, path), size(sizeBytes)])),
        ...opened.map((name) => `left alone: the opened patches of ${name}\n`),
        removed.length === 0
          ? 'there is nothing to free\n'
          : `${dryRun ? 'would free' : 'freed'} ${size(freedBytes)} in ${pathFrom(cwd, workspace.state)}\n`,
      ].join(''),
    () => ({ format: 1, type: 'cleaned', work: workspace.state, dryRun, removed, freedBytes, opened }),
  );
  return 0;
};
