/** Upstream trees kept in Bazaar: pinned to a revision id, exported as the branch has them. */
import { digestOf } from '../model/digest.ts';
import { firstRepository } from './first-place.ts';
import { repositoryOrigin } from './origin.ts';
import type { SourceContext, SourceKind } from './source.ts';
import { subdirProblems, urlProblems } from './spec-checks.ts';
import type { Call, UserTool } from './user-tool.ts';
import {
  commitGone,
  commitIn,
  noSuchFolder,
  noSuchRev,
  placeOf,
  refuseOffline,
  tellIfMoved,
} from './version-control.ts';

export interface BazaarSpec {
  readonly kind: 'bazaar';
  readonly url: string;
  readonly rev: string;
  readonly subdir?: string;
}

export interface BazaarOptions {
  /** The name of a tag, `revno:` and a revision number such as `revno:42`, or `revid:` and a full revision id, which is what is pinned. */
  readonly rev: string;
  /** The folder of the branch that is the source. */
  readonly subdir?: string;
}

/**
 * A Bazaar branch, read by Breezy's `brz`. Breezy's own files (`.bzrignore` and the like) are left out, as `brz export` does.
 *
 * Bringing it may end with `vcs-failed`, `source-missing`, `pin-mismatch`, `archive-refused`, `tool-missing`, and under `--offline` with
 * `download-failed`.
 *
 * @param url A `bzr:`, `bzr+ssh:`, `sftp:`, `http:`, `https:` or `file:` URL, or a path; a relative one starts at the Buildfile.
 */
export const bazaar = (url: string, options: BazaarOptions): BazaarSpec => ({ kind: 'bazaar', url, ...options });

export const bazaarKind: SourceKind<BazaarSpec> = {
  kind: 'bazaar',
  options: ['url', 'rev', 'subdir'],
  needs: () => ['brz'],
  problems: ({ url, rev, subdir }) => [
    ...urlProblems('bazaar', url, ['bzr', 'bzr+ssh', 'bzr+http', 'bzr+https', 'sftp', 'http', 'https', 'file']),
    ...(typeof rev === 'string' && /^(revno:\d+(\.\d+)*|revid:[^\s\0]+|(?!-)(?!\w+:)[^\s\0]+)$/.test(rev)
      ? []
      : ['rev must be a tag, `revno:` with a number, or `revid:` with a full revision id, as a string']),
    ...subdirProblems(subdir),
  ],

  origin: (spec, pin) => repositoryOrigin('bzr', spec, commitIn(pin)),

  async resolve(spec, context) {
    if (isRevisionId(spec.rev)) return { kind: 'bazaar', commit: spec.rev.slice('revid:'.length) };
    const commit = await firstRepository(spec.url, context, async (url) => {
      refuseOffline(url, spec.rev, context);
      const found = await revisionOf(url, spec.rev, context);
      if (found === undefined) throw noSuchRev(url, spec.rev, 'correct rev; numbers are written as `revno:42`');
      return found;
    });
    return { kind: 'bazaar', commit };
  },

  async fetch(spec, pin, target, context) {
    const commit = commitIn(pin);
    const origin = placeOf(spec.url, context.buildfileFolder);
    const name = `bzr-${digestOf(JSON.stringify([origin, commit, spec.subdir])).slice(0, 16)}`;
    const [{ keptOr }, { emptyFolder, namesIn }] = await Promise.all([
      import('./kept-tree.ts'),
      import('../system/files.ts'),
    ]);
    await keptOr(context.state, name, target.tree, async () => {
      await firstRepository(spec.url, context, async (url) => {
        refuseOffline(url, commit, context);
        // Of a transfer that broke off, a part may lie there.
        emptyFolder(target.tree);
        await exportTree(url, commit, spec, target.tree, context);
      });
      // A folder that is not there is exported as nothing.
      if (spec.subdir !== undefined && namesIn(target.tree).length === 0) throw noSuchFolder(commit, spec.subdir);
    });
  },
};

const isRevisionId = (rev: string): boolean => rev.startsWith('revid:');
const isTag = (rev: string): boolean => !isRevisionId(rev) && !rev.startsWith('revno:');

const brz: UserTool = {
  program: 'brz',
  debianPackage: 'brz',
  // The user's plugins are programs; Breezy's own ones hold protocols and stores of credentials.
  env: { BRZ_PLUGIN_PATH: '-user', BRZ_LOG: '/dev/null', BRZ_PROGRESS_BAR: 'none' },
  drops: /^(BZR_|BRZ_(?!HOME$|SSH$))/,
};

async function exportTree(
  url: string,
  commit: string,
  { rev, subdir }: BazaarSpec,
  into: string,
  context: SourceContext,
): Promise<void> {
  const { callTool, toolFailed } = await import('./user-tool.ts');
  const place = subdir === undefined ? url : `${url.replace(/\/+$/, '')}/${subdir}`;
  // Without --filters files come out as stored: no line ends and no keywords of the user's rules.
  const args = ['export', '--quiet', '--format=dir', `--revision=revid:${commit}`, into, place];
  const call: Call = { args, cwd: context.state, transfers: true };
  const finished = await callTool(brz, call, context);
  if (finished.exitStatus === 0) {
    if (isTag(rev)) await tellIfMoved({ url, rev, commit }, context, () => revisionOf(url, rev, context));
    return;
  }
  await refuseSilent(url, context);
  const now = isRevisionId(rev) ? undefined : await revisionOf(url, rev, context);
  throw now === commit ? toolFailed(brz, call, finished, url) : commitGone(url, commit, rev, now);
}

/** @throws {VbuildError} `vcs-failed` when nothing answers as a branch. */
async function refuseSilent(url: string, context: SourceContext): Promise<void> {
  const { outputOf } = await import('./user-tool.ts');
  await outputOf(brz, { args: ['revno', url], cwd: context.state }, url, context);
}

/** The full id of a tagged or numbered revision; undefined when the branch is there but has none such. @throws {VbuildError} `vcs-failed` */
async function revisionOf(url: string, rev: string, context: SourceContext): Promise<string | undefined> {
  const { callTool } = await import('./user-tool.ts');
  const asked = isTag(rev) ? `tag:${rev}` : rev;
  const args = ['revision-info', `--revision=${asked}`, `--directory=${url}`];
  const finished = await callTool(brz, { args, cwd: context.state }, context);
  const found = /^\S+ (\S+)$/m.exec(finished.stdout)?.[1];
  if (finished.exitStatus === 0 && found !== undefined) return found;
  await refuseSilent(url, context);
  return undefined;
}
