/** `vbuild install [TARGET…]`: fills the prefix from artifacts that are ready; never compiles, pins or writes into the project. */
import { deploy } from '../build/deploy.ts';
import { fullClosure } from '../build/graph.ts';
import { installReasons, placeToBe } from '../build/install-reasons.ts';
import { keyedFacts } from '../build/keyed.ts';
import {
  askedFor,
  type Deployment,
  deploymentOf,
  insistOnMachine,
  installingOf,
  releaseDifferences,
} from '../build/released.ts';
import type { BuildRequest } from '../build/request.ts';
import { isSince, notesFor, trustNotes } from '../build/roots.ts';
import { wantedBy } from '../build/settle.ts';
import { countedTraffic, startRun } from '../build/start-run.ts';
import { packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { currentGeneration } from '../install/generations.ts';
import { PrefixMoved } from '../install/install.ts';
import { atAcceptedPlatform, buildRequest } from './build.ts';
import { type Command, type CommandContext, noTargets, openProject } from './command.ts';

export const install: Command = async (context) => {
  const { release } = context.line.options;
  return release === undefined ? installTargets(context) : installRelease(context, release);
};

async function installTargets(context: CommandContext): Promise<number> {
  const { options, targets: named } = context.line;
  const project = await openProject(context);
  const request = await atAcceptedPlatform(buildRequest(context, project, selectTargets(project.build, named)));
  const names = request.targets.map(({ name }) => name);
  return installAll(() => targetsDeployment(project, request), names, request, options.repair);
}

/** For what is asked of the prefix now. */
function targetsDeployment(project: Awaited<ReturnType<typeof openProject>>, request: BuildRequest): Deployment {
  const { prefix, workspace } = project;
  const want = wantedBy(request, request.emit);
  const facts = keyedFacts(fullClosure(want.packages), request);
  return {
    prefix,
    asked: want.packages.map((one) => askedFor(facts.of(one))),
    facts,
    roots: want.roots.map(packageId),
    notes: (place: string) => notesFor(want, workspace.buildfile, { place, ...trustNotes(project.build) }),
    reasons: installReasons(want, request, (one) => facts.of(one).key),
    isSince: (record) => isSince(want, record),
  };
}

async function installRelease(context: CommandContext, wanted: string): Promise<number> {
  if (context.line.targets.length > 0) throw noTargets(context.line.targets);
  const { releaseRequest } = await import('./release-source.ts');
  const { release, request } = await releaseRequest(context, wanted);
  insistOnMachine(release, request.platform);
  const { prefix } = request;
  const reasons = releaseDifferences(currentGeneration(prefix)?.record, release, placeToBe(prefix));
  const deployment = deploymentOf(release, prefix, reasons);
  return installAll(() => deployment, [release.name], request, context.line.options.repair);
}

/**
 * @param deploymentNow Called once more where somebody else has asked something else of the prefix meanwhile.
 * @param names What was asked for.
 * @param repair Install also where there is no other reason to.
 */
async function installAll(
  deploymentNow: () => Deployment,
  names: readonly string[],
  request: BuildRequest,
  repair: boolean,
): Promise<number> {
  const startedMs = performance.now();
  const { emit, prefix } = request;
  let deployment = deploymentNow();
  emit({ type: 'run-started', targets: names, packages: deployment.asked.length });
  let restored: number | undefined;
  while (restored === undefined) {
    const reasons =
      repair && deployment.reasons.length === 0 ? [{ input: 'a repair was asked for' }] : deployment.reasons;
    try {
      restored = reasons.length === 0 ? 0 : await deployed({ ...deployment, reasons }, request);
    } catch (thrown) {
      if (!(thrown instanceof PrefixMoved)) throw thrown;
      deployment = deploymentNow();
    }
  }
  const outcomes = { fresh: deployment.asked.length - restored, restored, built: 0 };
  emit({ type: 'run-finished', exitStatus: 0, durationMs: performance.now() - startedMs, outcomes, prefix });
  return 0;
}

/** @returns How many packages were brought. */
async function deployed(deployment: Deployment, request: BuildRequest): Promise<number> {
  const { run, tiers } = startRun(request, {
    installing: installingOf(request.prefix, deployment.asked),
  });
  using _traffic = countedTraffic(tiers, run.emit);
  return (await deploy(deployment, run)).size;
}
