/** Trees are copied as they are, and their bytes shared where the file system can do that. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir, writeTree } from '../support/temp.ts';
import { runProgram } from '../support/vbuild.ts';

test('copyTree() keeps symlinks and modes, and asks to share the blocks of each file', (t) => {
  const top = tempDir(t);
  const [from, to, trace] = [join(top, 'from'), join(top, 'new/to'), join(top, 'trace')];
  writeTree(from, { plain: 'plain\n', 'shut/tool': { text: '#!/bin/sh\n', mode: 0o555 }, 'a/b/c': 'c\n' });
  symlinkSync('../nowhere', join(from, 'a/link'));
  chmodSync(join(from, 'shut'), 0o555);
  chmodSync(from, 0o750);
  const program = `
    const { copyTree } = await import(${JSON.stringify(import.meta.resolve('../../src/system/copy-tree.ts'))});
    copyTree(${JSON.stringify(from)}, ${JSON.stringify(to)});`;
  const watch = ['-f', '-qq', '-e', 'trace=ioctl', '-e', 'signal=none', '-o', trace];
  execFileSync('strace', [...watch, process.execPath, '--input-type=module', '-e', program]);
  // Whether it can is for the file system to say: those of build machines mostly cannot.
  assert.equal(readFileSync(trace, 'utf8').match(/FICLONE/g)?.length, 3);
  const modeOf = (path: string): number => lstatSync(join(to, path)).mode & 0o7777;
  assert.deepEqual(
    ['', 'plain', 'shut', 'shut/tool', 'a/b'].map((path) => modeOf(path)),
    [0o750, 0o644, 0o555, 0o555, lstatSync(join(from, 'a/b')).mode & 0o7777],
  );
  assert.equal(readFileSync(join(to, 'a/b/c'), 'utf8'), 'c\n');
  assert.equal(readlinkSync(join(to, 'a/link')), '../nowhere');
});

test('copyTree() tells of a full disk that it is full, and what it could not write', async (t) => {
  const top = tempDir(t);
  writeTree(top, { 'from/large': 'x'.repeat(1_000_000), 'small/.keep': '' });
  const root = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const copy = `
    const { copyTree } = await import(${JSON.stringify(import.meta.resolve('../../src/system/copy-tree.ts'))});
    try { copyTree('from', 'small/to'); } catch ({ code, dest }) { console.log(code, dest); }`;
  const script = 'mount -t tmpfs -o size=300k small small && exec "$0" --input-type=module -e "$1"';
  const argv = ['unshare', ...root, '--mount', '--', 'sh', '-c', script, process.execPath, copy];
  const { stdout } = await runProgram(argv, { cwd: top, home: join(top, 'home') });
  assert.equal(stdout, 'ENOSPC small/to/large\n');
});
