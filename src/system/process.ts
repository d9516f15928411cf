/** Child processes, the only door to execa: closed stdin, an own process group, only the environment that is given. */
import { ExecaError, execa } from 'execa';

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
  const sink = command.log === undefined ? 'pipe' : ({ file: command.log, append: true } as const);
  const result = await execa(program, args, {
    cwd: command.cwd,
    env: command.env,
    extendEnv: false,
    ...(command.input === undefined ? { stdin: 'ignore' as const } : { input: command.input }),
    stdout: sink,
    stderr: sink,
    buffer: command.log === undefined,
    maxBuffer: 64 * 1024 * 1024,
    reject: false,
    killDescendants: true,
    forceKillAfterDelay: 1500,
    ...(command.signal && { cancelSignal: command.signal }),
    ...(command.timeoutMs !== undefined && { timeout: command.timeoutMs }),
  });
  return {
    exitStatus: result.exitCode,
    signal: result.signal,
    failure: result instanceof ExecaError && result.exitCode === undefined && result.signal === undefined ? (result.code ?? result.shortMessage) : undefined,
    stdout: typeof result.stdout === 'string' ? result.stdout : '',
    stderr: typeof result.stderr === 'string' ? result.stderr : '',
    durationMs: performance.now() - startedMs,
  };
}
