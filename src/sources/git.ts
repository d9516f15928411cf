/** Upstream trees kept in git: pinned to a full commit, exported as the repository has them, byte for byte. */
import { posix, resolve } from 'node:path';
import { digestOf } from '../model/digest.ts';
import { shown } from '../model/passwords.ts';
import { VbuildError } from '../model/error.ts';
import type { GitRepository } from '../system/git.ts';
import { repositoryOrigin } from './origin.ts';
import type { SourceContext, SourceKind } from './source.ts';
import { subdirProblems } from './spec-checks.ts';
import { firstRepository } from './first-place.ts';
import { commitGone, commitIn, leftOut, noSuchRev, placeOf, refuseOffline, tellIfMoved } from './version-control.ts';

export interface GitSpec {
  readonly kind: 'git';
  readonly url: string;
  readonly rev: string;
  readonly subdir?: string;
  readonly submodules?: boolean;
  readonly lfs?: boolean;
}

export interface GitOptions {
  /** A tag, a branch, or a full commit id. What a tag or branch stands for is looked up once; the commit is what is pinned. */
  readonly rev: string;
  /** The folder of the repository that is the source. */
  readonly subdir?: string;
  /** Whether submodules are part of the source; false when not given, and then their folders are left out with a warning. */
  readonly submodules?: boolean;
  /** Whether files that are kept in Git LFS are brought; false when not given, and then their pointers stay in their places, with a warning. */
  readonly lfs?: boolean;
}

/**
 * A git repository.
 *
 * Bringing it may end with `git-failed`, with `source-missing` for a rev, commit, folder or file of Git LFS that is not there, with
 * `pin-mismatch` where the rev stands for another commit now and the pinned one is gone, with `archive-refused` for a name that no tree may
 * hold, with `download-failed` under `--offline`, and with `tool-missing`.
 *
 * @param url Anything that `git fetch` takes, but what runs a program (`ext::`); also a path, of which a relative one starts at the folder of
 *            the Buildfile.
 */
export const git = (url: string, options: GitOptions): GitSpec => ({ kind: 'git', url, ...options });

/**
 * The pin names the commit, and git itself proves that the tree belongs to it. A tag that upstream moved is warned of when the commit is
 * fetched, and not followed; `vbuild update` resolves the rev anew and shows the difference. Only when the commit is no longer to be had
 * does the rev matter: then `fetch` says where it points now.
 */
export const gitKind: SourceKind<GitSpec> = {
  kind: 'git',
  options: ['url', 'rev', 'subdir', 'submodules', 'lfs'],
  needs: ({ lfs }) => (lfs === true ? ['git', 'git-lfs'] : ['git']),
  problems,

  origin: (spec, pin) => repositoryOrigin('git', spec, commitIn(pin)),

  async resolve(spec, context) {
    if (isCommit(spec.rev)) return { kind: 'git', commit: spec.rev };
    const { commitOf } = await import('../system/git.ts');
    const commit = await firstRepository(spec.url, context, async (url) => {
      refuseOffline(url, spec.rev, context);
      const found = await commitOf(url, spec.rev, { cwd: context.state, ...context });
      if (found === undefined) throw noSuchRev(url, spec.rev, 'correct rev; a commit must be given by its full id');
      return found;
    });
    return { kind: 'git', commit };
  },

  async fetch(spec, pin, target, context) {
    const place = {
      url: placeOf(spec.url, context.buildfileFolder),
      commit: commitIn(pin),
      ...(spec.subdir !== undefined && { subdir: spec.subdir }),
    };
    const { submodules = false, lfs = false, rev } = spec;
    await exportTree(place, target.tree, { submodules, lfs, rev, depth: 0 }, context);
    const { settleTree } = await import('../system/import-tree.ts');
    settleTree(target.tree);
  },
};

const isCommit = (rev: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(rev);

function problems({ url, rev, subdir, submodules, lfs }: GitSpec): readonly string[] {
  const found: string[] = [];
  if (typeof url !== 'string' || url === '') found.push('git needs the URL of a repository, as a string');
  // Both would be options or run programs of git's own choosing.
  else if (url.startsWith('-') || url.includes('::'))
    found.push(`${JSON.stringify(url)} is not the URL of a repository`);
  if (typeof rev !== 'string' || !/^(?!-)[^\s~^:?*[\\\0]+$/.test(rev) || rev.includes('..'))
    found.push('rev must be a tag, a branch or a full commit id, as a string');
  found.push(...subdirProblems(subdir));
  if (submodules !== undefined && typeof submodules !== 'boolean') found.push('submodules must be true or false');
  if (lfs !== undefined && typeof lfs !== 'boolean') found.push('lfs must be true or false');
  return found;
}

/** Where a tree comes from; the URL as the Buildfile or `.gitmodules` has it, paths made absolute. */
interface Place {
  readonly url: string;
  readonly commit: string;
  readonly subdir?: string;
}

interface ExportOptions {
  readonly submodules: boolean;
  readonly lfs: boolean;
  /** As the Buildfile gives it, for the message when the commit is gone; none for submodules. */
  readonly rev?: string;
  readonly depth: number;
}

async function exportTree(place: Place, tree: string, options: ExportOptions, context: SourceContext): Promise<void> {
  const { openRepository } = await import('../system/git.ts');
  const repository = await openRepository(
    resolve(context.state, `git-${digestOf(place.url).slice(0, 16)}`),
    place.commit,
    context,
  );
  if (!(await repository.has(place.commit))) await bring(repository, place, options, context);
  const links = await repository.export(place.commit, place.subdir, tree);
  await largeFiles(repository, place, tree, options, context);
  if (links.length === 0) return;
  if (!options.submodules) {
    leftOut(context, {
      code: 'submodules-left-out',
      headline: 'Submodules are left out of the source',
      folders: links.map(({ path }) => path),
      mend: 'give git() the option submodules: true if they are needed',
    });
    return;
  }
  if (options.depth >= 10)
    throw new VbuildError('git-failed', 'Submodules are nested too deeply', {
      facts: { url: shown(place.url) },
      mend: 'leave submodules out of the source',
    });
  const urls = await repository.submoduleUrls(place.commit);
  const { makeFolder } = await import('../system/files.ts');
  for (const { path, commit } of links) {
    const url = submodulePlace(urls.get(posix.join(place.subdir ?? '', path)), place.url, path);
    const into = resolve(tree, path);
    makeFolder(into);
    await exportTree({ url, commit }, into, { submodules: true, lfs: options.lfs, depth: options.depth + 1 }, context);
  }
}

async function bring(
  repository: GitRepository,
  { url, commit }: Place,
  { rev }: ExportOptions,
  context: SourceContext,
): Promise<void> {
  const { commitOf } = await import('../system/git.ts');
  await firstRepository(url, context, async (place) => {
    refuseOffline(place, commit, context);
    if (await repository.fetch(place, commit)) {
      if (rev !== undefined && !isCommit(rev)) await warnOfMovedTag(place, commit, rev, context);
      return;
    }
    const now =
      rev === undefined || isCommit(rev) ? undefined : await commitOf(place, rev, { cwd: context.state, ...context });
    throw commitGone(place, commit, rev, now);
  });
}

async function warnOfMovedTag(place: string, commit: string, rev: string, context: SourceContext): Promise<void> {
  const { commitOf } = await import('../system/git.ts');
  const tag = rev.startsWith('refs/') ? rev : `refs/tags/${rev}`;
  if (!tag.startsWith('refs/tags/')) return;
  await tellIfMoved({ url: place, rev, commit }, context, () =>
    commitOf(place, tag, { cwd: context.state, ...context }),
  );
}

/** Puts what is kept in LFS in the place of its pointers; each pointer names the digest, so the commit decides these bytes too. */
async function largeFiles(
  repository: GitRepository,
  { url, commit }: Place,
  tree: string,
  { lfs }: ExportOptions,
  context: SourceContext,
): Promise<void> {
  const { lfsPointers, putInPlace } = await import('./git-lfs.ts');
  const pointers = lfsPointers(tree);
  if (pointers.length === 0) return;
  if (!lfs) {
    leftOut(context, {
      code: 'lfs-left-out',
      headline: 'Files kept in Git LFS are left as pointers',
      folders: pointers.map(({ path }) => path),
      mend: 'give git() the option lfs: true if they are needed',
    });
    return;
  }
  const isHere = ({ digest }: { readonly digest: string }): boolean => repository.largeFile(digest) !== undefined;
  if (pointers.every(isHere)) {
    await putInPlace(pointers, tree, repository, shown(url));
    return;
  }
  await firstRepository(url, context, async (place) => {
    refuseOffline(place, commit, context);
    // A mirror is asked itself: upstream's server may be gone.
    const isOrigin = place === placeOf(url, context.buildfileFolder);
    await repository.fetchLarge(place, commit, isOrigin ? 'upstream' : 'beside');
    await putInPlace(pointers, tree, repository, shown(place));
  });
}

/** `git@host:path`, as ssh and git write it: nothing that ssh would take for an option, and no `ext::`. */
const overSsh = /^(?!-)([\w.+~-]+@(?!-))?([\w.-]+|\[[\w.:%]+\]):(?![:-]|\/\/)./;

/** A submodule's URL comes from upstream, not from the user: it may be a plain transport or lie beside its parent, nothing else. */
function submodulePlace(url: string | undefined, parent: string, path: string): string {
  if (url !== undefined && (/^(https?|ssh|git):\/\/[^-]/.test(url) || overSsh.test(url))) return url;
  if (url !== undefined && /^\.\.?\//.test(url)) {
    const scheme = /^([a-z+]+:\/\/[^/]*|[^/]*:(?!\/\/))?(.*)$/i.exec(parent);
    return `${scheme?.[1] ?? ''}${posix.join(scheme?.[2] ?? '', url)}`;
  }
  throw new VbuildError('git-failed', 'Submodule has no URL that may be followed', {
    facts: { folder: path, expected: 'https:, ssh:, git: or user@host:path, or a relative URL', found: url ?? 'none' },
    mend: 'leave submodules out, and fetch this one as a source of its own',
  });
}
