/** Upstream trees kept in Subversion: pinned to a revision of a repository, exported with the bytes that are stored there. */
import { pathToFileURL } from 'node:url';
import { digestOf } from '../model/digest.ts';
import { shown } from '../model/passwords.ts';
import { VbuildError } from '../model/error.ts';
import { partsOf } from '../system/archive-guard.ts';
import { firstRepository } from './first-place.ts';
import { repositoryOrigin } from './origin.ts';
import type { Pin, SourceContext, SourceKind } from './source.ts';
import { subdirProblems, urlProblems } from './spec-checks.ts';
import type { Call, UserTool } from './user-tool.ts';
import { commitIn, isPath, leftOut, noSuchFolder, placeOf, refuseOffline } from './version-control.ts';

export interface SubversionSpec {
  readonly kind: 'subversion';
  readonly url: string;
  readonly rev?: number;
  readonly subdir?: string;
}

export interface SubversionOptions {
  /** Number of the revision; the newest one that changed the folder is pinned when not given. */
  readonly rev?: number;
  /** The folder below the URL that is the source. */
  readonly subdir?: string;
}

/**
 * A folder of a Subversion repository, such as a tag. Bytes are as stored: keywords (`$Id$`) are not expanded, since what they
 * expand to depends on the server that is asked. Externals are left out, as they are not of that revision.
 *
 * Bringing it may end with `vcs-failed`, `source-missing`, `archive-refused`, `tool-missing`, with `pin-mismatch` where another repository
 * is in the place of the pinned one, and under `--offline` with `download-failed`.
 *
 * @param url An `http:`, `https:`, `svn:`, `svn+ssh:` or `file:` URL of the folder, or the path of a repository or a folder in one;
 *   a relative path starts at the Buildfile.
 */
export const subversion = (url: string, options: SubversionOptions = {}): SubversionSpec => ({
  kind: 'subversion',
  url,
  ...options,
});

export const subversionKind: SourceKind<SubversionSpec> = {
  kind: 'subversion',
  options: ['url', 'rev', 'subdir'],
  needs: () => ['svn'],
  problems: ({ url, rev, subdir }) => [
    ...urlProblems('subversion', url, ['http', 'https', 'svn', 'svn+ssh', 'file']),
    ...(rev === undefined || (Number.isSafeInteger(rev) && rev > 0)
      ? []
      : ['rev must be the number of a revision, from 1 up']),
    ...subdirProblems(subdir),
  ],

  origin: (spec, pin) => repositoryOrigin('svn', spec, commitIn(pin).slice(1)),

  async resolve(spec, context) {
    return firstRepository(spec.url, context, (place) => pinAt(urlOf(place), spec, context));
  },

  async fetch(spec, pin, target, context) {
    const revision = Number(commitIn(pin).slice(1));
    const origin = urlOf(placeOf(spec.url, context.buildfileFolder));
    const name = `svn-${digestOf(JSON.stringify([origin, revision, pin['uuid'], spec.subdir])).slice(0, 16)}`;
    const [{ keptOr }, { emptyFolder }] = await Promise.all([import('./kept-tree.ts'), import('../system/files.ts')]);
    const bring = async (place: string): Promise<void> => {
      const url = urlOf(place);
      refuseOffline(url, `r${revision}`, context);
      const found = await folderAt(url, revision, context);
      if (found === undefined) throw gone(url, `r${revision}`);
      if (found.uuid !== pin['uuid'])
        throw new VbuildError('pin-mismatch', 'Another repository is in the place of the pinned one', {
          facts: { url: shown(url), expected: `UUID ${String(pin['uuid'])}`, found: `UUID ${found.uuid}` },
          mend: 'find out why; if it is meant, pin it anew with vbuild update',
        });
      // Of a transfer that broke off, a part may lie there.
      emptyFolder(target.tree);
      await exportTree(url, revision, spec.subdir, target.tree, context);
    };
    await keptOr(context.state, name, target.tree, () => firstRepository(spec.url, context, bring));
  },
};

async function pinAt(url: string, { rev }: SubversionSpec, context: SourceContext): Promise<Pin> {
  const asked = rev === undefined ? 'the newest revision' : `r${rev}`;
  refuseOffline(url, asked, context);
  const found = await folderAt(url, rev, context);
  if (found === undefined) throw gone(url, asked);
  // Stable while others commit elsewhere in the repository; but a folder that was copied or moved was not here at its last change.
  const settled =
    rev === undefined && found.changed !== found.revision ? await folderAt(url, found.changed, context) : undefined;
  const revision = settled?.uuid === found.uuid ? found.changed : found.revision;
  return { kind: 'subversion', commit: `r${revision}`, uuid: found.uuid };
}

/** As svn takes it. @param place A URL, or an absolute path. */
const urlOf = (place: string): string => (isPath(place) ? pathToFileURL(place).href : place).replace(/\/+$/, '');

const gone = (url: string, rev: string): VbuildError =>
  new VbuildError('source-missing', 'Repository has no such folder in that revision', {
    facts: { url: shown(url), rev },
    mend: 'correct the URL or rev, or name a mirror that still has it',
  });

const svn: UserTool = { program: 'svn', debianPackage: 'subversion', env: {}, drops: /^SVN_(?!SSH$)/ };

/** Nobody is asked, nothing of the user's is written, keywords and externals stay out. */
const settings = ['--non-interactive', '--no-auth-cache', '--config-option', 'servers:global:http-timeout=60'];

/** The last `@` of a target is Subversion's own: it says in which revision the URL names something. */
const at = (url: string, revision: number | undefined): string => `${url}@${revision ?? 'HEAD'}`;

interface Folder {
  /** The one asked about. */
  readonly revision: number;
  /** The last one in which something changed there. */
  readonly changed: number;
  readonly uuid: string;
}

/** What is at a URL in a revision (the newest when not given); undefined when the repository has nothing there. @throws {VbuildError} `vcs-failed` */
async function folderAt(
  url: string,
  revision: number | undefined,
  context: SourceContext,
): Promise<Folder | undefined> {
  const { callTool, outputOf } = await import('./user-tool.ts');
  const call = (target: string): Call => ({ args: ['info', '--xml', ...settings, target], cwd: context.state });
  const finished = await callTool(svn, call(at(url, revision)), context);
  if (finished.exitStatus !== 0) {
    // The first revision of a repository that answers is there always: then only this folder is missing.
    const repository = await repositoryAbove(url, context);
    if (repository !== undefined) return undefined;
    await outputOf(svn, call(at(url, revision)), url, context);
  }
  const entry = attributesOf('entry', finished.stdout);
  const [kind, asked, changed] = [
    entry['kind'],
    entry['revision'],
    attributesOf('commit', finished.stdout)['revision'],
  ];
  const uuid = /<uuid>([^<]+)<\/uuid>/.exec(finished.stdout)?.[1];
  if (kind !== 'dir' || asked === undefined || uuid === undefined) return undefined;
  return { revision: Number(asked), changed: Number(changed ?? asked), uuid };
}

/** Of the first element of that name; svn writes them in any order. */
function attributesOf(element: string, xml: string): Readonly<Record<string, string>> {
  const text = new RegExp(`<${element}\\s([^>]*)>`).exec(xml)?.[1] ?? '';
  return Object.fromEntries(
    [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** The nearest folder above that the newest revision has; undefined when nothing there answers as a repository. */
async function repositoryAbove(url: string, context: SourceContext): Promise<string | undefined> {
  const { callTool } = await import('./user-tool.ts');
  const top = /^[a-z0-9+.-]+:\/\/[^/]*/i.exec(url)?.[0] ?? '';
  for (let place = url; place.length > top.length; place = place.slice(0, place.lastIndexOf('/'))) {
    const args = ['info', '--xml', ...settings, at(place, undefined)];
    if ((await callTool(svn, { args, cwd: context.state }, context)).exitStatus === 0) return place;
  }
  return undefined;
}

async function exportTree(
  url: string,
  revision: number,
  subdir: string | undefined,
  into: string,
  context: SourceContext,
): Promise<void> {
  const { callTool, outputOf, toolFailed } = await import('./user-tool.ts');
  const below = partsOf(subdir ?? '').map((part) => encodeURIComponent(part));
  const target = at([url, ...below].join('/'), revision);
  if (below.length > 0 && (await folderAt(target.slice(0, target.lastIndexOf('@')), revision, context)) === undefined)
    throw noSuchFolder(`r${revision}`, subdir ?? '');
  const call: Call = {
    args: [
      'export',
      '--quiet',
      '--force',
      '--ignore-keywords',
      '--ignore-externals',
      '--native-eol',
      'LF',
      ...settings,
    ].concat('--revision', String(revision), target, into),
    cwd: context.state,
    transfers: true,
  };
  const finished = await callTool(svn, call, context);
  if (finished.exitStatus !== 0) throw toolFailed(svn, call, finished, url);
  const asked = ['propget', '--xml', '--recursive', 'svn:externals', ...settings, target];
  const externals = await outputOf(svn, { args: asked, cwd: context.state, transfers: true }, url, context);
  const top = target.slice(0, target.lastIndexOf('@'));
  const folders = [...externals.matchAll(/<target\s+path="([^"]*)"/g)].map(
    ([, path = '']) => path.slice(top.length + 1) || '.',
  );
  if (folders.length === 0) return;
  leftOut(context, {
    code: 'submodules-left-out',
    headline: 'Externals are left out of the source',
    folders,
    mend: 'fetch those that are needed as sources of their own',
  });
}
