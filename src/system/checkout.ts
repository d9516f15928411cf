/** What git says of the project's own files: the commit they belong to, and which of them are not as that commit has them. */
import { isAbsolute, join, relative } from 'node:path';
import { realPath } from './files.ts';
import { run } from './process.ts';
import { unattendedEnvironment } from './user-environment.ts';

interface Checkout {
  /** Full id of the commit that is checked out. */
  readonly commit: string;
  /** Full name of the branch; undefined when none is checked out. */
  readonly ref: string | undefined;
  /** By path as it was asked for: what is wrong with it, such as `modified`; a folder has what is wrong with anything in it. */
  readonly unclean: ReadonlyMap<string, string>;
}

interface CheckoutOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * @param folder Absolute path of an existing folder of the project.
 * @param paths  Absolute paths of files and folders to be looked at.
 * @returns Or why nothing is known, as one clause: no repository, no commit yet, no git.
 */
export async function checkoutOf(
  folder: string,
  paths: readonly string[],
  { environment, signal }: CheckoutOptions,
): Promise<Checkout | { readonly unknown: string }> {
  // A hook that runs us sets GIT_DIR and the like to its own repository.
  const env = {
    ...unattendedEnvironment(environment, /^GIT_(?!CONFIG)|^(EDITOR|VISUAL|PAGER)$/),
    GIT_OPTIONAL_LOCKS: '0',
    LC_ALL: 'C',
  };
  const git = async (...args: readonly string[]): Promise<string | { readonly unknown: string }> => {
    const argv = ['git', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false', '--literal-pathspecs', ...args];
    const ended = await run({ argv, cwd: folder, env, signal });
    signal.throwIfAborted();
    if (ended.exitStatus === 0) return ended.stdout;
    if (ended.failure === 'ENOENT') return { unknown: 'git is not installed' };
    return { unknown: ended.stderr.trim().split('\n').at(-1) || `git ended with status ${ended.exitStatus}` };
  };

  const head = await git('rev-parse', '--show-toplevel', 'HEAD', '--symbolic-full-name', 'HEAD');
  if (typeof head !== 'string') return head;
  const [top = '', commit = '', ref = ''] = head.split('\n');
  const inTree = paths.map((path) => [path, withinTree(top, path)] as const);
  const asked = inTree.flatMap(([, inside]) => inside ?? []);
  const status = asked.length === 0 ? '' : await git('-C', top, ...statusOf, '--', ...asked);
  if (typeof status !== 'string') return status;
  const entries = status
    .split('\0')
    .flatMap((entry) => (entry === '' ? [] : [[entry.slice(3), words(entry)] as const]));
  const unclean = inTree.flatMap(([path, inside]) => {
    if (inside === undefined) return [[path, `outside of the checkout ${top}`] as const];
    const found = entries.find(([name]) => covers(inside, name) || covers(name, inside));
    return found === undefined ? [] : [[path, found[1]] as const];
  });
  return { commit, ref: ref.startsWith('refs/') ? ref : undefined, unclean: new Map(unclean) };
}

const statusOf = ['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all', '--ignored=matching'];

/** Relative to the top, symlinks followed; undefined for what lies elsewhere or is not there. */
function withinTree(top: string, path: string): string | undefined {
  let inside: string;
  try {
    inside = relative(realPath(top), realPath(path));
  } catch {
    return undefined;
  }
  if (inside === '..' || inside.startsWith('../') || isAbsolute(inside)) return undefined;
  return inside === '' ? '.' : inside;
}

const words = (entry: string): string =>
  entry.startsWith('??') ? 'untracked' : entry.startsWith('!!') ? 'ignored by git' : 'modified';

/** Whether a name is that of the folder or lies in it; git ends names of folders with a slash. */
const covers = (folder: string, name: string): boolean =>
  folder === '.' || join(name, '.') === join(folder, '.') || name.startsWith(`${folder.replace(/\/$/, '')}/`);
