/** The real command as a child process, in a home of its own, and workspaces to run it in. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tempDir, type Tree, type WithCleanUp, writeTree } from './temp.ts';

/** Absolute path of the checkout. */
export const checkout = resolve(import.meta.dirname, '../..');
/** Absolute path of the command: the bin stub of the checkout, or what `TEST_VBUILD` names, to hold another form of vbuild to the same tests. */
export const vbuildBin = process.env['TEST_VBUILD'] ?? join(checkout, 'bin/vbuild');
/** Whether modules can be loaded before it by NODE_OPTIONS, of which a program in one file takes no notice. */
export const takesModules = process.env['TEST_VBUILD'] === undefined;

export interface Ended {
  /** Undefined when a signal ended it. */
  readonly exitStatus: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  /** Absolute path of the folder that serves as HOME and holds the caches; it is made if it is not there. */
  readonly home: string;
  /** Added to the environment of the child, or in place of its values; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Aborting sends SIGTERM to the child alone. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** Runs vbuild. Nothing of the caller's environment reaches it but PATH (without npm's additions), TMPDIR, VBUILD_SANDBOX and the proxy settings. */
export function runVbuild(args: readonly string[], options: RunOptions): Promise<Ended> {
  return runProgram([vbuildBin, ...args], options);
}

/** Runs any program in the same way, to its end. @throws when it cannot be started. */
export function runProgram(argv: readonly string[], options: RunOptions): Promise<Ended> {
  return startProgram(argv, options).ended;
}

export interface Started {
  readonly child: ChildProcess;
  /** Resolves as soon as stdout holds this text; rejects when the program ends without it. */
  readonly says: (text: string) => Promise<void>;
  readonly ended: Promise<Ended>;
}

/** Starts any program in the same way. */
export function startProgram(
  argv: readonly string[],
  { cwd, home, env = {}, signal, timeoutMs = 1_800_000 }: RunOptions,
): Started {
  const [program = '', ...args] = argv;
  mkdirSync(home, { recursive: true });
  const own = { HOME: home, XDG_CACHE_HOME: join(home, '.cache'), LC_ALL: 'C.UTF-8' };
  const child = spawn(program, args, {
    cwd,
    env: { ...inherited(), ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const ended = new Promise<Ended>((done, fail) => {
    child.on('error', (error) => (error.name === 'AbortError' ? undefined : fail(error)));
    child.on('close', (code, ending) =>
      done({ exitStatus: code ?? undefined, signal: ending ?? undefined, ...output }),
    );
  });
  const says = (text: string): Promise<void> =>
    new Promise((heard, fail) => {
      const listen = (): void => (output.stdout.includes(text) ? heard() : undefined);
      listen();
      child.stdout.on('data', listen);
      child.on('close', () => fail(new Error(`ended without saying ${text}: ${output.stdout}${output.stderr}`)));
    });
  return { child, says, ended };
}

export interface Workspace {
  /** Absolute path of the folder with the given files. */
  readonly path: string;
  /** Absolute path of its HOME, beside it. */
  readonly home: string;
  /** Adds or replaces files. */
  write(tree: Tree): void;
  read(path: string): string;
  /** Runs vbuild in `path`. */
  run(args: readonly string[], options?: Partial<RunOptions>): Promise<Ended>;
}

/** A folder with these files and a home of its own; both gone when the test ends. */
export function workspace(t: WithCleanUp, tree: Tree): Workspace {
  const top = tempDir(t, 'site');
  const path = join(top, 'site');
  const home = join(top, 'home');
  mkdirSync(path);
  writeTree(path, tree);
  return {
    path,
    home,
    write: (more) => writeTree(path, more),
    read: (file) => readFileSync(join(path, file), 'utf8'),
    run: (args, options = {}) => runVbuild(args, { cwd: path, home, ...options }),
  };
}

function inherited(): NodeJS.ProcessEnv {
  const wanted = /^(PATH|TMPDIR|VBUILD_SANDBOX|.*_proxy)$/i;
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted.test(name)));
  // npm puts the checkout's own programs first; a user's PATH has none of them.
  const folders = (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => !/node_modules\/\.bin$|node-gyp-bin$/.test(folder));
  return { ...kept, PATH: folders.join(':') };
}
