/** Git, the only door to simple-git: looks up revs, fetches single commits, and writes trees out exactly as they are stored. */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GitError, simpleGit } from 'simple-git';
import { messageOf, VbuildError } from '../model/error.ts';
import { shown } from '../model/passwords.ts';
import { archiveRefused, partsOf } from './archive-guard.ts';
import { emptyFolder, exists, removeTree, writeAtomically } from './files.ts';
import { unattendedEnvironment } from './user-environment.ts';

export interface GitOptions {
  /** The user's environment: how to reach a server comes from here and from the user's own git configuration. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A commit that a tree names as a submodule. */
interface Gitlink {
  /** Relative to the exported folder. */
  readonly path: string;
  readonly commit: string;
}

export interface GitRepository {
  /** Whether the commit and all that its tree needs is here. @throws {VbuildError} `tool-missing`, as every method does that runs git */
  has(commit: string): Promise<boolean>;
  /** Brings a commit, alone where the server allows. False: the server answers, but has it no more. @throws {VbuildError} `git-failed` */
  fetch(url: string, commit: string): Promise<boolean>;
  /**
   * Writes a commit's tree, or one folder of it, without any conversion.
   *
   * @param subdir Relative to the commit's top; the top itself when undefined.
   * @param into   Absolute path of an existing empty folder.
   * @throws {VbuildError} `git-failed`; `source-missing` for a folder that is not there, `archive-refused` for a name that no tree may hold
   */
  export(commit: string, subdir: string | undefined, into: string): Promise<readonly Gitlink[]>;
  /** What `.gitmodules` of a commit says: URLs as written there, by path relative to the commit's top; empty when it has none. */
  submoduleUrls(commit: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Brings what a commit keeps in Git LFS.
   *
   * @param from Which server is asked: the one that the commit's `.lfsconfig` names, if it does (`upstream`), or in any case the one beside
   *   the repository at `url` (`beside`).
   * @throws {VbuildError} `git-failed`, `tool-missing`
   */
  fetchLarge(url: string, commit: string, from: 'upstream' | 'beside'): Promise<void>;
  /** Where a file of LFS lies after that, by the SHA-256 of its content; undefined when it is not here. */
  largeFile(digest: string): string | undefined;
}

/** Settings of the user that must not decide bytes, run programs or ask questions. */
const settings = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.askPass=true',
  'core.autocrlf=false',
  'core.symlinks=true',
  'core.fileMode=true',
  'core.sparseCheckout=false',
  'fetch.recurseSubmodules=false',
  'fetch.writeCommitGraph=false',
  'gc.auto=0',
  'maintenance.auto=false',
  // Half a minute without a kilobyte a second is a stall, as for downloads.
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
];

/** Variables of git's own that say how to reach a server; the rest of GIT_* (another index, another work tree …) is kept out by simple-git. */
const reaching = new Set([
  'GIT_SSH',
  'GIT_SSH_COMMAND',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'GIT_SSL_NO_VERIFY',
  'GIT_ASKPASS',
  'SSH_ASKPASS',
  'SSH_ASKPASS_REQUIRE',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
]);

/** Above info/attributes nothing counts, so no file is converted on its way out: no line ends, no keywords, no filters such as LFS, no encodings. */
const asStored = '* -text -ident -filter !eol !working-tree-encoding\n';

/**
 * What a tag (peeled), a branch or a full ref name stands for at a place; undefined when it has none such. A tag wins over a branch, as with git.
 *
 * @param options.cwd Absolute path of an existing folder.
 * @throws {VbuildError} `git-failed`, `tool-missing`
 */
export async function commitOf(
  url: string,
  rev: string,
  options: GitOptions & { readonly cwd: string },
): Promise<string | undefined> {
  const names = rev.startsWith('refs/') || rev === 'HEAD' ? [rev] : [`refs/tags/${rev}`, `refs/heads/${rev}`];
  const candidates = names.flatMap((name) => [`${name}^{}`, name]);
  const text = await caller(options.cwd, options)(url, ['ls-remote', '--quiet', '--', url, ...candidates]);
  // git matches names by their ends as well, so what it lists is looked through again.
  const found = new Map(
    text
      .split('\n')
      .map((line): [string, string] => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]),
  );
  return candidates.map((name) => found.get(name)).find((commit) => commit !== undefined);
}

/**
 * A repository of vbuild's own; made when it is not there.
 *
 * @param folder Absolute path; nobody else uses it.
 * @param commit Any full commit id of the upstream: tells which kind of ids it has.
 */
export async function openRepository(folder: string, commit: string, options: GitOptions): Promise<GitRepository> {
  const inGit = (name: string): string => join(folder, '.git', name);
  const attributes = inGit('info/attributes');
  // Written last: without it the making was cut short.
  if (!exists(attributes)) {
    emptyFolder(folder);
    await caller(folder, options)(folder, [
      'init',
      '--quiet',
      `--object-format=${commit.length === 64 ? 'sha256' : 'sha1'}`,
    ]);
    writeAtomically(attributes, asStored);
  }
  // Left by a git that was killed; no other one works here.
  for (const lock of ['index.lock', 'shallow.lock', 'config.lock', 'packed-refs.lock']) removeTree(inGit(lock));
  const git = caller(folder, options);
  const quietly = (args: readonly string[]): Promise<string | undefined> => git(folder, args).catch(ignoreFailure);

  const has = async (id: string): Promise<boolean> => (await quietly(['cat-file', '-t', id]))?.trim() === 'commit';

  return {
    has,

    async fetch(url, id) {
      const fetch = ['fetch', '--progress', '--no-tags', '--no-write-fetch-head'];
      if ((await quietly([...fetch, '--depth=1', '--', url, id])) !== undefined && (await has(id))) return true;
      // The server cannot send single commits, or no longer has this one: all of its refs tell.
      const shallow = (await git(url, ['rev-parse', '--is-shallow-repository'])).trim() === 'true';
      await git(url, [...fetch, ...(shallow ? ['--unshallow'] : []), '--', url, '+refs/*:refs/upstream/*']);
      return has(id);
    },

    async export(id, subdir, into) {
      const path = partsOf(subdir ?? '').join('/');
      if (path !== '' && (await quietly(['cat-file', '-t', `${id}:${path}`]))?.trim() !== 'tree')
        throw new VbuildError('source-missing', 'Commit has no such folder', {
          facts: { commit: id, folder: path },
          mend: 'correct subdir',
        });
      await git(folder, ['read-tree', path === '' ? id : `${id}:${path}`]).catch(refusePath);
      const staged = (await git(folder, ['ls-files', '--stage', '-z'])).split('\0').filter((line) => line !== '');
      const unspeakable = staged.find((line) => line.includes('\uFFFD'));
      if (unspeakable !== undefined)
        throw archiveRefused(unspeakable.slice(unspeakable.indexOf('\t') + 1), 'its name is not UTF-8');
      await git(folder, ['checkout-index', '--all', '--force', '--quiet', `--prefix=${into}/`]);
      return staged.flatMap((line): Gitlink[] => {
        const [mode, linked] = line.split(' ');
        return mode === '160000' && linked !== undefined
          ? [{ path: line.slice(line.indexOf('\t') + 1), commit: linked }]
          : [];
      });
    },

    async submoduleUrls(id) {
      const text = (await quietly(['config', '--blob', `${id}:.gitmodules`, '--list', '-z'])) ?? '';
      const settingsOf = new Map(
        text
          .split('\0')
          .map((line): [string, string] => [line.slice(0, line.indexOf('\n')), line.slice(line.indexOf('\n') + 1)]),
      );
      return new Map(
        [...settingsOf].flatMap(([key, path]): [string, string][] => {
          const url = key.endsWith('.path') ? settingsOf.get(`${key.slice(0, -'path'.length)}url`) : undefined;
          return url === undefined ? [] : [[path, url]];
        }),
      );
    },

    async fetchLarge(url, id, from) {
      const { run } = await import('./process.ts');
      const env = unattendedEnvironment(options.environment ?? {}, /^GIT_/);
      const found = await run({ argv: ['git-lfs', 'version'], cwd: folder, env, signal: options.signal });
      if (found.failure === 'ENOENT')
        throw new VbuildError('tool-missing', 'Program git-lfs is not installed', {
          facts: { 'needed for': shown(url) },
          mend: 'install it with apt-get install git-lfs',
        });
      // Without a work tree, git-lfs finds a `.lfsconfig` in the index.
      await git(folder, from === 'upstream' ? ['read-tree', id] : ['read-tree', '--empty']).catch(refusePath);
      // Told of the place as a remote, git-lfs finds its own server beside it, and the user's credentials for that.
      const place = url.startsWith('/') ? pathToFileURL(url).href : url;
      const remote = ['-c', `remote.lfs.url=${place}`, '-c', 'lfs.fetchexclude=', '-c', 'lfs.fetchinclude='];
      // Silence counts as a dead server, so progress must be told.
      const watched = ['-c', 'lfs.activitytimeout=30', '-c', 'lfs.forceprogress=true'];
      await git(url, [...remote, ...watched, 'lfs', 'fetch', 'lfs', id]);
    },

    largeFile(digest) {
      const path = inGit(join('lfs/objects', digest.slice(0, 2), digest.slice(2, 4), digest));
      return exists(path) ? path : undefined;
    },
  };
}

/** What runs git in a folder; `place` is what messages call the other side. */
type Call = (place: string, args: readonly string[]) => Promise<string>;

function caller(cwd: string, { environment, signal }: GitOptions): Call {
  const inherited = Object.entries(unattendedEnvironment(environment ?? {}, /^(EDITOR|VISUAL|PAGER|PREFIX)$/i)).filter(
    ([name]) => reaching.has(name) || !/^GIT_/i.test(name),
  );
  const git = simpleGit({
    baseDir: cwd,
    config: settings,
    abort: signal,
    // Progress is on, so silence this long is a dead server.
    timeout: { block: 120_000 },
    allowEnvironment: [...reaching, 'GIT_TERMINAL_PROMPT', 'GIT_CEILING_DIRECTORIES'],
    unsafe: {
      allowUnsafeHooksPath: true,
      allowUnsafeAskPass: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeSshCommand: true,
      allowUnsafeConfigPaths: true,
    },
    // By default an exit status without words on stderr passes for success.
    errors: (error, { exitCode, stdErr }) =>
      exitCode === 0 ? error : (error ?? Buffer.concat([Buffer.from(`exit status ${exitCode}\n`), ...stdErr])),
  }).env({
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    // A repository around the work folder is none of our business.
    GIT_CEILING_DIRECTORIES: dirname(cwd),
  });
  return async (place, args) => {
    try {
      return await git.raw([...args]);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof GitError)) throw error;
      if (/\bENOENT\b/.test(messageOf(error)))
        throw new VbuildError('tool-missing', 'Program git is not installed', {
          facts: { 'needed for': shown(place) },
          mend: 'install it with apt-get install git',
          cause: error,
        });
      throw new VbuildError('git-failed', 'Git failed', {
        facts: {
          command: `git ${args.find((arg, at) => arg !== '-c' && args[at - 1] !== '-c') ?? ''}`,
          place: shown(place),
          said: shown(lastLines(messageOf(error))),
        },
        mend: 'check the URL, the network and your right to read the repository',
        cause: error,
      });
    }
  };
}

/** Names such as `..` and `.git` in the tree of a hostile repository are git's own to find. */
function refusePath(error: unknown): never {
  const said = error instanceof VbuildError ? error.facts['said'] : undefined;
  const [, path] = /invalid path '([^\n]*)'/.exec(said ?? '') ?? [];
  throw path === undefined ? error : archiveRefused(path, 'git takes no such name', error);
}

/** Without the progress that was overwritten on a line. */
const lastLines = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trimEnd().replace(/^.*\r/, ''))
    .slice(-6)
    .join('\n');

function ignoreFailure(error: unknown): undefined {
  if (!(error instanceof VbuildError) || error.code !== 'git-failed') throw error;
  return undefined;
}
