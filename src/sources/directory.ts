/** Folders of the project itself: never pinned, they count by what they hold each time. */
import { resolve } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { isFolder } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';
import type { SourceKind } from './source.ts';

export interface DirectorySpec {
  readonly kind: 'directory';
  /** Absolute, or relative to the folder of the Buildfile. */
  readonly path: string;
}

/**
 * A folder of the project. All of it is the source, symlinks kept as they are, but for what version control
 * and vbuild keep for themselves: `.git`, `.hg`, `.svn` and `.vbuild` on every level. What else is not to be copied belongs outside of the folder.
 *
 * Where it is not there, even looking at the package ends with `source-missing`; what no tree may hold is `archive-refused`.
 *
 * @param path Absolute, or relative to the folder of the Buildfile.
 */
export const directory = (path: string): DirectorySpec => ({ kind: 'directory', path });

/** Their bytes change without any change of the source. */
const keptOut = new Set(['.git', '.hg', '.svn', '.vbuild']);

export const directoryKind: SourceKind<DirectorySpec> = {
  kind: 'directory',
  options: ['path'],
  problems: ({ path }) => (typeof path === 'string' && path !== '' ? [] : ['directory needs a path, as a string']),

  current: ({ path }, buildfileFolder) => treeDigest(existing(path, buildfileFolder), comesAlong),

  origin: () => ({}),

  async resolve() {
    return { kind: 'directory' };
  },

  async fetch({ path }, _pin, target, { buildfileFolder }) {
    const { importTree } = await import('../system/import-tree.ts');
    importTree(existing(path, buildfileFolder), target.tree, comesAlong);
  },
};

/** Whether a file or folder of this name is part of such a source, on every level. */
export const comesAlong = (name: string): boolean => !keptOut.has(name);

function existing(path: string, buildfileFolder: string): string {
  const folder = resolve(buildfileFolder, path);
  if (isFolder(folder)) return folder;
  throw new VbuildError('source-missing', 'Folder of the source is not there', {
    where: { file: folder },
    mend: 'correct the path; a relative one starts at the folder of the Buildfile',
  });
}
