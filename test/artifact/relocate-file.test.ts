import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { PREFIX_TOKEN } from '../../src/artifact/places.ts';
import { fileVerdict, symlinkVerdict } from '../../src/artifact/relocate-file.ts';

const places = { root: '/r___', prefix: '/r___/prefix', stage: '/r___/stage', host: '/host/root' };

describe('fileVerdict() of text', () => {
  const rows: readonly [title: string, text: string, expected: string | undefined][] = [
    ['without the prefix is kept', 'prefix=/usr\n', 'keep'],
    [
      'has the token in place of the prefix, each time',
      'prefix=/r___/prefix\nlibdir=/r___/prefix/lib\n',
      `prefix=${PREFIX_TOKEN}\nlibdir=${PREFIX_TOKEN}/lib\n`,
    ],
    [
      'at the end of a sentence and of the file',
      'in /r___/prefix. Or /r___/prefix',
      `in ${PREFIX_TOKEN}. Or ${PREFIX_TOKEN}`,
    ],
    ['in another encoding keeps its bytes', 'caf\u00e9 /r___/prefix', `caf\u00e9 ${PREFIX_TOKEN}`],
    ['that names the tree is refused', 'srcdir=/r___/tree/src\nprefix=/r___/prefix\n', undefined],
    ['that names the stage is refused', 'libdir=/r___/stage/r___/prefix/lib', undefined],
    ['that names a folder beside the prefix is refused', 'x=/r___/prefix-old', undefined],
    ['that names the path of the root outside the namespace is refused', 'x=/host/root/tree', undefined],
    ['that names its prefix by the path outside the namespace is refused', 'x=/host/root/prefix/lib', undefined],
    ['that has the token already is refused', `x=${PREFIX_TOKEN}/lib`, undefined],
  ];
  for (const [title, text, expected] of rows) {
    test(`fileVerdict(): text ${title}`, () => {
      const bytes = Buffer.from(text, 'latin1');
      const verdict = fileVerdict('share/x', bytes, places);
      if (expected === undefined) assert.equal(verdict.do, 'refuse');
      else if (expected === 'keep') assert.deepEqual(verdict, { do: 'keep' });
      else assert.deepEqual(verdict, { do: 'rewrite', bytes: Buffer.from(expected, 'latin1'), prefix: { as: 'text' } });
    });
  }

  test('fileVerdict() names the line and the place in words that hold everywhere', () => {
    const verdict = fileVerdict('lib/x.cmake', Buffer.from('one\ntwo\nset(S "/r___/tree/src")\n'), places);
    assert.ok(verdict.do === 'refuse');
    assert.deepEqual(verdict.problems[0]?.facts, { at: 'line 3, byte 15', found: '@tree@/src")' });
  });
});

describe('fileVerdict() of other files', () => {
  const inside = Buffer.from('\0\0/r___/prefix/share\0');
  const bytecode = (flags: number): Buffer =>
    Buffer.concat([Buffer.from([0xa7, 0x0d, 0x0d, 0x0a, flags, 0, 0, 0]), Buffer.alloc(8)]);
  const rows: readonly [title: string, path: string, bytes: Buffer, expected: 'keep' | 'drop' | 'refuse'][] = [
    ['a binary without the root is kept', 'share/x.bin', Buffer.from('\0\0/usr/share\0'), 'keep'],
    ['a binary with the prefix is refused', 'share/x.bin', inside, 'refuse'],
    ['a gzip file is looked into', 'share/man/x.1.gz', gzipSync('see /r___/prefix/share'), 'refuse'],
    ['a gzip file without the root is kept', 'share/man/x.1.gz', gzipSync('see /usr/share'), 'keep'],
    ['a zstd file is looked into', 'share/x.zst', zstdCompressSync('see /r___/tree'), 'refuse'],
    ['what only begins as gzip is kept', 'share/x.gz', Buffer.from([0x1f, 0x8b, 8, 0, 0, 1]), 'keep'],
    [
      'a libtool archive is dropped',
      'lib/libx.la',
      Buffer.from("# libx.la - a libtool library file\nlibdir='/r___/prefix/lib'\n"),
      'drop',
    ],
    ['another file of that name is kept', 'share/x.la', Buffer.from('la la la\n'), 'keep'],
    ['bytecode bound to a time is dropped', 'lib/__pycache__/a.pyc', bytecode(0), 'drop'],
    ['bytecode with an unchecked hash is kept', 'lib/__pycache__/a.pyc', bytecode(1), 'keep'],
    ['the index of info pages is dropped', 'share/info/dir', Buffer.from('This is the top\n'), 'drop'],
  ];
  for (const [title, path, bytes, expected] of rows)
    test(`fileVerdict(): ${title}`, () => assert.equal(fileVerdict(path, bytes, places).do, expected));
});

describe('symlinkVerdict()', () => {
  const rows: readonly [title: string, path: string, target: string, expected: string | undefined][] = [
    ['a relative link stays as written', 'lib/libx.so', './libx.so.1', './libx.so.1'],
    ['a link upwards inside the prefix stays', 'lib/a/x', '../../share/x', '../../share/x'],
    ['an absolute one into the prefix becomes relative', 'lib/libx.so', '/r___/prefix/lib/libx.so.1', 'libx.so.1'],
    ['an absolute one to another folder', 'bin/x', '/r___/prefix/libexec/x', '../libexec/x'],
    ['one to the staged place is meant for the prefix', 'bin/x', '/r___/stage/r___/prefix/bin/y', 'y'],
    ['one to the prefix itself', 'share/root', '/r___/prefix', '..'],
    ['one to its own folder', 'lib/here', '/r___/prefix/lib', '.'],
    ['an absolute one elsewhere is refused', 'bin/x', '/usr/bin/x', undefined],
    ['one into the tree is refused', 'bin/x', '/r___/tree/x', undefined],
    ['a relative one that leads out is refused', 'bin/x', '../../x', undefined],
  ];
  for (const [title, path, target, expected] of rows) {
    test(`symlinkVerdict(): ${title}`, () => {
      const verdict = symlinkVerdict(path, target, places);
      assert.equal('target' in verdict ? verdict.target : undefined, expected);
    });
  }
});
