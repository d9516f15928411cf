/** `vbuild lock [TARGET…]`: pins sources and tools, builds nothing. */
import { packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Command, openProject, printResult } from './command.ts';

export const lock: Command = async (context) => {
  const platform = hostPlatform();
  const { line, env, reporter, signal } = context;
  const project = await openProject(context);
  const { build, workspace } = project;
  const targets = line.targets.length === 0 ? build.packages : selectTargets(build, line.targets);
  const { pinAll } = await import('../build/pin-all.ts');
  const pinned = await pinAll({
    build,
    targets,
    workspace,
    platform,
    environment: env,
    offline: line.options.offline,
    emit: (event) => reporter.event(event),
    signal,
  });
  printResult(
    context,
    () => (pinned.length === 0 ? 'nothing to pin\n' : `pinned ${pinned.map(packageId).join(', ')}\n`),
    () => ({ pinned: pinned.map(packageId), lockFile: workspace.lockFile }),
  );
  return 0;
};
