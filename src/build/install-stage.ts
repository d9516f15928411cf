/** The install stage: the wanted closure becomes a new generation of the prefix, unless the current one is just that. */
import { dirname } from 'node:path';
import { mixedAmong } from '../artifact/mixed.ts';
import { packageId } from '../buildfile/package.ts';
import { notePrefix } from '../cache/disk-content.ts';
import { currentGeneration, type Generation, install, placeOf } from '../install/generations.ts';
import { makeFolder } from '../system/files.ts';
import type { Artifacts } from './artifacts.ts';
import type { BuildRequest } from './request.ts';
import { notesFor, type Wanted } from './roots.ts';
import type { Run } from './run.ts';
import { reportShadowed } from './shadowed.ts';
import { installReasons } from './install-reasons.ts';

/** @throws {VbuildError | VbuildErrors} `install-refused` */
export async function installWanted(
  want: Wanted,
  artifacts: Artifacts,
  { prefix, workspace }: BuildRequest,
  run: Run,
): Promise<Generation> {
  const manifests = want.packages.map((one) => artifacts.manifest(one));
  const keys = new Map(manifests.map((manifest, at) => [want.packages[at], manifest.key]));
  const current = currentGeneration(prefix);
  makeFolder(dirname(prefix));
  const place = placeOf(prefix);
  const reasons = installReasons(want, prefix, (one) => keys.get(one));
  notePrefix(run.disk.folder, place);
  if (current !== undefined && reasons.length === 0) return current;
  for (const { package: one, dependency, expected, found } of mixedAmong(manifests)) {
    run.emit({
      type: 'notice',
      level: 'warning',
      code: 'mixed-set',
      headline: `${one} was compiled against another build of ${dependency} than the one beside it`,
      package: one,
      facts: { expected: `tree ${expected}`, found: `tree ${found}` },
    });
  }
  const roots = want.roots.map(packageId).join(' ');
  const startedMs = performance.now();
  run.emit({ type: 'stage-started', package: roots, stage: 'install', reasons });
  const generation = await install({
    prefix,
    members: await artifacts.members(want.packages),
    notes: notesFor(want, workspace.buildfile, place),
    signal: run.signal,
    onWait: (holder) =>
      run.emit({
        type: 'notice',
        level: 'info',
        code: 'waiting-for-prefix',
        headline: 'Another vbuild installs into this prefix, waiting for it',
        ...(holder && { facts: { process: String(holder.pid) } }),
      }),
  });
  run.emit({ type: 'stage-finished', package: roots, stage: 'install', durationMs: performance.now() - startedMs });
  run.emit({ type: 'installed', prefix, generation: generation.number, packages: manifests.length });
  await reportShadowed(want, manifests, run);
  return generation;
}
