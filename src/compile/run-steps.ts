/** Runs the steps of a recipe, one after another, each one repeatable by hand from the log that it leaves. */
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isWithin, onHost as pathOnHost } from '../artifact/places.ts';
import { VbuildError } from '../model/error.ts';
import type { Emit } from '../model/event.ts';
import { appendText, fileStat, makeFolder, readBytes, writeAtomically } from '../system/files.ts';
import { type Jobserver, pipeName } from '../system/jobserver.ts';
import { type Binding, inNamespace } from '../system/namespace.ts';
import { recorded } from '../system/process-groups.ts';
import { run } from '../system/process.ts';
import { reachedFor } from '../system/sandbox.ts';
import { kindOf, linkTarget } from '../system/tree-edit.ts';
import { type Places, realEnvironment, withPlaces } from './environment.ts';
import { lostOptions } from './log-reading.ts';
import { quoted } from './quoted.ts';
import type { Step, StepCommand } from './recipe.ts';
import { type Sharing, sharing } from './sharing.ts';
import { isUndeclared, optionsLost, stepFailed, undeclared } from './step-failure.ts';

export { quoted };

export interface StepsRun {
  readonly steps: readonly Step[];
  /** With places as symbols, as `standardEnvironment` gives it. */
  readonly environment: Readonly<Record<string, string>>;
  /** As the steps see them; `root`, `tree` and `prefix` are there, the stage is made. */
  readonly places: Places;
  /** How `places.root` comes to be seen there; without one, steps see all paths as this process does. */
  readonly binding?: Binding;
  /** Absolute path of the log, to which everything is appended; its folder is there. */
  readonly log: string;
  /** Absolute path of the program that a failing step leaves behind, which repeats that step; none when not given. */
  readonly again?: string;
  readonly emit: Emit;
  /** `name@version`. */
  readonly package: string;
  readonly signal: AbortSignal;
  /** How many jobs the steps may run at once, at least 1. */
  readonly jobs: number;
  /** The pool that every make and ninja below shares, of which one token is ours; without one, they get `-j`. */
  readonly jobserver?: Jobserver;
  /** The load average at which makes below hold back new jobs; none when not given. */
  readonly load?: number;
  /** Pinned versions of tools, by name: how they share jobs depends on them. */
  readonly tools?: Readonly<Record<string, string>>;
}

/**
 * Runs every step to its end, in order: umask 022, closed stdin, and nothing of the caller's environment.
 *
 * @throws {VbuildError} `step-failed` at the first step that fails or whose options have no effect; `interrupted`.
 */
export async function runSteps(given: StepsRun): Promise<void> {
  const { steps, environment, places, log, jobs, jobserver } = given;
  const env = realEnvironment(environment, places, jobs);
  for (const folder of [env['HOME'], env['TMPDIR'], places.stage])
    if (folder !== undefined) makeFolder(onHost(given, folder));
  appendText(log, prelude(given, env));
  const named = jobserver?.nameIn(onHost(given, places.root)) ?? false;
  for (const [at, step] of steps.entries()) {
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
  const argv = argvOf(way.by === 'fifo' ? way.run : step.run).map((word) => withPlaces(word, places, share));
  const command =
    typeof step.run === 'string' ? firstLine(argv.at(-1) ?? '') : argv.map((word) => quoted(firstLine(word))).join(' ');
  const folder = folderOf(given, step);
  appendText(log, `\n# ${title}\n(cd ${quoted(folder)} && ${argv.map(quoted).join(' ')})\n`);
  const startsAt = fileStat(log)?.sizeBytes ?? 0;
  emit({ type: 'step-started', package: given.package, group: step.group, command, log });
  const program = bound(given, folder, argv);
  const own = realEnvironment(given.environment, places, share);
  const cwd = given.binding?.host ?? folder;
  const finished = await run({
    // A umask belongs to a process, so each step sets its own; the shell then becomes the program.
    argv: recorded(program),
    cwd,
    env: { ...own, ...makeVariables(given, way, share) },
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
      ? reachedFor(given.binding.host, hostname())
      : { names: [], addresses: false, files: [] };
  const failure = { package: given.package, places, step, title, command, output, log, reached };
  if (finished.exitStatus !== 0) {
    const { again } = given;
    const env = { ...own, ...makeVariables(given, way, share, false) };
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

const argvOf = (command: StepCommand): readonly string[] =>
  typeof command === 'string' ? ['bash', '-eu', '-o', 'pipefail', '-c', command] : command;

/** Where a path that steps see lies on this machine. */
const onHost = ({ places: { root }, binding }: StepsRun, seen: string): string =>
  pathOnHost({ root, host: binding?.host ?? root }, seen);

/** One namespace for the whole step, however many programs it starts. */
const bound = ({ binding }: StepsRun, folder: string, argv: readonly string[]): readonly string[] =>
  binding === undefined ? argv : inNamespace(binding, folder, argv);

/** The folder of a step as it sees it, made if need be: below the root without a symlink, as one in the tree may not lead it out. */
function folderOf(given: StepsRun, step: Step): string {
  const root = followed(given, onHost(given, given.places.root));
  const host = followed(given, onHost(given, join(given.places.tree, step.in ?? '.')));
  if (host === undefined || root === undefined || !isWithin(root, host)) {
    const leads = host === undefined ? 'in a circle' : ancestors(host).find((path) => kindOf(path) !== 'nothing');
    throw new VbuildError('step-failed', 'A step would run outside the work folder', {
      facts: { folder: step.in ?? '.', leads: leads ?? '/' },
      mend: 'name a folder in the tree, or beside it such as ../build',
    });
  }
  makeFolder(host);
  return given.places.root + host.slice(root.length);
}

/**
 * A path of this machine without symlinks, as far as it exists; `undefined` when they lead in a circle. Not the system's `realpath`, which
 * knows nothing of the paths that steps see and write into links.
 */
function followed(given: StepsRun, path: string, hops = 40): string | undefined {
  const link = ancestors(path).findLast((above) => kindOf(above) === 'symlink');
  if (link === undefined) return path;
  if (hops === 0) return undefined;
  const target = onHost(given, resolve(dirname(link), linkTarget(link)));
  return followed(given, join(target, path.slice(link.length)), hops - 1);
}

/** A path and the folders above it, the path first. */
function ancestors(path: string): string[] {
  const above = join(path, '..');
  return above === path ? [path] : [path, ...ancestors(above)];
}

/** Makes learn their share of jobs in this way only: `-jN` on a command line would leave the pool. */
function makeVariables(
  { jobs, load, places, jobserver }: StepsRun,
  way: Sharing,
  share: number,
  pooled = jobserver !== undefined,
): Record<string, string> {
  const limit = load === undefined ? '' : ` -l${load}`;
  if (way.by === 'nothing') return {};
  if (way.by === 'share' || !pooled) return { MAKEFLAGS: `-j${way.by === 'share' ? share : jobs}${limit}` };
  const auth = way.by === 'fifo' ? `fifo:${places.root}/${pipeName}` : '3,3';
  return { MAKEFLAGS: ` -j${jobs}${limit} --jobserver-auth=${auth}` };
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
