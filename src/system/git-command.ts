/** One git command in a private repository, with nothing of anybody's configuration in force. */
import { join } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { type Finished, run } from './process.ts';
import { lastLines } from './tail.ts';

/** Who made a change and when, as git notes it. */
export interface Author {
  readonly name: string;
  readonly email: string;
  /** Seconds since 1970, UTC. */
  readonly seconds: number;
}

/** Nothing of anybody's configuration decides bytes, runs a program or asks a question. */
const settings = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.autocrlf=false',
  'core.symlinks=true',
  'core.fileMode=true',
  'core.ignoreCase=false',
  'core.precomposeUnicode=false',
  'core.quotePath=true',
  'commit.gpgSign=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
  'merge.conflictStyle=diff3',
  'merge.renames=true',
  'merge.directoryRenames=false',
  'i18n.commitEncoding=UTF-8',
  'i18n.logOutputEncoding=UTF-8',
].flatMap((setting) => ['-c', setting]);

/** The same for every commit that vbuild makes, so that equal trees and messages give equal ids. */
export const maker: Author = { name: 'vbuild', email: 'vbuild@localhost', seconds: 315_532_800 };

interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Absolute; the repository's folder when not given. */
  readonly cwd?: string;
  /** Exit statuses that are answers; only 0 when not given. */
  readonly statuses?: readonly number[];
}

type Runner = (args: readonly string[], options?: CallOptions) => Promise<Finished>;

export const caller = (folder: string, signal: AbortSignal) => {
  const call = runner(folder, signal);
  return async (args: readonly string[], options?: CallOptions): Promise<string> => (await call(args, options)).stdout;
};

/** @throws {VbuildError} `git-failed`, `tool-missing` */
export function runner(folder: string, signal: AbortSignal): Runner {
  return async (args, { env = {}, input, cwd = folder, statuses = [0] } = {}) => {
    const finished = await run({
      argv: ['git', ...settings, ...args],
      cwd,
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LC_ALL: 'C.UTF-8',
        TZ: 'UTC',
        GIT_DIR: join(folder, '.git'),
        GIT_WORK_TREE: folder,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_TERMINAL_PROMPT: '0',
        GIT_EDITOR: 'true',
        GIT_PAGER: 'cat',
        ...authorship(maker),
        ...env,
      },
      ...(input !== undefined && { input }),
      signal,
    });
    signal.throwIfAborted();
    if (finished.failure === 'ENOENT') {
      throw new VbuildError('tool-missing', 'Program git is not installed', {
        facts: { 'needed for': 'editing patches' },
        mend: 'install it with apt-get install git',
      });
    }
    const { exitStatus, stderr, failure } = finished;
    if (exitStatus !== undefined && statuses.includes(exitStatus)) return finished;
    throw gitFailed(args[0] ?? '', folder, stderr.trim() === '' ? (failure ?? `exit status ${exitStatus}`) : stderr);
  };
}

export const gitFailed = (command: string, place: string, said: string): VbuildError =>
  new VbuildError('git-failed', 'Git failed', {
    facts: { command: `git ${command}`, place, said: lastLines(said, 6) },
    mend: 'look into the folder with git; when nothing in it is needed any more, remove it and begin again',
  });

export const authorship = ({ name, email, seconds }: Author): Record<string, string> => ({
  GIT_AUTHOR_NAME: name,
  GIT_AUTHOR_EMAIL: email,
  GIT_AUTHOR_DATE: `@${seconds} +0000`,
  GIT_COMMITTER_NAME: maker.name,
  GIT_COMMITTER_EMAIL: maker.email,
  GIT_COMMITTER_DATE: `@${maker.seconds} +0000`,
});
