import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forecast, limitsFor, packageJobs } from '../../src/build/jobs.ts';
import { guessMs, planOf } from '../../src/build/plan.ts';
import type { PlannedPackage, PlannedStage } from '../../src/model/plan.ts';

const stage = (name: PlannedStage['stage'], expectedMs?: number): PlannedStage => ({
  stage: name,
  reasons: [],
  ...(expectedMs !== undefined && { expectedMs }),
});
const planned = (name: string, rest: Partial<PlannedPackage> = {}): PlannedPackage => ({
  package: `${name}@1`,
  outcome: 'fresh',
  stages: [],
  unpinned: false,
  after: [],
  ...rest,
});
const plan = (packages: readonly PlannedPackage[], jobs = 2): ReturnType<typeof planOf> =>
  planOf({ targets: ['pil'], packages, installOpen: false, pushTo: [], jobs });

test('planOf() adds up what is to be transferred, and nothing where nothing is', () => {
  const from = { outcome: 'restored', tier: 's3://vendor' } as const;
  const both = [planned('zlib', { ...from, transferBytes: 300 }), planned('png', { ...from, transferBytes: 12 })];
  assert.equal(plan(both).transferBytes, 312);
  assert.equal(plan([planned('zlib'), planned('png')]).transferBytes, 0);
});

test('planOf() expects the time of the longest chain when there are jobs enough, and names the chain', () => {
  const built = (name: string, ms: number, after: string[] = []): PlannedPackage =>
    planned(name, { outcome: 'built', stages: [stage('compile', ms - 5), stage('pack', 5)], after });
  const packages = [
    built('zlib', 100),
    built('png', 50, ['zlib@1']),
    built('jpeg', 120),
    built('pil', 30, ['png@1', 'jpeg@1']),
  ];
  const { expectedMs, criticalPath, guessed } = plan(packages);
  assert.deepEqual([expectedMs, criticalPath, guessed], [180, ['zlib@1', 'png@1', 'pil@1'], []]);
  assert.equal(plan(packages, 1).expectedMs, 300);
});

test('planOf() guesses what nobody compiled before, and says of which packages', () => {
  const { expectedMs, guessed } = plan([
    planned('new', { outcome: 'built', stages: [stage('fetch'), stage('compile'), stage('pack')] }),
    planned('packed', { outcome: 'built', stages: [stage('pack', 7)] }),
  ]);
  assert.deepEqual([expectedMs, guessed], [guessMs, ['new@1']]);
});

/** A random graph: package n may need packages below n. */
const graphs = fc
  .integer({ min: 0, max: 12 })
  .chain((size) =>
    fc.tuple(
      ...Array.from({ length: size }, (_, at) => fc.tuple(fc.subarray([...Array(at).keys()]), fc.nat(50), fc.nat(50))),
    ),
  )
  .map((rows) =>
    rows.map(([after, prepareMs, makeMs], at) => ({
      id: `p${at}`,
      after: after.map((one) => `p${one}`),
      prepareMs,
      makeMs,
    })),
  );

test('forecast() never promises less than the longest chain or the shared work allow, nor more than one job at a time takes', () => {
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 4 }), (work, jobs) => {
      const { totalMs, criticalPath } = forecast(packageJobs(work), limitsFor(jobs));
      const all = packageJobs(work);
      const chainMs = criticalPath.reduce((sum, id) => sum + (all.find((job) => job.id === id)?.expectedMs ?? 0), 0);
      const makeMs = work.reduce((sum, one) => sum + one.makeMs, 0);
      const everythingMs = work.reduce((sum, one) => sum + one.prepareMs + one.makeMs, 0);
      assert.ok(totalMs >= chainMs, `${totalMs} < ${chainMs}`);
      assert.ok(totalMs * jobs >= makeMs);
      assert.ok(totalMs <= everythingMs);
    }),
  );
});

test('forecast() names a chain in which each job waits for the one before it', () => {
  fc.assert(
    fc.property(graphs, (work) => {
      const jobs = packageJobs(work);
      const { criticalPath } = forecast(jobs, limitsFor(2));
      for (const [at, id] of criticalPath.entries()) {
        const before = criticalPath[at - 1];
        const after = jobs.find((job) => job.id === id)?.after ?? [];
        assert.ok(before === undefined ? after.length === 0 : after.includes(before), `${before} then ${id}`);
      }
    }),
  );
});
