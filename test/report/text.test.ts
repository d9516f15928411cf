/** Words, escapes and error texts. */
import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { VbuildError, VbuildErrors } from '../../src/model/error.ts';
import { errorText, exitStatusOf } from '../../src/report/error-text.ts';
import { jsonLine } from '../../src/report/json.ts';
import { planText } from '../../src/report/plan-text.ts';
import { because } from '../../src/report/phrases.ts';
import { printable, printableJson, printableLine } from '../../src/report/printable.ts';
import { clock, duration, list, pathFrom, shortened, size } from '../../src/report/words.ts';
import { patchRejected } from '../support/report.ts';

const step = (flags: string, ...targets: readonly string[]): string =>
  JSON.stringify(['make', 'PREFIX=/somewhere/else/that/is/long', `CFLAGS=${flags}`, ...targets]);

const words: readonly (readonly [actual: string, expected: string])[] = [
  [duration(0), '0.0 s'],
  [duration(9_949), '9.9 s'],
  [duration(9_960), '10 s'],
  [duration(59_499), '59 s'],
  [duration(59_600), '1 min 0 s'],
  [duration(84_000), '1 min 24 s'],
  [duration(3_599_600), '1 h 0 min'],
  [clock(7_000), '0:07'],
  [clock(84_999), '1:24'],
  [clock(3_723_000), '1:02:03'],
  [size(0), '0 B'],
  [size(999), '999 B'],
  [size(1000), '1 kB'],
  [size(412_345), '412 kB'],
  [size(999_600), '1.0 MB'],
  [size(3_449_000), '3.4 MB'],
  [size(12_000_000_000_000_000), '12000 TB'],
  [list(['a']), 'a'],
  [list(['a', 'b']), 'a and b'],
  [list(['a', 'b', 'c', 'd', 'e', 'f']), 'a, b, c and 3 more'],
  [shortened('f'.repeat(64)), 'ffffffffffff…'],
  [shortened('é'.repeat(9), 5), 'éééé…'],
  [pathFrom('/site', '/site/vendor'), 'vendor'],
  [pathFrom('/site', '/site'), '.'],
  [pathFrom('/site', '/sitevendor'), '/sitevendor'],
  [pathFrom('/site', '/site/..odd'), '..odd'],
  [pathFrom('/site', 'as/written'), 'as/written'],
  [because([]), ''],
  [because([{ input: 'a', now: '1' }, { input: 'b', before: '1' }, { input: 'c' }]), 'a is new; b is gone; 1 more'],
  [because([{ input: 'version', before: '1', now: '2' }]), 'version: 1 → 2'],
  [
    because([{ input: 'step.001.build', before: step('-O1', 'all'), now: step('-O2', 'all') }]),
    'step.001.build: …CFLAGS=-O1… → …CFLAGS=-O2…',
  ],
  [
    because([{ input: 'step.001.build', before: step('-O1', 'all'), now: step('-O1', 'all', 'check') }]),
    'step.001.build: …all → …all check',
  ],
  [
    because([{ input: 'place', before: `/${'z'.repeat(50)}/b`, now: `/${'z'.repeat(50)}/c` }]),
    'place: …zzzzzzz/b → …zzzzzzz/c',
  ],
  [
    because([{ input: 'source', before: `x${'z'.repeat(50)}`, now: `y${'z'.repeat(50)}` }]),
    `source: x${'z'.repeat(38)}… → y${'z'.repeat(38)}…`,
  ],
  [printable('a\tb\nc\r\nd'), 'a\tb\nc\nd'],
  [printable('\u001b[1;31mred\u001b[0m'), 'red'],
  [printable('\u001b[2J\u0007\u009b\u202e\u{e0041}\ud800'), '\\x1b[2J\\x07\\x9b\\u202e\\u{e0041}\\ud800'],
  [printable('naïve 漢字 😀'), 'naïve 漢字 😀'],
  [printableLine('a\nb\tc'), 'a\\nb\\tc'],
];

for (const [index, [actual, expected]] of words.entries()) {
  test(`words, row ${index + 1}: ${JSON.stringify(expected)}`, () => assert.equal(actual, expected));
}

test('planText() counts what has no pin apart from what rests on it', () => {
  const open = { outcome: 'open', transferBytes: 0, stages: [], after: [] } as const;
  const text = planText(
    {
      targets: ['pil'],
      packages: [
        { ...open, package: 'zlib@1', unpinned: true },
        { ...open, package: 'png@1', unpinned: false },
        { ...open, package: 'pil@1', unpinned: false },
      ],
      installOpen: true,
      pushTo: [],
      transferBytes: 0,
      expectedMs: 0,
      criticalPath: [],
      guessed: [],
    },
    { cwd: '/', prefix: '/vendor', jobs: 1 },
  );
  assert.match(text, /\n1 to pin first and 2 open until then\n$/);
});

test('planText() says of a push what goes where, and what is held back for which reason', () => {
  const text = planText(
    {
      targets: ['pil'],
      packages: [],
      installOpen: false,
      pushTo: ['one', 'two'],
      uploads: [
        { package: 'zlib@1', tier: 'one', sizeBytes: 2_000 },
        { package: 'png@1', tier: 'one' },
      ],
      withheld: [
        { package: 'pil@1', reason: 'Buildfile.ts is modified' },
        { package: 'own@1', reason: 'Buildfile.ts is modified' },
      ],
      transferBytes: 0,
      expectedMs: 0,
      criticalPath: [],
      guessed: [],
    },
    { cwd: '/', prefix: '/vendor', jobs: 1 },
  );
  assert.deepEqual(text.split('\n').slice(0, 3), [
    '2 artifacts pushed to one, sources where they lack: 2 kB, the size of 1 is not known yet',
    'nothing is pushed to two',
    'not pushed: pil@1 and own@1: Buildfile.ts is modified',
  ]);
});

test('printableJson() keeps the value of any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = printableJson(JSON.stringify(text));
      assert.equal(JSON.parse(json), text);
      assert.doesNotMatch(json, /[^\P{C}]|\u2028/u);
    }),
  );
});

test('jsonLine() writes errors as data and big integers as text, and survives a circle', () => {
  const circle: Record<string, unknown> = {
    mtimeNs: 12345678901234567890n,
    error: patchRejected,
    plain: new TypeError('x'),
  };
  circle['self'] = circle;
  const read = JSON.parse(jsonLine(circle)) as Record<string, Record<string, unknown>>;
  assert.equal(read['mtimeNs'], '12345678901234567890');
  assert.equal(read['self'], '[circular]');
  assert.equal(read['plain']?.['message'], 'x');
  assert.deepEqual(Object.keys(read['error'] ?? {}), [
    'code',
    'headline',
    'where',
    'facts',
    'mend',
    'exitStatus',
    'cause',
  ]);
});

test('an error reads as the style of the project shows it', () => {
  assert.equal(
    errorText(patchRejected, { cwd: '/site' }),
    `error: Patch does not apply
  package   zlib@1.3.1, stage patch
  file      patches/zlib/0002-install.patch:41
  expected  CMakeLists.txt:118 to read "install(TARGETS zlib"
  found     "install(TARGETS zlibstatic"
  mend      refresh the patch against v1.3.1, or pin rev back to the commit it was made for
`,
  );
});

test('in verbose detail the causes are shown as well', () => {
  assert.match(
    errorText(patchRejected, { cwd: '/', verbose: true }),
    /\n {2}cause {5}hunk 3 finds no place\n {12}context differs\n$/,
  );
});

test('facts of several lines stand in their column, and a long name widens it', () => {
  const error = new VbuildError('step-failed', 'Step failed', {
    facts: { 'last lines of log': 'one\n  two\n\n' },
    mend: 'read the log',
  });
  assert.equal(
    errorText(error, { cwd: '/' }),
    'error: Step failed\n  last lines of log  one\n                       two\n  mend               read the log\n',
  );
});

test('several problems are all shown, and the lowest exit status counts', () => {
  const usage = new VbuildError('usage', 'Bad option', { mend: 'look' });
  const both = new VbuildErrors([usage, patchRejected]);
  assert.equal(errorText(both, { cwd: '/' }).match(/^error: /gm)?.length, 2);
  assert.equal(exitStatusOf(both), 1);
  assert.equal(exitStatusOf(usage), 2);
});

test('anything else that is thrown is a bug in vbuild, with its stack and status 70', () => {
  for (const thrown of [new TypeError('oops'), 'a text', undefined, { an: 'object' }, new VbuildErrors([])]) {
    const text = errorText(thrown, { cwd: '/' });
    assert.match(text, /^error: This is a bug in vbuild\n {2}thrown /);
    assert.match(text, /\n {2}mend {6}report it/);
    assert.equal(exitStatusOf(thrown), 70);
  }
  assert.match(errorText(new TypeError('oops'), { cwd: '/' }), /TypeError: oops\n +at .*text\.test\.ts/);
});

test('a disk that refuses is no bug: the path, the operation and what to do are named', () => {
  const full = Object.assign(new Error('ENOSPC: no space left'), {
    code: 'ENOSPC',
    syscall: 'write',
    path: '/site/vendor/x',
  });
  assert.equal(
    errorText(full, { cwd: '/site' }),
    `error: Disk is full
  file       vendor/x
  operation  write
  mend       free some space there, or name folders on another disk with --work, --cache-dir and --prefix
`,
  );
  assert.equal(exitStatusOf(full), 1);
});

test('other trouble from the system that nobody caught stays a bug', () => {
  assert.throws(
    () => readlinkSync('/proc/version'),
    (error) => exitStatusOf(error) === 70,
  );
});
