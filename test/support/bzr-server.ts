/** A real Bazaar server on loopback, and branches for it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { type Daemon, startDaemon } from './daemon.ts';
import { type Tree, type WithCleanUp, writeTree } from './temp.ts';

const environmentOf = (home: string): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C.UTF-8',
  BRZ_HOME: home,
  BRZ_EMAIL: 'A <a@example.org>',
  BRZ_LOG: '/dev/null',
  BRZ_PROGRESS_BAR: 'none',
});

/** Runs brz in a folder and gives its output, trimmed. */
export const inBzr = (folder: string, ...args: readonly string[]): string =>
  execFileSync('brz', [...args], {
    cwd: folder,
    env: environmentOf(`${folder}.home`),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

/** Makes a branch with one revision. @returns its full id. */
export function makeBzrBranch(folder: string, tree: Tree): string {
  mkdirSync(folder, { recursive: true });
  inBzr(folder, 'init', '--quiet');
  return commitAllBzr(folder, tree);
}

/** Writes files and commits everything. @returns the full id of the revision. */
export function commitAllBzr(folder: string, tree: Tree): string {
  writeTree(folder, tree);
  inBzr(folder, 'add', '--quiet');
  inBzr(folder, 'commit', '--quiet', '--unchanged', '--message=m');
  return inBzr(folder, 'revision-info').split(' ')[1] ?? '';
}

/** Serves all branches below a folder. */
export const bzrServer = (t: WithCleanUp, top: string): Promise<Daemon> =>
  startDaemon(t, {
    argv: (port) => ['brz', 'serve', '--listen=127.0.0.1', `--port=${port}`, `--directory=${top}`],
    env: environmentOf(`${top}.home`),
    scheme: 'bzr',
  });
