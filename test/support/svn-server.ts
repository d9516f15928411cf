/** A real Subversion server on loopback, and repositories for it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { removeTree, type Tree, type WithCleanUp, writeTree } from './temp.ts';

const environment = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8' };

const call = (program: string, cwd: string, args: readonly string[]): string =>
  execFileSync(program, [...args], { cwd, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Runs svn in a folder with no configuration of any user, and gives its output, trimmed. */
export const inSvn = (folder: string, ...args: readonly string[]): string =>
  call('svn', folder, [...args, '--non-interactive', '--config-dir', join(dirname(folder), 'svn-config')]).trim();

/** Makes a repository with a trunk, and a work copy of all of it beside. @returns the work copy. */
export function makeSvnRepository(repository: string, trunk: Tree): string {
  mkdirSync(repository, { recursive: true });
  call('svnadmin', repository, ['create', repository]);
  const copy = `${repository}.copy`;
  removeTree(copy);
  inSvn(dirname(repository), 'checkout', '--quiet', `file://${repository}`, copy);
  for (const folder of ['trunk', 'tags']) inSvn(copy, 'mkdir', '--quiet', folder);
  writeTree(join(copy, 'trunk'), trunk);
  commitAllSvn(copy);
  return copy;
}

/** Commits everything in the work copy. */
export function commitAllSvn(copy: string): void {
  inSvn(copy, 'add', '--quiet', '--force', '.');
  inSvn(copy, 'commit', '--quiet', '--message=m');
  inSvn(copy, 'update', '--quiet');
}

/** Serves all repositories below a folder. */
export function svnServer(t: WithCleanUp, top: string): Promise<Daemon> {
  if (!existsSync(top)) throw new Error(`nothing to serve at ${top}`);
  return startDaemon(t, {
    argv: (port) => [
      'svnserve',
      '--daemon',
      '--foreground',
      `--root=${top}`,
      '--listen-host=127.0.0.1',
      `--listen-port=${port}`,
    ],
    env: environment,
    scheme: 'svn',
  });
}
