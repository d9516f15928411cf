/** A real Mercurial server on loopback, and repositories for it. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { type Tree, type WithCleanUp, writeTree } from './temp.ts';

/** Of a Mercurial that knows no user and no configuration. */
const environment = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HGRCPATH: '', HGPLAIN: '1', LC_ALL: 'C.UTF-8' };

/** Runs hg in a folder and gives its output, trimmed. */
export const inHg = (folder: string, ...args: readonly string[]): string =>
  execFileSync('hg', [...args], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

/** Makes a repository with one commit. @returns its full hash. */
export function makeHgRepository(folder: string, tree: Tree): string {
  writeTree(folder, tree);
  inHg(folder, 'init');
  return commitAllHg(folder, 'first');
}

/** Commits everything in the work folder. @returns the full hash. */
export function commitAllHg(folder: string, message: string): string {
  const said = inHg(folder, 'commit', '--addremove', '--debug', '--user=A', '--date=0 0', `--message=${message}`);
  return /committed changeset \d+:([0-9a-f]{40})/.exec(said)?.[1] ?? '';
}

/** Serves one repository. */
export function hgServer(t: WithCleanUp, top: string, repository: string): Promise<Daemon> {
  const configuration = join(top, 'hgweb.conf');
  writeFileSync(configuration, `[paths]\nup = ${repository}\n`);
  return startDaemon(t, {
    argv: (port) => ['hg', 'serve', '--address=127.0.0.1', `--port=${port}`, `--web-conf=${configuration}`],
    env: environment,
    scheme: 'http',
  });
}
