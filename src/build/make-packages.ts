/** Builds what no cache had: fetch and patch ahead of need, compile and pack as the dependencies allow. */
import { type Package, packageId } from '../buildfile/package.ts';
import { VbuildError, VbuildErrors } from '../model/error.ts';
import type { Outcome } from '../model/event.ts';
import { readStamp } from '../stamps/stamp.ts';
import { makeFolder } from '../system/files.ts';
import { startJobserver } from '../system/jobserver.ts';
import type { Artifacts } from './artifacts.ts';
import { ensureCompiled, packArtifact } from './compile-stage.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { ensureSource } from './fetch-stage.ts';
import { visibleTo } from './graph.ts';
import { runJobs } from './job-runner.ts';
import { ensurePatched } from './patch-stage.ts';
import type { Pushes } from './pushes.ts';
import type { Run } from './run.ts';
import type { Job } from './scheduler.ts';

export interface MakeRequest {
  readonly missing: readonly Package[];
  readonly facts: Facts;
  readonly artifacts: Artifacts;
  readonly outcomes: Map<string, Outcome>;
  readonly pushes: Pushes;
  readonly run: Run;
}

/** What a package is expected to take that was never compiled here, in milliseconds. */
const guessMs = 15_000;
/** How many packages are fetched and patched at once. */
const transfers = 3;

/** @returns Every failure; all of them have been emitted. @throws what is a bug. */
export async function buildMissing({
  missing,
  facts,
  artifacts,
  outcomes,
  pushes,
  run,
}: MakeRequest): Promise<VbuildError[]> {
  if (missing.length === 0) return [];
  const known = missing.map((one) => {
    const found = facts.known.get(one);
    if (found === undefined) throw new Error(`${packageId(one)} has no key`);
    return found;
  });
  const byJob = new Map<string, () => Promise<void>>();
  const ids = new Set(known.map(({ id }) => id));
  makeFolder(run.workspace.state);
  using jobserver = await startJobserver(run.workspace.state, run.options.jobs);

  const jobs = known.flatMap((one): Job[] => {
    const prepare = `prepare ${one.id}`;
    const make = `make ${one.id}`;
    byJob.set(prepare, async () => {
      await ensureSource(one.package, one.source, run);
      await ensurePatched(one, run);
    });
    byJob.set(make, async () => {
      const startedMs = performance.now();
      await jobserver.take(run.signal);
      try {
        await ensureCompiled(one, artifacts, run, jobserver.descriptor);
        artifacts.add(one.package, await packArtifact(one, artifacts, run));
      } finally {
        jobserver.give();
      }
      outcomes.set(one.id, 'built');
      pushes.add(one.package);
      run.emit({
        type: 'package-finished',
        package: one.id,
        outcome: 'built',
        durationMs: performance.now() - startedMs,
      });
    });
    const needed = visibleTo(one.package)
      .map(packageId)
      .filter((id) => ids.has(id));
    return [
      { id: prepare, after: [], expectedMs: 1, resource: 'transfer' },
      { id: make, after: [prepare, ...needed.map((id) => `make ${id}`)], expectedMs: expectedMs(one), resource: 'cpu' },
    ];
  });
  const failures = await runJobs({
    jobs,
    work: (job) => byJob.get(job.id)?.() ?? Promise.resolve(),
    limits: { transfer: transfers, cpu: run.options.jobs },
    keepGoing: run.options.keepGoing,
    signal: run.signal,
    skipped(job, because) {
      if (job.id.startsWith('make '))
        run.emit({ type: 'package-skipped', package: idOf(job.id), because: idOf(because) });
    },
  });
  return [...failures].flatMap(([job, thrown]) => reported(idOf(job), thrown, run));
}

const idOf = (job: string): string => job.slice(job.indexOf(' ') + 1);

const expectedMs = ({ places }: PackageFacts): number => readStamp(places.stamps, 'compile')?.durationMs ?? guessMs;

function reported(id: string, thrown: unknown, run: Run): VbuildError[] {
  if (run.signal.aborted) return [];
  const errors = thrown instanceof VbuildErrors ? thrown.errors : [thrown];
  return errors.map((error) => {
    if (!(error instanceof VbuildError)) throw error;
    run.emit({ type: 'package-failed', package: id, error });
    return error;
  });
}
