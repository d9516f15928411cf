/** `vbuild cache push [TARGET…]`: completes what the caches lack, without building. */
import { selectTargets } from '../buildfile/targets.ts';
import { count } from '../model/count.ts';
import { buildRequest } from './build.ts';
import { type Command, openProject, printResult } from './command.ts';

export const cachePush: Command = async (context) => {
  const project = await openProject(context);
  const request = buildRequest(context, project, selectTargets(project.build, context.line.targets));
  const { publish } = await import('../build/publish.ts');
  const { exitStatus, ...outcome } = await publish(request, context.line.options.repair);
  printResult(
    context,
    () => {
      const { present, unsent } = outcome;
      const lost = unsent.length === 0 ? '' : `; not sent, as uploads failed: ${unsent.join(', ')}`;
      return `${count(present.length, 'artifact')} complete in every cache${lost}\n`;
    },
    () => ({ format: 1, type: 'cache-push-finished', exitStatus, ...outcome }),
  );
  return exitStatus;
};
