/** Two builds of one file: what is told of their difference, and what is not taken for more than it is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, utimesSync } from 'node:fs';
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
  user: { name: 'root', uid: 0, gid: 0, group: 'root' },
  jobs: [8, 4],
  locales: ['de_DE.UTF-8'],
};
const second: BuiltUnder = {
  fromMs: at('10:00:25'),
  toMs: at('10:01:20'),
  paths: ['/media/other_/tree', '/home/ci/aside'],
  host: 'ohvyqre-8',
  user: { name: 'mail', uid: 8, gid: 8, group: 'post' },
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
  ['(root)', '(post)', 'user'],
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

test('what real tools pack is told apart by member: time, owner, mode, order, content', (t) => {
  const top = tempDir(t);
  const tool = (...argv: readonly string[]): void => void execFileSync(argv[0] ?? '', argv.slice(1), { cwd: top });
  for (const name of ['a', 'b']) mkdirSync(join(top, name));
  writeTree(top, { one: 'one\n', two: 'two\n', 'm.py': 'x = 1\n' });
  const tar = (into: string, ...how: readonly string[]): void =>
    tool('tar', '-cf', `${into}.tar`, '--format=ustar', '--mtime=@0', '--owner=ci:7', '--mode=644', ...how);
  const zip = (into: string, minute: number, ...names: readonly string[]): void => {
    const add = names.map(
      (name) => `z.writestr(zipfile.ZipInfo("${name}", (2026, 3, 4, 10, ${minute}, 0)), "${name}")`,
    );
    tool('python3', '-c', `import zipfile; z = zipfile.ZipFile("${into}.whl", "w"); ${add.join('; ')}; z.close()`);
  };
  tar('a/time', 'one');
  tar('b/time', '--mtime=@60', 'one');
  tar('a/owner', 'one', 'two');
  tar('b/owner', '--owner=me:8', 'one', 'two');
  tar('a/order', 'one', 'two');
  tar('b/order', 'two', 'one');
  tool('gzip', '-n', 'a/order.tar', 'b/order.tar');
  tar('a/mode', 'one');
  tar('b/mode', '--mode=755', 'one');
  tar('a/more', 'one');
  tar('b/more', 'one', 'two');
  zip('a/time', 1, 'one', 'two');
  zip('b/time', 2, 'one', 'two');
  zip('a/order', 1, 'one', 'two');
  zip('b/order', 1, 'two', 'one');
  for (const [into, time] of [
    ['a', 1_000_000_000],
    ['b', 1_000_000_060],
  ] as const) {
    utimesSync(join(top, 'm.py'), time, time);
    tool('python3', '-c', `import py_compile; py_compile.compile("m.py", "${into}/m.pyc")`);
  }
  const found = treeDifferences([join(top, 'a'), join(top, 'b')], [first, second]);
  assert.deepEqual(
    found.map(({ path, kinds, member, first: x, second: y }) => [path, kinds.join(), member, x, y]),
    [
      ['m.pyc', 'time', undefined, '2001-09-09T01:46:40Z', '2001-09-09T01:47:40Z'],
      ['mode.tar', 'mode', 'one', '0000644', '0000755'],
      ['more.tar', 'extra', 'two', undefined, undefined],
      ['order.tar.gz', 'order', undefined, 'one two', 'two one'],
      ['order.whl', 'order', undefined, 'one two', 'two one'],
      ['owner.tar', 'user', 'one', '0000007:0000000 ci:root', '0000010:0000000 me:root'],
      ['time.tar', 'time', 'one', '1970-01-01T00:00:00Z', '1970-01-01T00:01:00Z'],
      ['time.whl', 'time', 'one', '2026-03-04T10:01:00', '2026-03-04T10:02:00'],
    ],
  );
});
