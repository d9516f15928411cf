/** `vbuild check [TARGET…]`, and `vbuild -q`: whether all that is asked for is there. */
import { checkReadiness, checkReleaseReadiness } from '../build/readiness.ts';
import { insistOnMachine } from '../build/released.ts';
import { selectTargets } from '../buildfile/targets.ts';
import type { Emit } from '../model/event.ts';
import { type Readiness, readinessStatus } from '../model/readiness.ts';
import { readinessText } from '../report/readiness-text.ts';
import { atAcceptedPlatform, buildRequest } from './build.ts';
import { asides, type Command, type CommandContext, noTargets, openProject, printResult } from './command.ts';

export const check: Command = async (context) => {
  const { cwd, line } = context;
  const { emit, notices } = asides(context);
  const readiness = await readinessOf(context, emit);
  const exitStatus = readinessStatus(readiness);
  printResult(
    context,
    () => (line.options.quiet ? '' : readinessText(readiness, cwd)),
    () => ({ format: 1, type: 'checked', exitStatus, ...readiness, notices }),
  );
  return exitStatus;
};

async function readinessOf(context: CommandContext, emit: Emit): Promise<Readiness> {
  const { options, targets } = context.line;
  // With --no-install only a prefix that was named counts: the default one may lie anywhere else later.
  const place = { mustFit: options.prefix !== undefined };
  if (options.release !== undefined) {
    if (targets.length > 0) throw noTargets(targets);
    const { releaseRequest } = await import('./release-source.ts');
    const { release, request } = await releaseRequest(context, options.release);
    insistOnMachine(release, request.platform);
    return checkReleaseReadiness(release, { ...request, emit }, place);
  }
  const project = await openProject(context);
  const asked = { ...buildRequest(context, project, selectTargets(project.build, targets)), emit };
  return checkReadiness(await atAcceptedPlatform(asked), place);
}
