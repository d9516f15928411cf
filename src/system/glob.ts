/** Glob patterns against a tree, the only door to fast-glob. */
import glob from 'fast-glob';

/**
 * The files and symlinks below `top` that a pattern names, relative to `top`, in code-unit order. A pattern that names a folder
 * stands for everything in it; names that begin with a dot are matched like others; symlinks are not followed.
 */
export async function matchesIn(top: string, pattern: string): Promise<string[]> {
  const options = { cwd: top, dot: true, onlyFiles: false, followSymbolicLinks: false, objectMode: true } as const;
  const found = await glob.async([pattern, `${pattern.replace(/\/+$/, '')}/**`], options);
  return found
    .filter(({ dirent }) => !dirent.isDirectory())
    .map(({ path }) => path)
    .sort();
}
