/** `vbuild check [TARGET…]`, and `vbuild -q`: whether all that is asked for is there. */
import { checkReadiness } from '../build/readiness.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { readinessStatus } from '../model/readiness.ts';
import { readinessText } from '../report/readiness-text.ts';
import { atAcceptedPlatform, buildRequest } from './build.ts';
import { asides, type Command, openProject, printResult } from './command.ts';

export const check: Command = async (context) => {
  const { cwd, line } = context;
  const project = await openProject(context);
  const { emit, notices } = asides(context);
  const asked = { ...buildRequest(context, project, selectTargets(project.build, line.targets)), emit };
  const request = await atAcceptedPlatform(asked);
  const readiness = await checkReadiness(request);
  const exitStatus = readinessStatus(readiness);
  printResult(
    context,
    () => (line.options.quiet ? '' : readinessText(readiness, cwd)),
    () => ({ format: 1, type: 'checked', exitStatus, ...readiness, notices }),
  );
  return exitStatus;
};
