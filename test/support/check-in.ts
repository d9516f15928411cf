/** Puts a project under version control, as a user would. */
import { execFileSync } from 'node:child_process';
import { writeTree } from './temp.ts';

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      ...Object.fromEntries(
        ['AUTHOR', 'COMMITTER'].flatMap((who) => [
          [`GIT_${who}_NAME`, 'Test'],
          [`GIT_${who}_EMAIL`, 'test@example.org'],
        ]),
      ),
    },
  });

/** Commits everything in a folder, which becomes a repository with the branch `main` if it is none. @returns The id of the commit. */
export function checkIn(folder: string): string {
  writeTree(folder, { '.gitignore': '.vbuild/\n/vendor\n.vendor.generations/\n' });
  git(folder, 'init', '--quiet', '--initial-branch=main');
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '--allow-empty', '--message=All');
  return git(folder, 'rev-parse', 'HEAD').trim();
}
