/** Which patch files make up a series, and in what order. Light and synchronous: every run reads it, also one that has nothing to do. */
import { posix, relative, resolve } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { entryAt, exists, readIfThere, realPath, type TreeEntry, walk } from '../system/files.ts';
import type { PatchEntry, PatchSpec, SeriesPatch } from './patch-spec.ts';
import { seriesWords } from './series-text.ts';

export interface Series {
  readonly patches: readonly SeriesPatch[];
  /** Absolute path of the `series` file, where there is one: its content decides the order. */
  readonly seriesFile: string | undefined;
}

/**
 * Resolves what a Buildfile says; where it says nothing there are no patches. A folder is read by its `series` file in quilt's syntax, without one as its `*.patch` in code-unit order.
 *
 * @param buildfileFolder Absolute; the spec and the patches' names are relative to it.
 * @throws {VbuildError} `patch-missing` for a folder or patch that is not there, `series-invalid` for everything else that is wrong.
 */
export function readSeries(spec: PatchSpec | undefined, buildfileFolder: string): Series {
  if (spec === undefined) return { patches: [], seriesFile: undefined };
  if (typeof spec !== 'string') return { patches: listed(spec, buildfileFolder), seriesFile: undefined };
  const folder = resolve(buildfileFolder, spec);
  const nameOf = (name: string): string => posix.join(relative(buildfileFolder, folder), name);
  const entries = entriesOf(folder, spec);
  const seriesFile = resolve(folder, 'series');
  const text = readText(seriesFile);
  if (text !== undefined) {
    const rows = readRows(text, seriesFile, (name) => isFile(resolve(folder, name)), 'options');
    const patches = rows.map(({ name, strip }) => ({ name: nameOf(name), path: resolve(folder, name), strip }));
    return { patches, seriesFile };
  }
  const patches = entries
    .map(({ path }) => path)
    .filter((name) => name.endsWith('.patch') && !name.includes('/') && isFile(resolve(folder, name)))
    .map((name) => ({ name: nameOf(name), path: resolve(folder, name), strip: 1 }));
  if (patches.length === 0) {
    throw new VbuildError('series-invalid', 'Patch folder holds no patch', {
      where: { file: folder },
      facts: {
        expected: 'a file `series`, or files that end in .patch',
        found: entries.length === 0 ? 'an empty folder' : `${entries.length} other entries`,
      },
      mend: 'put patches in it, or an empty `series`, or take `patches` out of the package',
    });
  }
  return { patches, seriesFile: undefined };
}

/**
 * Reads the series that an upstream itself ships (Debian's), the way dpkg-source does: strip level 1 whatever the options say. Nothing in
 * the folder is trusted: only plain files in it are taken. A folder without `series`, or none, is an empty series.
 *
 * @param folder Absolute; the patches' names are relative to it.
 * @throws {VbuildError} as `readSeries`.
 */
export function readSeriesFolder(folder: string): readonly SeriesPatch[] {
  const entries = exists(folder) ? walk(folder) : [];
  const files = new Set(entries.filter(({ type }) => type === 'file').map(({ path }) => path));
  if (!files.has('series')) return [];
  const seriesFile = resolve(folder, 'series');
  const rows = readRows(readText(seriesFile) ?? '', seriesFile, (name) => files.has(name), 'ignored');
  return rows.map(({ name }) => ({ name, path: resolve(folder, name), strip: 1 }));
}

interface Row {
  readonly name: string;
  readonly strip: number;
}

/** Reads a `series` file: one patch a line with options behind it. */
function readRows(
  text: string,
  file: string,
  isThere: (name: string) => boolean,
  options: 'options' | 'ignored',
): Row[] {
  const rows: Row[] = [];
  const lineOf = new Map<string, number>();
  text.split('\n').forEach((raw, i) => {
    const [written, ...words] = seriesWords(raw);
    if (written === undefined || written === '') return;
    const name = posix.normalize(written);
    const where = { file, line: i + 1 };
    if (posix.isAbsolute(name) || name === '..' || name.startsWith('../')) {
      throw new VbuildError('series-invalid', 'Series names a file outside its folder', {
        where,
        facts: { found: written },
        mend: 'move the patch into the folder',
      });
    }
    const earlier = lineOf.get(name);
    if (earlier !== undefined) {
      throw new VbuildError('series-invalid', 'Series names a patch twice', {
        where,
        facts: { found: `${name}, also on line ${earlier}` },
        mend: 'take one of the two lines out',
      });
    }
    if (!isThere(name)) {
      throw new VbuildError('patch-missing', 'Series names a patch that is not there', {
        where,
        facts: { expected: name },
        mend: 'put the file into the folder, or take the line out',
      });
    }
    lineOf.set(name, i + 1);
    rows.push({ name, strip: options === 'ignored' ? 1 : stripOf(words, where) });
  });
  return rows;
}

function stripOf(words: readonly string[], where: { readonly file: string; readonly line: number }): number {
  const match = words.length > 1 ? null : /^-p(\d{1,2})$/.exec(words[0] ?? '-p1');
  if (match) return Number(match[1]);
  throw new VbuildError('series-invalid', 'Series gives a patch an option that is not known', {
    where,
    facts: { expected: 'nothing, or the strip level such as -p0', found: words.join(' ') },
    mend: words.includes('-R') ? 'turn the patch round, and leave -R out' : 'leave the option out',
  });
}

function listed(spec: readonly (string | PatchEntry)[], buildfileFolder: string): SeriesPatch[] {
  const seen = new Set<string>();
  return spec.map((item) => {
    const { file, strip = 1 } = typeof item === 'string' ? { file: item } : item;
    const path = resolve(buildfileFolder, file);
    if (seen.has(path)) {
      throw new VbuildError('series-invalid', 'Patch list names a patch twice', {
        where: { file: path },
        mend: 'take one of the two out',
      });
    }
    seen.add(path);
    if (!isFile(path)) {
      throw new VbuildError('patch-missing', 'Patch is not there', {
        where: { file: path },
        facts: { expected: file },
        mend: 'correct the name in the Buildfile, or put the file there',
      });
    }
    return { name: file, path, strip };
  });
}

function entriesOf(folder: string, spec: string): TreeEntry[] {
  try {
    return walk(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      throw new VbuildError('patch-missing', 'Patch folder is not there', {
        where: { file: folder },
        mend: 'correct the name in the Buildfile, or make the folder',
        cause: error,
      });
    }
    throw new VbuildError('series-invalid', 'Patch folder cannot be read', {
      where: { file: folder },
      facts: { found: code ?? 'no reason given' },
      mend: code === 'ENOTDIR' ? `write a list to name a single patch: ['${spec}']` : 'make the folder readable',
      cause: error,
    });
  }
}

function readText(file: string): string | undefined {
  try {
    return readIfThere(file);
  } catch (error) {
    throw new VbuildError('series-invalid', 'Series cannot be read', {
      where: { file },
      facts: { found: (error as NodeJS.ErrnoException).code ?? 'no reason given' },
      mend: 'make `series` a readable file',
      cause: error,
    });
  }
}

/** A symlink counts as what it leads to; the user's own folders may hold some. */
function isFile(path: string): boolean {
  const type = entryAt(path)?.type;
  return type === 'file' || (type === 'symlink' && exists(path) && entryAt(realPath(path))?.type === 'file');
}
