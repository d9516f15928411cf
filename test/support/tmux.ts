/** A real terminal: a program in a tmux of its own, typed into, and what its screen shows. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { tempDir, type WithCleanUp } from './temp.ts';

export interface Terminal {
  /** Names of keys as tmux has them, such as `Tab`, `C-c`, or text. */
  press(...keys: readonly string[]): Promise<void>;
  /** The rows, blanks at their ends removed; `history` has those that were scrolled away as well. */
  rows(what?: 'screen' | 'history'): Promise<readonly string[]>;
  /** The rows of the screen once it shows this. @throws with what it shows when that takes longer than a minute. */
  until(shown: RegExp, what?: 'screen' | 'history'): Promise<readonly string[]>;
  /** Returns when the program can know of it. */
  resize(columns: number, rows: number): Promise<void>;
}

/** Starts a command line of a shell; all is gone when the test ends. */
export async function terminal(
  t: WithCleanUp,
  command: string,
  {
    cwd,
    env,
    columns = 100,
    rows = 24,
  }: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly columns?: number;
    readonly rows?: number;
  },
): Promise<Terminal> {
  const socket = join(tempDir(t, 'tmux'), 's');
  const tmux = async (...args: readonly string[]): Promise<string> =>
    (
      await promisify(execFile)('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
        cwd,
        env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', TERM: 'xterm', SHELL: '/bin/sh', ...env },
      })
    ).stdout;
  const size = ['-x', String(columns), '-y', String(rows)];
  // The screen stays when the program has ended.
  await tmux('new-session', '-d', ...size, '-s', 't', `${command}; sleep 1000`, ';', 'set', '-g', 'status', 'off');
  t.after(async () => {
    // It says that it has lost its server.
    await tmux('kill-server').catch(() => '');
  });
  const seen = async (what: 'screen' | 'history' = 'screen'): Promise<readonly string[]> =>
    (await tmux('capture-pane', '-p', '-t', 't', ...(what === 'history' ? ['-S', '-'] : [])))
      .split('\n')
      .map((row) => row.trimEnd());
  return {
    press: async (...keys) => void (await tmux('send-keys', '-t', 't', ...keys)),
    rows: seen,
    async until(shown, what) {
      for (const endMs = performance.now() + 60_000; performance.now() < endMs; await sleep(50)) {
        const now = await seen(what);
        if (shown.test(now.join('\n'))) return now;
      }
      throw new Error(`the screen never showed ${shown}:\n${(await seen('history')).join('\n')}`);
    },
    async resize(width, height) {
      await tmux('resize-window', '-t', 't', '-x', String(width), '-y', String(height));
      const tty = (await tmux('display-message', '-p', '-t', 't', '#{pane_tty}')).trim();
      const told = async (): Promise<string> => (await promisify(execFile)('stty', ['-F', tty, 'size'])).stdout.trim();
      while ((await told()) !== `${height} ${width}`) await sleep(20);
    },
  };
}
