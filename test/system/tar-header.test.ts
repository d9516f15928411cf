import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Header } from 'tar';
import {
  hasPlainHeader,
  hasTarSum,
  packedTime,
  type PlainMember,
  plainHeader,
  readPlainHeader,
} from '../../src/system/tar-header.ts';
import { type RawMember, rawTar } from '../support/upstream.ts';

const types = { file: 'File', directory: 'Directory', symlink: 'SymbolicLink' } as const;

const name = fc
  .array(fc.string({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map((part) => part.replaceAll('/', '_')).join('/'));
const member: fc.Arbitrary<PlainMember> = fc
  .record({
    name,
    type: fc.constantFrom('file', 'directory', 'symlink'),
    isProgram: fc.boolean(),
    target: name,
    size: fc.oneof(fc.nat(), fc.constantFrom(0, 8 ** 10, 8 ** 11 - 1, 8 ** 11)),
  })
  .map(({ name: path, type, isProgram, target, size }) => ({
    path: type === 'directory' ? `${path}/` : path,
    type,
    mode: type === 'symlink' ? 0o777 : isProgram || type === 'directory' ? 0o755 : 0o644,
    sizeBytes: type === 'file' ? size : 0,
    target: type === 'symlink' ? target : '',
  }));

test('plainHeader() writes the bytes that the package tar writes, and readPlainHeader() reads them back', () => {
  let plain = 0;
  fc.assert(
    fc.property(member, (one) => {
      if (!hasPlainHeader(one)) return;
      plain += 1;
      const { path, type, mode, sizeBytes: size, target } = one;
      const block = plainHeader(one);
      const same = Buffer.alloc(512);
      const link = type === 'symlink' ? { linkpath: target } : {};
      const fields = { path, type: types[type], mode, size, ...link, uid: 0, gid: 0, mtime: packedTime };
      assert.equal(new Header(fields).encode(same), false);
      assert.deepEqual(block, same);
      assert.ok(hasTarSum(block));
      assert.deepEqual(readPlainHeader(block, 0), one);
    }),
    { numRuns: 2000 },
  );
  assert.ok(plain > 1000, `${plain} of 2000`);
});

test('hasPlainHeader() leaves to others what has no room in one block', () => {
  const file = { path: 'a', type: 'file', mode: 0o644, sizeBytes: 0, target: '' } as const;
  assert.ok(hasPlainHeader(file));
  for (const other of [{ path: 'a'.repeat(100) }, { path: 'ä' }, { target: 'b'.repeat(101) }, { sizeBytes: 8 ** 11 }])
    assert.ok(!hasPlainHeader({ ...file, ...other }), JSON.stringify(other));
});

/** A header as others write it, changed here and there; the sum is made right again. */
function header(one: RawMember, changes: Readonly<Record<number, string>> = {}): Buffer {
  const block = rawTar([one], { end: false }).subarray(0, 512);
  for (const [at, text] of Object.entries(changes)) block.write(text, Number(at), 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const plain: readonly (readonly [title: string, block: Buffer, expected: Partial<PlainMember>])[] = [
  ['a file', header({ name: 'p/a', content: 'abc' }), { path: 'p/a', type: 'file', mode: 0o644, sizeBytes: 3 }],
  ['a folder', header({ name: 'p/', type: '5', mode: 0o755 }), { path: 'p/', type: 'directory', mode: 0o755 }],
  ['a symlink', header({ name: 'l', type: '2', link: '../a' }), { type: 'symlink', target: '../a' }],
  ['a prefix', header({ name: 'a' }, { 345: 'long/way' }), { path: 'long/way/a' }],
  ['the magic of GNU tar', header({ name: 'a' }, { 257: 'ustar  \0' }), { path: 'a' }],
  ['a name in UTF-8', header({ name: 'é' }), { path: 'é' }],
];
for (const [title, block, expected] of plain)
  test(`readPlainHeader() reads ${title}`, () => {
    const found = readPlainHeader(Buffer.concat([Buffer.alloc(7), block]), 7);
    assert.deepEqual({ ...found, ...expected }, found);
  });

const odd: readonly (readonly [title: string, block: Buffer])[] = [
  ['a hard link', header({ name: 'a', type: '1', link: 'b' })],
  ['a pax header', header({ name: 'a', type: 'x' })],
  ['a file as before the magic', header({ name: 'a' }, { 257: '\0'.repeat(8) })],
  ['a file whose name ends as that of a folder', header({ name: 'a/' })],
  ['a file with a target', header({ name: 'a', link: 'b' })],
  ['a symlink to nowhere', header({ name: 'a', type: '2' })],
  ['a symlink with content', header({ name: 'a', type: '2', link: 'b', size: 3 })],
  ['a folder with content', header({ name: 'a/', type: '5', size: 3 })],
  ['no name', header({ name: '' })],
  ['bytes behind the end of a name', header({ name: 'a\0b' })],
  ['a size that is not octal', header({ name: 'a' }, { 124: '00000000009' })],
  ['a size with blanks before it', header({ name: 'a' }, { 124: '          3' })],
  ['a size in binary', header({ name: 'a', size: 8 ** 11 })],
  ['an owner in binary', header({ name: 'a' }, { 108: '\x80' })],
  ['a time in binary', header({ name: 'a' }, { 136: '\xff' })],
  ['times of star', header({ name: 'a' }, { 476: '00000000001' })],
  ['a prefix under the magic of GNU tar', header({ name: 'a' }, { 257: 'ustar  \0', 345: 'b' })],
  ['a wrong sum', Buffer.from(header({ name: 'a' })).fill('z', 0, 1)],
  ['zeros', Buffer.alloc(512)],
];
for (const [title, block] of odd)
  test(`readPlainHeader() leaves to the parser: ${title}`, () => assert.equal(readPlainHeader(block, 0), undefined));
