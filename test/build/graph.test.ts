import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fullClosure, runClosure, visibleTo } from '../../src/build/graph.ts';
import { blocked, type Job, type JobState, ready, remainingMs } from '../../src/build/scheduler.ts';
import type { Package } from '../../src/buildfile/package.ts';

const make = (name: string, deps: Package[] = [], buildDeps: Package[] = []): Package => ({
  name,
  version: '1',
  source: { kind: 'directory', path: '.' },
  recipe: { kind: 'steps', steps: [], env: {}, tools: [], autoreconf: false },
  deps,
  buildDeps,
});
const names = (packages: readonly Package[]): string[] => packages.map(({ name }) => name);

const zlib = make('zlib');
const generator = make('generator', [zlib]);
const png = make('png', [zlib], [generator]);
const pil = make('pil', [png]);

test('runClosure() leaves out what is needed while compiling only', () => {
  assert.deepEqual(names(runClosure([pil])), ['zlib', 'png', 'pil']);
});

test('fullClosure() puts every package after all that it may take to make it', () => {
  assert.deepEqual(names(fullClosure([pil])), ['zlib', 'generator', 'png', 'pil']);
});

test('visibleTo() is what a package declares and what that needs to run, no more', () => {
  assert.deepEqual(names(visibleTo(png)), ['zlib', 'generator']);
  assert.deepEqual(names(visibleTo(pil)), ['zlib', 'png']);
});

/** A random graph: job n may wait for jobs below n. */
const jobs = fc.integer({ min: 1, max: 30 }).chain((size) =>
  fc
    .tuple(...Array.from({ length: size }, (_, at) => fc.tuple(fc.subarray([...Array(at).keys()]), fc.nat(100))))
    .map((rows) =>
      rows.map(
        ([after, expectedMs], at): Job => ({
          id: `j${at}`,
          after: after.map((one) => `j${one}`),
          expectedMs,
          resource: 'cpu',
        }),
      ),
    ),
);

test('running ready() jobs one at a time ends every job after those that it waits for', () => {
  fc.assert(
    fc.property(jobs, (all) => {
      const states = new Map<string, JobState>(all.map(({ id }) => [id, 'waiting']));
      const remaining = remainingMs(all);
      for (let turn = 0; turn < all.length; turn += 1) {
        const next = ready(all, states, remaining)[0];
        assert.ok(next);
        for (const id of next.after) assert.equal(states.get(id), 'done');
        states.set(next.id, 'done');
      }
      assert.deepEqual(ready(all, states, remaining), []);
    }),
  );
});

test('after a failure, each job either runs or is blocked, and no blocked one could have run', () => {
  fc.assert(
    fc.property(jobs, fc.nat(), (all, pick) => {
      const states = new Map<string, JobState>(all.map(({ id }) => [id, 'waiting']));
      const doomed = all[pick % all.length]?.id;
      for (;;) {
        const next = ready(all, states, remainingMs(all))[0];
        if (!next) break;
        states.set(next.id, next.id === doomed ? 'failed' : 'done');
      }
      for (let found = blocked(all, states); found.length > 0; found = blocked(all, states))
        for (const { job } of found) states.set(job.id, 'skipped');
      const reaches = (job: Job): boolean =>
        job.id === doomed || job.after.some((id) => reaches(all.find((one) => one.id === id)!));
      for (const job of all)
        assert.equal(states.get(job.id), job.id === doomed ? 'failed' : reaches(job) ? 'skipped' : 'done');
    }),
  );
});

test('ready() starts the job with the longest remaining path first', () => {
  const chain: Job[] = [
    { id: 'short', after: [], expectedMs: 50, resource: 'cpu' },
    { id: 'head', after: [], expectedMs: 10, resource: 'cpu' },
    { id: 'tail', after: ['head'], expectedMs: 60, resource: 'cpu' },
  ];
  const states = new Map<string, JobState>(chain.map(({ id }) => [id, 'waiting']));
  assert.deepEqual(
    ready(chain, states, remainingMs(chain)).map(({ id }) => id),
    ['head', 'short'],
  );
});
