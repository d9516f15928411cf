/** The status line: always the last row, never wider than the terminal, gone at the end. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { BuildEvent } from '../../src/model/event.ts';
import { chooseReporter } from '../../src/report/choose.ts';
import { progress } from '../../src/report/progress.ts';
import { isDrawable, statusLine } from '../../src/report/terminal.ts';
import { badRun, goodRun, recorded } from '../support/report.ts';
import { screen } from '../support/screen.ts';

const running: readonly BuildEvent[] = [
  { type: 'run-started', targets: ['pil'], packages: 9 },
  { type: 'stage-started', package: 'zlib@1.3.1', stage: 'compile', reasons: [] },
  { type: 'stage-started', package: 'libpng@1.6.39', stage: 'fetch', reasons: [] },
  { type: 'transfer', package: 'libpng@1.6.39', what: 'libpng.tar.xz', doneBytes: 1_200_000, totalBytes: 3_400_000 },
];

test('the status line names what runs, for how long and how far', (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const record = recorded({ columns: 120 });
  const reporter = chooseReporter(record);
  for (const event of running) reporter.event(event);
  record.pass(72_000);
  t.mock.timers.tick(250);
  assert.equal(
    screen(record.stderr.text, 120).at(-1),
    '0 of 9 done, 1:12: zlib@1.3.1 compile 1:12, libpng@1.6.39 fetch libpng.tar.xz: 1.2 MB of 3.4 MB',
  );
  reporter.end();
});

test('on a terminal the rows above the status line are the lines of the plain reporter, and at the end nothing else is left', () => {
  const plain = recorded();
  const terminal = recorded({ columns: 200 });
  for (const record of [plain, terminal]) {
    const reporter = chooseReporter(record);
    for (const event of [...goodRun, ...badRun]) reporter.event(event);
    reporter.end();
  }
  assert.deepEqual(screen(terminal.stderr.text, 200), screen(plain.stderr.text, 200));
});

test('statusLine() takes no more columns than it may, whatever runs', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 19, max: 160 }),
      (names, width) => {
        const state = progress();
        for (const each of names) state.note({ type: 'stage-started', package: each, stage: 'fetch', reasons: [] }, 0);
        const line = statusLine(state, { nowMs: 5000, startedMs: 0, width });
        assert.match(line, /^[ -~]+$/);
        assert.ok(line.length <= width);
      },
    ),
  );
});

test('what does not fit into the status line is counted', () => {
  const state = progress();
  for (const event of running) state.note(event, 0);
  assert.equal(
    statusLine(state, { nowMs: 0, startedMs: 0, width: 60 }),
    '0 of 9 done, 0:00: zlib@1.3.1 compile 0:00, 1 more',
  );
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
  test(`a status line is ${drawable ? '' : 'not '}drawn on ${meant}`, () => {
    assert.equal(isDrawable(recorded({ env, ...(columns !== undefined && { columns }) })), drawable);
  });
}
