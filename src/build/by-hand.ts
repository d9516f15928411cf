/**
 * Work by hand on one package: a shell in its tree, or steps run again over what a failed compilation left. Nothing of it becomes a
 * stamp, an artifact or a key: stamps of what a person may touch are removed first, and a run begins with a tree of its own.
 */
import { join } from 'node:path';
import { onHost } from '../artifact/places.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import type { StepGroup } from '../compile/recipe.ts';
import { runSteps } from '../compile/run-steps.ts';
import { VbuildError } from '../model/error.ts';
import { problemsOf } from '../model/problems.ts';
import { setAside } from '../stamps/stamp.ts';
import { removeTree } from '../system/files.ts';
import type { Namespace } from '../system/namespace.ts';
import { jobserverFor } from './admission.ts';
import { type Artifacts, artifactsOf } from './artifacts.ts';
import { keptPlaces, namespaceFor } from './build-places.ts';
import { type CompilePlaces, freshTree, logged, packed, stepsFrame } from './compile-stage.ts';
import { type Facts, factsNow, type PackageFacts } from './facts.ts';
import { ensureSource } from './fetch-stage.ts';
import { fullClosure, visibleTo } from './graph.ts';
import { notPinned } from './not-ready.ts';
import { ensurePatched } from './patch-stage.ts';
import { privateFolder } from './private-folder.ts';
import type { BuildRequest } from './request.ts';
import type { Run } from './run.ts';
import { takeWorkFolder } from './run-lock.ts';
import { startRun } from './start-run.ts';

export interface HandSession {
  readonly facts: PackageFacts;
  /** Of everything that it needs as well. */
  readonly known: Facts['known'];
  readonly run: Run;
}

export type HandRequest = Omit<BuildRequest, 'targets' | 'publishing'>;

/** Does some work while no run can. @throws {VbuildError} `unpinned`, and what the work throws, with the package's name. */
export async function byHand<Result>(
  one: Package,
  request: HandRequest,
  work: (session: HandSession) => Promise<Result>,
): Promise<Result> {
  const { workspace, platform, emit, signal } = request;
  await using _turn = await takeWorkFolder(workspace, emit, signal);
  const { run } = startRun(request);
  const { known } = factsNow(fullClosure([one]), { workspace, platform });
  const facts = known.get(one);
  if (facts === undefined) {
    throw notPinned(one);
  }
  try {
    return await work({ facts, known, run });
  } catch (thrown) {
    throw thrown instanceof VbuildError ? thrown.at({ package: facts.id, stage: 'compile' }) : thrown;
  }
}

/** From now on nothing counts as compiled or packed here. */
export function forgetCompiled({ places }: PackageFacts): void {
  for (const stage of ['compile', 'pack'] as const) setAside(places.stamps, stage, 'by-hand');
}

/** The tree that a compilation left, and how steps see it; undefined when there is none. @throws {VbuildError} `not-ready` */
export async function keptTree({ facts, run }: HandSession): Promise<KeptTree | undefined> {
  const at = keptPlaces(facts.places);
  if (at === undefined) return undefined;
  const namespace = at.host === at.root ? undefined : await namespaceFor(run);
  if (at.host !== at.root && namespace === undefined) {
    throw new VbuildError('not-ready', 'Tree was compiled in a namespace, which cannot be made now', {
      facts: { tree: onHost(at, at.tree) },
      mend: `build ${facts.package.name} anew`,
    });
  }
  return { at, namespace };
}

interface KeptTree {
  readonly at: CompilePlaces;
  readonly namespace: Namespace | undefined;
}

/**
 * A fresh tree, fetched and patched, in which the steps before a group have run.
 *
 * @throws {VbuildError} `not-ready` when a dependency was not built yet.
 */
export async function prepareTree(session: HandSession, before: StepGroup | undefined): Promise<KeptTree> {
  const { facts, run } = session;
  await ensureSource(facts.package, facts.source, run);
  await ensurePatched(facts, run);
  const artifacts = await artifactsFor(session);
  const namespace = await namespaceFor(run);
  const at = await freshTree(facts, artifacts, run, { namespace });
  const end = before === undefined ? 0 : stepAt(facts, before);
  if (end > 0) await stepsByHand(session, { at, namespace }, [0, end]);
  return { at, namespace };
}

/**
 * Runs the steps from a group on over what a failed compilation left, then looks whether the result could be packed.
 *
 * @returns The exit status: 1 when a step failed, which has been emitted; else 3, as the package is not ready.
 * @throws {VbuildError} `not-ready` when nothing was left, `usage` when the recipe has no such step.
 */
export const resume = (one: Package, from: StepGroup, request: HandRequest): Promise<number> =>
  byHand(one, request, async (session) => {
    const { facts, run } = session;
    const kept = await keptTree(session);
    if (kept === undefined) {
      throw new VbuildError('not-ready', 'There is no tree to resume in', {
        mend: `run vbuild ${one.name}: a compilation that fails leaves its tree, and --keep leaves any`,
      });
    }
    const first = stepAt(facts, from);
    forgetCompiled(facts);
    run.emit({
      type: 'stage-started',
      package: facts.id,
      stage: 'compile',
      reasons: [{ input: 'stamp', now: `taken up at ${from}` }],
    });
    const startedMs = performance.now();
    try {
      removeTree(onHost(kept.at, kept.at.stage));
      await stepsByHand(session, kept, [first, facts.package.recipe.steps.length]);
      await packed(facts, kept.at, await artifactsFor(session));
    } catch (thrown) {
      run.signal.throwIfAborted();
      const errors = problemsOf(thrown);
      if (errors === undefined) throw thrown;
      for (const error of errors) {
        run.emit({
          type: 'package-failed',
          package: facts.id,
          error: error.at({ package: facts.id, stage: error.code === 'artifact-refused' ? 'pack' : 'compile' }),
        });
      }
      return 1;
    }
    const durationMs = Math.round(performance.now() - startedMs);
    run.emit({ type: 'stage-finished', package: facts.id, stage: 'compile', durationMs, detail: 'over what was left' });
    run.emit({
      type: 'notice',
      level: 'info',
      code: 'resumed',
      headline: 'Steps pass now; what they made over a kept tree becomes no artifact',
      package: facts.id,
      facts: { next: `vbuild ${one.name} builds it from a clean tree` },
    });
    return 3;
  });

async function stepsByHand(
  { facts, run }: HandSession,
  { at, namespace }: KeptTree,
  range: readonly [number, number],
): Promise<void> {
  using jobserver = await jobserverFor(run);
  await jobserver.take(run.signal);
  try {
    await runSteps({ ...stepsFrame(facts, at, run, { jobserver, namespace }), ...logged(facts, run), range });
  } finally {
    jobserver.give();
  }
}

/** The number of the first step of a group. @throws {VbuildError} `usage` */
function stepAt({ package: { recipe } }: PackageFacts, group: StepGroup): number {
  const at = recipe.steps.findIndex((step) => step.group === group);
  if (at >= 0) return at;
  throw new VbuildError('usage', `Recipe has no step of the group ${group}`, {
    facts: { expected: [...new Set(recipe.steps.map((step) => step.group))].join(', ') },
    mend: 'name one of these',
  });
}

/** Everything that the package sees while it is compiled. @throws {VbuildError} `not-ready` */
async function artifactsFor({ facts: { package: one, id }, known, run }: HandSession): Promise<Artifacts> {
  const artifacts = artifactsOf(run.disk, join(privateFolder(run.workspace), 'unpacked'));
  const missing: string[] = [];
  for (const other of visibleTo(one)) {
    const key = known.get(other)?.key;
    const fetched = key && (await run.cache.fetchArtifact(other.name, key, run.signal));
    if (fetched?.outcome === 'done') artifacts.add(other, fetched.manifest);
    else missing.push(packageId(other));
  }
  if (missing.length === 0) return artifacts;
  throw new VbuildError('not-ready', 'What the package needs is not built yet', {
    where: { package: id },
    facts: { needs: missing.join(', ') },
    mend: `run vbuild ${one.name} first`,
  });
}
