/** How a Buildfile names a folder that serves as a cache tier. */

export interface DirectoryCacheSpec {
  readonly kind: 'directory';
  /** Absolute, or relative to the folder of the Buildfile. */
  readonly path: string;
}

/**
 * A folder as a cache tier, such as one on a network file system that several machines share. It must be there; what a tier behind it
 * has is kept in it as well, where this user may write. Throws nothing, here and when it is asked; only an upload that fails is an error,
 * `upload-failed`.
 *
 * @param path Absolute, or relative to the folder of the Buildfile.
 */
export const directoryCache = (path: string): DirectoryCacheSpec => ({ kind: 'directory', path });

/** Every mistake in a spec, each one a clause. */
export function directoryCacheProblems({ path, ...rest }: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(typeof path === 'string' && path !== '' && !path.includes('\0') ? [] : ['directoryCache() takes a path']),
    ...Object.keys(rest)
      .filter((name) => name !== 'kind')
      .map((name) => `${name} is not a part of what directoryCache() returns`),
  ];
}
