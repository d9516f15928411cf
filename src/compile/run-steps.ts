/** Runs the steps of a recipe, one after another, each one repeatable by hand from the log that it leaves. */
import { join } from 'node:path';
import { VbuildError } from '../model/error.ts';
import type { Emit } from '../model/event.ts';
import { appendText, fileStat, makeFolder, readBytes, realPath } from '../system/files.ts';
import { type Finished, run } from '../system/process.ts';
import { type Places, realEnvironment, withPlaces } from './environment.ts';
import { firstError, lastLines, lostOptions } from './log-reading.ts';
import { quoted } from './quoted.ts';
import type { Step, StepCommand } from './recipe.ts';

export { quoted };

export interface StepsRun {
  readonly steps: readonly Step[];
  /** With places as symbols, as `standardEnvironment` gives it. */
  readonly environment: Readonly<Record<string, string>>;
  /** `root`, `tree` and `prefix` are there; the stage is made. */
  readonly places: Places;
  /** Absolute path of the log, to which everything is appended; its folder is there. */
  readonly log: string;
  readonly emit: Emit;
  /** `name@version`. */
  readonly package: string;
  readonly signal: AbortSignal;
  /** How many jobs the steps may run at once, at least 1. */
  readonly jobs: number;
  /** Descriptor of a job server with that many tokens, which every make below shares; without one, makes get `-j`. */
  readonly jobserver?: number;
}

/**
 * Runs every step to its end, in order: umask 022, closed stdin, and nothing of the caller's environment.
 *
 * @throws {VbuildError} `step-failed` at the first step that fails or whose options have no effect; `interrupted`.
 */
export async function runSteps(given: StepsRun): Promise<void> {
  const { steps, environment, places, log, jobs } = given;
  const env = realEnvironment(environment, places, jobs);
  for (const folder of [env['HOME'], env['TMPDIR'], places.stage]) if (folder !== undefined) makeFolder(folder);
  appendText(log, prelude(given.package, env));
  for (const [at, step] of steps.entries())
    await runStep(given, step, env, `step ${at + 1} of ${steps.length}, ${step.group}`);
}

async function runStep(
  given: StepsRun,
  step: Step,
  env: Readonly<Record<string, string>>,
  title: string,
): Promise<void> {
  const { places, log, emit, signal, jobs } = given;
  const argv = argvOf(step.run).map((word) => withPlaces(word, places, jobs));
  const command =
    typeof step.run === 'string' ? firstLine(argv.at(-1) ?? '') : argv.map((word) => quoted(firstLine(word))).join(' ');
  const cwd = folderOf(given, step);
  appendText(log, `\n# ${title}\n(cd ${quoted(cwd)} && ${argv.map(quoted).join(' ')})\n`);
  const startsAt = fileStat(log)?.sizeBytes ?? 0;
  emit({ type: 'step-started', package: given.package, group: step.group, command, log });
  const finished = await run({
    // A umask belongs to a process, so each step sets its own; the shell then becomes the program.
    argv: ['/bin/sh', '-c', 'umask 022 && exec "$@"', 'step', ...argv],
    cwd,
    env: { ...env, ...makeVariables(given, step) },
    log,
    signal,
    ...(given.jobserver !== undefined && { descriptor: given.jobserver }),
  });
  if (signal.aborted) throw interrupted(given, command);
  const output = readBytes(log).subarray(startsAt).toString();
  if (finished.exitStatus !== 0) throw failed(given, command, finished, output);
  const lost = step.group === 'configure' ? lostOptions(step.run, output) : [];
  if (lost.length > 0) throw optionsLost(given, command, lost);
}

const argvOf = (command: StepCommand): readonly string[] =>
  typeof command === 'string' ? ['bash', '-eu', '-o', 'pipefail', '-c', command] : command;

/** The absolute folder of a step, made if need be; a symlink in the tree may not lead it out of the root. */
function folderOf({ places }: StepsRun, step: Step): string {
  const folder = join(places.tree, step.in ?? '.');
  const root = realPath(places.root);
  const outside = (path: string): boolean => path !== root && !path.startsWith(`${root}/`);
  // What is there already is looked at before anything is made below it.
  const there = ancestors(folder).find((path) => fileStat(path) !== undefined) ?? '/';
  if (outside(realPath(there))) {
    throw new VbuildError('step-failed', 'A step would run outside the work folder', {
      facts: { folder: step.in ?? '.', leads: realPath(there) },
      mend: 'name a folder in the tree, or beside it such as ../build',
    });
  }
  makeFolder(folder);
  return folder;
}

/** A path and the folders above it, the path first. */
function ancestors(path: string): string[] {
  const above = join(path, '..');
  return above === path ? [path] : [path, ...ancestors(above)];
}

/**
 * Makes learn their share of jobs in this way only: `-jN` on a command line would leave the job server. Only groups that
 * are made for it get any: configure starts its makes through programs that close the server's descriptor, and many a
 * makefile that builds in parallel does not install so.
 */
function makeVariables({ jobs, jobserver }: StepsRun, { group }: Step): Record<string, string> {
  if (group !== 'build' && group !== 'check') return {};
  return { MAKEFLAGS: jobserver === undefined ? `-j${jobs}` : ` -j${jobs} --jobserver-auth=3,3` };
}

/** What to paste into `env -i bash` before one of the commands below it is pasted. */
function prelude(name: string, env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([variable, value]) => `export ${variable}=${quoted(value)}`);
  return `# ${name}: to repeat a step, start env -i bash, paste these lines, then the step\n${lines.join('\n')}\numask 022\n`;
}

/** For people, who find the whole of it in the log. */
const firstLine = (text: string): string => {
  const [first = '', ...more] = text.trim().split('\n');
  return more.length === 0 ? first : `${first} …`;
};

function failed({ log, package: name }: StepsRun, command: string, finished: Finished, output: string): VbuildError {
  const { exitStatus, signal, failure } = finished;
  const ended =
    exitStatus !== undefined
      ? `exit status ${exitStatus}`
      : signal !== undefined
        ? `signal ${signal}`
        : (failure ?? 'unknown');
  const error = firstError(output);
  return new VbuildError('step-failed', 'A step failed', {
    where: { package: name },
    facts: { command, ended, ...(error !== undefined && { error }), 'last lines': lastLines(output, 12), log },
    mend: 'read the log, whose head says how to repeat the step by hand; then change the recipe or add a patch',
  });
}

const optionsLost = ({ log, package: name }: StepsRun, command: string, lost: readonly string[]): VbuildError =>
  new VbuildError('step-failed', 'Options have no effect', {
    where: { package: name },
    facts: { options: lost.join(' '), command, log },
    mend: 'correct them in the recipe, or drop them: this version of the package does not know them',
  });

const interrupted = ({ package: name }: StepsRun, command: string): VbuildError =>
  new VbuildError('interrupted', 'Interrupted', {
    where: { package: name },
    facts: { command },
    mend: 'run vbuild again',
  });
