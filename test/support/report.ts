/** Outputs that remember what was written, a clock that tests move, and a run told as events. */
import type { ContentKey } from '../../src/model/digest.ts';
import { VbuildError } from '../../src/model/error.ts';
import type { BuildEvent } from '../../src/model/event.ts';
import type { Output, ReportOptions } from '../../src/report/reporter.ts';

export interface Recorded extends ReportOptions {
  readonly stdout: Output & { text: string };
  readonly stderr: Output & { text: string };
  /** Moves the clock on. */
  pass(ms: number): void;
}

/** Options for a reporter whose output is kept in `text`; `columns` makes stderr a terminal. */
export function recorded(options: Partial<ReportOptions> & { readonly columns?: number } = {}): Recorded {
  const { columns, ...rest } = options;
  let now = 1000;
  const output = (shape: Partial<Output>): Output & { text: string } => ({
    text: '',
    write(text) {
      this.text += text;
    },
    ...shape,
  });
  return {
    detail: 'normal',
    json: false,
    cwd: '/site',
    env: {},
    nowMs: () => now,
    pass: (ms) => void (now += ms),
    ...rest,
    stdout: output({}),
    stderr: output(columns === undefined ? {} : { isTTY: true, columns }),
  };
}

const key = '0123456789abcdef'.repeat(4) as ContentKey;

/** A patch that does not apply, as the stage throws it. */
export const patchRejected = new VbuildError('patch-rejected', 'Patch does not apply', {
  where: { file: '/site/patches/zlib/0002-install.patch', line: 41, package: 'zlib@1.3.1', stage: 'patch' },
  facts: { expected: 'CMakeLists.txt:118 to read "install(TARGETS zlib"', found: '"install(TARGETS zlibstatic"' },
  mend: 'refresh the patch against v1.3.1, or pin rev back to the commit it was made for',
  cause: new Error('hunk 3 finds no place', { cause: new Error('context differs') }),
});

/** One of everything: built, restored, fresh, pushed, warned about. */
export const goodRun: readonly BuildEvent[] = [
  { type: 'run-started', targets: ['pil'], packages: 4 },
  { type: 'package-finished', package: 'lcms2@2.14', outcome: 'fresh', durationMs: 3 },
  { type: 'cache-looked-up', package: 'zlib@1.3.1', key, tier: 'disk', answer: 'absent' },
  {
    type: 'cache-looked-up',
    package: 'zlib@1.3.1',
    key,
    tier: 's3://vendor',
    answer: 'unreachable',
    reason: 'connect ECONNREFUSED',
  },
  {
    type: 'stage-started',
    package: 'zlib@1.3.1',
    stage: 'patch',
    reasons: [{ input: 'patches/zlib/1.patch', before: 'a'.repeat(64), now: 'b'.repeat(64) }],
  },
  { type: 'stage-finished', package: 'zlib@1.3.1', stage: 'patch', durationMs: 40 },
  {
    type: 'stage-started',
    package: 'zlib@1.3.1',
    stage: 'compile',
    reasons: [{ input: 'never compiled' }, { input: 'cc', now: '12.2' }, { input: 'x', before: '1' }],
  },
  {
    type: 'step-started',
    package: 'zlib@1.3.1',
    group: 'build',
    command: 'make -j2',
    log: '/site/.vbuild/zlib/compile.log',
  },
  {
    type: 'cache-looked-up',
    package: 'libpng@1.6.39',
    key,
    tier: 's3://vendor',
    answer: 'unreachable',
    reason: 'connect ECONNREFUSED',
  },
  { type: 'cache-looked-up', package: 'libpng@1.6.39', key, tier: 's3://other', answer: 'hit' },
  { type: 'transfer', package: 'libpng@1.6.39', what: 'artifact', doneBytes: 100_000, totalBytes: 412_000 },
  { type: 'package-finished', package: 'libpng@1.6.39', outcome: 'restored', durationMs: 310 },
  { type: 'stage-finished', package: 'zlib@1.3.1', stage: 'compile', durationMs: 84_400 },
  { type: 'stage-started', package: 'zlib@1.3.1', stage: 'pack', reasons: [] },
  { type: 'stage-finished', package: 'zlib@1.3.1', stage: 'pack', durationMs: 200, detail: '12 files, 180 kB' },
  { type: 'package-finished', package: 'zlib@1.3.1', outcome: 'built', durationMs: 84_900 },
  { type: 'pushed', package: 'zlib@1.3.1', tier: 's3://vendor', sizeBytes: 61_234 },
  { type: 'cache-traffic', tier: 's3://vendor', requests: 3, receivedBytes: 0, sentBytes: 104_448 },
  {
    type: 'notice',
    level: 'warning',
    code: 'shadowed',
    headline: 'Library of the host comes first',
    package: 'pil@11.0.0',
    facts: { library: 'libz.so.1' },
  },
  { type: 'installed', prefix: '/site/vendor', generation: 3, packages: 4 },
  {
    type: 'run-finished',
    exitStatus: 0,
    durationMs: 85_200,
    outcomes: { fresh: 1, restored: 1, built: 1 },
    prefix: '/site/vendor',
  },
];

/** One package fails, another one that needs it is skipped. */
export const badRun: readonly BuildEvent[] = [
  { type: 'run-started', targets: ['pil', 'tiff'], packages: 2 },
  { type: 'stage-started', package: 'zlib@1.3.1', stage: 'patch', reasons: [{ input: 'never patched' }] },
  { type: 'package-failed', package: 'zlib@1.3.1', error: patchRejected },
  { type: 'package-skipped', package: 'pil@11.0.0', because: 'zlib@1.3.1 failed' },
  { type: 'run-finished', exitStatus: 1, durationMs: 2_340, outcomes: { fresh: 0, restored: 0, built: 0 } },
];
