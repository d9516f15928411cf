/** Reads the command line, runs the command, and makes sure that every end has its words and its exit status. */
import { resolve } from 'node:path';
import { chooseReporter } from '../report/choose.ts';
import { exitStatusOf } from '../report/error-text.ts';
import type { ReportOptions } from '../report/reporter.ts';
import type { Command } from './command.ts';
import type { CommandName } from './command-table.ts';
import { type CommandLine, parseCommandLine } from './options.ts';

export interface MainInput {
  /** Without Node and script. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
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
  help: async () => (await import('./pages.ts')).help,
  version: async () => (await import('./pages.ts')).printVersion,
};

/** @returns The exit status. Never throws. */
export async function main({ argv, cwd, env, stdout, stderr }: MainInput): Promise<number> {
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
  let reporter = reporterFor({});
  const interruption = interrupts();
  try {
    const line = parseCommandLine(argv);
    reporter.end();
    reporter = reporterFor(line.options);
    const command = await commands[line.command]();
    const folder = resolve(cwd, line.options.directory ?? '.');
    const status = await command({
      line,
      question: { argv, cwd, env },
      cwd: folder,
      env,
      stdout,
      reporter,
      signal: interruption.signal,
    });
    return interruption.status() ?? status;
  } catch (thrown) {
    const status = interruption.status();
    if (status === undefined) reporter.error(thrown);
    return status ?? exitStatusOf(thrown);
  } finally {
    reporter.end();
    interruption.stop();
  }
}

/** The first interrupt asks everything to end; the second ends this process at once. */
function interrupts(): {
  readonly signal: AbortSignal;
  readonly status: () => number | undefined;
  readonly stop: () => void;
} {
  const controller = new AbortController();
  let status: number | undefined;
  const on = (number: number) => (): void => {
    if (status !== undefined) process.exit(status);
    status = 128 + number;
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
