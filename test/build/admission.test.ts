/** A machine under pressure holds back what need not start, whatever the pool of jobs has left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admission } from '../../src/build/admission.ts';
import { runJobs } from '../../src/build/job-runner.ts';
import type { Run } from '../../src/build/run.ts';
import type { BuildEvent } from '../../src/model/event.ts';
import { startJobserver } from '../../src/system/jobserver.ts';
import { tempDir } from '../support/temp.ts';

type Options = Pick<Run['options'], 'load' | 'spareMemoryBytes'>;

const rows: readonly [title: string, options: Options, most: number, said: readonly RegExp[]][] = [
  ['the load average has reached the limit', { load: 0 }, 1, [/^the load average is /]],
  ['less memory is left than should be', { spareMemoryBytes: 2 ** 50 }, 1, [/of memory are left/]],
  ['neither is so', { load: 1_000_000, spareMemoryBytes: 1 }, 2, []],
];

for (const [title, options, most, said] of rows) {
  test(`admission() lets ${most} of two packages run at once where ${title}`, async (t) => {
    using jobserver = await startJobserver(tempDir(t), 4);
    const held: string[] = [];
    // The first package ends once it is settled what becomes of the second one.
    const settled = Promise.withResolvers<void>();
    const emit = (event: BuildEvent): void => {
      if (event.type !== 'notice' || event.code !== 'held-back') return;
      held.push(event.facts?.['found'] ?? '');
      settled.resolve();
    };
    let [started, running, atOnce] = [0, 0, 0];
    await runJobs({
      jobs: ['one', 'two'].map((id) => ({ id, after: [], expectedMs: 1, resource: 'cpu' as const })),
      limits: { transfer: 1, cpu: 9 },
      admit: admission(jobserver, { options, emit } as Run),
      async work() {
        started += 1;
        running += 1;
        atOnce = Math.max(atOnce, running);
        if (started === 2) settled.resolve();
        await settled.promise;
        running -= 1;
      },
      keepGoing: false,
      signal: new AbortController().signal,
      skipped: () => assert.fail(),
    });
    assert.deepEqual([started, atOnce, held.length], [2, most, said.length]);
    for (const [at, expected] of said.entries()) assert.match(held[at] ?? '', expected);
  });
}
