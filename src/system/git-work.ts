/** Private repositories in which people edit trees, driven by git's own command line: commits made from folders, diffs to the byte, merges. */
import { join } from 'node:path';
import { digestOf } from '../model/digest.ts';
import { exists, makeFolder, readBytes, readIfThere, removeTree, writeAtomically } from './files.ts';
import { type Author, authorship, caller, gitFailed, maker, runner } from './git-command.ts';

export interface Commit {
  readonly id: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** As in mails: `Name <address>`, and an RFC 5322 date. */
  readonly author: string;
  readonly date: string;
}

export interface GitWork {
  /** Absolute path of the folder that holds the files, and `.git`. */
  readonly folder: string;
  /** Records all of a folder (absolute) as a commit, whatever its ignore files say. @returns its id */
  record(top: string, parent: string | undefined, message: string, author?: Author): Promise<string>;
  /** The id of what a folder holds, as a tree: equal ids mean equal paths, exec bits, link targets and bytes. */
  treeIn(top: string): Promise<string>;
  treeOf(commit: string): Promise<string>;
  /** Makes a folder that held one commit's tree, or nothing, hold another one's, exactly. */
  fill(top: string, commit: string): Promise<void>;
  /** Copies those of these paths that a commit has into an empty folder. */
  extract(commit: string, paths: readonly string[], top: string): Promise<void>;
  /** The commits behind `base` up to `head`, oldest first. */
  commits(base: string, head: string): Promise<Commit[]>;
  /** The bytes of a diff; `prefixes` stand before the old and the new names. */
  diff(from: string, to: string, prefixes: readonly [string, string], statOnly?: boolean): Promise<Buffer>;
  /** Every path that a commit on the way from `base` to `head` changes. */
  changedPaths(base: string, head: string): Promise<string[]>;
  head(): Promise<string>;
  isAncestor(one: string, of: string): Promise<boolean>;
  /** Puts the branch, the index and the files on a commit; what was there is overwritten. */
  checkOut(commit: string): Promise<void>;
  /** Puts the branch on a commit of the same tree; index and files stay. */
  moveHead(commit: string): Promise<void>;
  /** The same tree, author and dates with another message and parent. */
  reword(commit: string, parent: string, message: string): Promise<string>;
  /** What is not committed, such as ` M src/x.c`; ignored files do not count. */
  uncommitted(): Promise<string[]>;
  /** Full names of all branches, tags and stashes. */
  refs(): Promise<string[]>;
  /** Paths in conflict. */
  conflicts(): Promise<string[]>;
  /** Merges one commit's change into the index and the files, by three ways. @returns Whether it merged without a conflict. */
  merge(commit: string): Promise<boolean>;
  /** Whether the index differs from the last commit. */
  hasStaged(): Promise<boolean>;
  /** Commits the index with another commit's message and author; `amend` replaces the last commit. */
  commitLike(commit: string, amend?: boolean): Promise<void>;
  /** What a person began with git itself and has not ended, such as `a rebase`. */
  unfinished(): string | undefined;
}

/** Above info/attributes nothing counts: bytes in and out as they are, text told from binary by content, the plain merge. */
const asStored =
  '* -text -ident -filter !eol !working-tree-encoding !diff !merge !conflict-marker-size !whitespace !export-ignore\n';

/** Makes a repository in an existing folder that holds none. @param folder Absolute. @throws {VbuildError} `git-failed`, `tool-missing` */
export async function createGitWork(folder: string, signal: AbortSignal): Promise<GitWork> {
  await caller(folder, signal)(['init', '--quiet', '--template=', '--initial-branch=patches', folder]);
  writeAtomically(join(folder, '.git/info/attributes'), asStored);
  const work = openGitWork(folder, signal);
  // What the person's own git does there must keep bytes as well.
  const git = caller(folder, signal);
  for (const [name, value] of [
    ['core.autocrlf', 'false'],
    ['core.hooksPath', '/dev/null'],
    ['commit.gpgSign', 'false'],
    ['merge.conflictStyle', 'diff3'],
  ] as const)
    await git(['config', name, value]);
  return work;
}

/** @param folder Absolute path of a folder with a repository that `createGitWork` made. */
export function openGitWork(folder: string, signal: AbortSignal): GitWork {
  const call = runner(folder, signal);
  const git = caller(folder, signal);
  const inGit = (name: string): string => join(folder, '.git', name);
  /** Another folder's files with an index of their own. */
  const beside = (top: string): Readonly<Record<string, string>> => ({
    GIT_WORK_TREE: top,
    GIT_INDEX_FILE: inGit(`vbuild-index-${digestOf(top).slice(0, 16)}`),
  });
  const lines = (text: string): string[] => text.split('\0').filter((line) => line !== '');
  const one = async (args: readonly string[]): Promise<string> => (await git(args)).trim();

  const self: GitWork = {
    folder,

    async treeIn(top) {
      await git(['add', '--all', '--force', '--', '.'], { env: beside(top), cwd: top });
      return (await git(['write-tree'], { env: beside(top), cwd: top })).trim();
    },

    async record(top, parent, message, author = maker) {
      const tree = await self.treeIn(top);
      const args = ['commit-tree', tree, ...(parent === undefined ? [] : ['-p', parent]), '-F', '-'];
      return (await git(args, { input: message, env: authorship(author) })).trim();
    },

    treeOf: (commit) => one(['rev-parse', '--verify', '--quiet', `${commit}^{tree}`]),

    async fill(top, commit) {
      makeFolder(top);
      await git(['read-tree', '--reset', '-u', commit], { env: beside(top), cwd: top });
    },

    async extract(commit, paths, top) {
      const env = { GIT_INDEX_FILE: inGit('vbuild-extract') };
      await git(['read-tree', '--reset', commit], { env });
      const there = new Set(lines(await git(['ls-files', '-z'], { env })));
      const input = paths.filter((path) => there.has(path)).map((path) => `${path}\0`);
      await git(['checkout-index', '--quiet', '--force', '-z', '--stdin', `--prefix=${top}/`], {
        env,
        input: input.join(''),
      });
      removeTree(inGit('vbuild-extract'));
    },

    async commits(base, head) {
      const format = '%H%x1f%P%x1f%an <%ae>%x1f%aD%x1f%B';
      const text = await git(['log', '-z', '--reverse', '--topo-order', `--format=${format}`, `${base}..${head}`]);
      return lines(text).map((record) => {
        const [id = '', parents = '', author = '', date = '', ...message] = record.split('\x1f');
        return {
          id,
          parents: parents.split(' ').filter((parent) => parent !== ''),
          author,
          date,
          message: message.join('\x1f'),
        };
      });
    },

    async diff(from, to, [before, after], statOnly = false) {
      const output = inGit('vbuild-diff');
      const what = statOnly
        ? ['--stat=72', '--summary']
        : ['--patch', '--unified=3', '--inter-hunk-context=0', `--src-prefix=${before}`, `--dst-prefix=${after}`];
      const fixed = ['--no-color', '--no-ext-diff', '--no-textconv', '--diff-algorithm=myers', '--indent-heuristic'];
      // Through a file: what a program writes to us as text would lose bytes that are not UTF-8.
      await git([
        'diff-tree',
        '-r',
        ...what,
        ...fixed,
        '--find-renames',
        '-O/dev/null',
        `--output=${output}`,
        from,
        to,
      ]);
      const bytes = readBytes(output);
      removeTree(output);
      return bytes;
    },

    async changedPaths(base, head) {
      const args = ['log', '-z', '--format=', '--name-only', '--no-renames', '-m', `${base}..${head}`];
      return [...new Set(lines(await git(args)))].sort();
    },

    head: () => one(['rev-parse', '--verify', '--quiet', 'HEAD']),

    isAncestor: async (ancestor, of) =>
      (await git(['merge-base', ancestor, of], { statuses: [0, 1] })).trim() === ancestor,

    async checkOut(commit) {
      await git(['checkout', '--quiet', '--force', '-B', 'patches', commit]);
    },

    async moveHead(commit) {
      await git(['reset', '--quiet', '--soft', commit]);
    },

    async reword(commit, parent, message) {
      const format = '%an%x1f%ae%x1f%ad%x1f%cn%x1f%ce%x1f%cd';
      const [an = '', ae = '', ad = '', cn = '', ce = '', cd = ''] = (
        await one(['log', '-1', '--date=raw', `--format=${format}`, commit])
      ).split('\x1f');
      const env = {
        GIT_AUTHOR_NAME: an,
        GIT_AUTHOR_EMAIL: ae,
        GIT_AUTHOR_DATE: ad,
        GIT_COMMITTER_NAME: cn,
        GIT_COMMITTER_EMAIL: ce,
        GIT_COMMITTER_DATE: cd,
      };
      const args = ['commit-tree', `${commit}^{tree}`, '-p', parent, '-F', '-'];
      return (await git(args, { input: message, env })).trim();
    },

    uncommitted: async () =>
      lines(await git(['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=normal'])),

    refs: async () => (await git(['for-each-ref', '--format=%(refname)'])).split('\n').filter((name) => name !== ''),

    conflicts: async () => [
      ...new Set(lines(await git(['ls-files', '--unmerged', '-z'])).map((line) => line.slice(line.indexOf('\t') + 1))),
    ],

    async merge(commit) {
      const { exitStatus, stderr } = await call(['cherry-pick', '--no-commit', commit], { statuses: [0, 1] });
      // It also ends with 1 when it did not even begin.
      if (exitStatus === 1 && (await self.conflicts()).length === 0) throw gitFailed('cherry-pick', folder, stderr);
      return exitStatus === 0;
    },

    hasStaged: async () => (await git(['diff-index', '--cached', '--name-only', 'HEAD'])) !== '',

    async commitLike(commit, amend = false) {
      await git(['commit', '--quiet', '--no-verify', '--allow-empty', ...(amend ? ['--amend'] : []), '-C', commit]);
    },

    unfinished() {
      const signs = {
        'rebase-merge': 'a rebase',
        'rebase-apply': 'a rebase',
        MERGE_HEAD: 'a merge',
        CHERRY_PICK_HEAD: 'a cherry-pick',
        REVERT_HEAD: 'a revert',
        BISECT_LOG: 'a bisection',
      };
      return Object.entries(signs).find(([name]) => exists(inGit(name)))?.[1];
    },
  };
  return self;
}

/** A note of vbuild's own, kept in the repository; `undefined` when there is none. */
export const readNote = (folder: string, name: string): string | undefined => readIfThere(join(folder, '.git', name));

export const writeNote = (folder: string, name: string, text: string): void =>
  writeAtomically(join(folder, '.git', name), text);

export const removeNote = (folder: string, name: string): void => removeTree(join(folder, '.git', name));
