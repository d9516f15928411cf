/** How a Buildfile names patches. */

export interface PatchEntry {
  /** Path of the patch, relative to the Buildfile's folder. */
  readonly file: string;
  /** Leading path parts to drop from the names in it; 1 when not given. */
  readonly strip?: number;
}

/** A folder (with a `series` file, else its `*.patch` in code-unit order), relative to the Buildfile's folder; or an explicit list. */
export type PatchSpec = string | readonly (string | PatchEntry)[];

/** `strict`: GNU patch at fuzz 0, empty files kept, no-ops refused. `dpkg`: exactly what dpkg-source makes of a series. */
export type Dialect = 'strict' | 'dpkg';

/** One patch of a resolved series, in order. */
export interface SeriesPatch {
  /** As a person names it: relative to the Buildfile's folder, or to the series folder for an upstream's own. */
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
  readonly strip: number;
}
