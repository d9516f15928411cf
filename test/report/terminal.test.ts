/** The live region: always the last rows, never wider than the terminal, gone at the end. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { BuildEvent } from '../../src/model/event.ts';
import { chooseReporter } from '../../src/report/choose.ts';
import { progress } from '../../src/report/progress.ts';
import { regionLines } from '../../src/report/region.ts';
import { isDrawable } from '../../src/report/terminal.ts';
import { badRun, goodRun, recorded } from '../support/report.ts';
import { screen } from '../support/screen.ts';
import { tempDir } from '../support/temp.ts';

const transfer = {
  type: 'transfer',
  package: 'libpng@1.6.39',
  what: 'libpng.tar.xz',
  doneBytes: 1_200_000,
  totalBytes: 3_400_000,
} as const;
const running: readonly BuildEvent[] = [
  { type: 'run-started', targets: ['pil'], packages: 9 },
  { type: 'stage-started', package: 'zlib@1.3.1', stage: 'compile', reasons: [] },
  { type: 'stage-started', package: 'libpng@1.6.39', stage: 'fetch', reasons: [] },
  transfer,
];

test('the region names what runs, for how long and how far, with the last line that a step printed', (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setImmediate'] });
  const log = join(tempDir(t), 'log');
  writeFileSync(log, 'gcc -c a.c\n\u001b[1mgcc\u001b[0m -c b.c\tx\n\n');
  const record = recorded({ columns: 120 });
  const reporter = chooseReporter(record);
  for (const event of running) reporter.event(event);
  reporter.event({ type: 'step-started', package: 'zlib@1.3.1', group: 'build', command: 'make', log });
  reporter.event({
    type: 'outlook',
    expectedMs: 200_000,
    packages: { 'zlib@1.3.1': 100_000, 'libpng@1.6.39': 100_000 },
  });
  reporter.event({ type: 'jobs-sampled', inUse: 3, jobs: 4 });
  record.pass(50_000);
  reporter.event({ type: 'package-finished', package: 'lcms2@2.14', outcome: 'restored', durationMs: 3 });
  reporter.event({ ...transfer, doneBytes: 2_200_000 });
  t.mock.timers.tick(250);
  t.mock.timers.tick(1);
  assert.deepEqual(screen(record.stderr.text, 120).slice(-3), [
    '1 of 9 done (1 from cache), 0:50, about 1:40 left, 2 running, 3 of 4 jobs, 1.0 MB/s',
    '  zlib@1.3.1     compile: build 0:50  gcc -c b.c x',
    '  libpng@1.6.39  fetch 0:50  libpng.tar.xz: 2.2 MB of 3.4 MB',
  ]);
  reporter.end();
});

test('on a terminal the rows above the region are the lines of the plain reporter, and at the end nothing else is left', () => {
  const plain = recorded();
  const terminal = recorded({ columns: 200 });
  for (const record of [plain, terminal]) {
    const reporter = chooseReporter(record);
    for (const event of [...goodRun, ...badRun]) reporter.event(event);
    reporter.end();
  }
  assert.deepEqual(screen(terminal.stderr.text, 200), screen(plain.stderr.text, 200));
});

test('no line of the region takes more columns than it may, nor are there more lines, whatever runs', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 19, max: 160 }),
      fc.integer({ min: 1, max: 10 }),
      (names, width, height) => {
        const state = progress();
        for (const each of names) state.note({ type: 'stage-started', package: each, stage: 'fetch', reasons: [] }, 0);
        const lines = regionLines(state, { nowMs: 5000, startedMs: 0, width, height, tail: () => '' });
        assert.ok(lines.length >= 1 && lines.length <= height);
        for (const line of lines) assert.match(line, new RegExp(`^[ -~]{1,${width}}$`));
        const told = Number(/^ {2}(\d+) more$/.exec(lines.at(-1) ?? '')?.[1] ?? 0);
        if (height > 1) assert.equal(lines.length - 1 - (told > 0 ? 1 : 0) + told, names.length);
      },
    ),
  );
});

test('what others print never garbles the region, and after it nothing of it is left, also when the terminal became narrower', (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setImmediate'] });
  const record = recorded({ columns: 100 });
  const reporter = chooseReporter(record);
  for (const event of running) reporter.event(event);
  t.mock.timers.tick(250);
  t.mock.timers.tick(1);
  const drawn = screen(record.stderr.text, 100);
  assert.equal(drawn.at(-1), '  libpng@1.6.39  fetch 0:00  libpng.tar.xz: 1.2 MB of 3.4 MB');
  // The rows of the region as the terminal wraps them now.
  const at = record.stderr.text.length;
  Object.assign(record.stderr, { columns: 25 });
  const before = drawn.join('\n');
  reporter.end();
  assert.deepEqual(screen(before + record.stderr.text.slice(at), 25), screen(`${drawn.slice(0, -3).join('\n')}\n`, 25));
});

test('when the size of the terminal changes the region is drawn anew at once, and stays narrow until that is over', (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setImmediate'] });
  const record = recorded({ columns: 100 });
  const listeners = new Set<() => void>();
  Object.assign(record.stderr, {
    on: (_: 'resize', listener: () => void) => listeners.add(listener),
    off: (_: 'resize', listener: () => void) => listeners.delete(listener),
  });
  const reporter = chooseReporter(record);
  for (const event of running) reporter.event(event);
  const tick = (): void => {
    t.mock.timers.tick(250);
    t.mock.timers.tick(1);
  };
  const drawn = (): readonly string[] => screen(record.stderr.text, 100).slice(-3);
  tick();
  assert.ok(Math.max(...drawn().map(({ length }) => length)) > 50);
  Object.assign(record.stderr, { columns: 90 });
  for (const listener of listeners) listener();
  assert.deepEqual(drawn(), ['0 of 9 done', '  zlib@1.3.1', '  libpng@1.6.39']);
  record.pass(900);
  tick();
  assert.deepEqual(drawn().slice(1), ['  zlib@1.3.1', '  libpng@1.6.39']);
  record.pass(200);
  tick();
  assert.equal(drawn().at(-1), '  libpng@1.6.39  fetch 0:01  libpng.tar.xz: 1.2 MB of 3.4 MB');
  reporter.end();
  assert.equal(listeners.size, 0);
});

const places: readonly (readonly [
  meant: string,
  columns: number | undefined,
  env: Readonly<Record<string, string>>,
  drawable: boolean,
])[] = [
  ['a terminal', 80, { TERM: 'xterm' }, true],
  ['a pipe', undefined, {}, false],
  ['a terminal of unknown width', 0, {}, false],
  ['a dumb terminal', 80, { TERM: 'dumb' }, false],
  ['a terminal in CI', 80, { CI: 'true' }, false],
  ['a terminal with CI=false', 80, { CI: 'false' }, true],
];

for (const [meant, columns, env, drawable] of places) {
  test(`a region is ${drawable ? '' : 'not '}drawn on ${meant}`, () => {
    assert.equal(isDrawable(recorded({ env, ...(columns !== undefined && { columns }) })), drawable);
  });
}
