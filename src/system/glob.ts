/** Glob patterns against a tree, the only door to fast-glob. */

/**
 * The files and symlinks below `top` that a pattern names, relative to `top`, in code-unit order. A pattern that names a folder
 * stands for everything in it; names that begin with a dot are matched like others; symlinks are not followed.
 */
export async function matchesIn(top: string, pattern: string): Promise<string[]> {
  // Loaded by those only who have a pattern.
  const { default: glob } = await import('fast-glob');
  const options = { cwd: top, dot: true, onlyFiles: false, followSymbolicLinks: false, objectMode: true } as const;
  const named = await glob.async(pattern.replace(/\/+$/, ''), options);
  const folders = named.filter(({ dirent }) => dirent.isDirectory()).map(({ path }) => `${glob.escapePath(path)}/**`);
  const inside = folders.length === 0 ? [] : await glob.async(folders, options);
  const found = [...named, ...inside].filter(({ dirent }) => !dirent.isDirectory()).map(({ path }) => path);
  return [...new Set(found)].sort();
}
