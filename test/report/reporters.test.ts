/** What people and programs see of a run. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VbuildError, VbuildErrors } from '../../src/model/error.ts';
import type { BuildEvent } from '../../src/model/event.ts';
import { chooseReporter } from '../../src/report/choose.ts';
import type { ReportOptions } from '../../src/report/reporter.ts';
import { assertGolden } from '../support/golden.ts';
import { badRun, goodRun, patchRejected, type Recorded, recorded } from '../support/report.ts';

function report(events: readonly BuildEvent[], options: Parameters<typeof recorded>[0] = {}): Recorded {
  const record = recorded(options);
  const reporter = chooseReporter(record);
  for (const event of events) reporter.event(event);
  reporter.end();
  return record;
}

for (const detail of ['normal', 'quiet', 'verbose'] as const) {
  for (const [name, events] of [
    ['good', goodRun],
    ['bad', badRun],
  ] as const) {
    test(`a ${name} run in ${detail} detail reads as it always did`, () => {
      const { stdout, stderr } = report(events, { detail });
      assert.equal(stdout.text, '');
      assertGolden(`report/${name}-${detail}.txt`, stderr.text);
    });
  }
}

test('JSON events on stdout look as they always did, with warnings and errors on stderr', () => {
  const { stdout, stderr } = report([...goodRun, ...badRun], { json: true });
  assertGolden('report/events.jsonl', stdout.text);
  assert.match(stderr.text, /^warning: Cache s3:\/\/vendor is unreachable\n/);
  assert.match(stderr.text, /\nerror: Patch does not apply\n/);
  assert.doesNotMatch(stderr.text, /\[\d\/\d\]/);
});

const noOutcomes = { fresh: 0, restored: 0, built: 0 };
const lastLines: readonly (readonly [meant: string, events: readonly BuildEvent[], expected: string])[] = [
  [
    'a whole build',
    [
      { type: 'installed', prefix: '/site/vendor', generation: 1, packages: 9 },
      {
        type: 'run-finished',
        exitStatus: 0,
        durationMs: 84_000,
        outcomes: { ...noOutcomes, built: 9 },
        prefix: '/site/vendor',
      },
    ],
    'pil ready in vendor (generation 1): 9 built in 1 min 24 s',
  ],
  [
    'nothing to do',
    [
      {
        type: 'run-finished',
        exitStatus: 0,
        durationMs: 60,
        outcomes: { ...noOutcomes, fresh: 9 },
        prefix: '/site/vendor',
      },
    ],
    'pil is fresh in vendor: nothing to do',
  ],
  [
    'another prefix only',
    [
      { type: 'installed', prefix: '/srv/p', generation: 1, packages: 9 },
      { type: 'run-finished', exitStatus: 0, durationMs: 900, outcomes: { ...noOutcomes, fresh: 9 }, prefix: '/srv/p' },
    ],
    'pil ready in /srv/p (generation 1): 9 fresh in 0.9 s',
  ],
  [
    'no install',
    [{ type: 'run-finished', exitStatus: 0, durationMs: 11_000, outcomes: { ...noOutcomes, restored: 7, built: 2 } }],
    'pil is packed: 7 restored and 2 built in 11 s',
  ],
  [
    'a failed upload',
    [
      { type: 'installed', prefix: '/site/vendor', generation: 2, packages: 1 },
      {
        type: 'run-finished',
        exitStatus: 5,
        durationMs: 3000,
        outcomes: { ...noOutcomes, built: 1 },
        prefix: '/site/vendor',
      },
    ],
    'pil ready in vendor (generation 2), but an upload failed: 1 built in 3.0 s',
  ],
  [
    'an interrupt',
    [{ type: 'run-finished', exitStatus: 130, durationMs: 3_700_000, outcomes: { ...noOutcomes, built: 1 } }],
    'interrupted after 1 h 1 min: 1 built',
  ],
];

for (const [meant, events, expected] of lastLines) {
  test(`the last line after ${meant} says what is where and how long it took`, () => {
    const { stderr } = report([{ type: 'run-started', targets: ['pil'], packages: 9 }, ...events]);
    assert.equal(stderr.text, `${expected}\n`);
  });
}

test('an error that a failed package has shown is not shown again, also when its place was filled in since', () => {
  const record = recorded();
  const reporter = chooseReporter(record);
  for (const event of badRun) reporter.event(event);
  const before = record.stderr.text;
  reporter.error(patchRejected);
  reporter.error(patchRejected.at({ stage: 'patch' }));
  reporter.error(new VbuildErrors([patchRejected]));
  assert.equal(record.stderr.text, before);
  reporter.error(new VbuildErrors([patchRejected, new VbuildError('usage', 'Other trouble', { mend: 'look' })]));
  assert.equal(record.stderr.text, `${before}error: Other trouble\n  mend      look\n`);
  reporter.end();
});

test('transfers are mentioned every few seconds only', () => {
  const record = recorded();
  const reporter = chooseReporter(record);
  reporter.event({ type: 'run-started', targets: ['pil'], packages: 1 });
  for (let doneBytes = 0; doneBytes <= 12_000_000; doneBytes += 100_000) {
    reporter.event({ type: 'transfer', package: 'pil@1', what: 'pil.tar.gz', doneBytes, totalBytes: 12_000_000 });
    record.pass(100);
  }
  reporter.end();
  assert.equal(
    record.stderr.text,
    '[1/1] pil@1  pil.tar.gz: 5.0 MB of 12 MB\n[1/1] pil@1  pil.tar.gz: 10 MB of 12 MB\n',
  );
});

test('after half a minute of silence the plain reporter says what is still running', (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const record = recorded();
  const reporter = chooseReporter(record);
  reporter.event({ type: 'run-started', targets: ['pil'], packages: 1 });
  reporter.event({ type: 'stage-started', package: 'pil@1', stage: 'compile', reasons: [] });
  const started = record.stderr.text;
  record.pass(29_000);
  t.mock.timers.tick(5_000);
  assert.equal(record.stderr.text, started);
  record.pass(1_000);
  t.mock.timers.tick(5_000);
  assert.equal(record.stderr.text, `${started}still running: pil@1 compile for 30 s\n`);
  reporter.end();
});

test('control characters in what others wrote never reach the output', () => {
  const evil = 'a\u001b[2J\u001b]0;t\u0007\u202e\r\u0085\u2066b';
  const events: BuildEvent[] = [
    { type: 'run-started', targets: [evil], packages: 1 },
    { type: 'stage-started', package: evil, stage: 'fetch', reasons: [{ input: evil, before: evil, now: evil }] },
    { type: 'step-started', package: evil, group: evil, command: evil, log: evil },
    { type: 'transfer', package: evil, what: evil, doneBytes: 1 },
    { type: 'cache-looked-up', package: evil, key: 'k' as never, tier: evil, answer: 'rejected', reason: evil },
    { type: 'stage-finished', package: evil, stage: 'fetch', durationMs: 1, detail: evil },
    {
      type: 'package-failed',
      package: evil,
      error: new VbuildError('step-failed', evil, {
        where: { file: evil, package: evil },
        facts: { [evil]: evil },
        mend: evil,
        cause: evil,
      }),
    },
    { type: 'package-skipped', package: evil, because: evil },
    { type: 'notice', level: 'warning', code: 'x', headline: evil, facts: { [evil]: evil } },
    { type: 'run-finished', exitStatus: 0, durationMs: 1, outcomes: { ...noOutcomes, built: 1 }, prefix: evil },
  ];
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
  for (const options of [{}, { detail: 'verbose' as const }, { json: true }]) {
    const { stdout, stderr } = report(events, options);
    assert.doesNotMatch(stderr.text, unsafe);
    assert.doesNotMatch(stdout.text, unsafe);
    assert.ok(stderr.text.includes('a\\x1b[2J'));
  }
  const { stderr } = report(events, { columns: 80, env: { NO_COLOR: '1' } });
  // oxlint-disable-next-line no-control-regex -- what the region is redrawn with is ours
  assert.doesNotMatch(stderr.text.replaceAll(/\r(?:\u001b\[\d+A)?\u001b\[J/g, ''), unsafe);
});

const colours: readonly (readonly [
  meant: string,
  options: Partial<ReportOptions> & { columns?: number },
  coloured: boolean,
])[] = [
  ['a terminal', { columns: 80 }, true],
  ['a terminal with NO_COLOR', { columns: 80, env: { NO_COLOR: '1' } }, false],
  ['a terminal with an empty NO_COLOR', { columns: 80, env: { NO_COLOR: '' } }, true],
  ['a dumb terminal', { columns: 80, env: { TERM: 'dumb' } }, false],
  ['a pipe', {}, false],
  ['a pipe with FORCE_COLOR', { env: { FORCE_COLOR: '1' } }, true],
];

for (const [meant, options, coloured] of colours) {
  test(`${meant} gets ${coloured ? 'colours' : 'no colours'}`, () => {
    assert.equal(report(badRun, options).stderr.text.includes('\u001b[31merror:\u001b[39m'), coloured);
  });
}
