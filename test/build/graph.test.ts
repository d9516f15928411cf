import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fullClosure, runClosure, visibleTo } from '../../src/build/graph.ts';
import { blocked, type Job, JobQueue, type JobState, remainingMs } from '../../src/build/scheduler.ts';
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

/** Runs all of them one at a time. @returns How each ended, and their order. */
function played(all: readonly Job[], doomed?: string): { states: Map<string, JobState>; order: string[] } {
  const states = new Map<string, JobState>(all.map(({ id }) => [id, 'waiting']));
  const order: string[] = [];
  const queue = new JobQueue(all);
  for (let next = queue.first('cpu'); next !== undefined; next = queue.first('cpu')) {
    assert.equal(queue.take('cpu'), next);
    for (const id of next.after) assert.equal(states.get(id), 'done');
    order.push(next.id);
    states.set(next.id, next.id === doomed ? 'failed' : 'done');
    if (next.id !== doomed) queue.done(next);
  }
  return { states, order };
}

test('a queue hands out every job once, after those that it waits for', () => {
  fc.assert(
    fc.property(jobs, (all) => {
      assert.deepEqual(played(all).order.toSorted(), all.map(({ id }) => id).sort());
    }),
  );
});

test('remainingMs() is the time of the longest chain from a job on', () => {
  fc.assert(
    fc.property(jobs, (graph) => {
      const all = graph.slice(0, 12);
      const longest = ({ id, expectedMs }: Job): number =>
        expectedMs + Math.max(0, ...all.filter(({ after }) => after.includes(id)).map(longest));
      assert.deepEqual(remainingMs(all), new Map(all.map((job) => [job.id, longest(job)])));
    }),
  );
});

test('after a failure, each job either runs or is blocked, and no blocked one could have run', () => {
  fc.assert(
    fc.property(jobs, fc.nat(), (all, pick) => {
      const doomed = all[pick % all.length]?.id;
      const { states } = played(all, doomed);
      for (let found = blocked(all, states); found.length > 0; found = blocked(all, states))
        for (const { job } of found) states.set(job.id, 'skipped');
      const reaches = (job: Job): boolean =>
        job.id === doomed || job.after.some((id) => reaches(all.find((one) => one.id === id)!));
      for (const job of all)
        assert.equal(states.get(job.id), job.id === doomed ? 'failed' : reaches(job) ? 'skipped' : 'done');
    }),
  );
});

test('a queue starts the job with the longest remaining path first', () => {
  const chain: Job[] = [
    { id: 'short', after: [], expectedMs: 50, resource: 'cpu' },
    { id: 'head', after: [], expectedMs: 10, resource: 'cpu' },
    { id: 'tail', after: ['head'], expectedMs: 60, resource: 'cpu' },
    { id: 'load', after: [], expectedMs: 500, resource: 'transfer' },
  ];
  assert.deepEqual(played(chain).order, ['head', 'tail', 'short']);
  assert.equal(new JobQueue(chain).first('transfer')?.id, 'load');
});

test('long chains are no matter of recursion', () => {
  const size = 30_000;
  const packages = [zlib];
  for (let at = 1; at < size; at += 1) packages.push(make(`p${at}`, packages.slice(-1)));
  assert.deepEqual(runClosure(packages.slice(-1)), packages);
  const chain = packages.map(({ name }, at): Job => {
    const after = at === 0 ? [] : [packages[at - 1]?.name ?? ''];
    return { id: name, after, expectedMs: 1, resource: 'cpu' };
  });
  assert.equal(remainingMs(chain).get('zlib'), size);
  assert.deepEqual(
    played(chain).order,
    chain.map(({ id }) => id),
  );
});
