import assert from 'node:assert/strict';
import { linkSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BuildEvent } from '../../src/model/event.ts';
import { applySeries } from '../../src/patches/apply-series.ts';
import type { Dialect } from '../../src/patches/patch-spec.ts';
import { exists } from '../../src/system/files.ts';
import { type Tree, writeTree } from '../support/temp.ts';
import { lab, lines } from './support.ts';

const change = (name: string, from: string, to: string): string =>
  lines(`--- a/${name}`, `+++ b/${name}`, '@@ -1 +1 @@', `-${from}`, `+${to}`);
const git = (from: string, to: string, ...headers: readonly string[]): string =>
  lines(`diff --git a/${from} b/${to}`, ...headers);

interface Case {
  readonly tree: Tree;
  readonly patches: readonly (string | Uint8Array)[];
  readonly after: Readonly<Record<string, string>>;
  readonly strip?: number;
  readonly dialect?: Dialect;
}
const applied: Readonly<Record<string, Case>> = {
  'each patch to what the one before left': {
    tree: { x: '1\n' },
    patches: [change('x', '1', '2'), change('x', '2', '3')],
    after: { x: '3\n' },
  },
  'bytes that are not UTF-8': {
    tree: { x: Buffer.from('\xe4\n\xff\n', 'latin1') },
    patches: [Buffer.from('--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-\xe4\n+\xf6\n \xff\n', 'latin1')],
    after: { x: '\xf6\n\xff\n' },
  },
  'CR LF files and patches to the byte': {
    tree: { x: '1\r\n2\r\n' },
    patches: ['--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-1\r\n+3\r\n 2\r\n'],
    after: { x: '3\r\n2\r\n' },
  },
  'a new file, in a new folder': {
    tree: { x: '1\n' },
    patches: ['--- /dev/null\n+++ b/d/e/n\n@@ -0,0 +1 @@\n+1\n'],
    after: { x: '1\n', 'd/e/n': '1\n' },
  },
  'a new executable': {
    tree: { x: '1\n' },
    patches: [git('n', 'n', 'new file mode 100755', '--- /dev/null', '+++ b/n', '@@ -0,0 +1 @@', '+1')],
    after: { x: '1\n', 'n*': '1\n' },
  },
  'a deletion, with the folders it leaves empty': {
    tree: { x: '1\n', 'd/e/n': '1\n' },
    patches: ['--- a/d/e/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n'],
    after: { x: '1\n' },
  },
  'a mode, and only the exec bit of it': {
    tree: { 's*': { text: '', mode: 0o644 }, x: { text: '1\n', mode: 0o640 } },
    patches: [git('x', 'x', 'old mode 100644', 'new mode 100777')],
    after: { 's*': '', 'x*': '1\n' },
  },
  'a mode taken away': {
    tree: { x: { text: '1\n', mode: 0o755 } },
    patches: [git('x', 'x', 'old mode 100755', 'new mode 100644')],
    after: { x: '1\n' },
  },
  'a change that keeps the mode': {
    tree: { x: { text: '1\n', mode: 0o755 } },
    patches: [git('x', 'x', 'index 1..2 100644') + change('x', '1', '2')],
    after: { 'x*': '2\n' },
  },
  'a rename with a change, and a copy of what was there before it': {
    tree: { x: '1\n' },
    patches: [
      git('x', 'y', 'copy from x', 'copy to y') +
        git('x', 'z/z', 'rename from x', 'rename to z/z', '--- a/x', '+++ b/z/z', '@@ -1 +1 @@', '-1', '+2'),
    ],
    after: { y: '1\n', 'z/z': '2\n' },
  },
  'two files that change places': {
    tree: { x: '1\n', y: '2\n' },
    patches: [git('x', 'y', 'rename from x', 'rename to y') + git('y', 'x', 'rename from y', 'rename to x')],
    after: { x: '2\n', y: '1\n' },
  },
  'a file that becomes a folder by renaming': {
    tree: { x: '1\n' },
    patches: [git('x', 'x/x', 'rename from x', 'rename to x/x')],
    after: { 'x/x': '1\n' },
  },
  'a folder that becomes a file': {
    tree: { 'd/x': '1\n' },
    patches: [
      git('d/x', 'd/x', 'deleted file mode 100644', '--- a/d/x', '+++ /dev/null', '@@ -1 +0,0 @@', '-1') +
        git('d', 'd', 'new file mode 100644', '--- /dev/null', '+++ b/d', '@@ -0,0 +1 @@', '+2'),
    ],
    after: { d: '2\n' },
  },
  'mails in one file: a rename reads what the mail before it left': {
    tree: { x: '1\n' },
    patches: [
      `${git('x', 'x') + change('x', '1', '2')}-- \n2.39\n\nFrom 2\n${git('x', 'y', 'rename from x', 'rename to y')}`,
    ],
    after: { y: '2\n' },
  },
  'a symlink that stays inside': {
    tree: { 'd/x': '1\n' },
    patches: [
      git(
        'd/l',
        'd/l',
        'new file mode 120000',
        '--- /dev/null',
        '+++ b/d/l',
        '@@ -0,0 +1 @@',
        '+../d/x',
        '\\ No newline at end of file',
      ),
    ],
    after: { 'd/x': '1\n', 'd/l': '-> ../d/x' },
  },
  'names with blanks and C-quoted names': {
    tree: { 'two words': '1\n', ä: '1\n' },
    patches: [
      '--- a/two words\t\n+++ b/two words\t\n@@ -1 +1 @@\n-1\n+2\n--- "a/\\303\\244"\n+++ "b/\\303\\244"\n@@ -1 +1 @@\n-1\n+2\n',
    ],
    after: { 'two words': '2\n', ä: '2\n' },
  },
  'to the file that exists, whichever header names it': {
    tree: { x: '1\n' },
    patches: ['--- a/x.orig\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n', '--- a/x\n+++ b/x.new\n@@ -1 +1 @@\n-2\n+3\n'],
    after: { x: '3\n' },
  },
  'with strip level 0': {
    tree: { 'a/x': '1\n' },
    patches: ['--- a/x\n+++ a/x\n@@ -1 +1 @@\n-1\n+2\n'],
    strip: 0,
    after: { 'a/x': '2\n' },
  },
  'with strip level 3': {
    tree: { x: '1\n' },
    patches: ['--- a/b//c/x\n+++ /a/b/x\n@@ -1 +1 @@\n-1\n+2\n'],
    strip: 3,
    after: { x: '2\n' },
  },
  'an emptied file, which stays': {
    tree: { x: '1\n' },
    patches: ['--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n-1\n'],
    after: { x: '' },
  },
  'an emptied file, which goes in the dpkg dialect': {
    tree: { x: '1\n', y: '' },
    patches: ['--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n-1\n'],
    dialect: 'dpkg',
    after: { y: '' },
  },
  'a new empty file': {
    tree: { x: '' },
    patches: [git('n', 'n', 'new file mode 100644', 'index 0000000..e69de29')],
    after: { x: '', n: '' },
  },
  'a new empty file, which does not come in the dpkg dialect': {
    tree: { x: '' },
    patches: [git('n', 'n', 'new file mode 100644', 'index 0000000..e69de29')],
    dialect: 'dpkg',
    after: { x: '' },
  },
  'lines to a file with text where the patch says 0,0, in the dpkg dialect': {
    tree: { x: '1\n' },
    patches: ['--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+0\n'],
    dialect: 'dpkg',
    after: { x: '0\n1\n' },
  },
  'no bytes at all, in the dpkg dialect': { tree: { x: '1\n' }, patches: [''], dialect: 'dpkg', after: { x: '1\n' } },
};
for (const [title, { tree, patches, after, ...options }] of Object.entries(applied)) {
  test(`applySeries() applies ${title}`, async (t) => {
    const { apply, files } = lab(t, tree);
    await apply(patches, options);
    assert.deepEqual(files(), after);
  });
}

test('applySeries() reports files, hunks, offsets and what autotools read', async (t) => {
  const { apply } = lab(t, { x: '0\n1\n', 'configure.ac': '1\n', 'm4/a.m4': '1\n' });
  const reports = await apply([
    change('x', '1', '2'),
    change('m4/a.m4', '1', '2') + git('configure.ac', 'c', 'rename from configure.ac', 'rename to c'),
  ]);
  assert.deepEqual(reports, [
    {
      name: '0.patch',
      files: [{ path: 'x', change: 'modified', hunks: [{ patchLine: 3, line: 2, offset: 1 }] }],
      touchesBuildSystem: [],
    },
    {
      name: '1.patch',
      files: [
        { path: 'm4/a.m4', change: 'modified', hunks: [{ patchLine: 3, line: 1, offset: 0 }] },
        { path: 'c', change: 'renamed', from: 'configure.ac', hunks: [] },
      ],
      touchesBuildSystem: ['configure.ac', 'm4/a.m4'],
    },
  ]);
});

test('applySeries() tells of a patch that lands away from its stated lines', async (t) => {
  const { tree, folder } = lab(t, { x: '1\n', y: '0\n1\n' });
  writeTree(folder, { p: change('x', '1', '2') + change('y', '1', '2') });
  const events: BuildEvent[] = [];
  const patches = [{ name: 'p', path: join(folder, 'p'), strip: 1 }];
  await applySeries({ tree, patches, dialect: 'strict', emit: (event) => events.push(event) });
  assert.deepEqual(
    events.map((event) => event.type === 'notice' && [event.code, event.facts]),
    [['patch-offset', { patch: 'p', lines: 'y:2 (+1)' }]],
  );
});

test('applySeries() writes new files, so other hard links keep their content and nothing else is left', async (t) => {
  const { tree, folder, apply, files } = lab(t, { x: '1\n', y: '1\n' });
  linkSync(join(tree, 'x'), join(folder, 'other'));
  linkSync(join(tree, 'y'), join(folder, 'mode'));
  await apply([change('x', '1', '2') + git('y', 'y', 'old mode 100644', 'new mode 100755')]);
  assert.deepEqual(files(), { x: '2\n', 'y*': '1\n' });
  assert.equal(readFileSync(join(folder, 'other'), 'utf8'), '1\n');
  assert.equal(statSync(join(folder, 'mode')).mode & 0o111, 0);
});

test('applySeries() leaves the tree as it was when a later patch fails', async (t) => {
  const { refuses } = lab(t, { x: '1\n', y: '1\n' });
  const error = await refuses([
    change('x', '1', '2'),
    '--- a/y\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n',
    change('x', '1', '3'),
  ]);
  assert.match(error.where.file ?? '', /2\.patch$/);
});

test('applySeries() says that a patch is gone', async (t) => {
  const { tree, folder } = lab(t, { x: '1\n' });
  const gone = { name: 'gone', path: join(folder, 'gone'), strip: 1 };
  await assert.rejects(applySeries({ tree, patches: [gone], dialect: 'strict' }), { code: 'patch-missing' });
});

for (const [title, patch] of [
  ['an empty file', ''],
  ['prose only', 'Description: none\n'],
  ['a mode that is already set', git('x', 'x', 'old mode 100755', 'new mode 100644')],
] as const) {
  test(`applySeries() refuses a patch that changes nothing: ${title}`, async (t) => {
    const { refuses } = lab(t, { x: '1\n' });
    assert.equal((await refuses([patch])).code, 'patch-no-change');
  });
}

test('applySeries() refuses prose only in the dpkg dialect too', async (t) => {
  const { refuses } = lab(t, { x: '1\n' });
  assert.equal((await refuses(['prose\n'], { dialect: 'dpkg' })).code, 'patch-no-change');
});

test('applySeries() makes no folder outside the tree', async (t) => {
  const { folder, refuses } = lab(t, { x: '1\n' });
  await refuses(['--- /dev/null\n+++ b/../out/n\n@@ -0,0 +1 @@\n+1\n']);
  assert.equal(exists(join(folder, 'out')), false);
});
