/** The list of files of a generation, kept beside it: for what somebody changed by hand, and for what other generations may share. */
import { join } from 'node:path';
import type { InstalledFile } from '../prefix/assemble.ts';
import { digestFileSync, readOwnJson, walk } from '../system/files.ts';
import { type Generation, generationsFolder } from './generations.ts';

/** Absolute. */
export const listPath = (prefix: string, number: number): string => join(generationsFolder(prefix), `${number}.files`);

/** One line per file. */
export const listText = (files: readonly InstalledFile[]): string =>
  `{"format":1,"files":[\n${files.map((file) => JSON.stringify(file)).join(',\n')}\n]}\n`;

/** Undefined when it was lost or cannot be read. @param file Absolute. */
function readList(file: string): readonly InstalledFile[] | undefined {
  const data = readOwnJson<{ readonly format: 1; readonly files: readonly InstalledFile[] }>(file);
  return data?.format === 1 && Array.isArray(data.files) && data.files.every(isListed) ? data.files : undefined;
}

function isListed(data: unknown): data is InstalledFile {
  const { path, package: id } = (data ?? {}) as Partial<InstalledFile>;
  return typeof path === 'string' && typeof id === 'string';
}

/** Of a generation. */
export const listOf = ({ recordFile }: Pick<Generation, 'recordFile'>): readonly InstalledFile[] | undefined =>
  readList(recordFile.replace(/\.json$/, '.files'));

/** Something in a generation that is not as it was installed. */
export interface HandChange {
  /** Relative to the prefix. */
  readonly path: string;
  readonly what: 'changed' | 'missing' | 'added' | 'mode changed';
  /** The package that it is of, `name@version`; absent for what was added. */
  readonly package?: string;
}

/** What Python writes beside a module that it runs changes nothing of what was installed. */
const bytecode = /(^|\/)__pycache__\/[^/]+\.pyc$/;

/** Reads the whole tree. @returns In the order of paths; undefined when there is no list to compare with. */
export function handChanges(generation: Generation): readonly HandChange[] | undefined {
  const list = listOf(generation);
  if (list === undefined) return undefined;
  const expected = new Map(list.map((file) => [file.path, file]));
  const changes: HandChange[] = [];
  for (const { path, type, mode, target } of walk(generation.path)) {
    if (type === 'directory') continue;
    const file = expected.get(path);
    expected.delete(path);
    if (file === undefined) {
      if (!bytecode.test(path)) changes.push({ path, what: 'added' });
      continue;
    }
    const same =
      type === file.type &&
      (type === 'symlink' ? target === file.target : digestFileSync(join(generation.path, path)) === file.digest);
    if (!same) changes.push({ path, what: 'changed', package: file.package });
    else if (file.mode !== undefined && file.mode !== mode)
      changes.push({ path, what: 'mode changed', package: file.package });
  }
  for (const file of expected.values()) changes.push({ path: file.path, what: 'missing', package: file.package });
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
