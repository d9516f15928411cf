/** Carries out a build: pins, keys, caches, stages, prefix, in this order; everything it learns and does is emitted as events. */
import { join } from 'node:path';
import { type Package, packageId } from '../buildfile/package.ts';
import { writeLock } from '../buildfile/pins.ts';
import { tiersToFill } from '../cache/tiers.ts';
import { PrefixMoved } from '../install/install.ts';
import { lowestStatus } from '../model/error.ts';
import type { Outcome } from '../model/event.ts';
import { readIfThere, replaceFile } from '../system/files.ts';
import { artifactsOf } from './artifacts.ts';
import { installWanted } from './install-stage.ts';
import { keeper } from './look-up.ts';
import type { MakeRequest } from './make-packages.ts';
import { pinSources } from './pinning.ts';
import { privateFolder } from './private-folder.ts';
import { type Pushes, startPushes } from './pushes.ts';
import type { BuildRequest } from './request.ts';
import { recorder } from './recorder.ts';
import { takeWorkFolder } from './run-lock.ts';
import { settle, wantedBy } from './settle.ts';
import { countedTraffic, startRun } from './start-run.ts';

interface BuildOutcome {
  readonly exitStatus: number;
  /** How each package came to be ready, by `name@version`. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/**
 * Makes the targets ready and installs them; once more where somebody else has asked something else of the prefix meanwhile.
 *
 * @returns The outcome when it got as far as the packages; what failed there has been emitted.
 * @throws {VbuildError | VbuildErrors} for what stops a run before any package: pins, tools, the lock file, no right to write.
 */
export async function execute(request: BuildRequest): Promise<BuildOutcome> {
  const before = new Map<string, Outcome>();
  for (;;) {
    const done = await attempt(request, before);
    if (done !== undefined) return done;
  }
}

/**
 * @param before How packages came to be ready in earlier attempts; those of this one are added where it does not come to its end.
 * @returns Undefined where it has to be done again.
 */
async function attempt(request: BuildRequest, before: Map<string, Outcome>): Promise<BuildOutcome | undefined> {
  const { workspace, options, signal } = request;
  await using _turn = await takeWorkFolder(workspace, request.emit, signal);
  noteNames(request);
  const history = recorder(request.emit);
  const want = wantedBy(request, history.emit);
  const installing = { prefix: request.prefix, packages: want.packages.map(packageId) };
  const { run, tiers, trust } = startRun({ ...request, emit: history.emit }, { installing });
  const pushTo = options.push ? tiersToFill(tiers) : [];
  using _traffic = countedTraffic(tiers, run.emit);
  const artifacts = artifactsOf(run.disk, join(privateFolder(workspace), 'unpacked'));
  const outcomes = new Map<string, Outcome>();
  const pinned: Package[] = [];
  const { facts, missing } = await settle(
    want,
    {
      save: (lock) => writeLock(workspace.lockFile, lock),
      pin(unpinned, lock) {
        pinned.push(...unpinned);
        return pinSources(unpinned, lock, run).catch((thrown: unknown) => {
          history.unpinnable(thrown, unpinned, workspace);
          throw thrown;
        });
      },
      begin(known) {
        outcomes.clear();
        history.know(known);
      },
      keep: keeper(artifacts, outcomes, run),
    },
    run,
  );
  const pushes = startPushes({ tiers: pushTo, facts, publishing: request.publishing, trust }, run);
  for (const one of pinned) pushes.addSource(one);
  for (const one of facts.known.keys()) if (outcomes.has(packageId(one))) pushes.add(one);
  const statuses = await made({ missing: [...missing.keys()], facts, artifacts, outcomes, pushes, run });
  let moved = false;
  if (statuses.length === 0 && !options.noInstall && !signal.aborted)
    await installWanted(want, artifacts, request, run).catch((thrown: unknown) => {
      if (!(thrown instanceof PrefixMoved)) throw thrown;
      moved = true;
    });
  const exitStatus = await finalStatus(statuses, pushes, signal);
  for (const [id, outcome] of outcomes) if (!before.has(id)) before.set(id, outcome);
  return moved && !signal.aborted ? undefined : { exitStatus, outcomes: before };
}

/** Makes what no cache has; what that takes is loaded where there is something to make. @returns The exit statuses of what failed. */
async function made(to: MakeRequest): Promise<readonly number[]> {
  if (to.missing.length === 0) return [];
  const { buildMissing } = await import('./make-packages.ts');
  return (await buildMissing(to)).map((error) => error.exitStatus);
}

/** For completion in a shell, which has no time to read a Buildfile: a name a line, and what it is. */
function noteNames({ build, workspace: { state } }: BuildRequest): void {
  const path = join(state, 'packages');
  const text = build.packages.map(({ name, version }) => `${name}\tpackage ${version}\n`).join('');
  if (readIfThere(path) !== text) replaceFile(path, text);
}

async function finalStatus(statuses: readonly number[], pushes: Pushes, signal: AbortSignal): Promise<number> {
  const unsent = await pushes.done();
  if (signal.aborted) return 130;
  return lowestStatus([...statuses, ...unsent.map((error) => error.exitStatus)]);
}
