/** Reads the command line, runs the command, and makes sure that every end has its words and its exit status. */
import { resolve } from 'node:path';
import type { SigningSource } from '../build/signing-key.ts';
import { VbuildError } from '../model/error.ts';
import { chooseReporter } from '../report/choose.ts';
import { exitStatusOf } from '../report/error-text.ts';
import type { ReportOptions } from '../report/reporter.ts';
import { killRunning } from '../system/process-groups.ts';
import { leaveIfStuck } from '../system/stuck.ts';
import type { Command } from './command.ts';
import type { CommandName } from './command-table.ts';
import { type CommandLine, parseCommandLine } from './options.ts';

interface MainInput {
  /** Without Node and script. */
  readonly argv: readonly string[];
  /** Absolute; `undefined` where it is gone. */
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `VBUILD_SIGNING_KEY` and `VBUILD_SIGNING_KEY_FILE`, taken out of `env`. */
  readonly signing?: SigningSource;
  readonly stdout: ReportOptions['stdout'];
  readonly stderr: ReportOptions['stderr'];
}

/** Each command is loaded when it runs, so that none pays for another. */
const commands: Readonly<Record<CommandName, () => Promise<Command>>> = {
  build: async () => (await import('./build.ts')).build,
  list: async () => (await import('./list.ts')).list,
  show: async () => (await import('./show.ts')).show,
  init: async () => (await import('./start-project.ts')).startProject,
  exec: async () => (await import('./exec.ts')).exec,
  env: async () => (await import('./env.ts')).env,
  lock: async () => (await import('./lock.ts')).lock,
  update: async () => (await import('./lock.ts')).update,
  check: async () => (await import('./check.ts')).check,
  install: async () => (await import('./install.ts')).install,
  rollback: async () => (await import('./rollback.ts')).rollback,
  generations: async () => (await import('./rollback.ts')).generations,
  verify: async () => (await import('./rollback.ts')).verify,
  'release create': async () => (await import('./release.ts')).releaseCreate,
  'release diff': async () => (await import('./release.ts')).releaseDiff,
  'release drop': async () => (await import('./release.ts')).releaseDrop,
  plan: async () => (await import('./plan.ts')).plan,
  why: async () => (await import('./why.ts')).why,
  status: async () => (await import('./status.ts')).status,
  graph: async () => (await import('./graph.ts')).graph,
  report: async () => (await import('./report.ts')).report,
  log: async () => (await import('./log.ts')).log,
  shell: async () => (await import('./shell.ts')).shell,
  clean: async () => (await import('./clean.ts')).clean,
  eject: async () => (await import('./eject.ts')).eject,
  completion: async () => (await import('./completion.ts')).completion,
  doctor: async () => (await import('./doctor.ts')).doctor,
  'patch apply': async () => (await import('./patch-apply.ts')).patchApply,
  'patch check': async () => (await import('./patch-check.ts')).patchCheck,
  'patch edit': async () => (await import('./patch-edit.ts')).patchEdit,
  'patch save': async () => (await import('./patch-edit.ts')).patchSave,
  'patch rebase': async () => (await import('./patch-edit.ts')).patchRebase,
  'cache push': async () => (await import('./cache-push.ts')).cachePush,
  'cache ls': async () => (await import('./cache-ls.ts')).cacheLs,
  'cache prove': async () => (await import('./cache-prove.ts')).cacheProve,
  'cache gc': async () => (await import('./cache-gc.ts')).cacheGc,
  sbom: async () => (await import('./sbom.ts')).sbom,
  legal: async () => (await import('./legal.ts')).legal,
  'key new': async () => (await import('./key-new.ts')).keyNew,
  help: async () => (await import('./pages.ts')).help,
  version: async () => (await import('./pages.ts')).printVersion,
};

/** @returns The exit status. Never throws. */
export async function main({ argv, cwd: given, env, signing, stdout, stderr }: MainInput): Promise<number> {
  const cwd = given ?? '/';
  const reporterFor = (options: Partial<CommandLine['options']>): ReturnType<typeof chooseReporter> =>
    chooseReporter({
      stdout,
      stderr,
      env,
      cwd,
      json: options.json === true,
      detail: options.quiet === true ? 'quiet' : options.verbose === true ? 'verbose' : 'normal',
      nowMs: () => performance.now(),
    });
  // Whoever asked for JSON gets it of a line with mistakes as well.
  const end = argv.indexOf('--');
  let reporter = reporterFor({ json: argv.slice(0, end < 0 ? argv.length : end).includes('--json') });
  // What is drawn must not be left to the shell, however suddenly this ends.
  const interruption = interrupts(() => reporter.end());
  try {
    const line = parseCommandLine(argv);
    if (given === undefined) throw folderIsGone();
    reporter.end();
    reporter = reporterFor(line.options);
    const command = await commands[line.command]();
    const folder = resolve(cwd, line.options.directory ?? '.');
    const status = await command({
      line,
      question: { argv, cwd, env },
      cwd: folder,
      env,
      signing: { key: signing?.key, file: signing?.file && resolve(cwd, signing.file) },
      stdout,
      reporter,
      signal: interruption.signal,
    });
    return interruption.status() ?? status;
  } catch (thrown) {
    const status = interruption.status();
    reporter.error(status === undefined ? thrown : interruptedError());
    return status ?? exitStatusOf(thrown);
  } finally {
    reporter.end();
    interruption.stop();
  }
}

const folderIsGone = (): VbuildError =>
  new VbuildError('usage', 'Current folder is gone', {
    facts: { expected: 'a folder that is there', found: 'one that was removed after the shell went into it' },
    mend: 'go to it again, as by cd "$PWD", or to another folder',
  });

/** What an interrupt cut off is not told in the words of whatever noticed it first. */
const interruptedError = (): VbuildError =>
  new VbuildError('interrupted', 'Interrupted', { mend: 'run vbuild again: what was complete is kept' });

/** How long what is interrupted may take to end by itself: all states on disk are such that nothing is lost when it is cut off. */
const patienceMs = 1900;

/** The first interrupt asks everything to end; the second, or too much time, ends it at once with all that it runs. */
function interrupts(beforeEnd: () => void): {
  readonly signal: AbortSignal;
  readonly status: () => number | undefined;
  readonly stop: () => void;
} {
  const controller = new AbortController();
  let status: number | undefined;
  const end = (): never => {
    killRunning();
    beforeEnd();
    leaveIfStuck(status ?? 1);
    process.exit(status);
  };
  const on = (number: number) => (): void => {
    if (status !== undefined) end();
    status = 128 + number;
    setTimeout(end, patienceMs).unref();
    controller.abort();
  };
  const handlers = [
    ['SIGINT', on(2)],
    ['SIGTERM', on(15)],
    ['SIGHUP', on(1)],
  ] as const;
  for (const [name, handler] of handlers) process.on(name, handler);
  return {
    signal: controller.signal,
    status: () => status,
    stop: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
