import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { staysInside } from '../../src/patches/tree-view.ts';
import { readBytes } from '../../src/system/files.ts';
import { lab, lines } from './support.ts';

const create = (name: string): string => lines('--- /dev/null', `+++ ${name}`, '@@ -0,0 +1 @@', '+evil');
const modify = (name: string): string => lines(`--- ${name}`, `+++ ${name}`, '@@ -1 +1 @@', '-1', '+evil');
const remove = (name: string): string => lines(`--- ${name}`, '+++ /dev/null', '@@ -1 +0,0 @@', '-1');
const link = (name: string, target: string): string =>
  lines(
    `diff --git a/${name} b/${name}`,
    'new file mode 120000',
    '--- /dev/null',
    `+++ b/${name}`,
    '@@ -0,0 +1 @@',
    `+${target}`,
    '\\ No newline at end of file',
  );

/** The tree holds `x`, `d/x`, `.git/config`, and the symlinks `out` and `dangling` (leading out), `in` (to d), `file` (to ../victim), `d/up` (to ../x); `victim` is outside. */
const unsafe: Readonly<Record<string, string>> = {
  'create above the tree': create('b/../victim'),
  'create above the tree, C-quoted': create('"b/\\056\\056/victim"'),
  'modify above the tree': modify('b/../victim'),
  'delete above the tree': remove('b/../victim'),
  'leave the tree and come back': modify('b/../tree/x'),
  'name one safe and one unsafe file': lines('--- a/../victim', '+++ b/x', '@@ -1 +1 @@', '-1', '+evil'),
  'go through a symlinked folder that leads out': create('b/out/n'),
  'go through a dangling symlink': create('b/dangling/n'),
  'go through a symlinked folder inside': modify('b/in/x'),
  'write a symlink': modify('b/file'),
  'rename to outside': lines('diff --git a/x b/../n', 'rename from x', 'rename to ../n'),
  'rename from outside': lines('diff --git a/../victim b/n', 'rename from ../victim', 'rename to n'),
  'copy from outside': lines('diff --git a/../victim b/n', 'copy from ../victim', 'copy to n'),
  'copy through a symlink': lines('diff --git a/out/victim b/n', 'copy from out/victim', 'copy to n'),
  'write in .git': create('b/.git/hooks/post-checkout'),
  'write in a nested .GIT': create('b/d/.GIT/config'),
  'make a symlink that leads out': link('l', '../victim'),
  'make an absolute symlink': link('l', '/etc/passwd'),
  'make a symlink and write through it': link('l', 'd') + create('b/l/n'),
  'make a symlink that another one bends': link('d/l', 'x/../../victim'),
  'move a symlink to where it leads out': lines('diff --git a/d/up b/up', 'rename from d/up', 'rename to up'),
  'name a file with a newline': create('"b/a\\nb"'),
  'name a file that is not UTF-8': create('"b/\\377"'),
  'write on a folder': create('b/d'),
  'use a file as a folder': create('b/x/n'),
  'name a folder': create('b/n/'),
  'use a name that is too long': create(`b/${'n'.repeat(256)}`),
  'use a name that is too long in bytes': create(`b/${'é'.repeat(128)}`),
  'use a path that is too long': create(`b/${'n/'.repeat(2040)}n`),
  'make a symlink that no system takes': link('l', 'x'.repeat(4096)),
};
for (const [title, patch] of Object.entries(unsafe)) {
  for (const dialect of ['strict', 'dpkg'] as const) {
    test(`applySeries() does not let a patch ${title} (${dialect})`, async (t) => {
      const { tree, folder, refuses } = lab(t, { x: '1\n', 'd/x': '1\n', '.git/config': '1\n' });
      writeFileSync(join(folder, 'victim'), '1\n');
      mkdirSync(join(folder, 'outside'));
      symlinkSync('..', join(tree, 'out'));
      symlinkSync('../missing', join(tree, 'dangling'));
      symlinkSync('d', join(tree, 'in'));
      symlinkSync('../victim', join(tree, 'file'));
      symlinkSync('../x', join(tree, 'd/up'));
      // dpkg-source refuses quotes before it looks at what is in them.
      const expected = dialect === 'dpkg' && patch.includes('+++ "') ? 'patch-unsupported' : 'patch-unsafe';
      assert.equal((await refuses([patch], { dialect })).code, expected);
      assert.equal(readBytes(join(folder, 'victim')).toString(), '1\n');
    });
  }
}

test('a patch of a missing file whose name holds a zero byte under another strip level is refused as such', async (t) => {
  const { refuses } = lab(t, { x: '1\n' });
  assert.equal((await refuses([modify('\0\0n')])).code, 'patch-rejected');
});

test('applySeries() lets a folder and a file take turns under one name', async (t) => {
  const { apply, files } = lab(t, { 'd/x': '1\n' });
  const rename = (from: string, to: string): string =>
    lines(`diff --git a/${from} b/${to}`, `rename from ${from}`, `rename to ${to}`);
  await apply([rename('d/x', 'd'), rename('d', 'd/x')]);
  assert.deepEqual(files(), { 'd/x': '1\n' });
  await apply([rename('d/x', 'd'), rename('d', 'd/y')]);
  assert.deepEqual(files(), { 'd/y': '1\n' });
});

for (const [title, name] of [
  ['an absolute name', '/etc/passwd'],
  ['an empty part', 'a//x/../../..'],
] as const) {
  test(`applySeries() does not let a patch use ${title} at strip level 0`, async (t) => {
    const { refuses } = lab(t, { x: '1\n' });
    assert.equal((await refuses([modify(name)], { strip: 0 })).code, 'patch-unsafe');
  });
}

const targets = [
  ['a/l', 'x', true],
  ['a/l', '../x', true],
  ['a/l', './x/y', true],
  ['a/l', '../../x', false],
  ['l', '..', false],
  ['l', '', false],
  ['l', '/x', false],
  ['a/b/l', '../x/../y', false],
] as const;
for (const [path, target, inside] of targets) {
  test(`staysInside() says ${inside} for ${path} -> ${target || 'nothing'}`, () =>
    assert.equal(staysInside(path, target), inside));
}
