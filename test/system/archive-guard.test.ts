import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { VbuildError } from '../../src/model/error.ts';
import { unpackArchive, unpackTarZst } from '../../src/system/archive.ts';
import { archiveLimits, leadsOut, MemberTable } from '../../src/system/archive-guard.ts';
import { walk } from '../../src/system/files.ts';
import { unpackTar } from '../../src/system/tar-stream.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { Unpacking } from '../../src/system/unpacking.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { type RawMember, rawPax, rawTar } from '../support/upstream.ts';

const latin = Buffer.from('p/caf\xe9.txt', 'latin1');

/** What a tar may hold to get out of its tree or to be read in two ways, and the member that must be named. */
const hostile: readonly (readonly [title: string, member: string | undefined, members: readonly RawMember[]])[] = [
  ['a name that climbs', 'p/../../evil', [{ name: 'p/../../evil', content: 'x' }]],
  ['a name that climbs and comes back', 'p/../p/evil', [{ name: 'p/../p/evil', content: 'x' }]],
  ['an absolute name', '/tmp/evil', [{ name: '/tmp/evil', content: 'x' }]],
  ['an absolute name in a pax header', '/tmp/evil', [rawPax({ path: '/tmp/evil' }), { name: 'p/a', content: 'x' }]],
  [
    'a climbing name in a GNU long-name header',
    `${'a/'.repeat(60)}${'../'.repeat(61)}evil`,
    [
      { name: '././@LongLink', type: 'L', content: `${'a/'.repeat(60)}${'../'.repeat(61)}evil\0` },
      { name: 'p/a', content: 'x' },
    ],
  ],
  ['a symlink to an absolute place', 'p/l', [{ name: 'p/l', type: '2', link: '/etc' }]],
  [
    'a symlink that climbs',
    'p/l',
    [
      { name: 'p/l', type: '2', link: '../../etc' },
      { name: 'q', content: 'x' },
    ],
  ],
  [
    'a symlink that climbs out of the dropped top folder only',
    'p/l',
    [{ name: 'p/l', type: '2', link: '../outside' }, { name: 'p/a' }],
  ],
  [
    'a symlink that climbs by way of another one',
    'p/b/out',
    [
      { name: 'p/b/c/up', type: '2', link: '../../..' },
      { name: 'p/b/out', type: '2', link: 'c/up/../etc' },
      { name: 'q' },
    ],
  ],
  [
    'a symlink that climbs by way of one that comes later',
    'p/out',
    [
      { name: 'p/out', type: '2', link: 'b/c/up/../etc' },
      { name: 'p/b/c/up', type: '2', link: '../../..' },
      { name: 'q' },
    ],
  ],
  [
    'a file written through a symlink',
    'p/l/evil',
    [
      { name: 'p/d/', type: '5' },
      { name: 'p/l', type: '2', link: 'd' },
      { name: 'p/l/evil', content: 'x' },
    ],
  ],
  [
    'a file in place of a symlink',
    'p/l',
    [
      { name: 'p/l', type: '2', link: 'd' },
      { name: 'p/l', content: 'x' },
    ],
  ],
  [
    'a folder in place of a symlink',
    'p/l/',
    [
      { name: 'p/l', type: '2', link: 'd' },
      { name: 'p/l/', type: '5' },
    ],
  ],
  [
    'a symlink in place of a folder',
    'p/d',
    [
      { name: 'p/d/', type: '5' },
      { name: 'p/d', type: '2', link: 'x' },
    ],
  ],
  ['a member below a file', 'p/f/x', [{ name: 'p/f' }, { name: 'p/f/x' }]],
  [
    'a file that comes twice',
    './p//a',
    [
      { name: 'p/a', content: 'one' },
      { name: './p//a', content: 'two' },
    ],
  ],
  ['a hard link that climbs', '../evil', [{ name: 'p/l', type: '1', link: '../evil' }]],
  ['a hard link to an absolute place', '/etc/passwd', [{ name: 'p/l', type: '1', link: '/etc/passwd' }]],
  ['a hard link to nothing in the archive', 'p/l', [{ name: 'p/l', type: '1', link: 'p/gone' }]],
  [
    'a hard link to a symlink',
    'p/h',
    [
      { name: 'p/l', type: '2', link: 'a' },
      { name: 'p/h', type: '1', link: 'p/l' },
    ],
  ],
  [
    'a hard link through a symlink',
    'p/h',
    [{ name: 'p/d/f' }, { name: 'p/l', type: '2', link: 'd' }, { name: 'p/h', type: '1', link: 'p/l/f' }],
  ],
  ['a character device', 'p/null', [{ name: 'p/null', type: '3' }]],
  ['a block device', 'p/disk', [{ name: 'p/disk', type: '4' }]],
  ['a named pipe', 'p/pipe', [{ name: 'p/pipe', type: '6' }]],
  ['a sparse file of GNU tar', 'p/sparse', [{ name: 'p/sparse', type: 'S', content: 'x' }]],
  [
    'a sparse file in a pax header',
    'p/GNUSparseFile.7/s',
    [rawPax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'p/s' }), { name: 'p/GNUSparseFile.7/s', content: 'x' }],
  ],
  ['a type that no tar knows', 'p/odd', [{ name: 'p/odd', type: 'Z', content: 'x' }]],
  ['a folder listing of a dump', 'p/dump/', [{ name: 'p/dump/', type: 'D', content: 'Yx\0\0' }]],
  ['a name that is not UTF-8', 'p/caf\uFFFD.txt', [{ name: latin, content: 'x' }]],
  ['a symlink target that is not UTF-8', 'p/l', [{ name: 'p/l', type: '2', link: latin.subarray(2) }]],
  [
    'a pax name with a line end, which readers take for different names',
    'p/a',
    [rawPax({ path: 'p/two\nlines' }), { name: 'p/a', content: 'x' }],
  ],
  [
    'an attribute that readers by lines take for a name',
    'p/evil',
    [
      { name: 'p/h', type: '1', link: 'p/first' },
      rawPax({ 'SCHILY.xattr.user.x': 'x\n15 path=p/evil\n' }),
      { name: 'p/a', content: 'x' },
    ],
  ],
  [
    'a pax header with a length that is wrong',
    'p/b',
    [
      { name: 'PaxHeader/x', type: 'x', content: '12 path=p/b\n9 x=y\n' },
      { name: 'p/a', content: 'x' },
    ],
  ],
  ['a pax header in front of nothing', undefined, [rawPax({ path: 'p/two\nlines' })]],
  ['a pax name with a zero byte', 'p/evil', [rawPax({ path: 'p/evil\0.txt' }), { name: 'p/a', content: 'x' }]],
  ['a size that swallows the rest of the archive', undefined, [{ name: 'p/a', content: 'x', size: 2 ** 30 }]],
  ['a size just below 8 GiB that is not there', undefined, [{ name: 'p/a', content: 'x', size: 8 ** 11 - 1 }]],
  ['a size over 8 GiB that is not there', undefined, [{ name: 'p/a', content: 'x', size: 9 * 2 ** 30 }]],
  [
    'a size over 8 GiB in a pax header',
    undefined,
    [rawPax({ size: `${9 * 2 ** 30}` }), { name: 'p/a', content: 'x', size: 0 }],
  ],
  ['a size that no number holds', undefined, [{ name: 'p/a', content: 'x', size: 2 ** 63 }]],
  [
    'a name with a part that no file system takes',
    `p/${'n'.repeat(300)}`,
    [rawPax({ path: `p/${'n'.repeat(300)}` }), { name: 'p/a', content: 'x' }],
  ],
];

for (const [title, member, members] of hostile)
  test(`unpackArchive() refuses ${title}`, async (t) => {
    const top = tempDir(t);
    await refused(top, rawTar([{ name: 'p/first', content: 'honest' }, ...members]), member);
    // Ours are guarded in the same way, though their digest is verified; their top folder is kept.
    if (title !== 'a symlink that climbs out of the dropped top folder only')
      await refused(
        join(top, 'ours'),
        zstdCompressSync(rawTar([{ name: 'p/first' }, ...members])),
        member,
        unpackTarZst,
      );
  });

/** Insists that an archive is refused for this member, and that nothing appeared outside of the folder. */
async function refused(
  top: string,
  archive: Uint8Array,
  member: string | undefined,
  unpack: (request: { readonly file: string; readonly into: string }) => Promise<unknown> = unpackArchive,
): Promise<VbuildError> {
  const into = join(top, 'outside/into');
  mkdirSync(into, { recursive: true });
  writeFileSync(join(top, 'a'), archive);
  const error = await unpack({ file: join(top, 'a'), into }).then(
    () => assert.fail('it was unpacked'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof VbuildError, String(error));
  assert.equal(error.code, 'archive-refused');
  if (member !== undefined) assert.equal(error.facts['member'], JSON.stringify(member), error.facts['reason']);
  assert.deepEqual(readdirSync(join(top, 'outside')), ['into']);
  assert.equal(existsSync('/tmp/evil'), false);
  return error;
}

test('unpackArchive() leaves attributes out, whatever their bytes are, and names one that it cannot read exactly', async (t) => {
  const top = tempDir(t);
  const file = join(top, 'a.tar');
  const attribute = (value: string, more = {}): RawMember =>
    rawPax({ path: 'p/é', 'SCHILY.xattr.user.foo': value, mtime: '1.5', ...more });
  const latinValue = Buffer.from('30 SCHILY.xattr.user.foo=caf\xe9\n15 path=p/evil\n', 'latin1');
  const binary: RawMember = { name: 'PaxHeader/x', type: 'x', content: latinValue.subarray(0, 30) };
  const lineInside: RawMember = { ...binary, content: Buffer.concat([Buffer.from('45'), latinValue.subarray(2)]) };
  const hardLink: RawMember = { name: 'p/h', type: '1', link: 'p/a' };
  const a: RawMember = { name: 'p/a', content: 'x'.repeat(600) };
  const texts = ['plain', 'one\ntwo\n', '\n\n', 'é\n7 x=y', ''];
  const taken: readonly (readonly [members: readonly RawMember[], names: readonly string[]])[] = [
    ...texts.map(
      (value) =>
        [
          [attribute(value), a, { name: 'p/c' }],
          ['c', 'é'],
        ] as const,
    ),
    // The same by way of the parser, for which they must be read as it reads them.
    ...texts.map(
      (value) =>
        [
          [a, hardLink, attribute(value), a],
          ['a', 'h', 'é'],
        ] as const,
    ),
    [
      [binary, a, { name: 'p/c' }],
      ['a', 'c'],
    ],
    [[lineInside, a], ['a']],
    [[rawPax({ 'SCHILY.xattr.x': 'x\n15 path=p/evil\n' }), a], ['a']],
    [
      [{ ...rawPax({ comment: 'a\nb' }), type: 'g' }, a, attribute('x'), a],
      ['a', 'é'],
    ],
    [
      [rawPax({ linkpath: 'é' }), { name: 'p/l', type: '2', link: 'e' }, a],
      ['a', 'l'],
    ],
    [
      [rawPax({ path: 'p/d/' }), { name: 'p/x', type: '5' }, a],
      ['a', 'd'],
    ],
    [[{ ...attribute('x'.repeat(3000)), name: 'p/PaxHeader' }, a], ['é']],
  ];
  for (const [at, [members, names]] of taken.entries()) {
    const into = join(top, `into${at}`);
    mkdirSync(into);
    writeFileSync(file, rawTar(members));
    await unpackArchive({ file, into, strip: 1 });
    assert.deepEqual(readdirSync(into).sort(), names, String(at));
  }
  const reasonOf = async (member: string, ...members: readonly RawMember[]): Promise<string | undefined> =>
    (
      await refused(
        join(top, `x${members.length}${String(members[0]?.content).length}`),
        rawTar([a, ...members]),
        member,
      )
    ).facts['reason'];
  assert.equal(
    await reasonOf('p/h', binary, hardLink),
    'its pax header has bytes that are not UTF-8 in "SCHILY.xattr.user.foo"',
  );
  assert.equal(
    await reasonOf('p/h', rawPax({ comment: 'a\nb' }), hardLink),
    'its pax header has a line end in "comment", and readers differ about what follows',
  );
});

test('unpackArchive() reads what GNU tar writes with pax headers for each member', async (t) => {
  const top = tempDir(t);
  const long = `${'folder/'.repeat(40)}${'n'.repeat(120)}`;
  writeTree(join(top, 'tree'), { 'é/ü': 'one', [long]: { text: 'two', mode: 0o755 } });
  symlinkSync(`é/${'./'.repeat(60)}ü`, join(top, 'tree/l'));
  for (const more of [[], ['--pax-option=comment=a b\nc'], ['--pax-option=globexthdr.name=g,comment:=x']]) {
    const file = join(top, 'a.tar');
    execFileSync('tar', ['-c', '--format=posix', ...more, '-f', file, '-C', top, 'tree']);
    const into = join(top, `into${more.length}${more.join().length}`);
    mkdirSync(into);
    await unpackArchive({ file, into });
    assert.equal(treeDigest(into), treeDigest(join(top, 'tree')));
  }
});

test('unpackTar() gives the same tree wherever its chunks end, and refuses one that is cut short anywhere', async (t) => {
  const top = tempDir(t);
  const whole = rawTar([
    { ...rawPax({ comment: 'x' }), type: 'g' },
    { name: 'p/a', content: 'a'.repeat(700) },
    rawPax({ path: `p/${'é'.repeat(60)}`, 'SCHILY.xattr.user.x': 'y'.repeat(700), mtime: '7.25' }),
    { name: 'p/b', content: 'b'.repeat(600) },
    rawPax({ linkpath: 'c'.repeat(150) }),
    { name: 'p/l', type: '2', link: 'c'.repeat(100) },
    { name: 'p/h', type: '1', link: 'p/a' },
    rawPax({ path: 'p/last' }),
    { name: 'p/z' },
  ]);
  let folders = 0;
  const unpacked = async (bytes: Buffer, size: number): Promise<string> => {
    const into = join(top, `into${(folders += 1)}`);
    mkdirSync(into);
    const unpacking = new Unpacking(into, bytes.length, { strip: 1 });
    // One piece of memory for all chunks, as who decompresses has.
    const memory = Buffer.alloc(size);
    await unpackTar(
      (async function* () {
        for (let at = 0; at < bytes.length; at += size) {
          await Promise.resolve();
          yield memory.subarray(0, bytes.copy(memory, 0, at, at + size));
        }
      })(),
      true,
      unpacking,
    );
    unpacking.finish();
    return treeDigest(into);
  };
  const expected = await unpacked(whole, whole.length);
  for (const size of [7, 100, 511, 512, 513, 1024, 1700, 4096])
    assert.equal(await unpacked(whole, size), expected, `${size}`);
  const paths = walk(join(top, 'into1')).map(({ path }) => path);
  assert.deepEqual(paths.sort(), ['a', 'h', 'l', 'last', 'é'.repeat(60)].sort());
  for (let end = 1; end < whole.length - 1024; end += 256)
    await assert.rejects(unpacked(whole.subarray(0, end), 512), { code: 'archive-refused' }, `${end}`);
});

test('unpackArchive() refuses the sparse files that GNU tar really writes, by name', async (t) => {
  const top = tempDir(t);
  writeTree(join(top, 'tree'), { hole: 'start' });
  truncateSync(join(top, 'tree/hole'), 8 * 1024 * 1024);
  for (const format of ['gnu', 'posix'] as const) {
    const file = join(top, `${format}.tar`);
    execFileSync('tar', ['-c', '--sparse', `--format=${format}`, '-f', file, '-C', top, 'tree']);
    const error = await refused(join(top, format), readFileSync(file), undefined);
    assert.match(error.facts['member'] ?? '', /hole/);
  }
});

test('unpackArchive() keeps symlinks that stay inside, also such as climb within the tree, dangle or go in circles', async (t) => {
  const top = tempDir(t);
  const links = {
    'a/up': '../b/file',
    'a/deep/far': '../../b/../a/up',
    gone: 'nowhere/at/all',
    round: 'about',
    about: 'round',
    dot: '.',
    'a/self': '../a/self/x',
  };
  writeFileSync(
    join(top, 'a.tar'),
    rawTar([
      { name: 'p/b/file', content: 'x' },
      ...Object.entries(links).map(([name, link]) => ({ name: `p/${name}`, type: '2', link })),
    ]),
  );
  mkdirSync(join(top, 'into'));
  await unpackArchive({ file: join(top, 'a.tar'), into: join(top, 'into') });
  assert.deepEqual(
    Object.fromEntries(
      walk(join(top, 'into')).flatMap(({ path, target }) => (target === undefined ? [] : [[path, target]])),
    ),
    links,
  );
});

test('unpackArchive() counts a link out of the subdir as one that leads out of the tree', async (t) => {
  const top = tempDir(t);
  writeFileSync(join(top, 'a.tar'), rawTar([{ name: 'p/lib/l', type: '2', link: '../doc/d' }, { name: 'p/doc/d' }]));
  mkdirSync(join(top, 'whole'));
  mkdirSync(join(top, 'part'));
  await unpackArchive({ file: join(top, 'a.tar'), into: join(top, 'whole') });
  await assert.rejects(unpackArchive({ file: join(top, 'a.tar'), into: join(top, 'part'), subdir: 'lib' }), {
    code: 'archive-refused',
  });
});

test('unpackArchive() says what there is where a subdir is not in the archive', async (t) => {
  const top = tempDir(t);
  writeFileSync(join(top, 'a.tar'), rawTar([{ name: 'p/lib/l' }]));
  mkdirSync(join(top, 'into'));
  await assert.rejects(unpackArchive({ file: join(top, 'a.tar'), into: join(top, 'into'), subdir: 'src' }), {
    code: 'source-missing',
    facts: { expected: 'src', found: 'lib' },
  });
});

test('unpackArchive() stops at a member that grows beyond all measure, before the disk is full', async (t) => {
  const top = tempDir(t);
  // 80 MiB of zeros in a few kilobytes.
  const bomb = zstdCompressSync(rawTar([{ name: 'p/a', content: Buffer.alloc(80 * 2 ** 20) }, { name: 'p/b' }]));
  const error = await refused(top, bomb, 'p/a');
  assert.match(error.facts['reason'] ?? '', /times its size/);
});

test('unpackArchive() stops at hard links that multiply a file', async (t) => {
  const top = tempDir(t);
  const links = Array.from({ length: 40 }, (_, index) => ({ name: `p/l${index}`, type: '1', link: 'p/a' }));
  const bomb = gzipSync(rawTar([{ name: 'p/a', content: Buffer.alloc(8 * 2 ** 20) }, ...links]));
  const error = await refused(top, bomb, undefined);
  assert.match(error.facts['member'] ?? '', /^"p\/l/);
});

test('unpackArchive() keeps names apart that differ in case or in how their letters are composed', async (t) => {
  const top = tempDir(t);
  const names = ['p/README', 'p/readme', 'p/Readme/x', 'p/\u00e9', 'p/e\u0301'];
  writeFileSync(join(top, 'a'), rawTar(names.map((name) => ({ name, content: name }))));
  mkdirSync(join(top, 'into'));
  await unpackArchive({ file: join(top, 'a'), into: join(top, 'into') });
  for (const name of names) assert.equal(readFileSync(join(top, 'into', name.slice(2)), 'utf8'), name);
});

test('the limits are those that the documentation states', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/buildfile.md'), 'utf8').replaceAll('\n', ' ');
  assert.ok(page.includes('It may hold 500 000 members and unpack to 32 GiB'));
  assert.ok(page.includes('once that is more than 64 MiB, to a thousand times its size'));
  assert.deepEqual(archiveLimits, {
    members: 500_000,
    unpackedBytes: 32 * 2 ** 30,
    ratio: 1000,
    ratioFromBytes: 64 * 2 ** 20,
  });
});

test('no archive has more members than the limit', () => {
  const table = new MemberTable();
  for (let i = 0; i < archiveLimits.members; i += 1) table.add(`${i}`, [`${i}`], 'file');
  assert.throws(() => table.add('more', ['more'], 'file'), {
    code: 'archive-refused',
    facts: { member: '"more"', reason: 'the archive has more than 500000 members' },
  });
});

test('a member of 9 GiB in its header, with bytes that never end, stops at the limit on growth', async (t) => {
  const top = tempDir(t);
  mkdirSync(join(top, 'into'));
  const header = rawTar([{ name: 'p/huge', size: 9 * 2 ** 30 }], { end: false });
  // 100 MB of zeros in 100 KB.
  writeFileSync(join(top, 'a'), gzipSync(Buffer.concat([header, Buffer.alloc(100 * 2 ** 20)]), { level: 9 }));
  await assert.rejects(unpackArchive({ file: join(top, 'a'), into: join(top, 'into') }), (error: VbuildError) => {
    assert.deepEqual([error.code, error.facts['member']], ['archive-refused', '"p/huge"']);
    assert.match(error.facts['reason'] ?? '', /more than 1000 times its size/);
    return true;
  });
});

test('unpackArchive() takes honest files of zeros, whatever their ratio', async (t) => {
  const top = tempDir(t);
  writeFileSync(join(top, 'a'), zstdCompressSync(rawTar([{ name: 'p/zeros', content: Buffer.alloc(30 * 2 ** 20) }])));
  mkdirSync(join(top, 'into'));
  await unpackArchive({ file: join(top, 'a'), into: join(top, 'into') });
  assert.deepEqual(
    walk(join(top, 'into')).map(({ path, sizeBytes }) => [path, sizeBytes]),
    [['zeros', 30 * 2 ** 20]],
  );
});

const python = (script: string): string => `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], 'w')
z.writestr('p/first', 'honest')
def add(name, content, mode=0o100644, system=3):
    info = zipfile.ZipInfo(name)
    info.create_system = system
    info.external_attr = mode << 16
    z.writestr(info, content)
${script}
z.close()
`;

const hostileZips: readonly (readonly [
  title: string,
  member: string | undefined,
  script: string,
  spoil?: (bytes: Buffer) => Buffer,
])[] = [
  ['a name that climbs', '../evil', "add('../evil', 'x')"],
  ['an absolute name', '/tmp/evil', "add('/tmp/evil', 'x')"],
  ['a name with backslashes', 'p\\evil', "add('p\\\\evil', 'x')"],
  ['a symlink out of the tree', 'p/l', "add('p/l', '../../etc', 0o120777)\nadd('q', 'x')"],
  ['a symlink to an absolute place', 'p/l', "add('p/l', '/etc', 0o120777)"],
  ['a file written through a symlink', 'p/l/x', "add('p/l', '.', 0o120777)\nadd('p/l/x', 'x')"],
  ['a named pipe', 'p/pipe', "add('p/pipe', '', 0o010644)"],
  ['a file that comes twice', 'p/first', "add('p/first', 'other')"],
  ['a name that is not UTF-8', 'p/caf\uFFFD', "add('p/cafe', 'x')", (bytes) => replaced(bytes, 'p/cafe', 'p/caf\xe9')],
  [
    'content that is not what its checksum says',
    'p/a',
    "add('p/a', 'content')",
    (bytes) => replaced(bytes, 'content', 'kontent'),
  ],
  ['an archive cut short', undefined, "add('p/a', 'content')", (bytes) => bytes.subarray(0, -30)],
  ['bytes behind its end', undefined, "add('p/a', 'content')", (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
];

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
}

for (const [title, member, script, spoil = (bytes: Buffer) => bytes] of hostileZips)
  test(`unpackArchive() refuses in a zip ${title}`, async (t) => {
    const top = tempDir(t);
    execFileSync('python3', ['-W', 'ignore', '-c', python(script), join(top, 'a.zip')]);
    await refused(top, spoil(readFileSync(join(top, 'a.zip'))), member);
  });

test('unpackArchive() refuses an encrypted zip by name', async (t) => {
  const top = tempDir(t);
  writeTree(top, { 'p/secret': 'x' });
  execFileSync('zip', ['-q', '-P', 'pass', 'a.zip', 'p/secret'], { cwd: top });
  await refused(join(top, 'test'), readFileSync(join(top, 'a.zip')), 'p/secret');
});

const part = fc.oneof(
  fc.constantFrom('.', '..', '', 'a', 'b', 'link', 'é', ' ', '\\', '-rf', '*'),
  fc.string({ maxLength: 4 }).filter((text) => !text.includes('\0')),
);
const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const member = fc.record({
  name: path,
  type: fc.constantFrom('0', '0', '1', '2', '2', '5'),
  link: path,
  content: fc.constantFrom('', 'x'),
});

test('unpackArchive() never writes outside of its folder and leaves no link that leads there, whatever the members', async (t) => {
  const top = tempDir(t);
  let run = 0;
  let whole = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 6 }), async (members) => {
      const outside = join(top, String((run += 1)));
      const into = join(outside, 'x/y/into');
      mkdirSync(into, { recursive: true });
      const file = join(top, 'a.tar');
      writeFileSync(
        file,
        rawTar(members.map((one) => (one.type === '0' ? { ...one, link: '' } : { ...one, content: '' }))),
      );
      try {
        await unpackArchive({ file, into, strip: 0 });
        whole += 1;
        const entries = walk(into);
        const links = new Map(
          entries.flatMap((entry): [string, string][] =>
            entry.target === undefined ? [] : [[entry.path, entry.target]],
          ),
        );
        for (const [name, target] of links) {
          assert.equal(leadsOut(name, target, links), false);
          const reached = existsSync(join(into, name)) ? realpathSync(join(into, name)) : into;
          assert.ok(reached === into || reached.startsWith(`${into}/`), reached);
        }
      } catch (error) {
        if (!(error instanceof VbuildError)) throw error;
        assert.equal(error.code, 'archive-refused');
      }
      assert.deepEqual(
        [readdirSync(outside), readdirSync(join(outside, 'x')), readdirSync(join(outside, 'x/y'))],
        [['x'], ['y'], ['into']],
      );
    }),
    { numRuns: 300 },
  );
  assert.ok(whole > 0, 'some archives must be sound, or nothing was tried');
});
