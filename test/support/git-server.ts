/** A real git daemon on loopback, and repositories for it. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from './daemon.ts';
import { type Tree, type WithCleanUp, writeTree } from './temp.ts';

/** Environment of a git that knows no user and no configuration, so that equal content gives equal commits. */
const environment = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '2024-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_COMMITTER_DATE: '2024-01-01T00:00:00Z',
};

/** Runs git in a folder and gives its output, trimmed. */
export const inGit = (folder: string, ...args: readonly string[]): string =>
  execFileSync('git', [...args], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

/** Makes a repository with one commit on `main`. @returns the commit's full id. */
export function makeRepository(folder: string, tree: Tree): string {
  writeTree(folder, tree);
  inGit(folder, 'init', '--quiet', '--initial-branch=main');
  return commitAll(folder, 'first');
}

/** Commits everything in the work tree. @returns the commit's full id. */
export function commitAll(folder: string, message: string): string {
  inGit(folder, 'add', '--all');
  inGit(folder, 'commit', '--quiet', '--allow-empty', `--message=${message}`);
  return inGit(folder, 'rev-parse', 'HEAD');
}

export interface GitServer {
  /** `git://127.0.0.1:PORT`; a repository's path below the served folder follows. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves all repositories below a folder. */
export async function gitServer(t: WithCleanUp, top: string): Promise<GitServer> {
  const port = await freePort();
  const daemon = spawn(
    'git',
    [
      'daemon',
      '--reuseaddr',
      '--listen=127.0.0.1',
      `--port=${port}`,
      `--base-path=${top}`,
      '--export-all',
      '--informative-errors',
      '--verbose',
      top,
    ],
    { env: { ...environment, HOME: join(top, 'nobody') }, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  const ended = new Promise<void>((resolve) => {
    daemon.on('exit', () => resolve());
  });
  const stop = async (): Promise<void> => {
    if (daemon.exitCode === null && daemon.signalCode === null && daemon.pid !== undefined)
      process.kill(-daemon.pid, 'SIGTERM');
    await ended;
  };
  t.after(stop);
  await new Promise<void>((resolve, reject) => {
    let said = '';
    daemon.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('Ready to rumble')) resolve();
    });
    daemon.on('exit', (status) => reject(new Error(`git daemon ended with ${status}: ${said}`)));
  });
  return { url: `git://127.0.0.1:${port}`, stop };
}
