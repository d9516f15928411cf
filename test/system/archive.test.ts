import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { VbuildError } from '../../src/model/error.ts';
import { packTarZst, unpackArchive, unpackTarZst } from '../../src/system/archive.ts';
import { walk } from '../../src/system/files.ts';
import { packTree, unpackTree } from '../../src/system/tree-archive.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { type Tree, tempDir, writeTree } from '../support/temp.ts';
import { type Compression, packWithTar, rawTar } from '../support/upstream.ts';

const tree: Tree = {
  configure: { text: '#!/bin/sh\nexit 0\n', mode: 0o775 },
  'src/main.c': 'int main(void) { return 0; }\n',
  'src/deep/er/notes ä 日本.txt': 'long names too\n',
  [`${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(120)}.txt`]: 'past the 100 bytes of old tar\n',
  'empty.txt': '',
  'blob.bin': Buffer.alloc(700_001, 'vbuild'),
};

function sample(top: string): string {
  const folder = join(top, 'sample');
  writeTree(folder, tree);
  mkdirSync(join(folder, 'hollow'));
  chmodSync(join(folder, 'hollow'), 0o700);
  symlinkSync('../src/main.c', join(folder, 'hollow/link'));
  symlinkSync('gone', join(folder, 'dangling'));
  linkSync(join(folder, 'src/main.c'), join(folder, 'src/same.c'));
  return folder;
}

function emptyFolder(top: string, name = 'out'): string {
  mkdirSync(join(top, name));
  return join(top, name);
}

const archives: readonly (readonly [name: string, pack: (folder: string, archive: string) => void])[] = [
  ...(['none', 'gzip', 'bzip2', 'xz', 'zstd', 'lzip'] as readonly Compression[]).flatMap((compression) =>
    ['gnu', 'pax'].map(
      (format) =>
        [
          `${format} tar, ${compression}`,
          (folder: string, archive: string) => void packWithTar(folder, archive, { compression, format }),
        ] as const,
    ),
  ),
  ['python zip', (folder, archive) => void execFileSync('python3', ['-c', pythonZip, folder, archive])],
  [
    'Info-ZIP',
    (folder, archive) =>
      void execFileSync('sh', [
        '-c',
        'mkdir "$1.w" && cp -a "$0" "$1.w/up-1" && cd "$1.w" && zip -q -r -y "$1.zip" up-1 && mv "$1.zip" "$1"',
        folder,
        archive,
      ]),
  ],
];

const pythonZip = `
import os, sys, zipfile
top, out = sys.argv[1:]
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
    for folder, folders, files in os.walk(top):
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            inside = 'up-1/' + os.path.relpath(path, top)
            if os.path.islink(path):
                info = zipfile.ZipInfo(inside)
                info.create_system = 3
                info.external_attr = 0o120777 << 16
                z.writestr(info, os.readlink(path))
            else:
                z.write(path, inside)
`;

for (const [name, pack] of archives)
  test(`unpackArchive() gives back the tree that was packed: ${name}`, async (t) => {
    const top = tempDir(t);
    const folder = sample(top);
    const into = emptyFolder(top);
    pack(folder, join(top, 'no-telling-name'));
    await unpackArchive({ file: join(top, 'no-telling-name'), into });
    assert.equal(treeDigest(into), treeDigest(folder));
  });

test('unpackArchive() reads tar as it was before the magic number', async (t) => {
  const top = tempDir(t);
  const folder = join(top, 'old');
  writeTree(folder, { 'a/b': 'text' });
  const into = emptyFolder(top);
  packWithTar(folder, join(top, 'old.tar'), { format: 'v7', compression: 'none' });
  await unpackArchive({ file: join(top, 'old.tar'), into });
  assert.equal(treeDigest(into), treeDigest(folder));
});

test('unpackArchive() gives plain modes whatever the archive and the umask say', async (t) => {
  const top = tempDir(t);
  const file = join(top, 'a.tar');
  writeFileSync(
    file,
    rawTar([
      { name: 'p/', type: '5', mode: 0o700 },
      { name: 'p/closed/', type: '5', mode: 0 },
      { name: 'p/closed/run', mode: 0o6711 },
      { name: 'p/closed/text', mode: 0o466 },
    ]),
  );
  const before = process.umask(0o077);
  t.after(() => void process.umask(before));
  const into = emptyFolder(top);
  await unpackArchive({ file, into });
  assert.deepEqual(
    walk(into).map(({ path, mode }) => [path, mode.toString(8)]),
    [
      ['closed', '755'],
      ['closed/run', '755'],
      ['closed/text', '644'],
    ],
  );
});

test('unpackArchive() writes a hard link as a file of its own', async (t) => {
  const top = tempDir(t);
  const file = join(top, 'a.tar');
  writeFileSync(
    file,
    rawTar([
      { name: 'p/a', content: 'text', mode: 0o755 },
      { name: 'p/b', type: '1', link: 'p/a' },
    ]),
  );
  const into = emptyFolder(top);
  await unpackArchive({ file, into });
  assert.equal(readFileSync(join(into, 'b'), 'utf8'), 'text');
  assert.equal(statSync(join(into, 'b')).mode & 0o777, 0o755);
  assert.notEqual(statSync(join(into, 'a')).ino, statSync(join(into, 'b')).ino);
});

const shapes: readonly (readonly [
  title: string,
  members: readonly string[],
  shape: { strip?: number; subdir?: string },
  expected: readonly string[],
])[] = [
  ['drops a top folder that holds everything', ['p-1/a', 'p-1/b/c'], {}, ['a', 'b', 'b/c']],
  ['drops it also when a folder of the same name is in it', ['p/p/a', 'p/b'], {}, ['b', 'p', 'p/a']],
  ['drops one top folder only', ['p/q/a'], {}, ['q', 'q/a']],
  ['drops nothing when there are two things at the top', ['p/a', 'q'], {}, ['p', 'p/a', 'q']],
  ['keeps the top folder with strip 0', ['p/a'], { strip: 0 }, ['p', 'p/a']],
  ['leaves out with strip 1 what lies beside the top folder', ['package.xml', 'p/a'], { strip: 1 }, ['a']],
  ['does not count "." as a part', ['./p/./a', './p/b'], { strip: 1 }, ['a', 'b']],
  ['takes one folder of the tree', ['p/lib/a', 'p/lib/b/c', 'p/doc/d'], { subdir: 'lib' }, ['a', 'b', 'b/c']],
  [
    'takes a folder inside a folder of the same name',
    ['p/lib/lib/a', 'p/lib/b'],
    { subdir: 'lib' },
    ['b', 'lib', 'lib/a'],
  ],
  ['takes one folder after strip', ['x/y/lib/a', 'x/y/b'], { strip: 2, subdir: 'lib' }, ['a']],
];

for (const [title, members, shape, expected] of shapes)
  test(`unpackArchive() ${title}`, async (t) => {
    const top = tempDir(t);
    const file = join(top, 'a.tar');
    writeFileSync(file, rawTar(members.map((name) => ({ name, content: name }))));
    const into = emptyFolder(top);
    await unpackArchive({ file, into, ...shape });
    assert.deepEqual(
      walk(into).map(({ path }) => path),
      expected,
    );
  });

test('unpackArchive() names the Debian package of a decompressor that is not installed', async (t) => {
  const top = tempDir(t);
  const file = join(top, 'a.tar.lz');
  writeFileSync(file, Buffer.concat([Buffer.from('LZIP\x01\x0c', 'latin1'), Buffer.alloc(600)]));
  await assert.rejects(unpackArchive({ file, into: emptyFolder(top) }), (error: VbuildError) => {
    // Where lzip is installed it finds the archive damaged instead.
    assert.ok(error.code === 'tool-missing' ? error.mend.includes('lzip') : error.code === 'archive-refused');
    assert.equal(error.where.file, 'a.tar.lz');
    return true;
  });
});

test('unpackArchive() is not fooled by zeros within files and at their ends', async (t) => {
  const top = tempDir(t);
  const folder = join(top, 'z');
  writeTree(folder, { a: Buffer.alloc(300_000), b: 'x', 'c/d': Buffer.alloc(2048), e: Buffer.alloc(70_000) });
  for (const compression of ['none', 'zstd'] as const) {
    const into = emptyFolder(top, compression);
    packWithTar(folder, join(top, `${compression}.tar`), { compression });
    await unpackArchive({ file: join(top, `${compression}.tar`), into });
    assert.equal(treeDigest(into), treeDigest(folder));
  }
});

test('packTarZst() gives equal bytes for equal trees, whatever order, times, links, umask and time zone they were made with', async (t) => {
  const top = tempDir(t);
  const one = sample(top);
  const other = join(top, 'other');
  const before = process.umask(0o077);
  t.after(() => void process.umask(before));
  for (const path of Object.keys(tree).toReversed()) writeTree(other, { [path]: tree[path] ?? '' });
  mkdirSync(join(other, 'hollow'));
  symlinkSync('gone', join(other, 'dangling'));
  symlinkSync('../src/main.c', join(other, 'hollow/link'));
  writeTree(other, { 'src/same.c': tree['src/main.c'] ?? '' });
  for (const { path, type } of walk(other)) if (type === 'file') utimesSync(join(other, path), 1e9, 1e9);
  const zone = process.env['TZ'];
  const pack = (folder: string, into: string) =>
    packTarZst({ top: folder, paths: walk(folder).map(({ path }) => path), into });
  const first = await pack(one, join(top, 'one.tar.zst'));
  process.env['TZ'] = 'Asia/Tokyo';
  const second = await pack(other, join(top, 'other.tar.zst'));
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
  assert.deepEqual(second, first);
  assert.ok(readFileSync(join(top, 'one.tar.zst')).equals(readFileSync(join(top, 'other.tar.zst'))));
});

test('packTarZst() tells the sizes, and GNU tar and unpackTarZst() read what it writes', async (t) => {
  const top = tempDir(t);
  const folder = sample(top);
  const file = join(top, 'a.tar.zst');
  const paths = walk(folder).map(({ path }) => path);
  const { sizeBytes, unpackedBytes } = await packTarZst({ top: folder, paths, into: file });
  const bytes = readFileSync(file);
  assert.equal(bytes.length, sizeBytes);
  assert.equal(zstdDecompressSync(bytes).length, unpackedBytes);
  const gnu = emptyFolder(top, 'gnu');
  execFileSync('tar', ['-x', '--use-compress-program=zstd', '-f', file, '-C', gnu]);
  assert.equal(treeDigest(gnu), treeDigest(folder));
  const listing = execFileSync(
    'tar',
    ['-tv', '--numeric-owner', '--full-time', '--utc', '--use-compress-program=zstd', '-f', file],
    { encoding: 'utf8' },
  );
  for (const line of listing.trim().split('\n'))
    assert.match(line, /^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x|lrwxrwxrwx) 0\/0 +\d+ 1980-01-01 00:00:00 /);
  const ours = emptyFolder(top, 'ours');
  await unpackTarZst({ file, into: ours });
  assert.equal(treeDigest(ours), treeDigest(folder));
});

test('unpackTree() tells the digest of what it wrote, of trees that packTree() packed and of archives with hard links', async (t) => {
  const top = tempDir(t);
  const folder = sample(top);
  const [own, gnu] = [join(top, 'own.tar.zst'), join(top, 'gnu.tar.zst')];
  await packTree(folder, own);
  packWithTar(folder, gnu, { compression: 'zstd' });
  for (const file of [own, gnu]) {
    const into = emptyFolder(top, `from ${basename(file)}`);
    assert.equal(await unpackTree({ file, into }), treeDigest(into));
  }
  assert.equal(treeDigest(join(top, 'from own.tar.zst')), treeDigest(folder));
});

test('unpackArchive() reads headers that lie across pieces, in plain archives and in such that begin with a long name', async (t) => {
  const top = tempDir(t);
  const folder = join(top, 'many');
  // Hard to compress, so that pieces end anywhere.
  const noise = (seed: number, length: number) =>
    createHash('shake256', { outputLength: length }).update(String(seed)).digest();
  writeTree(
    folder,
    Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`d${at % 7}/f${at}`, noise(at, (at * 7919) % 9000)])),
  );
  const digest = treeDigest(folder);
  packWithTar(folder, join(top, 'plain'), { compression: 'zstd' });
  writeTree(folder, { [`0${'n'.repeat(150)}`]: 'first' });
  packWithTar(folder, join(top, 'long'), { compression: 'zstd' });
  const [plain, long] = [emptyFolder(top, 'from plain'), emptyFolder(top, 'from long')];
  await unpackArchive({ file: join(top, 'plain'), into: plain });
  assert.equal(treeDigest(plain), digest);
  await unpackArchive({ file: join(top, 'long'), into: long });
  assert.equal(treeDigest(long), treeDigest(folder));
});

test('packTarZst() packs only what it is told', async (t) => {
  const top = tempDir(t);
  const folder = sample(top);
  const file = join(top, 'a.tar.zst');
  await packTarZst({ top: folder, paths: ['configure', 'src/main.c'], into: file });
  const into = emptyFolder(top);
  await unpackTarZst({ file, into });
  assert.deepEqual(
    walk(into).map(({ path }) => path),
    ['configure', 'src', 'src/main.c'],
  );
});

test('packTarZst() repeats for files of any size around a block', async (t) => {
  const top = tempDir(t);
  const folder = join(top, 'f');
  writeTree(
    folder,
    Object.fromEntries(
      [0, 1, 511, 512, 513, 1024 * 1024 - 512, 1024 * 1024, 1024 * 1024 + 1].map((size) => [
        `s${size}`,
        Buffer.alloc(size, 'ab'),
      ]),
    ),
  );
  const file = join(top, 'a.tar.zst');
  await packTarZst({ top: folder, paths: readdirSync(folder).sort(), into: file });
  const into = emptyFolder(top);
  await unpackTarZst({ file, into });
  assert.equal(treeDigest(into), treeDigest(folder));
});

const damaged: readonly (readonly [title: string, make: (tar: Buffer) => Buffer])[] = [
  ['a plain tar cut between two members', (tar) => tar.subarray(0, 1024)],
  ['a plain tar cut inside a member', (tar) => tar.subarray(0, 1300)],
  ['a gzip cut short', (tar) => gzipSync(tar).subarray(0, -9)],
  ['a gzip with a wrong checksum', (tar) => flipped(gzipSync(tar), -6)],
  ['a zstd cut short', (tar) => zstdCompressSync(tar).subarray(0, -3)],
  ['a gzip of a tar cut inside a member', (tar) => gzipSync(tar.subarray(0, 1300))],
  ['bytes behind the end mark', (tar) => Buffer.concat([tar, Buffer.from('and more')])],
  ['bytes far behind the end mark', (tar) => gzipSync(Buffer.concat([tar, Buffer.alloc(400_000), Buffer.from('x')]))],
  ['a second archive behind the end mark', (tar) => Buffer.concat([tar, tar])],
  ['bytes behind a gzip', (tar) => Buffer.concat([gzipSync(tar), Buffer.from('and more')])],
  [
    'an empty frame and bytes behind a zstd',
    (tar) => Buffer.concat([zstdCompressSync(tar), zstdCompressSync(''), Buffer.from('and more')]),
  ],
  ['bytes behind a zstd', (tar) => Buffer.concat([zstdCompressSync(tar), Buffer.from('and more')])],
  ['a member whose header has a wrong checksum', (tar) => flipped(tar, 1030)],
  [
    'one block of zeros before further members',
    (tar) => Buffer.concat([tar.subarray(0, 1024), Buffer.alloc(512), tar.subarray(1024)]),
  ],
  ['an archive compressed twice', (tar) => gzipSync(gzipSync(tar))],
  ['a web page', () => Buffer.from('<!DOCTYPE html><html><body>Please log in</body></html>')],
  ['an empty file', () => Buffer.alloc(0)],
  ['an archive without members', () => Buffer.alloc(10_240)],
  ['no archive at all', () => Buffer.alloc(10_240, 'text')],
];

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}

for (const [title, make] of damaged)
  test(`unpackArchive() refuses ${title}`, async (t) => {
    const top = tempDir(t);
    const file = join(top, 'a');
    writeFileSync(
      file,
      make(
        rawTar([
          { name: 'p/a', content: 'text' },
          { name: 'p/b', content: 'text' },
        ]),
      ),
    );
    await assert.rejects(unpackArchive({ file, into: emptyFolder(top), name: 'a-1.0.tar' }), (error: VbuildError) => {
      assert.equal(error.code, 'archive-refused');
      assert.equal(error.where.file, 'a-1.0.tar');
      return true;
    });
  });

for (const compression of ['xz', 'bzip2', 'lzip'] as const) {
  test(`unpackArchive() refuses a ${compression} archive that is cut short`, async (t) => {
    const top = tempDir(t);
    const file = packWithTar(sample(top), join(top, 'a'), { compression });
    truncateSync(file, statSync(file).size - 20);
    await assert.rejects(unpackArchive({ file, into: emptyFolder(top) }), { code: 'archive-refused' });
  });
  test(`unpackArchive() refuses bytes behind a ${compression} archive`, async (t) => {
    const top = tempDir(t);
    const file = packWithTar(sample(top), join(top, 'a'), { compression });
    writeFileSync(file, 'more', { flag: 'a' });
    await assert.rejects(unpackArchive({ file, into: emptyFolder(top) }), { code: 'archive-refused' });
  });
}
