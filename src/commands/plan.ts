/** `vbuild plan [TARGET…]`, and `vbuild -n`: what a run would do, without doing any of it. */
import { selectTargets } from '../buildfile/targets.ts';
import type { BuildEvent } from '../model/event.ts';
import { planText } from '../report/plan-text.ts';
import { buildRequest } from './build.ts';
import { type Command, openProject, printResult } from './command.ts';

export const plan: Command = async (context) => {
  const { reporter, cwd, line } = context;
  const project = await openProject(context);
  const notices: BuildEvent[] = [];
  // Under --json there is one document on stdout, which holds them.
  const emit = (event: BuildEvent): void => {
    const matters = event.type === 'notice' || (event.type === 'cache-looked-up' && event.answer !== 'hit');
    if (!matters) return;
    if (line.options.json) notices.push(event);
    else reporter.event(event);
  };
  const request = { ...buildRequest(context, project, selectTargets(project.build, line.targets)), emit };
  const { planBuild } = await import('../build/planning.ts');
  const planned = await planBuild(request);
  printResult(
    context,
    () => planText(planned, { cwd, prefix: project.prefix, jobs: request.options.jobs }),
    () => ({ format: 1, ...planned, notices }),
  );
  return 0;
};
