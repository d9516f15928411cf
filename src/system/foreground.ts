/** A program in the place of this one for a while: it has the terminal, or whatever our own input and outputs are. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

interface Foreground {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether a person can type into what is started. */
export const isInteractive = (): boolean => isatty(0) && isatty(2);

/** @returns Its exit status, as a shell gives it. @throws the system's error when it cannot be started. */
export async function inForeground({ argv, cwd, env }: Foreground): Promise<number> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error('inForeground() needs a program');
  const child = spawn(program, args, { cwd, env: { ...env }, stdio: 'inherit' });
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
