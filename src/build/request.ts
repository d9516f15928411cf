/** What a caller asks of a build, and the quick look that finds out that there is nothing to do. */
import { join, resolve } from 'node:path';
import type { Build, Package } from '../buildfile/package.ts';
import { currentGeneration, placeOf } from '../install/generations.ts';
import type { Emit } from '../model/event.ts';
import { walk } from '../system/files.ts';
import { releaseFile } from '../system/platform.ts';
import { factsNow } from './facts.ts';
import { fullClosure } from './graph.ts';
import { seriesOf } from './own-series.ts';
import type { Publishing } from './pushes.ts';
import { prefixDifferences, trustNotes, wanted } from './roots.ts';
import type { RunOptions } from './run.ts';
import type { Workspace } from './workspace.ts';

export interface BuildRequest {
  readonly build: Build;
  readonly targets: readonly Package[];
  readonly workspace: Workspace;
  /** Absolute path of the prefix. */
  readonly prefix: string;
  readonly platform: string;
  readonly options: RunOptions;
  /** Of the user: credentials, proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly publishing: Publishing;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Whether the prefix already holds exactly what these targets would put there now. Reads the lock file, the patches' times and the
 * record of the generation; loads nothing that builds, takes no lock, touches no network.
 */
export function isUpToDate({ build, targets, workspace, prefix, platform, options }: BuildRequest): boolean {
  if (options.noInstall || options.push) return false;
  const generation = currentGeneration(prefix);
  if (generation?.record === undefined) return false;
  const want = wanted(targets, build.packages, generation.record);
  const packages = fullClosure(want.packages);
  const { known } = factsNow(packages, { workspace, platform });
  const notes = { place: placeOf(prefix), ...trustNotes(build) };
  return (
    want.dropped.length === 0 &&
    prefixDifferences(generation.record, want, notes, (one) => known.get(one)?.key).length === 0
  );
}

/**
 * Absolute paths of every file, folder and link that `isUpToDate` rests on, absent ones included, beside those that the Buildfile was
 * read from: while none of them changes, neither does its answer. Undefined when there is no generation yet.
 */
export function restsOn({ build, targets, workspace, prefix }: BuildRequest): string[] | undefined {
  const generation = currentGeneration(prefix);
  if (generation === undefined) return undefined;
  const packages = fullClosure(wanted(targets, build.packages, generation.record).packages);
  const paths = packages.flatMap((one) => [
    ...(one.source.kind === 'directory' ? treePaths(resolve(workspace.folder, one.source.path)) : []),
    ...(typeof one.patches === 'string' ? treePaths(resolve(workspace.folder, one.patches)) : []),
    ...seriesOf(one, workspace.folder).patches.map(({ path }) => path),
  ]);
  return [...new Set([...paths, workspace.lockFile, prefix, generation.path, generation.recordFile, releaseFile])];
}

const treePaths = (top: string): string[] => [top, ...walk(top).map(({ path }) => join(top, path))];
