/** Two builds of one file: what is told of their difference, and what is not taken for more than it is. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type BuiltUnder, causesOf } from '../../src/artifact/causes.ts';
import { treeDifferences } from '../../src/artifact/tree-difference.ts';
import { tempDir, writeTree } from '../support/temp.ts';

const at = (time: string): number => Date.parse(`2026-03-04T${time}Z`);
const first: BuiltUnder = {
  fromMs: at('09:59:58'),
  toMs: at('10:00:20'),
  paths: ['/media/vbuild/tree', '/home/ci/work'],
  host: 'builder-1',
  user: { name: 'root', uid: 0, gid: 0 },
  jobs: [8, 4],
  locales: ['de_DE.UTF-8'],
};
const second: BuiltUnder = {
  fromMs: at('10:00:25'),
  toMs: at('10:01:20'),
  paths: ['/media/other_/tree', '/home/ci/aside'],
  host: 'ohvyqre-8',
  user: { name: 'mail', uid: 8, gid: 8 },
  jobs: [1, 1],
  locales: ['tr_TR.UTF-8'],
};
const seconds = (time: string): number => at(time) / 1000;
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

for (const [x, y, ...expected] of [
  ['09:59:59', '10:00:30', 'time'],
  ['2026-03-04T09:59:59Z', '2026-03-04T10:00:30Z', 'time'],
  [String(seconds('10:00:00')), String(seconds('10:00:30')), 'time'],
  [`${seconds('10:00:00')}123`, `${seconds('10:00:30')}456`, 'time'],
  // In another zone.
  ['05:59:59', '06:00:30', 'time'],
  // Times of neither build.
  ['12:30:00', '12:31:00', 'random'],
  ['1500000000', '1600000000', 'random'],
  ['tree/a.c', 'tree/b.c', 'other'],
  ['/media/vbuild/tree/a.c', '/media/other_/tree/a.c', 'path'],
  ['media/vbuild/tree', 'media/other_/tree', 'path'],
  ['/home/ci/work/x', '/home/ci/aside/x', 'path'],
  ['ci@builder-1.example.org', 'ci@ohvyqre-8.example.org', 'host'],
  ['root', 'mail', 'user'],
  ['root@builder-1', 'mail@ohvyqre-8', 'host', 'user'],
  ['-j8', '-j1', 'jobs'],
  ['8', '2', 'random'],
  ['de_DE.UTF-8', 'tr_TR.UTF-8', 'locale'],
  [utf8('café'), 'caf\xe9', 'locale'],
  [utf8('‘a’'), "'a'", 'locale'],
  // Bytes that are no text are no other spelling.
  ['\xab', '\xcd', 'other'],
  ['0b5c8e3a', '9f00aa17', 'random'],
  ['one', 'two', 'other'],
  // The one has a word that the other lacks: nothing that both builds have.
  ['mailroot', 'mail', 'other'],
] as const) {
  test(`causesOf() tells of ${JSON.stringify(x)} and ${JSON.stringify(y)}: ${expected.join(', ')}`, () => {
    assert.deepEqual(causesOf([x, y], [first, second]), expected);
  });
}

test('what is not known of a build is no cause, save where the other one names itself', () => {
  const unknown: BuiltUnder = { fromMs: second.fromMs, toMs: second.toMs, paths: [] };
  assert.deepEqual(causesOf(['builder-1', 'laptop'], [first, unknown]), ['host']);
  assert.deepEqual(causesOf(['-j8', '-j1'], [first, unknown]), ['other']);
});

test('treeDifferences() looks into archives in archives, and names the member', (t) => {
  const top = tempDir(t);
  const gz = (text: string): Buffer => gzipSync(text);
  const files = { same: 'same', 'lib/x': 'x' };
  writeTree(join(top, 'a'), { ...files, 'two.gz': gz('on builder-1\n'), 'cut.gz': Buffer.from([0x1f, 0x8b, 1]) });
  writeTree(join(top, 'b'), { ...files, 'two.gz': gz('on ohvyqre-8\n'), 'cut.gz': Buffer.from([0x1f, 0x8b, 2]) });
  assert.deepEqual(treeDifferences([join(top, 'a'), join(top, 'b')], [first, second]), [
    { path: 'cut.gz', kinds: ['other'], offset: 2, first: '\\x01', second: '\\x02' },
    { path: 'two.gz', kinds: ['host'], offset: 3, first: 'builder-1', second: 'ohvyqre-8' },
  ]);
  mkdirSync(join(top, 'b/empty'));
  writeTree(join(top, 'b'), { 'two.gz': gz('on builder-1\n'), 'cut.gz': Buffer.from([0x1f, 0x8b, 1]) });
  assert.deepEqual(treeDifferences([join(top, 'a'), join(top, 'b')], [first, second]), []);
});

test('a number of seconds in binary data is a time where it is one of each build', (t) => {
  const top = tempDir(t);
  const word = (time: number): Buffer => {
    const bytes = Buffer.alloc(16, 0xff);
    bytes.writeUInt32LE(time, 5);
    return bytes;
  };
  const kinds = (x: number, y: number): readonly string[] => {
    writeTree(join(top, 'a'), { data: word(x) });
    writeTree(join(top, 'b'), { data: word(y) });
    return treeDifferences([join(top, 'a'), join(top, 'b')], [first, second])[0]?.kinds ?? [];
  };
  assert.deepEqual(kinds(seconds('10:00:00'), seconds('10:00:30')), ['time']);
  assert.deepEqual(kinds(seconds('11:00:00'), seconds('11:00:30')), ['other']);
});
