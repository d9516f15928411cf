/** Where everything of one Buildfile lies. */
import { dirname, join, parse } from 'node:path';
import type { Package } from '../buildfile/package.ts';
import { lockPath } from '../buildfile/pins.ts';
import { packageFolder } from './graph.ts';

/** All paths are absolute. */
export interface Workspace {
  readonly buildfile: string;
  /** The Buildfile's folder. */
  readonly folder: string;
  readonly lockFile: string;
  /** Stamps, trees, logs: `.vbuild/Buildfile` beside `Buildfile.ts`, so that two Buildfiles in one folder keep apart. */
  readonly state: string;
  /** The user's own cache, shared by all projects. */
  readonly cache: string;
}

export interface PackagePlaces {
  readonly stamps: string;
  /** The pristine tree, and upstream's own series beside it. */
  readonly source: string;
  readonly series: string;
  readonly patched: string;
  /** The source kind's working state. */
  readonly fetchState: string;
  /** Holds the build root, see `buildRoot`, and what packing makes. */
  readonly build: string;
  /** The logs of the last compilations, see `logs.ts`. */
  readonly logs: string;
  /** What the package was last made ready from, see `history.ts`. */
  readonly history: string;
  /** The repository in which a person edits the patches: work that nothing else holds until it is saved. */
  readonly edit: string;
  /** What the patches were last applied to, see `patch-bases.ts`. */
  readonly patchBase: string;
}

/**
 * @param buildfile Absolute path of the Buildfile.
 * @param work Absolute path to use in place of `.vbuild` beside it.
 * @param cache Absolute path of the user's cache folder.
 */
export function workspaceOf(buildfile: string, work: string | undefined, cache: string): Workspace {
  const folder = dirname(buildfile);
  return {
    buildfile,
    folder,
    lockFile: lockPath(buildfile),
    state: join(work ?? join(folder, '.vbuild'), parse(buildfile).name),
    cache,
  };
}

export function placesOf({ state }: Workspace, one: Package): PackagePlaces {
  const name = packageFolder(one);
  const trees = join(state, 'trees', name);
  return {
    stamps: join(state, 'stamps', name),
    source: join(trees, 'source'),
    series: join(trees, 'series'),
    patched: join(trees, 'patched'),
    fetchState: join(state, 'fetch', name),
    build: join(state, 'build', name),
    logs: join(state, 'logs', name),
    history: join(state, 'history', name),
    edit: join(state, 'edit', name),
    patchBase: join(state, 'patch-bases', name),
  };
}
