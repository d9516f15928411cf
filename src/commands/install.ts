/** `vbuild install [TARGET…]`: fills the prefix from artifacts that are ready; never compiles, pins or writes into the project. */
import { deploy } from '../build/deploy.ts';
import { fullClosure } from '../build/graph.ts';
import { installReasons } from '../build/install-reasons.ts';
import { keyedFacts } from '../build/keyed.ts';
import { isUpToDate } from '../build/request.ts';
import { notesFor } from '../build/roots.ts';
import { wantedBy } from '../build/settle.ts';
import { countedTraffic, startRun } from '../build/start-run.ts';
import { packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import type { Outcome } from '../model/event.ts';
import { atAcceptedPlatform, buildRequest } from './build.ts';
import { type Command, openProject } from './command.ts';

export const install: Command = async (context) => {
  const startedMs = performance.now();
  const { options, targets: named } = context.line;
  const project = await openProject(context);
  const { prefix, workspace } = project;
  const request = await atAcceptedPlatform(buildRequest(context, project, selectTargets(project.build, named)));
  const { emit, targets } = request;
  const { run, tiers } = startRun(request);
  using _traffic = countedTraffic(tiers, run.emit);
  const want = wantedBy(request, emit);
  const facts = keyedFacts(fullClosure(want.packages), request);
  emit({ type: 'run-started', targets: targets.map(({ name }) => name), packages: want.packages.length });
  const finish = (outcomes: ReadonlyMap<string, Outcome>): number => {
    const restored = outcomes.size;
    const counts = { fresh: want.packages.length - restored, restored, built: 0 };
    const durationMs = performance.now() - startedMs;
    emit({ type: 'run-finished', exitStatus: 0, durationMs, outcomes: counts, prefix });
    return 0;
  };
  if (isUpToDate(request) && !options.repair) return finish(new Map());
  const reasons = installReasons(want, prefix, (one) => facts.of(one).key);
  const outcomes = await deploy(
    {
      prefix,
      asked: want.packages.map((one) => ({ id: packageId(one), name: one.name, key: facts.of(one).key })),
      roots: want.roots.map(packageId),
      notes: (place) => notesFor(want, workspace.buildfile, place),
      reasons: reasons.length > 0 ? reasons : [{ input: 'a repair was asked for' }],
    },
    run,
  );
  return finish(outcomes);
};
