import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { type Lease, runJobs } from '../../src/build/job-runner.ts';
import type { Job } from '../../src/build/scheduler.ts';

const job = (id: string, expectedMs = 1, after: readonly string[] = []): Job => ({
  id,
  after,
  expectedMs,
  resource: 'cpu',
});
const never = new AbortController().signal;

/** A pool of tokens that notes how many were out at most. */
function pool(size: number): { readonly admit: () => Promise<Lease>; free: number } {
  const state = { free: size, admit };
  async function admit(): Promise<Lease> {
    const take = async (): Promise<void> => {
      while (state.free === 0) await setImmediate();
      state.free -= 1;
    };
    await take();
    let has = true;
    return {
      give() {
        if (has) state.free += 1;
        has = false;
      },
      async take() {
        if (!has) await take();
        has = true;
      },
    };
  }
  return state;
}

test('which job starts is settled when it may, not when it was asked for', async () => {
  const order: string[] = [];
  let open: () => void = () => {};
  const gate = new Promise<void>((done) => (open = done));
  const tokens = pool(1);
  await runJobs({
    jobs: [job('quick', 5), { ...job('fetch', 1), resource: 'transfer' }, job('slow', 100, ['fetch'])],
    limits: { transfer: 1, cpu: 9 },
    async admit() {
      await gate;
      return tokens.admit();
    },
    async work({ id }) {
      if (id === 'fetch') setTimeout(open, 5);
      else order.push(id);
    },
    keepGoing: false,
    signal: never,
    skipped: () => assert.fail(),
  });
  assert.deepEqual(order, ['slow', 'quick']);
});

test('whatever fails, jobs run within their limit, each at most once, and every token comes back', async () => {
  const cases = fc.tuple(
    fc.array(fc.record({ after: fc.array(fc.nat(20)), fails: fc.boolean(), waits: fc.boolean() }), { maxLength: 20 }),
    fc.integer({ min: 1, max: 4 }),
    fc.boolean(),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([rows, size, keepGoing]) => {
      const jobs = rows.map(({ after }, at) =>
        job(
          `j${at}`,
          1,
          [...new Set(after.filter((one) => one < at))].map((one) => `j${one}`),
        ),
      );
      const tokens = pool(size);
      let [now, most] = [0, 0];
      const ran = new Set<string>();
      const skipped = new Set<string>();
      const failures = await runJobs({
        jobs,
        limits: { transfer: 1, cpu: Number.POSITIVE_INFINITY },
        admit: tokens.admit,
        async work({ id, after }, lease) {
          assert.ok(!ran.has(id) && after.every((one) => ran.has(one)));
          most = Math.max(most, (now += 1));
          await setImmediate();
          now -= 1;
          if (rows[jobs.findIndex((one) => one.id === id)]?.waits) {
            lease.give();
            await setImmediate();
            await lease.take(never);
          }
          if (rows[jobs.findIndex((one) => one.id === id)]?.fails) throw new Error(id);
          ran.add(id);
        },
        keepGoing,
        signal: never,
        skipped: ({ id }) => void skipped.add(id),
      });
      assert.ok(most <= size);
      assert.equal(tokens.free, size);
      assert.equal(ran.size + failures.size + skipped.size, jobs.length, 'each has an end');
      if (failures.size === 0) assert.equal(ran.size, jobs.length);
    }),
    { numRuns: 200 },
  );
});

test('an abort gives up the waiting for a token, and waits for what runs', async () => {
  const stop = new AbortController();
  const ended: string[] = [];
  await runJobs({
    jobs: [job('first', 2), job('second')],
    limits: { transfer: 1, cpu: 9 },
    admit: (signal, running) =>
      running() === 0
        ? pool(1).admit()
        : new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error))),
    async work({ id }) {
      await setImmediate();
      stop.abort();
      await setImmediate();
      ended.push(id);
    },
    keepGoing: true,
    signal: stop.signal,
    skipped: () => {},
  });
  assert.deepEqual(ended, ['first']);
});
