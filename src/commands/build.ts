/** `vbuild [build] [TARGET…]`: makes packages usable; loads what builds only if there is something to build. */
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { wasKilled } from '../build/private-folder.ts';
import { type BuildRequest, isUpToDate, restsOn } from '../build/request.ts';
import { runClosure } from '../build/graph.ts';
import type { RunOptions } from '../build/run.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { stepGroups } from '../compile/recipe.ts';
import { diskTrouble } from '../model/disk-trouble.ts';
import { VbuildError } from '../model/error.ts';
import type { Emit, Outcome } from '../model/event.ts';
import { exitStatusOf } from '../report/error-text.ts';
import { lastLine } from '../report/phrases.ts';
import { writeAtomically } from '../system/files.ts';
import { ownFiles } from '../system/own-program.ts';
import { hostPlatform } from '../system/platform.ts';
import { rememberAnswer } from '../system/quick.ts';
import { buildfileOf, type Command, type CommandContext, openProject, type Project } from './command.ts';
import { wordAmong } from './word-among.ts';

export const build: Command = async (context) => {
  if (context.line.options.dryRun) return (await import('./plan.ts')).plan(context);
  if (context.line.options.question) return (await import('./check.ts')).check(context);
  const startedMs = performance.now();
  const { options, targets: named } = context.line;
  const project = await openProject(context);
  const targets = selectTargets(project.build, named);
  const request = await atAcceptedPlatform(buildRequest(context, project, targets));
  const closure = runClosure(targets);
  const begin = (emit: Emit): void =>
    emit({ type: 'run-started', targets: targets.map(({ name }) => name), packages: closure.length });
  const finish = (emit: Emit, exitStatus: number, outcomes: ReadonlyMap<string, Outcome>): number => {
    const counts = { fresh: 0, restored: 0, built: 0 };
    for (const outcome of outcomes.values()) counts[outcome] += 1;
    const prefix = options.noInstall ? {} : { prefix: project.prefix };
    emit({ type: 'run-finished', exitStatus, durationMs: performance.now() - startedMs, outcomes: counts, ...prefix });
    return exitStatus;
  };
  if (options.from !== undefined) {
    const [one] = targets;
    if (one === undefined || named.length !== 1 || targets.length > 1)
      throw new VbuildError('usage', 'Option --from is about one package', {
        mend: `name it, as in "vbuild pil --from ${options.from}"`,
      });
    const group = wordAmong(options.from, stepGroups, 'Steps have no such group');
    const { resume } = await import('../build/by-hand.ts');
    begin(request.emit);
    return finish(request.emit, await resume(one, group, request), new Map());
  }
  // What a killed run left is for a run to tidy up.
  if (isUpToDate(request) && !wasKilled(request.workspace)) {
    begin(request.emit);
    const status = finish(request.emit, 0, new Map(closure.map((one) => [packageId(one), 'fresh'])));
    if (options.trace === undefined) remember(context, project, request);
    else await traced(context, request, startedMs, async () => status);
    return status;
  }
  const { execute } = await import('../build/executor.ts');
  return await traced(context, request, startedMs, async (watched) => {
    begin(watched.emit);
    const { exitStatus, outcomes } = await execute(watched);
    return finish(watched.emit, exitStatus, outcomes);
  });
};

/** A request is about this host's own platform unless the Buildfile accepts others. */
export async function atAcceptedPlatform(request: BuildRequest): Promise<BuildRequest> {
  if (request.build.platforms === undefined) return request;
  const { choosePlatform } = await import('../build/choose-platform.ts');
  return { ...request, platform: await choosePlatform(request) };
}

/** Runs something and leaves a trace of it, however it ends; only one that was asked for must be written. */
async function traced(
  { cwd, line, signal }: CommandContext,
  request: BuildRequest,
  startedMs: number,
  run: (watched: BuildRequest) => Promise<number>,
): Promise<number> {
  const [{ runRecorder }, { keepTrace }, { traceText }] = await Promise.all([
    import('../build/run-record.ts'),
    import('../build/traces.ts'),
    import('../report/trace.ts'),
  ]);
  const recorder = runRecorder(request, startedMs);
  const write = (exitStatus: number, thrown?: unknown): void => {
    const record = recorder.end(signal.aborted ? 130 : exitStatus, thrown);
    const text = traceText(record);
    if (line.options.trace !== undefined) writeAtomically(resolve(cwd, line.options.trace), text);
    try {
      keepTrace(request.workspace, record, text);
    } catch (error) {
      const trouble = diskTrouble(error);
      if (trouble === undefined) throw error;
      const facts = { found: trouble.message };
      request.emit({ type: 'notice', level: 'warning', code: 'trace-unwritten', headline: 'No trace is kept', facts });
    }
  };
  let status: number;
  try {
    status = await run({ ...request, emit: recorder.emit });
  } catch (thrown) {
    write(exitStatusOf(thrown), thrown);
    throw thrown;
  }
  write(status);
  return status;
}

/** What the command line asks of a build. */
export function buildRequest(context: CommandContext, project: Project, targets: readonly Package[]): BuildRequest {
  const { options } = context.line;
  return {
    ...project,
    targets,
    platform: hostPlatform(),
    options: {
      jobs: options.jobs ?? availableParallelism(),
      ownJobs: options.jobs !== undefined,
      ...(options.loadAverage !== undefined && { load: options.loadAverage }),
      spareMemoryBytes: (options.spareMemory ?? 256) * 1024 * 1024,
      frozen: options.frozen,
      offline: options.offline,
      noCache: options.noCache,
      noBuild: options.noBuild,
      noInstall: options.noInstall,
      push: options.push,
      installTools: options.installTools,
      keep: options.keep,
      keepGoing: options.keepGoing,
      sandbox: options.sandbox ?? sandboxOf(context.env),
      ...(options.keepGenerations !== undefined && { keepGenerations: options.keepGenerations }),
    },
    environment: context.env,
    publishing: {
      files: project.loaded.files,
      named: context.line.targets.length > 0 ? targets : [],
      signing: context.signing,
    },
    emit: (event) => context.reporter.event(event),
    signal: context.signal,
  };
}

/** @throws {VbuildError} `usage` for a word that it cannot be. */
function sandboxOf({ VBUILD_SANDBOX: found }: CommandContext['env']): NonNullable<RunOptions['sandbox']> {
  if (found === undefined || found === '') return 'auto';
  if (found === 'auto' || found === 'require' || found === 'off') return found;
  throw new VbuildError('usage', 'VBUILD_SANDBOX has no such choice', {
    facts: { expected: 'auto, require or off', found },
    mend: 'set it to one of these, or unset it',
  });
}

/** Lets the same command answer at once the next time; only where all that it prints is that there is nothing to do. */
function remember({ line, question, cwd }: CommandContext, { loaded, prefix }: Project, request: BuildRequest): void {
  const { json, quiet, verbose } = line.options;
  const files = loaded.environment === undefined || json || quiet || verbose ? undefined : restsOn(request);
  if (loaded.environment === undefined || files === undefined) return;
  const facts = { targets: request.targets.map(({ name }) => name), generation: undefined, failed: 0, skipped: 0, cwd };
  const event = {
    type: 'run-finished',
    exitStatus: 0,
    durationMs: 0,
    outcomes: { fresh: 1, restored: 0, built: 0 },
    prefix,
  } as const;
  rememberAnswer(question, {
    // Another version of vbuild may answer otherwise.
    files: [...loaded.files, ...loaded.names, buildfileOf({ line, cwd }), ...files, ...ownFiles()],
    // The texts in the prefix name it.
    places: [dirname(prefix)],
    environment: loaded.environment,
    answer: `${lastLine(event, facts)}\n`,
    startedMs: performance.timeOrigin,
  });
}
