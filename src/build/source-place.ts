/** Where a failed step's error stands in a folder of the project, rather than in the copy of it that was compiled. */
import { join, normalize, resolve } from 'node:path';
import type { Package } from '../buildfile/package.ts';
import { place } from '../compile/recipe.ts';
import type { VbuildError } from '../model/error.ts';
import { digestFileSync, exists, isFolder } from '../system/files.ts';
import type { Workspace } from './workspace.ts';

/**
 * Adds file and line to what a compiler or the like says of a file of a directory source, where the line is the same there: not in one
 * that a patch or a step changed.
 */
export function placedInSource(problem: VbuildError, { source }: Package, { folder }: Workspace): VbuildError {
  const { tree, error = '' } = problem.facts;
  const [, named = '', line] = /^([^\s:]+):(\d+):/.exec(error) ?? [];
  if (source.kind !== 'directory' || !('path' in source) || tree === undefined || line === undefined) return problem;
  const inTree = normalize(named.startsWith(`${place.tree}/`) ? named.slice(place.tree.length + 1) : named);
  if (inTree.startsWith('/') || inTree.startsWith('../')) return problem;
  const [own, compiled] = [resolve(folder, source.path, inTree), join(tree, inTree)];
  const areFiles = [own, compiled].every((path) => exists(path) && !isFolder(path));
  const isSame = areFiles && digestFileSync(own) === digestFileSync(compiled);
  return isSame ? problem.at({ file: own, line: Number(line) }) : problem;
}
