/** Which packages a file of the project decides. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Build, type Package, packageId } from '../buildfile/package.ts';
import { readLock } from '../buildfile/pins.ts';
import type { Influence } from '../model/explanation.ts';
import { readSeries } from '../patches/series.ts';
import { exists, realPath } from '../system/files.ts';
import { directDependencies } from './graph.ts';
import type { Workspace } from './workspace.ts';

/**
 * @param path Absolute; need not exist.
 * @param buildFiles Absolute paths of everything that the Buildfile was read from.
 */
export function influenceOf(
  path: string,
  { build, workspace, buildFiles }: { build: Build; workspace: Workspace; buildFiles: readonly string[] },
): Influence[] {
  const file = exists(path) ? realPath(path) : path;
  const isIt = (other: string): boolean => resolve(other) === path || (exists(other) && realPath(other) === file);
  const isBuildfile = isIt(workspace.buildfile) || buildFiles.some(isIt);
  const pinned = isIt(workspace.lockFile) ? readLock(workspace.lockFile).sources : undefined;
  const roleIn = (one: Package): Influence['as'] | undefined => {
    if (isBuildfile) return 'Buildfile';
    if (pinned !== undefined) return packageId(one) in pinned ? 'lock file' : undefined;
    if (one.patches !== undefined) {
      const { patches, seriesFile } = readSeries(one.patches, workspace.folder);
      if (patches.some((patch) => isIt(patch.path))) return 'patch';
      if (seriesFile !== undefined && isIt(seriesFile)) return 'series';
    }
    return localPlaces(one.source, workspace.folder).some((place) => isIt(place) || path.startsWith(`${place}/`))
      ? 'source'
      : undefined;
  };
  return build.packages.flatMap((one) => {
    const as = roleIn(one);
    return as === undefined ? [] : [{ package: packageId(one), as, reaches: dependents(one, build).map(packageId) }];
  });
}

/** Absolute paths that texts in a source may stand for: what is no path names nothing that is there. */
function localPlaces(source: unknown, folder: string): string[] {
  if (typeof source === 'string') {
    if (source.startsWith('file:')) return URL.canParse(source) ? [fileURLToPath(source)] : [];
    return /^[a-z][a-z0-9+.-]*:/i.test(source) || source === '' ? [] : [resolve(folder, source)];
  }
  return typeof source === 'object' && source !== null
    ? Object.entries(source).flatMap(([name, value]) => (name === 'kind' ? [] : localPlaces(value, folder)))
    : [];
}

/** Everything that is built from a package, near or far, in the order of the build. */
function dependents(one: Package, { packages }: Build): Package[] {
  const reached = new Set([one]);
  for (let size = 0; size < reached.size; ) {
    size = reached.size;
    for (const other of packages)
      if (directDependencies(other).some((needed) => reached.has(needed))) reached.add(other);
  }
  return packages.filter((other) => other !== one && reached.has(other));
}
