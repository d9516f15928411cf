/** A finished run: its lanes, its critical path, its trace and its page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RunPackage, RunRecord, Work } from '../../src/model/run-record.ts';
import { comparison, criticalPath, lanesOf } from '../../src/report/run-analysis.ts';
import { runPage } from '../../src/report/run-page.ts';
import { traceText } from '../../src/report/trace.ts';

const work = (what: Work['what'], startMs: number, endMs: number, more: Partial<Work> = {}): Work => ({
  what,
  startMs,
  endMs,
  reasons: [],
  steps: [],
  failed: false,
  ...more,
});

const built = (
  id: string,
  needs: readonly string[],
  parts: readonly Work[],
  more: Partial<RunPackage> = {},
): RunPackage => ({
  package: id,
  outcome: 'built',
  needs,
  work: parts,
  answers: [],
  before: {},
  ...more,
});

const record = (packages: readonly RunPackage[], more: Partial<RunRecord> = {}): RunRecord => ({
  format: 1,
  vbuild: '0.1.0',
  platform: 'linux-x64-glibc debian-12',
  jobs: 2,
  targets: ['site'],
  startedAtMs: 0,
  durationMs: Math.max(0, ...packages.flatMap((one) => one.work.map(({ endMs }) => endMs))),
  exitStatus: 0,
  packages,
  traffic: [],
  warnings: [],
  errors: [],
  ...more,
});

test('criticalPath() goes back from the end by what each piece of work had to wait for', () => {
  const run = record(
    [
      built('a@1', [], [work('fetch', 100, 200), work('compile', 200, 1200), work('pack', 1200, 1300)]),
      built('b@1', [], [work('fetch', 100, 150), work('compile', 1305, 1700), work('pack', 1700, 1750)]),
      built(
        'c@1',
        [],
        [work('fetch', 0, 10), work('compile', 10, 500), work('pack', 500, 505), work('push', 505, 9000)],
      ),
      built('site@1', ['c@1', 'b@1'], [work('fetch', 0, 900), work('compile', 1751, 2000), work('pack', 2000, 2100)]),
    ],
    { installed: { startMs: 2150, endMs: 2200, generation: 1, reasons: [] } },
  );
  assert.deepEqual(
    criticalPath(run).map(({ package: id, work: { what }, after, waitedMs }) => `${id} ${what} ${after} ${waitedMs}`),
    [
      'a@1 fetch nothing 100',
      'a@1 compile stage 0',
      'a@1 pack stage 0',
      // It needs nothing of a, but there was only one worker.
      'b@1 compile worker 5',
      'b@1 pack stage 0',
      'site@1 compile dependency 1',
      'site@1 pack stage 0',
      'site install dependency 50',
    ],
  );
  assert.deepEqual(criticalPath(record([])), []);
});

test('lanesOf() lets nothing overlap and leaves nothing out, and criticalPath() ends, whatever happened when', () => {
  const kinds = fc.constantFrom('fetch', 'patch', 'compile', 'pack', 'restore', 'push');
  const parts = fc.array(
    fc.tuple(kinds, fc.nat(40), fc.nat(20)).map(([what, from, length]) => work(what, from, from + length)),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 8 }), (all) => {
      const run = record(all.map((one, at) => built(`p${at}@1`, at === 0 ? [] : [`p${at - 1}@1`], one)));
      const lanes = lanesOf(run);
      assert.equal(lanes.flatMap(({ items }) => items).length, all.flat().length);
      for (const { items } of lanes)
        for (const [at, { work: one }] of items.entries())
          assert.ok(one.endMs <= (items[at + 1]?.work.startMs ?? Number.POSITIVE_INFINITY));
      const path = criticalPath(run);
      for (const [at, { work: one }] of path.entries())
        assert.ok(one.endMs <= (path[at + 1]?.work.startMs ?? Number.POSITIVE_INFINITY));
      assert.equal(
        path.length > 0,
        all.flat().some(({ what }) => what !== 'push'),
      );
    }),
  );
});

test('comparison() compares stages that were done both times', () => {
  const parts = [work('fetch', 0, 10), work('compile', 10, 110), work('pack', 110, 120, { failed: true })];
  assert.deepEqual(comparison({ work: parts, before: { compile: 50, pack: 5 } }), { nowMs: 100, beforeMs: 50 });
  assert.equal(comparison({ work: parts, before: {} }), undefined);
});

test('traceText() is what trace viewers read: whole events in microseconds, a name for every lane, and the record beside', () => {
  const run = record([
    built(
      'a@1',
      [],
      [work('compile', 5, 25, { steps: [{ group: 'build', command: 'make', startMs: 6, endMs: 25 }] })],
      {
        answers: [{ tier: 'disk', answer: 'absent', atMs: 2 }],
      },
    ),
  ]);
  const { traceEvents: events, vbuild } = JSON.parse(traceText(run)) as {
    traceEvents: Record<string, unknown>[];
    vbuild: unknown;
  };
  assert.deepEqual(vbuild, run);
  const of = (ph: string) => events.filter((event) => event['ph'] === ph);
  assert.deepEqual(
    of('X').map(({ name, ts, dur, tid }) => ({ name, ts, dur, tid })),
    [
      { name: 'a@1 compile', ts: 5000, dur: 20_000, tid: 1 },
      { name: 'build', ts: 6000, dur: 19_000, tid: 1 },
    ],
  );
  assert.deepEqual(
    of('i').map(({ name, ts }) => [name, ts]),
    [['a@1: disk absent', 2000]],
  );
  const named = new Set(
    of('M')
      .filter(({ name }) => name === 'thread_name')
      .map(({ tid }) => tid),
  );
  for (const { tid } of of('X')) assert.ok(named.has(tid));
});

test('runPage() escapes whatever upstream, buckets and patches put into it', () => {
  const evil = '</style></script><script>alert(1)</script><img src=x onerror="alert(1)">\u202e\'';
  const reasons = [{ input: evil, before: evil, now: evil }];
  const page = runPage(
    record(
      [
        built(
          `${evil}@1`,
          [evil],
          [
            work('compile', 0, 9, {
              reasons,
              detail: evil,
              steps: [{ group: evil, command: evil, startMs: 1, endMs: 9 }],
            }),
          ],
          {
            answers: [{ tier: evil, answer: 'rejected', reason: evil, atMs: 0 }],
            outcome: 'failed',
            error: { code: 'step-failed', headline: evil, stage: evil },
          },
        ),
        built('b@1', [], [], { outcome: 'skipped', because: evil }),
      ],
      {
        targets: [evil],
        platform: evil,
        vbuild: evil,
        exitStatus: 1,
        traffic: [{ tier: evil, requests: 1, receivedBytes: 1, sentBytes: 1 }],
        warnings: [{ headline: evil, package: evil }],
        errors: [{ code: evil, headline: evil }],
      },
    ),
  );
  assert.doesNotMatch(page, /<script|<img|\u202e/);
  assert.equal(page.match(/<\/style>/g)?.length, 1);
  assert.ok((page.match(/&lt;script&gt;/g)?.length ?? 0) > 10);
});
