/** Folders that are there, are lacking, or cannot be. */
import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../src/system/make-folder.ts';
import { tempDir } from '../support/temp.ts';

test('a folder is made with all above it, and left as it is where it is there', (t) => {
  const top = tempDir(t);
  makeFolder(join(top, 'a/b/c'));
  assert.ok(statSync(join(top, 'a/b/c')).isDirectory());
  mkdirSync(join(top, 'there'));
  symlinkSync('there', join(top, 'link'));
  makeFolder(join(top, 'link'));
  makeFolder(join(top, 'link/d'));
  assert.ok(statSync(join(top, 'there/d')).isDirectory());
});

test('what cannot be a folder is told by the system, and nothing is tried for ever', (t) => {
  const top = tempDir(t);
  writeFileSync(join(top, 'file'), '');
  symlinkSync('nowhere', join(top, 'dangling'));
  for (const [path, code] of [
    [join(top, 'file'), 'EEXIST'],
    [join(top, 'file/a/b'), 'ENOTDIR'],
    [join(top, 'dangling'), 'EEXIST'],
    ['/proc/vbuild/a', 'ENOENT'],
  ] as const)
    assert.throws(() => makeFolder(path), { code }, path);
});
