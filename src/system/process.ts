/** Child processes, the only door to execa: closed stdin, an own process group, only the environment that is given. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { endLeftovers, endTree, noteEnded, noteStarted } from './process-groups.ts';

export interface Command {
  /** Program and arguments; the program is looked up in `env.PATH`. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path of a file to which stdout and stderr are appended, in the order written. */
  readonly log?: string;
  /** Ends the command and all that descends from it when aborted. */
  readonly signal?: AbortSignal;
  /** Bytes given on stdin; without it stdin is closed. */
  readonly input?: string | Uint8Array;
  /** How long it may take. */
  readonly timeoutMs?: number;
  /** How long it may add nothing to its log. */
  readonly silentTimeoutMs?: number;
  /** A descriptor of ours that the child gets as its descriptor 3, such as a jobserver's. */
  readonly descriptor?: number;
}

export interface Finished {
  /** `undefined` when a signal ended it, we did, or it could not be started. */
  readonly exitStatus: number | undefined;
  readonly signal: string | undefined;
  /** Why it could not be started, such as `ENOENT`. */
  readonly failure: string | undefined;
  /** Why we ended it; undefined when it ended by itself. */
  readonly endedBy: EndedBy | undefined;
  /** Empty when a log was asked for. */
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

type EndedBy = 'abort' | 'timeout' | 'silence';

/** Runs a command to its end, and ends what it leaves running; never throws for what the command did. */
export async function run(command: Command): Promise<Finished> {
  const [program, ...args] = command.argv;
  if (program === undefined) throw new Error('run() needs a program');
  // It takes longer to load than many a run takes, and not every one has a process to start.
  const { execa } = await import('execa');
  const startedMs = performance.now();
  // One descriptor for both streams keeps lines in the order written, and is quicker than any pipe through this process.
  const log = command.log === undefined ? undefined : openSync(command.log, 'a');
  // execa takes any descriptor; its types know of the first few only.
  const sink = (log ?? 'pipe') as 'pipe';
  const extra = (command.descriptor === undefined ? [] : [command.descriptor]) as unknown as 'ignore'[];
  const child = execa(program, args, {
    cwd: command.cwd,
    env: command.env,
    extendEnv: false,
    ...(command.input !== undefined && { input: command.input }),
    stdio: [command.input === undefined ? 'ignore' : 'pipe', sink, sink, ...extra],
    buffer: command.log === undefined,
    maxBuffer: 64 * 1024 * 1024,
    reject: false,
    killDescendants: true,
  });
  const watch = watchOver(child.nodeChildProcess, command, log);
  const result = await child;
  const endedBy = await watch.ended();
  if (log !== undefined) closeSync(log);
  return {
    ...endOf(result, endedBy),
    stdout: typeof result.stdout === 'string' ? result.stdout : '',
    stderr: typeof result.stderr === 'string' ? result.stderr : '',
    durationMs: performance.now() - startedMs,
  };
}

/** Ends a child, with all that descends from it, when it is time to; `log` is the descriptor that it writes to. */
function watchOver(
  child: ChildProcess,
  { signal, timeoutMs, silentTimeoutMs }: Pick<Command, 'signal' | 'timeoutMs' | 'silentTimeoutMs'>,
  log?: number,
): { readonly ended: () => Promise<EndedBy | undefined> } {
  const { pid } = child;
  if (pid === undefined) return { ended: async () => undefined };
  noteStarted(pid);
  let endedBy: EndedBy | undefined;
  let ending: Promise<void> | undefined;
  const end = (why: EndedBy): void => {
    if (ending !== undefined) return;
    endedBy = why;
    ending = endTree(pid).then(() => {
      // What left the tree may hold the other ends.
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
  };
  // What it leaves running would write into what it made, and may hold its output open.
  child.once('exit', () => void (ending ??= endLeftovers(pid)));
  const onAbort = (): void => end('abort');
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const timeout = timeoutMs === undefined ? undefined : setTimeout(() => end('timeout'), timeoutMs);
  const silence =
    silentTimeoutMs === undefined || log === undefined ? undefined : watchSilence(log, silentTimeoutMs, end);
  return {
    async ended() {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(timeout);
      clearInterval(silence);
      await ending;
      noteEnded(pid);
      return endedBy;
    },
  };
}

/** The child writes to the log itself, so that its size is all that tells. */
function watchSilence(log: number, silentTimeoutMs: number, end: (why: EndedBy) => void): NodeJS.Timeout {
  let size = 0;
  let sinceMs = performance.now();
  return setInterval(
    () => {
      const now = fstatSync(log).size;
      if (now !== size) [size, sinceMs] = [now, performance.now()];
      else if (performance.now() - sinceMs >= silentTimeoutMs) end('silence');
    },
    Math.min(1000, silentTimeoutMs / 4),
  );
}

interface Result {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly failed: boolean;
  readonly code?: string | undefined;
  readonly shortMessage?: string | undefined;
}

const endOf = (
  { exitCode, signal, failed, code, shortMessage }: Result,
  endedBy: EndedBy | undefined,
): Pick<Finished, 'exitStatus' | 'signal' | 'failure' | 'endedBy'> => ({
  // What a program says for itself when it is told to end means nothing.
  exitStatus: endedBy === undefined ? exitCode : undefined,
  signal,
  failure: failed && exitCode === undefined && signal === undefined ? (code ?? shortMessage) : undefined,
  endedBy,
});

/**
 * Runs a command and hands on its stdout as it comes, for output too large to be held; both end together.
 * The consumer must read the chunks to their end, or abort the command's signal.
 */
export async function stream(
  command: Omit<Command, 'log' | 'input' | 'descriptor' | 'silentTimeoutMs'>,
): Promise<{ readonly stdout: Readable; readonly finished: Promise<Finished> }> {
  const [program, ...args] = command.argv;
  if (program === undefined) throw new Error('stream() needs a program');
  const { execa } = await import('execa');
  const startedMs = performance.now();
  const child = execa(program, args, {
    cwd: command.cwd,
    env: command.env,
    extendEnv: false,
    stdio: ['ignore', 'pipe', 'pipe'],
    buffer: { stdout: false, stderr: true },
    reject: false,
    killDescendants: true,
  });
  const watch = watchOver(child.nodeChildProcess, command);
  const finished = child.then(async (result) => ({
    ...endOf(result, await watch.ended()),
    stdout: '',
    stderr: result.stderr,
    durationMs: performance.now() - startedMs,
  }));
  return { stdout: child.stdout, finished };
}
