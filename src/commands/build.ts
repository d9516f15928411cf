/** `vbuild [build] [TARGET…]`: makes packages usable; loads what builds only if there is something to build. */
import { availableParallelism } from 'node:os';
import { type BuildRequest, isUpToDate } from '../build/request.ts';
import { runClosure } from '../build/graph.ts';
import { packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import type { Outcome } from '../model/event.ts';
import { hostPlatform } from '../system/platform.ts';
import type { Command } from './command.ts';
import { openProject } from './command.ts';

export const build: Command = async (context) => {
  const startedMs = performance.now();
  const platform = hostPlatform();
  const { options, targets: named } = context.line;
  const project = await openProject(context);
  const targets = selectTargets(project.build, named);
  const emit = (event: Parameters<typeof context.reporter.event>[0]): void => context.reporter.event(event);
  const request: BuildRequest = {
    ...project,
    targets,
    platform,
    options: {
      jobs: options.jobs ?? availableParallelism(),
      frozen: options.frozen,
      offline: options.offline,
      noCache: options.noCache,
      noBuild: options.noBuild,
      noInstall: options.noInstall,
      push: options.push,
      installTools: options.installTools,
      keep: options.keep,
      keepGoing: options.keepGoing,
    },
    environment: context.env,
    emit,
    signal: context.signal,
  };
  const closure = runClosure(targets);
  emit({ type: 'run-started', targets: targets.map(({ name }) => name), packages: closure.length });
  const finish = (exitStatus: number, outcomes: ReadonlyMap<string, Outcome>): number => {
    const counts = { fresh: 0, restored: 0, built: 0 };
    for (const outcome of outcomes.values()) counts[outcome] += 1;
    const prefix = options.noInstall ? {} : { prefix: project.prefix };
    emit({ type: 'run-finished', exitStatus, durationMs: performance.now() - startedMs, outcomes: counts, ...prefix });
    return exitStatus;
  };
  if (isUpToDate(request)) return finish(0, new Map(closure.map((one) => [packageId(one), 'fresh'])));
  const { execute } = await import('../build/executor.ts');
  const { exitStatus, outcomes } = await execute(request);
  return finish(exitStatus, outcomes);
};
