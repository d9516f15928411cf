import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Field } from '../../src/key/fields.ts';
import { digestOf } from '../../src/model/digest.ts';
import { temporaryFolder } from '../../src/system/files.ts';
import {
  type Aside,
  fileInput,
  parseStamp,
  readAside,
  readStamp,
  setAside,
  type Stamp,
  stampText,
  writeStamp,
} from '../../src/stamps/stamp.ts';
import { staleness } from '../../src/stamps/staleness.ts';

const stampOf = (inputs: Stamp['inputs'], endedAtMs = Date.now()): Stamp => ({
  stage: 'patch',
  package: 'zlib@1.3',
  endedAtMs,
  durationMs: 12,
  inputs,
  results: { tree: 'abc' },
});

test('a stamp reads back as it was written, files with their times, size and inode', () => {
  const file = {
    path: '/p',
    stat: {
      mtimeNs: 1_700_000_000_123_456_789n,
      ctimeNs: 1_700_000_001_123_456_789n,
      sizeBytes: 3,
      inode: 9_007_199_254_740_993n,
    },
  };
  const stamp = stampOf([
    { name: 'patch.001', value: 'd1', file },
    { name: 'step', value: 'line\nbreak "quoted"' },
  ]);
  assert.deepEqual(parseStamp(stampText(stamp)), stamp);
});

test('what is not a stamp counts as no stamp', () => {
  for (const text of ['', 'hello', '{}', '{"stamp":2}\n', '{"stamp":1}\n["cut'])
    assert.equal(parseStamp(text), undefined, text);
});

test('a stamp is there after it is written; set aside it counts as none, and is remembered until the next one', () => {
  using folder = temporaryFolder();
  const at = join(folder.path, 'a');
  const stamp = stampOf([]);
  writeStamp(at, stamp);
  assert.deepEqual([readStamp(at, 'patch'), readAside(at, 'patch')], [stamp, undefined]);
  setAside(at, 'patch', 'cut-off');
  assert.deepEqual([readStamp(at, 'patch'), readAside(at, 'patch')], [undefined, { ended: 'cut-off', last: stamp }]);
  setAside(at, 'patch', 'failed');
  assert.deepEqual([readStamp(at, 'patch'), readAside(at, 'patch')], [undefined, { ended: 'failed', last: stamp }]);
  writeStamp(at, stamp);
  assert.deepEqual([readStamp(at, 'patch'), readAside(at, 'patch')], [stamp, undefined]);
});

test('fileInput() trusts times, size and inode of an old file that a stamp knows, and reads any other', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'x.patch');
  writeFileSync(path, 'one');
  utimesSync(path, 1_600_000_000, 1_600_000_000);
  const first = fileInput('patch', path, []);
  assert.equal(first.value, digestOf('one'));
  // What was done to the file is long past by then.
  const forged = stampOf([{ ...first, value: 'from the stamp' }], Date.now() + 60_000);
  assert.equal(fileInput('patch', path, [undefined, forged]).value, 'from the stamp');

  utimesSync(path, 1_600_000_001, 1_600_000_001);
  assert.equal(fileInput('patch', path, [forged]).value, digestOf('one'), 'touched: read again');

  writeFileSync(path, 'two');
  utimesSync(path, 1_500_000_000, 1_500_000_000);
  assert.equal(fileInput('patch', path, [forged]).value, digestOf('two'), 'changed but older: read again');

  utimesSync(path, 1_600_000_000, 1_600_000_000);
  assert.equal(
    fileInput('patch', path, [forged]).value,
    digestOf('two'),
    'changed, equally long, time kept: read again',
  );
});

test('fileInput() reads a file that may have changed in the moment after the stamp', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'x.patch');
  writeFileSync(path, 'one');
  const first = fileInput('patch', path, []);
  const stamp = stampOf([{ ...first, value: 'from the stamp' }], Date.now());
  assert.equal(fileInput('patch', path, [stamp]).value, digestOf('one'));
});

for (const [title, stamp, inputs, output, expected, aside] of [
  ['is stale without a stamp', undefined, [['a', '1']], true, [{ input: 'stamp', now: 'never run here' }]],
  [
    'tells without a stamp how the last run ended, and what differs from the last good one',
    undefined,
    [['a', '2']],
    true,
    [
      { input: 'stamp', now: 'failed the last time' },
      { input: 'a', before: '1', now: '2' },
    ],
    { ended: 'failed', last: stampOf([{ name: 'a', value: '1' }]) },
  ],
  [
    'tells of one that never ended well that it was cut off',
    undefined,
    [['a', '1']],
    true,
    [{ input: 'stamp', now: 'was cut off the last time' }],
    { ended: 'cut-off', last: undefined },
  ],
  ['is fresh when every input is as it was', stampOf([{ name: 'a', value: '1' }]), [['a', '1']], true, []],
  [
    'is stale when an input changed',
    stampOf([{ name: 'a', value: '1' }]),
    [['a', '2']],
    true,
    [{ input: 'a', before: '1', now: '2' }],
  ],
  [
    'tells of a step more at the front just that',
    stampOf([
      { name: 'env.A', value: '1' },
      { name: 'step.001.build', value: 'x' },
    ]),
    [
      ['env.A', '2'],
      ['step.001.configure', 'c'],
      ['step.002.build', 'x'],
      ['tool.cc', '12'],
    ],
    true,
    [
      { input: 'env.A', before: '1', now: '2' },
      { input: 'step.001.configure', now: 'c' },
      { input: 'tool.cc', now: '12' },
    ],
  ],
  ['is stale when an input was dropped', stampOf([{ name: 'a', value: '1' }]), [], true, [{ input: 'a', before: '1' }]],
  ['is stale when what it made was removed', stampOf([]), [], false, [{ input: 'output', before: 'there' }]],
] as [string, Stamp | undefined, Field[], boolean, unknown, Aside?][]) {
  test(`staleness() ${title}`, () => assert.deepEqual(staleness(stamp, inputs, output, aside), expected));
}
