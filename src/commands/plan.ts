/** `vbuild plan [TARGET…]`, and `vbuild -n`: what a run would do, without doing any of it. */
import { selectTargets } from '../buildfile/targets.ts';
import { planText } from '../report/plan-text.ts';
import { atAcceptedPlatform, buildRequest } from './build.ts';
import { asides, type Command, openProject, printResult } from './command.ts';

export const plan: Command = async (context) => {
  const { cwd, line } = context;
  const project = await openProject(context);
  const { emit, notices } = asides(context);
  const asked = { ...buildRequest(context, project, selectTargets(project.build, line.targets)), emit };
  const request = await atAcceptedPlatform(asked);
  const [{ planBuild }, { assumption }] = await Promise.all([
    import('../build/planning.ts'),
    import('../build/what-if.ts'),
  ]);
  const { build, workspace, loaded } = project;
  const assumed = assumption(line.options, { build, workspace, buildFiles: loaded.files, cwd });
  const planned = await planBuild(request, assumed);
  printResult(
    context,
    () => planText(planned, { cwd, prefix: project.prefix, jobs: request.options.jobs }),
    () => ({ format: 1, ...planned, notices }),
  );
  return 0;
};
