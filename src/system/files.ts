/** Files and folders of the machine: what lies where, walks in byte order, copies of trees. */
import {
  accessSync,
  appendFileSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  type BigIntStats,
  type Stats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from './make-folder.ts';

export { digestFile, digestFileSync, hashFile } from './file-digest.ts';

/** One thing in a tree; `path` is relative to the tree's top, parts joined by `/`. */
export interface TreeEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits only (`mode & 0o7777`). */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  /** For a symlink, where it points, as written. */
  readonly target?: string;
}

/** What tells a changed file from an unchanged one without reading it. */
export interface FileStat {
  readonly mtimeNs: bigint;
  /** When the file was last written to or its time set, which nobody can set. */
  readonly ctimeNs: bigint;
  readonly sizeBytes: number;
  readonly inode: bigint;
}

/** `undefined` when nothing is there, also where no file can have such a name. Follows symlinks. */
export function fileStat(path: string): FileStat | undefined {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) return undefined;
    const { mtimeNs, ctimeNs, size, ino } = found;
    return { mtimeNs, ctimeNs, sizeBytes: Number(size), inode: ino };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

export const exists = (path: string): boolean => existsSync(path);

/** `undefined` when the file does not exist; any other trouble is thrown. */
export const readIfThere = (path: string): string | undefined => bytesIfThere(path)?.toString();

/** The same for bytes. */
export function bytesIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const trouble = error as NodeJS.ErrnoException;
    if (trouble.code === 'ENOENT') return undefined;
    // Of a folder in its place the system says no name.
    trouble.path ??= path;
    throw trouble;
  }
}

/** `undefined` when the file cannot be read, for whatever reason. */
export function bytesIfReadable(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Reads a whole small file. */
export const readBytes = (path: string): Buffer => readFileSync(path);

export { makeFolder };
export { moveFile, replaceFile, temporaryName, writeAll, writeAtomically } from './whole-file.ts';

/** Renames a finished file or folder into place. */
export function moveIntoPlace(from: string, to: string): void {
  makeFolder(dirname(to));
  renameSync(from, to);
}

/** Removes a tree, also one with read-only folders; it need not be there. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    for (const entry of walk(path)) if (entry.type === 'directory') chmodSync(join(path, entry.path), 0o755);
    chmodSync(path, 0o755);
    rmSync(path, { recursive: true, force: true });
  }
}

/** Makes an empty folder of whatever is at a path, or of nothing. */
export function emptyFolder(path: string): void {
  removeTree(path);
  makeFolder(path);
}

/**
 * Everything below `top`, folders before their content, in code-unit order of `path`, symlinks not followed.
 * @throws the system's error when `top` is not a readable folder.
 */
export function walk(top: string): TreeEntry[] {
  const found: TreeEntry[] = [];
  const visit = (folder: string, prefix: string): void => {
    for (const name of readdirSync(folder)) {
      const path = prefix + name;
      const full = join(folder, name);
      const stat = lstatSync(full, { bigint: true });
      const type = typeOf(stat);
      const entry = {
        path,
        type,
        mode: Number(stat.mode) & 0o7777,
        sizeBytes: Number(stat.size),
        mtimeNs: stat.mtimeNs,
      } as const;
      found.push(type === 'symlink' ? { ...entry, target: readlinkSync(full) } : entry);
      if (type === 'directory') visit(full, `${path}/`);
    }
  };
  visit(top, '');
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Gives `top` and everything below it one modification time, in seconds since 1970. */
export function setTreeTime(top: string, seconds: number): void {
  for (const entry of walk(top)) lutimesSync(join(top, entry.path), seconds, seconds);
  lutimesSync(top, seconds, seconds);
}

/** A private folder that is removed at the end of the `using` scope. */
export function temporaryFolder(
  label = 'vbuild',
  parent: string = tmpdir(),
): { readonly path: string; [Symbol.dispose](): void } {
  makeFolder(parent);
  const path = mkdtempSync(join(parent, `${label}-`));
  return { path, [Symbol.dispose]: () => removeTree(path) };
}

/** Names of all that lies directly in a folder, in code-unit order; none when there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

/** The absolute path with every symlink in it followed. @throws the system's error when nothing is there. */
export const realPath = (path: string): string => realpathSync(path);

/** A JSON object that vbuild wrote itself; undefined when it is not there, or a crash or a hand has spoilt it. */
export function readOwnJson<Data extends object>(path: string): Partial<Data> | undefined {
  try {
    const data = JSON.parse(readIfThere(path) ?? 'null') as Partial<Data> | null;
    return typeof data === 'object' && data !== null ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Adds text to the end of a file, which is made if it is not there. */
export const appendText = (path: string, text: string): void => appendFileSync(path, text);

/** What stands at a path itself, symlinks not followed; `undefined` when nothing does. */
export function entryAt(path: string): Pick<TreeEntry, 'type' | 'mode'> | undefined {
  const stat = lstatOrUndefined(path);
  if (stat === undefined) return undefined;
  return { type: typeOf(stat), mode: stat.mode & 0o7777 };
}

const typeOf = (stat: Stats | BigIntStats): TreeEntry['type'] =>
  stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'other';

function lstatOrUndefined(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (['ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Where a symlink points, as written. */
export const linkTarget = (path: string): string => readlinkSync(path);

/** Whether this user may run a file. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Follows symlinks. */
export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Notes in a file's times that it was used now, to the hour; who may not do that has not used it for good. */
export function markUsed(path: string): void {
  try {
    const now = Date.now();
    if (now - statSync(path).mtimeMs > 3_600_000) utimesSync(path, now / 1000, now / 1000);
  } catch {
    // Of use to sweepers only.
  }
}
