/** Child processes, the only door to execa: closed stdin, an own process group, only the environment that is given. */
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { execa } from 'execa';

export interface Command {
  /** Program and arguments; the program is looked up in `env.PATH`. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path of a file to which stdout and stderr are appended, in the order written. */
  readonly log?: string;
  /** Ends the whole process group when aborted. */
  readonly signal?: AbortSignal;
  /** Bytes given on stdin; without it stdin is closed. */
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** A descriptor of ours that the child gets as its descriptor 3, such as a jobserver's. */
  readonly descriptor?: number;
}

export interface Finished {
  /** `undefined` when a signal ended it or it could not be started. */
  readonly exitStatus: number | undefined;
  readonly signal: string | undefined;
  /** Why it could not be started, such as `ENOENT`. */
  readonly failure: string | undefined;
  /** Empty when a log was asked for. */
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Runs a command to its end; never throws for what the command did. */
export async function run(command: Command): Promise<Finished> {
  const [program, ...args] = command.argv;
  if (program === undefined) throw new Error('run() needs a program');
  const startedMs = performance.now();
  // One descriptor for both streams keeps lines in the order written, and is quicker than any pipe through this process.
  const log = command.log === undefined ? undefined : openSync(command.log, 'a');
  // execa takes any descriptor; its types know of the first few only.
  const sink = (log ?? 'pipe') as 'pipe';
  const extra = (command.descriptor === undefined ? [] : [command.descriptor]) as unknown as 'ignore'[];
  const result = await execa(program, args, {
    cwd: command.cwd,
    env: command.env,
    extendEnv: false,
    ...(command.input !== undefined && { input: command.input }),
    stdio: [command.input === undefined ? 'ignore' : 'pipe', sink, sink, ...extra],
    buffer: command.log === undefined,
    maxBuffer: 64 * 1024 * 1024,
    reject: false,
    killDescendants: true,
    forceKillAfterDelay: 1500,
    ...(command.signal && { cancelSignal: command.signal }),
    ...(command.timeoutMs !== undefined && { timeout: command.timeoutMs }),
  });
  if (log !== undefined) closeSync(log);
  return {
    exitStatus: result.exitCode,
    signal: result.signal,
    failure:
      result.failed && result.exitCode === undefined && result.signal === undefined
        ? (result.code ?? result.shortMessage)
        : undefined,
    stdout: typeof result.stdout === 'string' ? result.stdout : '',
    stderr: typeof result.stderr === 'string' ? result.stderr : '',
    durationMs: performance.now() - startedMs,
  };
}

/**
 * Runs a command and hands on its stdout as it comes, for output too large to be held; both end together.
 * The consumer must read the chunks to their end, or abort the command's signal.
 */
export function stream(command: Omit<Command, 'log' | 'input' | 'descriptor'>): {
  readonly stdout: Readable;
  readonly finished: Promise<Finished>;
} {
  const [program, ...args] = command.argv;
  if (program === undefined) throw new Error('stream() needs a program');
  const startedMs = performance.now();
  const child = execa(program, args, {
    cwd: command.cwd,
    env: command.env,
    extendEnv: false,
    stdio: ['ignore', 'pipe', 'pipe'],
    buffer: { stdout: false, stderr: true },
    reject: false,
    killDescendants: true,
    forceKillAfterDelay: 1500,
    ...(command.signal && { cancelSignal: command.signal }),
    ...(command.timeoutMs !== undefined && { timeout: command.timeoutMs }),
  });
  const finished = child.then((result) => ({
    exitStatus: result.exitCode,
    signal: result.signal,
    failure:
      result.failed && result.exitCode === undefined && result.signal === undefined
        ? (result.code ?? result.shortMessage)
        : undefined,
    stdout: '',
    stderr: result.stderr,
    durationMs: performance.now() - startedMs,
  }));
  return { stdout: child.stdout, finished };
}
