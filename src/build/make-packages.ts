/** Builds what no cache had: fetch and patch ahead of need, compile and pack as the dependencies allow. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { VbuildError } from '../model/error.ts';
import type { Outcome } from '../model/event.ts';
import { problemsOf } from '../model/problems.ts';
import type { Jobserver } from '../system/jobserver.ts';
import type { Artifacts } from './artifacts.ts';
import { namespaceFor } from './build-places.ts';
import { ensureCompiled, packArtifact, type Workshop } from './compile-stage.ts';
import { expectedDurations } from './durations.ts';
import { findEqual, mayBeEqual } from './cutoff.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { admission, jobserverFor } from './admission.ts';
import { ensureSource } from './fetch-stage.ts';
import { visibleTo } from './graph.ts';
import { type Lease, runJobs } from './job-runner.ts';
import { forecast, limitsFor, makeJob, packageJobs, packageOf, type PackageWork, prepareJob } from './jobs.ts';
import { lockKey } from './key-lock.ts';
import { keeper } from './look-up.ts';
import { ensurePatched } from './patch-stage.ts';
import { guessMs } from './plan.ts';
import type { Pushes } from './pushes.ts';
import type { Run } from './run.ts';

export interface MakeRequest {
  readonly missing: readonly Package[];
  readonly facts: Facts;
  readonly artifacts: Artifacts;
  readonly outcomes: Map<string, Outcome>;
  readonly pushes: Pushes;
  readonly run: Run;
}

/** @returns Every failure; each was emitted as soon as it happened. @throws what is a bug. */
export async function buildMissing({
  missing,
  facts,
  artifacts,
  outcomes,
  pushes,
  run,
}: MakeRequest): Promise<VbuildError[]> {
  const known = missing.map((one) => facts.of(one));
  const byJob = new Map<string, (lease: Lease) => Promise<void>>();
  const ids = new Set(known.map(({ id }) => id));
  const keep = keeper(artifacts, outcomes, run);
  using jobserver = await jobserverFor(run);
  const workshop: Workshop = { jobserver, namespace: await namespaceFor(run) };

  const decided = new Map<string, Promise<boolean>>();
  /** Whether an equal artifact was found for one whose dependencies have just been made; asked for once, when all of them are packed. */
  const isSpared = (one: PackageFacts): Promise<boolean> => {
    const decision = decided.get(one.id) ?? spared(one);
    decided.set(one.id, decision);
    return decision;
  };
  async function spared(one: PackageFacts): Promise<boolean> {
    if (visibleTo(one.package).every((other) => !ids.has(packageId(other)))) return false;
    const found = await findEqual(one, (other) => artifacts.manifest(other), true, run);
    if (found !== undefined) keep(one, found);
    return found !== undefined;
  }
  const works = await Promise.all(known.map((one) => workOf(one, ids, run)));
  const waiting = new Set(works.flatMap(({ id, waits }) => (waits ? [id] : [])));

  for (const one of known) {
    byJob.set(prepareJob(one.id), async () => {
      if (waiting.has(one.id) && (await isSpared(one))) return;
      await ensureSource(one.package, one.source, run);
      pushes.addSource(one.package);
      await ensurePatched(one, run);
    });
    byJob.set(makeJob(one.id), async (lease) => {
      if (waiting.has(one.id) && (await isSpared(one))) return pushes.add(one.package);
      const startedMs = performance.now();
      await using _lock = await lockKey(one, run, lease);
      if (!(await takeFinished(one, keep, run)) && !(await isSpared(one))) {
        await ensureCompiled(one, artifacts, run, workshop);
        const manifest = await packArtifact(one, artifacts, run);
        artifacts.add(one.package, manifest);
        outcomes.set(one.id, 'built');
        const durationMs = performance.now() - startedMs;
        const { sizeBytes } = manifest.body;
        run.emit({ type: 'package-finished', package: one.id, outcome: 'built', durationMs, sizeBytes });
      }
      pushes.add(one.package);
    });
  }
  using _watch = watchJobs(jobserver, run);
  const jobs = packageJobs(works);
  const packages = Object.fromEntries(works.map(({ id, prepareMs, makeMs }) => [id, prepareMs + makeMs]));
  run.emit({ type: 'outlook', expectedMs: forecast(jobs, limitsFor(jobserver.jobs)).totalMs, packages });
  const failed: VbuildError[] = [];
  const told = new Set<string>();
  const bugs: unknown[] = [];
  await runJobs({
    jobs,
    async work(job, lease) {
      try {
        await byJob.get(job.id)?.(lease);
      } catch (thrown) {
        const id = packageOf(job.id);
        const errors = problemsOf(thrown)?.map((one) => one.at({ package: id }));
        if (errors === undefined) bugs.push(thrown);
        // What an interrupt cut off has not failed.
        for (const error of run.signal.aborted ? [] : (errors ?? [])) {
          failed.push(error);
          told.add(id);
          run.emit({ type: 'package-failed', package: id, error });
        }
        throw thrown;
      }
    },
    // On the processors, tokens are the limit; what waits for another vbuild has none.
    limits: { ...limitsFor(jobserver.jobs), cpu: Number.POSITIVE_INFINITY },
    admit: admission(jobserver, run),
    keepGoing: run.options.keepGoing,
    signal: run.signal,
    skipped(job, because) {
      const id = packageOf(job.id);
      // One that failed before it was compiled has been told of.
      if (job.id === makeJob(id) && !told.has(id))
        run.emit({ type: 'package-skipped', package: id, because: packageOf(because) });
    },
  });
  if (bugs.length > 0 && !run.signal.aborted) throw bugs[0];
  return failed;
}

/**
 * Takes what another vbuild made since the caches were asked, as its lock was waited for.
 *
 * @returns Whether there was such an artifact.
 */
async function takeFinished(facts: PackageFacts, keep: ReturnType<typeof keeper>, run: Run): Promise<boolean> {
  const { package: one, key } = facts;
  if (run.options.noCache || !run.disk.has(one.name, key)) return false;
  const startedMs = performance.now();
  const fetched = await run.cache.fetchArtifact(one.name, key, run.signal);
  if (fetched.outcome !== 'done') return false;
  const { manifest, tier } = fetched;
  keep(facts, { outcome: 'restored', manifest, tier, durationMs: Math.round(performance.now() - startedMs) });
  return true;
}

/** How often those who watch are told of the jobs, in milliseconds. */
const sampleMs = 500;

function watchJobs(jobserver: Jobserver, run: Run): Disposable {
  let last = -1;
  const timer = setInterval(() => {
    const now = jobserver.inUse();
    if (now !== last) run.emit({ type: 'jobs-sampled', inUse: now, jobs: jobserver.jobs });
    last = now;
  }, sampleMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** @param ids Of all packages that are to be built. */
async function workOf(facts: PackageFacts, ids: ReadonlySet<string>, run: Run): Promise<PackageWork> {
  const { id, package: one } = facts;
  const { fetch = 0, patch = 0, compile = guessMs, pack = 0 } = await expectedDurations(facts, run.disk);
  const after = visibleTo(one)
    .map(packageId)
    .filter((other) => ids.has(other));
  const waits = after.length > 0 && (await mayBeEqual(facts, run));
  return { id, after, waits, prepareMs: fetch + patch, makeMs: compile + pack };
}
