/** The install stage: the wanted closure becomes a new generation of the prefix, unless the current one is just that. */
import { dirname } from 'node:path';
import { packageId } from '../buildfile/package.ts';
import { notePrefix } from '../cache/disk-content.ts';
import { currentGeneration, type Generation, placeOf } from '../install/generations.ts';
import { makeFolder } from '../system/files.ts';
import type { Artifacts } from './artifacts.ts';
import { installReasons } from './install-reasons.ts';
import type { BuildRequest } from './request.ts';
import { isSince, notesFor, trustNotes, type Wanted } from './roots.ts';
import type { Run } from './run.ts';
import { switchPrefix } from './switch-prefix.ts';

/** @throws {VbuildError | VbuildErrors} `install-refused`. @throws {PrefixMoved} when somebody else has asked for something else meanwhile. */
export async function installWanted(
  want: Wanted,
  artifacts: Artifacts,
  { prefix, build, workspace }: BuildRequest,
  run: Run,
): Promise<Generation> {
  const manifests = want.packages.map((one) => artifacts.manifest(one));
  const keys = new Map(manifests.map((manifest, at) => [want.packages[at], manifest.key]));
  const current = currentGeneration(prefix);
  makeFolder(dirname(prefix));
  const place = placeOf(prefix);
  const reasons = installReasons(want, { prefix, build }, (one) => keys.get(one));
  notePrefix(run.disk.folder, place);
  if (current !== undefined && reasons.length === 0) return current;
  return switchPrefix(
    {
      prefix,
      roots: want.roots.map(packageId).join(' '),
      manifests,
      members: await artifacts.lastMembers(want.packages),
      notes: notesFor(want, workspace.buildfile, { place, ...trustNotes(build) }),
      isSince: (record) => isSince(want, record),
      reasons,
      ...(run.options.keepGenerations !== undefined && { keep: run.options.keepGenerations }),
    },
    run,
  );
}
