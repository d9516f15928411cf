/** Runs the steps of a recipe, one after another, each one repeatable by hand from the log that it leaves. */
import { hostname } from 'node:os';
import { VbuildError } from '../model/error.ts';
import type { Emit } from '../model/event.ts';
import { appendText, fileStat, makeFolder, readBytes, writeAtomically } from '../system/files.ts';
import { recorded } from '../system/process-groups.ts';
import { run } from '../system/process.ts';
import { reachedFor } from '../system/sandbox.ts';
import { realEnvironment } from './environment.ts';
import { lostOptions } from './log-reading.ts';
import { quoted } from '../model/quoted.ts';
import type { Step } from './recipe.ts';
import { type Sharing, sharing } from './sharing.ts';
import { bound, commandOf, makeVariables, onHost, pasteable, type StepsFrame } from './step-command.ts';
import { isUndeclared, optionsLost, stepFailed, undeclared } from './step-failure.ts';

export interface StepsRun extends StepsFrame {
  /** Absolute path of the log, to which everything is appended; its folder is there. */
  readonly log: string;
  /** Absolute path of the program that a failing step leaves behind, which repeats that step; none when not given. */
  readonly again?: string;
  readonly emit: Emit;
  /** `name@version`. */
  readonly package: string;
  readonly signal: AbortSignal;
  /** Which steps to run, counted from 0: the first one, and the one before which to stop; all when not given. */
  readonly range?: readonly [first: number, end: number];
}

/**
 * Runs every step to its end, in order: umask 022, closed stdin, and nothing of the caller's environment.
 *
 * @throws {VbuildError} `step-failed` at the first step that fails or whose options have no effect; `interrupted`.
 */
export async function runSteps(given: StepsRun): Promise<void> {
  const { steps, environment, places, log, jobs, jobserver, range: [first, end] = [0, given.steps.length] } = given;
  const env = realEnvironment(environment, places, jobs);
  for (const folder of [env['HOME'], env['TMPDIR'], places.stage])
    if (folder !== undefined) makeFolder(onHost(given, folder));
  appendText(log, prelude(given, env));
  const named = jobserver?.nameIn(onHost(given, places.root)) ?? false;
  for (const [at, step] of steps.entries()) {
    if (at < first || at >= end) continue;
    const way = sharing(step, { environment, tools: given.tools ?? {}, named });
    const extra = way.by === 'share' ? (jobserver?.takeFree(jobs - 1) ?? jobs - 1) : 0;
    try {
      const share = jobserver === undefined && way.by !== 'nothing' ? jobs : 1 + extra;
      await runStep(given, step, way, share, `step ${at + 1} of ${steps.length}, ${step.group}`);
    } finally {
      jobserver?.give(extra);
    }
  }
}

async function runStep(given: StepsRun, step: Step, way: Sharing, share: number, title: string): Promise<void> {
  const { places, log, emit, signal, jobserver } = given;
  const line = commandOf(given, step, way, share);
  const { argv, folder, program, cwd, environment } = line;
  const command =
    typeof step.run === 'string' ? firstLine(argv.at(-1) ?? '') : argv.map((word) => quoted(firstLine(word))).join(' ');
  appendText(log, `\n# ${title}\n${pasteable(line)}\n`);
  const startsAt = fileStat(log)?.sizeBytes ?? 0;
  emit({ type: 'step-started', package: given.package, group: step.group, command, log });
  const finished = await run({
    ...recorded({ argv: program, env: { ...environment, ...makeVariables(given, way, share) } }),
    cwd,
    log,
    signal,
    ...(step.timeout !== undefined && { timeoutMs: step.timeout * 1000 }),
    ...(step.silentTimeout !== undefined && { silentTimeoutMs: step.silentTimeout * 1000 }),
    ...(jobserver !== undefined && { descriptor: jobserver.descriptor }),
  });
  // A shell says with a status above 128 that a signal ended what it ran.
  if ((finished.exitStatus ?? 129) > 128) jobserver?.suspect();
  if (signal.aborted) throw interrupted(given, command);
  const output = readBytes(log).subarray(startsAt).toString();
  const reached =
    given.binding?.namespace.sealed === true
      ? reachedFor(given.binding.host, [hostname(), given.disguise?.host ?? hostname()])
      : { names: [], addresses: [], homes: [], files: [] };
  const failure = { package: given.package, places, step, title, command, output, log, reached };
  if (finished.exitStatus !== 0) {
    const { again } = given;
    const env = { ...environment, ...makeVariables(given, way, share, false) };
    if (again !== undefined) writeAtomically(again, repetition(`${given.package}, ${title}`, cwd, env, program), 0o755);
    throw stepFailed({
      ...failure,
      finished,
      tree: onHost(given, places.tree),
      folder: onHost(given, folder),
      ...(again !== undefined && { again }),
    });
  }
  if (isUndeclared(reached)) throw undeclared(failure);
  const lost = step.group === 'configure' ? lostOptions(step.run, output) : [];
  if (lost.length > 0) throw optionsLost(failure, lost);
}

/** The shell to start, and what to paste into it before one of the commands below it is pasted. */
function prelude(given: StepsRun, env: Readonly<Record<string, string>>): string {
  const shell = bound(given, given.places.tree, ['env', '-i', 'bash']).map(quoted).join(' ');
  const lines = Object.entries(env).map(([variable, value]) => `export ${variable}=${quoted(value)}`);
  return `# ${given.package}: to repeat a step, start this shell, paste the lines below it, then the step\n#   ${shell}\n${lines.join('\n')}\numask 022\n`;
}

/** A program that does what a step did, in the same environment, with as many jobs but a pool of its own. */
const repetition = (
  what: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  argv: readonly string[],
): string => {
  const variables = Object.entries(env).map(([variable, value]) => `${variable}=${quoted(value)}`);
  return `#!/bin/sh\n# Repeats ${what}\numask 022\ncd ${quoted(cwd)} || exit\nexec ${['env -i', ...variables, argv.map(quoted).join(' ')].join(' \\\n  ')}\n`;
};

/** For people, who find the whole of it in the log. */
const firstLine = (text: string): string => {
  const [first = '', ...more] = text.trim().split('\n');
  return more.length === 0 ? first : `${first} …`;
};

const interrupted = ({ package: name }: StepsRun, command: string): VbuildError =>
  new VbuildError('interrupted', 'Interrupted', {
    where: { package: name },
    facts: { command },
    mend: 'run vbuild again',
  });
