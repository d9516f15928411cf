/** Carries out a build: pins, keys, caches, stages, prefix, in this order; everything it learns and does is emitted as events. */
import { join } from 'node:path';
import { type Package, packageId } from '../buildfile/package.ts';
import { type Lock, readLock, writeLock } from '../buildfile/pins.ts';
import { VbuildError, VbuildErrors, lowestStatus } from '../model/error.ts';
import type { Outcome } from '../model/event.ts';
import { makeFolder, removeTree } from '../system/files.ts';
import { acquireLock } from '../system/lock.ts';
import { artifactsOf } from './artifacts.ts';
import { type Facts, gatherFacts } from './facts.ts';
import { fullClosure } from './graph.ts';
import { installWanted } from './install-stage.ts';
import { findArtifacts } from './look-up.ts';
import { buildMissing } from './make-packages.ts';
import { pinSources, pinTools } from './pinning.ts';
import { type Pushes, startPushes } from './pushes.ts';
import type { BuildRequest } from './request.ts';
import { type Wanted, wanted } from './roots.ts';
import type { Run } from './run.ts';
import { startRun } from './start-run.ts';
import { currentGeneration } from '../install/generations.ts';

export interface BuildOutcome {
  readonly exitStatus: number;
  /** How each package came to be ready, by `name@version`. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/**
 * Makes the targets ready and installs them.
 *
 * @returns The outcome when it got as far as the packages; what failed there has been emitted.
 * @throws {VbuildError | VbuildErrors} for what stops a run before any package: pins, tools, the lock file, no right to write.
 */
export async function execute(request: BuildRequest): Promise<BuildOutcome> {
  const { workspace, options, signal } = request;
  makeFolder(workspace.state);
  await using _lock = await acquireLock(join(workspace.state, 'lock'), {
    signal,
    onWait: (holder) =>
      request.emit({
        type: 'notice',
        level: 'info',
        code: 'waiting-for-lock',
        headline: 'Another vbuild works on this Buildfile, waiting for it',
        ...(holder && { facts: { process: String(holder.pid) } }),
      }),
  });
  const scratch = join(workspace.state, 'run');
  removeTree(scratch);
  try {
    const { run, tiers } = startRun(request);
    const artifacts = artifactsOf(run.disk, scratch);
    const outcomes = new Map<string, Outcome>();
    const want = wanted(
      request.targets,
      request.build.packages,
      options.noInstall ? undefined : currentGeneration(request.prefix)?.record,
    );
    for (const id of want.dropped) {
      run.emit({
        type: 'notice',
        level: 'warning',
        code: 'root-dropped',
        headline: 'This Buildfile no longer has a package of the prefix',
        package: id,
      });
    }
    const { facts, missing } = await settle(want, artifacts, outcomes, run);
    const pushes = startPushes(options.push ? tiers.filter(({ writable }) => writable) : [], artifacts, run);
    for (const one of facts.known.keys()) if (outcomes.has(packageId(one))) pushes.add(one);
    const failed = await buildMissing({ missing, facts, artifacts, outcomes, pushes, run });
    const statuses = failed.map((error) => error.exitStatus);
    if (failed.length === 0 && !options.noInstall) await installWanted(want, artifacts, request, run);
    return { exitStatus: await finalStatus(statuses, pushes, signal), outcomes };
  } finally {
    removeTree(scratch);
  }
}

async function finalStatus(statuses: readonly number[], pushes: Pushes, signal: AbortSignal): Promise<number> {
  const unsent = await pushes.done();
  if (signal.aborted) return 130;
  const all = [...statuses, ...unsent.map((error) => error.exitStatus)];
  return all.length === 0 ? 0 : lowestStatus(all);
}

/**
 * Pins what has no pin, computes the keys, asks the caches, and checks the tools for what is left to build. Another version of a tool
 * moves its pin and with it the keys, so that the caches are asked once more.
 */
async function settle(
  want: Wanted,
  artifacts: ReturnType<typeof artifactsOf>,
  outcomes: Map<string, Outcome>,
  run: Run,
): Promise<{ facts: Facts; missing: readonly Package[] }> {
  const { workspace, platform } = run;
  const packages = fullClosure(want.packages);
  let lock = readLock(workspace.lockFile);
  const gather = (): Facts => gatherFacts(packages, { lock, platform, workspace });
  const save = (changed: Lock): void => {
    if (changed !== lock) writeLock(workspace.lockFile, changed);
    lock = changed;
  };
  let facts = gather();
  let toolsSeen = false;
  if (facts.unpinnedTools.length > 0) {
    save(await pinTools(packages, lock, run));
    toolsSeen = true;
  }
  if (facts.unpinned.length > 0) save(await pinSources(facts.unpinned, lock, run));
  for (;;) {
    facts = gather();
    outcomes.clear();
    const missing = await findArtifacts({ want, facts, artifacts, outcomes, run });
    if (missing.length > 0 && run.options.noBuild) throw notReady(missing, facts);
    if (missing.length === 0 || toolsSeen) return { facts, missing };
    const before = lock;
    save(await pinTools(missing, lock, run));
    toolsSeen = true;
    if (lock === before) return { facts, missing };
  }
}

function notReady(missing: readonly Package[], facts: Facts): VbuildErrors {
  return new VbuildErrors(
    missing.map(
      (one) =>
        new VbuildError('not-ready', 'No cache has the artifact', {
          where: { package: packageId(one) },
          facts: { key: facts.known.get(one)?.key ?? 'unknown' },
          mend: 'build it where compilers are and push it with --push, or build it here without --no-build',
        }),
    ),
  );
}
