/** Which packages a file of the project decides. */
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Build, type Package, packageId } from '../buildfile/package.ts';
import { type Lock, readLock } from '../buildfile/pins.ts';
import type { Influence } from '../model/explanation.ts';
import type { PatchSpec } from '../patches/patch-spec.ts';
import { readSeries } from '../patches/series.ts';
import { comesAlong } from '../sources/directory.ts';
import { exists, realPath } from '../system/files.ts';
import { toolsOf } from './facts.ts';
import { directDependencies } from './graph.ts';
import type { Workspace } from './workspace.ts';

/**
 * What the Buildfile reads by itself while it is loaded is not seen: only the modules that it is made of are known.
 *
 * @param path Absolute. Of one that is not there: what it would decide if it were.
 * @param buildFiles Absolute paths of everything that the Buildfile was read from.
 */
export function influenceOf(
  path: string,
  { build, workspace, buildFiles }: { build: Build; workspace: Workspace; buildFiles: readonly string[] },
): Influence[] {
  const file = exists(path) ? realPath(path) : path;
  const isIt = (other: string): boolean => resolve(other) === path || (exists(other) && realPath(other) === file);
  const isBuildfile = isIt(workspace.buildfile) || buildFiles.some(isIt);
  const lock = isIt(workspace.lockFile) ? readLock(workspace.lockFile) : undefined;
  const roleIn = (one: Package): Influence['as'] | undefined => {
    if (isBuildfile) return 'Buildfile';
    if (lock !== undefined) return hasPins(one, lock) ? 'lock file' : undefined;
    const inSeries = roleInSeries(one.patches, path, isIt, workspace);
    return inSeries ?? (isPartOf(one.source, path, isIt, workspace) ? 'source' : undefined);
  };
  return build.packages.flatMap((one) => {
    const as = roleIn(one);
    return as === undefined ? [] : [{ package: packageId(one), as, reaches: dependents(one, build).map(packageId) }];
  });
}

type IsIt = (other: string) => boolean;

/** A folder of the project has no pin, but the tools that it is compiled with have. */
const hasPins = (one: Package, { sources, tools }: Lock): boolean =>
  packageId(one) in sources || toolsOf(one).some((tool) => Object.values(tools).some((pins) => tool in pins));

function roleInSeries(
  spec: PatchSpec | undefined,
  path: string,
  isIt: IsIt,
  { folder }: Workspace,
): 'patch' | 'series' | undefined {
  const { patches, seriesFile } = readSeries(spec, folder);
  if (patches.some((patch) => isIt(patch.path))) return 'patch';
  if (seriesFile !== undefined && isIt(seriesFile)) return 'series';
  if (typeof spec !== 'string') return undefined;
  const place = resolve(folder, spec);
  if (isIt(place)) return 'series';
  // What a new file would be there: the order of all, or where nothing states one, a patch among them.
  if (seriesFile !== undefined || exists(path) || dirname(path) !== place) return undefined;
  return basename(path) === 'series' ? 'series' : path.endsWith('.patch') ? 'patch' : undefined;
}

/** The commit that is pinned decides what comes out of a repository, whatever lies in its folder. */
const pinnedByCommit = new Set(['git', 'mercurial', 'subversion', 'bazaar']);

function isPartOf(source: Package['source'], path: string, isIt: IsIt, { folder }: Workspace): boolean {
  if (pinnedByCommit.has(source.kind)) return false;
  const counts = (inside: string): boolean => source.kind !== 'directory' || inside.split('/').every(comesAlong);
  return localPlaces(source, folder).some(
    (place) => isIt(place) || (path.startsWith(`${place}/`) && counts(relative(place, path))),
  );
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
