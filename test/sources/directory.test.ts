import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { VbuildError } from '../../src/model/error.ts';
import { directory, directoryKind } from '../../src/sources/directory.ts';
import { walk } from '../../src/system/files.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { type Tree, tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, sourceContext } from '../support/upstream.ts';

function setting(t: TestContext, tree: Tree) {
  const top = tempDir(t);
  writeTree(join(top, 'own'), tree);
  const context = sourceContext(top);
  const fetch = async (path: string): Promise<string> => {
    const target = fetchTarget(top);
    await directoryKind.fetch(directory(path), { kind: 'directory' }, target, context);
    return target.tree;
  };
  return { top, context, fetch };
}

test('directory() copies a folder, with plain modes and symlinks as they are', async (t) => {
  const { top, fetch } = setting(t, {
    'a.c': { text: 'a', mode: 0o600 },
    'sub/run': { text: 'r', mode: 0o700 },
    'node_modules/x/y': 'kept',
  });
  symlinkSync('../a.c', join(top, 'own/sub/link'));
  mkdirSync(join(top, 'own/hollow'));
  chmodSync(join(top, 'own/sub'), 0o700);
  const tree = await fetch('own');
  assert.deepEqual(
    walk(tree).map(({ path, type, mode, target }) => `${path} ${type} ${target ?? mode.toString(8)}`),
    [
      'a.c file 644',
      'hollow directory 755',
      'node_modules directory 755',
      'node_modules/x directory 755',
      'node_modules/x/y file 644',
      'sub directory 755',
      'sub/link symlink ../a.c',
      'sub/run file 755',
    ],
  );
});

test('directory() leaves out what version control and vbuild keep for themselves, on every level', async (t) => {
  const { fetch } = setting(t, {
    'a.c': '',
    '.git/HEAD': '',
    'sub/.git': 'gitdir: elsewhere',
    '.hg/x': '',
    '.svn/x': '',
    '.vbuild/work/x': '',
    '.gitignore': 'x',
  });
  assert.deepEqual(
    walk(await fetch('own')).map(({ path }) => path),
    ['.gitignore', 'a.c', 'sub'],
  );
});

test('directory() takes the folder of the Buildfile itself, though the work folder lies in it', async (t) => {
  const { top, context } = setting(t, { 'a.c': '' });
  const target = fetchTarget(join(top, '.vbuild'));
  await directoryKind.fetch(directory('.'), { kind: 'directory' }, target, { ...context, buildfileFolder: join(top) });
  assert.ok(walk(target.tree).some(({ path }) => path === 'own/a.c'));
  assert.ok(!walk(target.tree).some(({ path }) => path.includes('.vbuild')));
});

test('directory() refuses a symlink that leads out of it, which would mean another file in the copy', async (t) => {
  const { top, fetch } = setting(t, { 'sub/a.c': '' });
  symlinkSync('../../outside', join(top, 'own/sub/out'));
  await assert.rejects(fetch('own'), (error: VbuildError) => {
    assert.equal(error.code, 'archive-refused');
    assert.equal(error.facts['member'], '"sub/out"');
    return true;
  });
});

test('directory() refuses what is no file, folder or symlink', async (t) => {
  const { top, fetch } = setting(t, { 'a.c': '' });
  execFileSync('mkfifo', [join(top, 'own/pipe')]);
  assert.equal(typeof directoryKind.current?.(directory('own'), top), 'string');
  await assert.rejects(fetch('own'), { code: 'archive-refused' });
});

for (const path of ['gone', 'own/a.c'])
  test(`directory() says where it looked for a folder that is not there: ${path}`, async (t) => {
    const { top, fetch } = setting(t, { 'a.c': '' });
    const missing = (error: VbuildError): boolean => {
      assert.equal(error.code, 'source-missing');
      assert.equal(error.where.file, join(top, path));
      return true;
    };
    assert.throws(() => directoryKind.current?.(directory(path), top), missing);
    await assert.rejects(fetch(path), missing);
  });

test('directory() counts by the digest of exactly what it would copy', async (t) => {
  const { top, fetch } = setting(t, {
    'a.c': 'a',
    '.git/HEAD': 'x',
    'sub/.vbuild/x': '',
    'lib/b.c': { text: 'b', mode: 0o700 },
  });
  symlinkSync('a.c', join(top, 'own/link'));
  const now = directoryKind.current?.(directory('own'), top);
  assert.equal(now, treeDigest(await fetch('own')));
  writeTree(join(top, 'own'), { '.git/HEAD': 'y' });
  assert.equal(directoryKind.current?.(directory('own'), top), now);
  writeTree(join(top, 'own'), { 'lib/b.c': 'b' });
  assert.notEqual(directoryKind.current?.(directory('own'), top), now);
});

test('directory() wants a path', () => {
  assert.deepEqual(directoryKind.problems(directory('../own')), []);
  assert.equal(directoryKind.problems(directory('')).length, 1);
});
