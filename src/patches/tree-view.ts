/** A tree as a series leaves it, worked out in memory: nothing is written before every patch has applied. */
import { posix } from 'node:path';
import { entryAt, linkTarget, makeFolder, readBytes, removeTree, temporaryName, walk } from '../system/files.ts';
import { asideName, changeTree } from '../system/change-tree.ts';
import { makeSymlink, writeWithMode } from '../system/tree-edit.ts';

/** A file, or a symlink whose text is where it points. Texts are latin1, one character per byte. */
export interface Content {
  readonly type: 'file' | 'symlink';
  readonly text: string;
  /** Permission bits, for a file. */
  readonly mode: number;
}

/** Paths are relative to the tree, parts joined by `/`, and must have passed `obstacle`. */
export interface TreeView {
  /** `undefined` when nothing is there. */
  read(path: string): Content | undefined;
  /** Whether a file or symlink is there. */
  has(path: string): boolean;
  put(path: string, content: Content): void;
  remove(path: string): void;
  /** Why a patch must not touch this path, as a clause; `undefined` when it may. Nothing has to be there. */
  obstacle(path: string): string | undefined;
  /** Reads as things are now, whatever is put later. */
  snapshot(): Pick<TreeView, 'read' | 'has'>;
  /** How many bytes the changes hold. */
  sizeBytes(): number;
  /**
   * Carries the changes out, each file by a new one in its place, so that other hard links keep their content.
   *
   * @param journaled Whether `takeBackCutOff` is to find what a kill leaves; no when not given.
   */
  write(journaled?: boolean): void;
  /** Writes each file that `write` would change or remove into an empty folder (absolute path), as it is on disk. */
  writeOriginals(into: string): void;
}

type Changes = Map<string, Content | undefined>;

/** @param top Absolute path of the tree. */
export function treeView(top: string): TreeView {
  const changes: Changes = new Map();
  const kinds = new Map<string, ReturnType<typeof entryAt>>();
  const kindOnDisk = (path: string): ReturnType<typeof entryAt> => {
    if (!kinds.has(path)) kinds.set(path, entryAt(`${top}/${path}`));
    return kinds.get(path);
  };
  const onDisk = (path: string): Content | undefined => {
    const kind = kindOnDisk(path);
    if (kind?.type === 'symlink')
      return { type: 'symlink', text: latin1(Buffer.from(linkTarget(`${top}/${path}`))), mode: 0o777 };
    if (kind?.type !== 'file') return undefined;
    return { type: 'file', text: latin1(readBytes(`${top}/${path}`)), mode: kind.mode & 0o777 };
  };
  const isOnDisk = (path: string): boolean => ['file', 'symlink'].includes(kindOnDisk(path)?.type ?? '');
  const reader = (of: ReadonlyMap<string, Content | undefined>): Pick<TreeView, 'read' | 'has'> => ({
    read: (path) => (of.has(path) ? of.get(path) : onDisk(path)),
    has: (path) => (of.has(path) ? of.get(path) !== undefined : isOnDisk(path)),
  });
  const now = reader(changes);
  /** A folder whose every file the series has removed goes away, and its name is free. */
  const isEmptied = (folder: string): boolean => {
    const entries = walk(`${top}/${folder}`);
    const gone = ({ path, type }: (typeof entries)[number]): boolean =>
      type === 'directory'
        ? entries.some((other) => other.path.startsWith(`${path}/`))
        : changes.has(`${folder}/${path}`);
    return entries.length > 0 && entries.every(gone);
  };
  /** Folders in which something was put; it may have been removed since. */
  const filled = new Set<string>();
  const isFilled = (folder: string): boolean =>
    filled.has(folder) &&
    [...changes].some(([path, content]) => content !== undefined && path.startsWith(`${folder}/`));

  return {
    ...now,
    put(path, content) {
      changes.set(path, content);
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
        filled.add(path.slice(0, end));
    },
    remove: (path) => void changes.set(path, undefined),
    snapshot: () => reader(new Map(changes)),
    obstacle(path) {
      if (Buffer.byteLength(`${top}/${path}`) > longestPath) return 'it is too long';
      const parts = path.split('/');
      for (let depth = 1; depth < parts.length; depth += 1) {
        const folder = parts.slice(0, depth).join('/');
        const type = changes.has(folder) ? changes.get(folder)?.type : kindOnDisk(folder)?.type;
        if (type === 'symlink') return `${folder} is a symlink`;
        if (type !== undefined && type !== 'directory') return `${folder} is not a folder`;
      }
      if (changes.get(path) !== undefined) return undefined;
      const type = changes.has(path) ? undefined : kindOnDisk(path)?.type;
      if (isFilled(path) || (type === 'directory' && !isEmptied(path))) return 'it is a folder';
      return type === 'other' ? 'it is a device, pipe or socket' : undefined;
    },
    sizeBytes: () => [...changes.values()].reduce((sum, content) => sum + (content?.text.length ?? 0), 0),
    write(journaled = false) {
      const written = [...changes].flatMap(([path, content], i) =>
        content === undefined || same(content, onDisk(path)) ? [] : [{ path, content, name: String(i) }],
      );
      const removed = [...changes].flatMap(([path, content]) =>
        content === undefined && isOnDisk(path) ? [path] : [],
      );
      if (written.length + removed.length === 0) return;
      // What takes most room on the disk comes first, aside.
      const aside = temporaryName(`${top}/${asideName}`);
      try {
        makeFolder(aside);
        for (const { name, content } of written) place(`${aside}/${name}`, content);
        const put = written.map(({ path, name }) => ({ path, from: `${aside}/${name}` }));
        changeTree({ top, removed, put, aside, journaled });
      } finally {
        removeTree(aside);
      }
    },
    writeOriginals(into) {
      for (const path of changes.keys()) {
        const content = onDisk(path);
        if (content === undefined) continue;
        makeFolder(posix.dirname(`${into}/${path}`));
        place(`${into}/${path}`, content);
      }
    },
  };
}

/** In bytes: what Linux takes, without the zero byte at its end. */
const longestPath = 4095;

/** Makes a new file or symlink in an existing folder. */
function place(path: string, { type, text, mode }: Content): void {
  const bytes = Buffer.from(text, 'latin1');
  if (type === 'symlink') makeSymlink(bytes.toString(), path);
  else writeWithMode(path, bytes, mode);
}

export const same = (a: Content | undefined, b: Content | undefined): boolean =>
  a?.type === b?.type && a?.text === b?.text && a?.mode === b?.mode;

/** Why a name from a patch may not be used at all, whatever the tree holds; `undefined` when it may. Symlinks on the way are for `obstacle`. */
export function unsafeName(path: string): string | undefined {
  if (path === '' || path === '.') return 'it is empty';
  if (path.startsWith('/')) return 'it is absolute';
  if (/[\0\n]/.test(path)) return 'it holds a newline or a zero byte';
  const parts = path.split('/');
  if (parts.includes('..')) return 'it leads out of the tree';
  if (parts.some((part) => part.toLowerCase() === '.git')) return 'it lies in a .git folder';
  if (path.endsWith('/')) return 'it names a folder';
  return parts.some((part) => Buffer.byteLength(part) > 255) ? 'it is too long' : undefined;
}

/** Whether a symlink at `path` can be made and would stay in the tree, with nothing in its target that another symlink could bend. */
export function staysInside(path: string, target: string): boolean {
  const full = posix.join(posix.dirname(path), target);
  const climbs = target.replace(/^(\.\.?(\/+|$))+/, '');
  return (
    target !== '' &&
    Buffer.byteLength(target) <= longestPath &&
    !target.startsWith('/') &&
    !target.includes('\0') &&
    full !== '..' &&
    !full.startsWith('../') &&
    !climbs.split('/').includes('..')
  );
}

const latin1 = (bytes: Buffer): string => bytes.toString('latin1');
