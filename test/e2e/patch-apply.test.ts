/** `vbuild patch apply` and the words around it, by the real command; what patches do to trees is tested beside the code. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { namesIn } from '../../src/system/files.ts';
import { runProgram, vbuildBin, workspace } from '../support/vbuild.ts';

const patch = (name: string, from: string, to: string, at = 1): string =>
  `--- a/${name}\n+++ b/${name}\n@@ -${at} +${at} @@\n-${from}\n+${to}\n`;

test('patch apply applies patches in the order given, without a Buildfile, and says what each did', async (t) => {
  const { run, read } = workspace(t, {
    'tree/x': '0\n1\n',
    'z.patch': patch('x', '1', '2'),
    'a.patch': `${patch('x', '2', '3', 2)}--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+n\n`,
  });
  const { exitStatus, stdout, stderr } = await run(['patch', 'apply', '-d', 'tree', 'z.patch', 'a.patch']);
  assert.deepEqual([exitStatus, stdout], [0, 'z.patch  1 file, 1 hunk at an offset\na.patch  2 files\n']);
  assert.match(stderr, /note: Patch fits, away from its stated lines\n {2}patch +z\.patch\n {2}lines +x:2 \(\+1\)\n/);
  assert.deepEqual([read('tree/x'), read('tree/n')], ['0\n3\n', 'n\n']);
});

test('patch apply takes the current folder, any strip level and both dialects', async (t) => {
  const { run, read, path } = workspace(t, {
    x: '1\n',
    'deep.patch': patch('q/x', '1', '2'),
    'zero.patch': '--- x\n+++ x\n@@ -1 +1 @@\n-2\n+3\n',
    'empty.patch': '--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n-3\n',
  });
  assert.equal((await run(['patch', 'apply', '-p2', 'deep.patch', '-s'])).stdout, '');
  assert.equal((await run(['patch', 'apply', '-p', '0', 'zero.patch'])).exitStatus, 0);
  assert.equal(read('x'), '3\n');
  const { stdout } = await run(['patch', 'apply', '--dialect', 'dpkg', '--json', 'empty.patch']);
  const [first] = (JSON.parse(stdout) as { patches: { patch: string; files: { change: string }[] }[] }).patches;
  assert.deepEqual([first?.patch, first?.files.map(({ change }) => change)], ['empty.patch', ['deleted']]);
  assert.equal(namesIn(path).includes('x'), false);
});

test('patch apply leaves the tree as it was when a later patch fails, names every failing hunk, and ends with status 1', async (t) => {
  const { run, read, path } = workspace(t, {
    x: '1\n',
    y: '1\n',
    '1.patch': patch('x', '1', '2'),
    '2.patch': patch('x', '1', '3') + patch('y', '5', '6'),
  });
  const { exitStatus, stdout, stderr } = await run(['patch', 'apply', '1.patch', '2.patch']);
  assert.deepEqual([exitStatus, stdout], [1, '']);
  assert.match(stderr, /error: Patch does not apply\n {2}file +2\.patch:3\n/);
  assert.match(stderr, /expected +x:1 to read "1"\n {2}found +"2"\n/);
  assert.match(stderr, /also +line 8: hunk 1 of y\n/);
  assert.equal(read('x'), '1\n');
  assert.deepEqual(namesIn(path), ['1.patch', '2.patch', 'x', 'y']);
});

for (const closed of ['tree', 'tree/d'])
  test(`patch apply leaves the tree as it was when ${closed} cannot be written`, async (t) => {
    const { read, path, home } = workspace(t, {
      'tree/x': '1\n',
      'tree/e/gone': '1\n',
      'tree/d/y': '1\n',
      'p.patch':
        '--- a/e/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n--- /dev/null\n+++ b/new/n\n@@ -0,0 +1 @@\n+1\n' +
        patch('x', '1', '2') +
        patch('d/y', '1', '2'),
    });
    for (const folder of ['tree', 'tree/e', 'tree/d']) chmodSync(join(path, folder), folder === closed ? 0o555 : 0o777);
    const asUser = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all'];
    const isRoot = process.getuid?.() === 0;
    if (isRoot)
      for (const folder of [path, join(path, '..'), home]) {
        mkdirSync(folder, { recursive: true });
        chmodSync(folder, 0o777);
      }
    const { exitStatus, stderr } = await runProgram(
      [...(isRoot ? asUser : []), vbuildBin, 'patch', 'apply', '-d', 'tree', 'p.patch'],
      { cwd: path, home },
    );
    chmodSync(join(path, closed), 0o755);
    assert.equal(exitStatus, 1, stderr);
    assert.match(stderr, /Permission is denied/);
    assert.deepEqual([read('tree/x'), read('tree/d/y'), read('tree/e/gone')], ['1\n', '1\n', '1\n']);
    assert.deepEqual(namesIn(join(path, 'tree')), ['d', 'e', 'x']);
  });

const refused: readonly (readonly [args: readonly string[], status: number, words: RegExp])[] = [
  [['patch', 'apply'], 2, /"vbuild patch apply" needs a patch/],
  [['patch', 'apply', 'gone.patch'], 2, /Patch is not there/],
  [['patch', 'apply', '.'], 2, /Patch is a folder/],
  [['patch', 'apply', '-d', 'gone', 'x'], 2, /Tree to patch is not a folder/],
  [
    ['patch', 'apply', '--dialect', 'dpgk', 'x'],
    2,
    /expected +strict or dpkg\n {2}found +dpgk\n {2}mend +did you mean dpkg\?/,
  ],
  [['patch', 'apply', '-p', 'x', 'x'], 2, /whole number from 0/],
  [['patch', 'apply', '-j2', 'x'], 2, /does not apply to "vbuild patch apply"/],
  [
    ['patch'],
    2,
    /"vbuild patch" needs a second word\n {2}expected +apply, check, edit, save, rebase\n {2}mend +see "vbuild help patch"/,
  ],
  [['patch', 'aply'], 2, /did you mean "vbuild patch apply"\?/],
  [['patch', 'edit'], 2, /needs one package/],
  [['patch', 'rebase', 'a', 'b'], 2, /needs one package/],
  [['patch', 'rebase', 'a', '--abort', '--continue'], 2, /contradict each other/],
];
for (const [args, status, words] of refused) {
  test(`vbuild ${args.join(' ')} is refused`, async (t) => {
    const { run } = workspace(t, { x: 'prose\n' });
    const { exitStatus, stderr } = await run(args);
    assert.equal(exitStatus, status, stderr);
    assert.match(stderr, words);
  });
}

test('help knows the commands about patches one by one and together', async (t) => {
  const { run } = workspace(t, {});
  assert.match((await run(['help', 'patch'])).stdout, /vbuild patch rebase \[OPTION…\] TARGET/);
  assert.match((await run(['help', 'patch', 'apply'])).stdout, /^ {2}vbuild patch apply \[OPTION…\] PATCH…$/m);
  assert.match((await run(['patch', 'save', '--help'])).stdout, /vbuild patch save - /);
  assert.match((await run(['patch', '--help'])).stdout, /^COMMANDS$/m);
});
