/** Upstream trees kept in Mercurial: pinned to a full changeset hash, exported as the repository has them, byte for byte. */
import { resolve } from 'node:path';
import { digestOf } from '../model/digest.ts';
import { firstRepository } from './first-place.ts';
import { repositoryOrigin } from './origin.ts';
import type { FetchTarget, SourceContext, SourceKind } from './source.ts';
import { subdirProblems, urlProblems } from './spec-checks.ts';
import type { Call, UserTool } from './user-tool.ts';
import {
  commitGone,
  commitIn,
  isPath,
  leftOut,
  noSuchFolder,
  noSuchRev,
  placeOf,
  refuseOffline,
  tellIfMoved,
} from './version-control.ts';

export interface MercurialSpec {
  readonly kind: 'mercurial';
  readonly url: string;
  readonly rev: string;
  readonly subdir?: string;
}

export interface MercurialOptions {
  /** A tag, a bookmark, a branch, or a full changeset hash. What a name stands for is looked up once; the changeset is what is pinned. */
  readonly rev: string;
  /** The folder of the repository that is the source. */
  readonly subdir?: string;
}

/**
 * A Mercurial repository. Subrepositories and large files are left out, as they are no part of the changeset.
 *
 * Bringing it may end with `vcs-failed`, `source-missing`, `pin-mismatch`, `archive-refused`, `tool-missing`, and under `--offline` with
 * `download-failed`.
 *
 * @param url An `http:`, `https:`, `ssh:` or `file:` URL, or a path; a relative one starts at the Buildfile.
 */
export const mercurial = (url: string, options: MercurialOptions): MercurialSpec => ({
  kind: 'mercurial',
  url,
  ...options,
});

/**
 * What reaches a server runs with the user's own configuration (credentials, proxies, authorities), save hooks; what writes the
 * tree runs with none at all, so that no extension, filter or line-end setting has a say in its bytes.
 */
export const mercurialKind: SourceKind<MercurialSpec> = {
  kind: 'mercurial',
  options: ['url', 'rev', 'subdir'],
  needs: () => ['hg'],
  problems: ({ url, rev, subdir }) => [
    ...urlProblems('mercurial', url, ['http', 'https', 'ssh', 'file']),
    ...(typeof url === 'string' && url.includes('#') ? ['url must not name a branch behind "#"; give it as rev'] : []),
    ...(typeof rev === 'string' && /^(?!-)[^\s\0]+$/.test(rev)
      ? []
      : ['rev must be a tag, a bookmark, a branch or a full changeset hash, as a string']),
    ...subdirProblems(subdir),
  ],

  origin: (spec, pin) => repositoryOrigin('hg', spec, commitIn(pin)),

  async resolve(spec, context) {
    if (isChangeset(spec.rev)) return { kind: 'mercurial', commit: spec.rev };
    const commit = await firstRepository(spec.url, context, async (url) => {
      refuseOffline(url, spec.rev, context);
      const found = await changesetOf(url, spec.rev, context);
      if (found === undefined)
        throw noSuchRev(url, spec.rev, 'correct rev; it is the name of a tag, a bookmark or a branch, or a full hash');
      return found;
    });
    return { kind: 'mercurial', commit };
  },

  async fetch(spec, pin, target, context) {
    const commit = commitIn(pin);
    const repository = await openRepository(placeOf(spec.url, context.buildfileFolder), context);
    if (!(await has(repository, commit, context)))
      await firstRepository(spec.url, context, async (url) => {
        refuseOffline(url, commit, context);
        if ((await ask(url, ['pull', '--rev', commit, url], repository, context)).done) {
          const found = { url, rev: spec.rev, commit };
          await tellIfMoved(found, context, () => tagNow(found, repository, context));
          return;
        }
        const now = isChangeset(spec.rev) ? undefined : await changesetOf(url, spec.rev, context);
        throw commitGone(url, commit, spec.rev, now);
      });
    await exportTree({ repository, commit, subdir: spec.subdir }, target, context);
    const { settleTree } = await import('../system/import-tree.ts');
    settleTree(target.tree);
  },
};

const isChangeset = (rev: string): boolean => /^[0-9a-f]{40}$/.test(rev);

const hg: UserTool = {
  program: 'hg',
  debianPackage: 'mercurial',
  // No aliases, no defaults, no translations.
  env: { HGPLAIN: '1', HGENCODING: 'UTF-8' },
  drops: /^HG(?!RCPATH$)/,
};

/** For what works on our own repository: no configuration of user or machine counts. */
const alone = { HGRCPATH: '' };

type Answer = { readonly done: boolean; readonly stdout: string };

/** Asks the server. Not done, while the server answers: it does not have what was asked for. @throws {VbuildError} `vcs-failed` */
async function ask(url: string, args: readonly string[], cwd: string, context: SourceContext): Promise<Answer> {
  const { callTool, outputOf } = await import('./user-tool.ts');
  const given = [...(await withoutHooks(url, context)), '--noninteractive', '--config', 'http.timeout=60'];
  const call = (words: readonly string[], transfers: boolean): Call => ({ args: [...words, ...given], cwd, transfers });
  const answer = async (): Promise<Answer> => {
    const { exitStatus, stdout } = await callTool(hg, call(args, args[0] === 'pull'), context);
    return exitStatus === 0 ? { done: true, stdout } : { done: false, stdout: '' };
  };
  const first = await answer();
  if (first.done) return first;
  await outputOf(hg, call(['identify', '--id', url], false), url, context);
  // The place answers, so a failure that was but passing is over.
  return answer();
}

/** Hooks are named in the user's configuration, or in that of the repository when it is on this disk; each is switched off by its name. */
async function withoutHooks(url: string, context: SourceContext): Promise<string[]> {
  const { callTool } = await import('./user-tool.ts');
  const args = ['config', 'hooks', '--template', '{name}\\n', ...(isPath(url) ? ['--repository', url] : [])];
  const { stdout } = await callTool(hg, { args, cwd: context.state }, context);
  const names = stdout.split('\n').filter((name) => name.startsWith('hooks.'));
  // These two would write a repository that cannot be read without them.
  return [...names.map((name) => `${name}=`), 'extensions.largefiles=!', 'extensions.lfs=!'].flatMap((setting) => [
    '--config',
    setting,
  ]);
}

async function changesetOf(url: string, rev: string, context: SourceContext): Promise<string | undefined> {
  const { done, stdout } = await ask(
    url,
    ['identify', '--rev', rev, '--template', '{node}', url],
    context.state,
    context,
  );
  return done && isChangeset(stdout) ? stdout : undefined;
}

/** What a tag stands for at a place; undefined where a name is none, or the pinned changeset shows that it was a branch. */
async function tagNow(
  { url, rev, commit }: { readonly url: string; readonly rev: string; readonly commit: string },
  repository: string,
  context: SourceContext,
): Promise<string | undefined> {
  // Names that Mercurial lets no tag have.
  if (isChangeset(rev) || /^(tip|\d+)$/.test(rev)) return undefined;
  const { outputOf } = await import('./user-tool.ts');
  const args = ['log', '--hidden', '--rev', commit, '--template', '{branch}'];
  if ((await outputOf(hg, { args, cwd: repository, env: alone }, repository, context)) === rev) return undefined;
  const now = await changesetOf(url, rev, context);
  if (now === undefined || now === commit) return now;
  const bookmarks = await ask(url, ['identify', '--bookmarks', '--rev', now, url], context.state, context);
  return bookmarks.stdout.split(/\s/).includes(rev) ? undefined : now;
}

/** The repository of ours for a place; made when it is not there. @returns Its absolute path. */
async function openRepository(url: string, context: SourceContext): Promise<string> {
  const { exists, removeTree } = await import('../system/files.ts');
  const { outputOf } = await import('./user-tool.ts');
  const folder = resolve(context.state, `hg-${digestOf(url).slice(0, 16)}`);
  // Written last by `hg init`; nobody but us works here, so a lock is left from one that was killed.
  if (!exists(resolve(folder, '.hg/requires'))) {
    removeTree(folder);
    await outputOf(hg, { args: ['init', folder], cwd: context.state, env: alone }, folder, context);
  }
  for (const lock of ['wlock', 'store/lock']) removeTree(resolve(folder, '.hg', lock));
  if (exists(resolve(folder, '.hg/store/journal')))
    await outputOf(hg, { args: ['recover'], cwd: folder, env: alone }, folder, context);
  return folder;
}

async function has(repository: string, commit: string, context: SourceContext): Promise<boolean> {
  const { callTool } = await import('./user-tool.ts');
  const args = ['log', '--hidden', '--rev', commit, '--template', '{node}'];
  const { exitStatus, stdout } = await callTool(hg, { args, cwd: repository, env: alone }, context);
  return exitStatus === 0 && stdout === commit;
}

async function exportTree(
  what: { readonly repository: string; readonly commit: string; readonly subdir: string | undefined },
  { tree }: FetchTarget,
  context: SourceContext,
): Promise<void> {
  const { repository, commit } = what;
  const { callTool, outputOf } = await import('./user-tool.ts');
  const { isFolder, moveIntoPlace, readIfThere, removeTree, temporaryFolder } = await import('../system/files.ts');
  const subdir = (what.subdir ?? '')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const call = (args: readonly string[]): Call => ({ args: ['--hidden', ...args], cwd: repository, env: alone });
  const only = subdir === '' ? [] : ['--include', `path:${subdir}`];
  if (subdir !== '' && (await callTool(hg, call(['files', '--rev', commit, ...only]), context)).exitStatus !== 0)
    throw noSuchFolder(commit, subdir);
  const archive = ['archive', '--no-decode', '--type', 'files', '--config', 'ui.archivemeta=no', '--rev', commit];
  using scratch = temporaryFolder('.hg', resolve(tree, '..'));
  await outputOf(hg, call([...archive, ...only, resolve(scratch.path, 'all')]), repository, context);
  const wanted = resolve(scratch.path, 'all', subdir);
  if (!isFolder(wanted)) throw noSuchFolder(commit, subdir);
  removeTree(tree);
  moveIntoPlace(wanted, tree);
  const subrepositories = subdir === '' ? readIfThere(resolve(tree, '.hgsubstate')) : undefined;
  if (subrepositories !== undefined)
    leftOut(context, {
      code: 'submodules-left-out',
      headline: 'Subrepositories are left out of the source',
      folders: subrepositories.split('\n').flatMap((line) => line.split(' ').slice(1, 2)),
      mend: 'fetch those that are needed as sources of their own',
    });
}
