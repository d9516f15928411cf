import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Field } from '../../src/key/fields.ts';
import { digestOf } from '../../src/model/digest.ts';
import { temporaryFolder } from '../../src/system/files.ts';
import {
  fileInput,
  parseStamp,
  readStamp,
  removeStamp,
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

test('a stamp is there after it is written and gone after it is removed', () => {
  using folder = temporaryFolder();
  const stamp = stampOf([]);
  writeStamp(join(folder.path, 'a'), stamp);
  assert.deepEqual(readStamp(join(folder.path, 'a'), 'patch'), stamp);
  removeStamp(join(folder.path, 'a'), 'patch');
  assert.equal(readStamp(join(folder.path, 'a'), 'patch'), undefined);
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

for (const [title, stamp, inputs, output, expected] of [
  [
    'is stale without a stamp',
    undefined,
    [['a', '1']],
    true,
    { fresh: false, reasons: [{ input: 'stamp', now: 'never run here' }] },
  ],
  ['is fresh when every input is as it was', stampOf([{ name: 'a', value: '1' }]), [['a', '1']], true, { fresh: true }],
  [
    'is stale when an input changed',
    stampOf([{ name: 'a', value: '1' }]),
    [['a', '2']],
    true,
    { fresh: false, reasons: [{ input: 'a', before: '1', now: '2' }] },
  ],
  [
    'is stale when an input was dropped',
    stampOf([{ name: 'a', value: '1' }]),
    [],
    true,
    { fresh: false, reasons: [{ input: 'a', before: '1' }] },
  ],
  [
    'is stale when what it made was removed',
    stampOf([]),
    [],
    false,
    { fresh: false, reasons: [{ input: 'output', before: 'there', now: 'removed' }] },
  ],
] as [string, Stamp | undefined, Field[], boolean, unknown][]) {
  test(`staleness() ${title}`, () => assert.deepEqual(staleness(stamp, inputs, output), expected));
}
