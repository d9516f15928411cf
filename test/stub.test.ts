/** The sh stub: whatever Node the machine has, vbuild runs on one that is new enough, or says in one sentence why not. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir, type Tree, type WithCleanUp, writeTree } from './support/temp.ts';
import { type Ended, runProgram, vbuildBin } from './support/vbuild.ts';

const platform = `linux-${process.arch}`;

/** Enough of a command to see what the stub started: the Node that runs it, and its arguments. */
const echo = `process.stdout.write(JSON.stringify([process.execPath, process.argv.slice(2)]));`;

/** A Node of another age, as far as the stub can tell. */
const nodeOfAge = (major: number): Tree[string] => ({ text: `#!/bin/sh\necho ${major}\n`, mode: 0o755 });

/** An installation with the real stub and the real Node under this name, in a folder whose name holds a blank. */
function installation(
  t: WithCleanUp,
  nodeAt = `node_modules/node-${platform}/bin/node`,
): { readonly top: string; readonly home: string; readonly bin: string } {
  const top = join(tempDir(t), `a site's "folder"`);
  const home = join(top, 'lib', 'vbuild');
  writeTree(home, { 'src/cli.ts': echo, 'package.json': '{"type":"module"}' });
  mkdirSync(join(home, 'bin'));
  for (const file of ['vbuild', 'start.mjs']) copyFileSync(join(vbuildBin, '..', file), join(home, 'bin', file));
  if (nodeAt !== '') {
    mkdirSync(join(home, nodeAt, '..'), { recursive: true });
    symlinkSync(process.execPath, join(home, nodeAt));
  }
  return { top, home, bin: join(home, 'bin/vbuild') };
}

/** `tools` is the only folder on PATH beside the system's own ones without a Node. */
function runStub(
  argv: readonly string[],
  at: { readonly top: string; readonly tools?: Tree; readonly env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  const tools = join(at.top, 'tools');
  writeTree(tools, at.tools ?? {});
  mkdirSync(tools, { recursive: true });
  for (const tool of ['sh', 'uname', 'readlink']) {
    if (!existsSync(join(tools, tool))) symlinkSync(join('/bin', tool), join(tools, tool));
  }
  return runProgram(argv, { cwd: at.top, home: join(at.top, 'home'), env: { PATH: tools, ...at.env } });
}

function assertRan({ exitStatus, stdout, stderr }: Ended, args: readonly string[]): void {
  assert.deepEqual([exitStatus, stderr], [0, '']);
  assert.deepEqual(JSON.parse(stdout), [process.execPath, args]);
}

function assertRefused({ exitStatus, stdout, stderr }: Ended, sentence: RegExp): void {
  assert.deepEqual([exitStatus, stdout], [78, '']);
  assert.match(stderr, sentence);
  assert.equal(stderr.split('\n').length, 2, stderr);
}

test('Node 20 on PATH is enough, since a newer one comes along', async (t) => {
  const { top, bin } = installation(t);
  assertRan(await runStub([bin, 'pil'], { top, tools: { node: nodeOfAge(20) } }), ['pil']);
});

test('no Node on PATH is enough', async (t) => {
  const { top, bin } = installation(t);
  assertRan(await runStub([bin], { top }), []);
});

test('arguments arrive as they were given', async (t) => {
  const { top, bin } = installation(t);
  const args = ['a b', '', "it's", '"quoted"', '$HOME', '*', '-f', '--', 'ä\n'];
  assertRan(await runStub([bin, ...args], { top }), args);
});

test('the Node beside vbuild in a node_modules folder is found', async (t) => {
  const { top, bin } = installation(t, `../node-${platform}/bin/node`);
  assertRan(await runStub([bin, 'pil'], { top }), ['pil']);
});

test('a chain of symbolic links to the stub leads home, relative and absolute ones', async (t) => {
  const { top } = installation(t);
  mkdirSync(join(top, 'bin'));
  symlinkSync('../lib/vbuild/bin/vbuild', join(top, 'bin/relative'));
  symlinkSync(join(top, 'bin/relative'), join(top, 'bin/absolute'));
  symlinkSync('absolute', join(top, 'bin/vbuild'));
  assertRan(await runStub([join(top, 'bin/vbuild'), 'pil'], { top }), ['pil']);
});

test('the stub runs from its own folder, named without a slash', async (t) => {
  const { top, home } = installation(t);
  const { exitStatus, stdout } = await runProgram(['sh', 'vbuild', 'x'], {
    cwd: join(home, 'bin'),
    home: join(top, 'home'),
  });
  assert.equal(exitStatus, 0);
  assert.deepEqual(JSON.parse(stdout), [process.execPath, ['x']]);
});

test('VBUILD_NODE wins over the Node that comes along', async (t) => {
  const { top, bin } = installation(t);
  const wrapper = join(top, 'my node');
  writeTree(top, { 'my node': { text: `#!/bin/sh\n[ "$1" = -p ] && echo 24 || echo mine\n`, mode: 0o755 } });
  assert.deepEqual(await runStub([bin], { top, env: { VBUILD_NODE: wrapper } }), {
    exitStatus: 0,
    signal: undefined,
    stdout: 'mine\n',
    stderr: '',
  });
});

test('VBUILD_NODE that is too old, no Node, or not there is refused in one sentence with status 78', async (t) => {
  for (const [name, tree] of [
    ['old', { old: nodeOfAge(20) }],
    ['true', { true: { text: '#!/bin/sh\n', mode: 0o755 } }],
    ['missing', {}],
  ] as const) {
    const { top, bin } = installation(t);
    writeTree(top, tree);
    assertRefused(
      await runStub([bin], { top, env: { VBUILD_NODE: join(top, name) } }),
      /^vbuild: VBUILD_NODE is '.*', which is no Node 24 or newer\n$/,
    );
  }
});

test('without the Node that comes along, one on PATH is taken if it is new enough', async (t) => {
  const { top, bin } = installation(t, '');
  const { exitStatus, stdout } = await runStub([bin], {
    top,
    tools: { node: { text: '#!/bin/sh\n[ "$1" = -p ] && echo 26 || echo "$2"\n', mode: 0o755 } },
  });
  assert.equal(exitStatus, 0);
  assert.match(stdout, /bin\/start\.mjs\n$/);
});

test('no usable Node at all is refused in one sentence with status 78', async (t) => {
  const old = installation(t, '');
  assertRefused(
    await runStub([old.bin], { top: old.top, tools: { node: nodeOfAge(20) } }),
    /^vbuild: needs Node 24 or newer and found none: .*npm ci/,
  );
  const none = installation(t, '');
  assertRefused(
    await runStub([none.bin], { top: none.top }),
    /^vbuild: needs Node 24 or newer and found none: .*npm ci/,
  );
});

test('a published package, which has no sources, runs what was compiled', async (t) => {
  const published = installation(t);
  writeTree(published.home, { 'dist/cli.js': `process.stdout.write('compiled')` });
  rmSync(join(published.home, 'src'), { recursive: true });
  assert.equal((await runStub([published.bin], { top: published.top })).stdout, 'compiled');
});

test('compiled code is kept in the cache folder of the user, never in a folder that others can write', async (t) => {
  const { top, bin } = installation(t);
  assertRan(await runStub([bin], { top }), []);
  assert.ok(readdirSync(join(top, 'home/.cache/vbuild/compiled')).length > 0);
});

test('VBUILD_CACHE says where compiled code is kept as well', async (t) => {
  const { top, bin } = installation(t);
  assertRan(await runStub([bin], { top, env: { VBUILD_CACHE: join(top, 'own') } }), []);
  assert.ok(readdirSync(join(top, 'own/compiled')).length > 0);
  assert.ok(!existsSync(join(top, 'home/.cache')));
});

test('no code is run from a folder that others can write', async (t) => {
  const { top, bin } = installation(t);
  const folder = join(top, 'own/compiled');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  assertRan(await runStub([bin], { top, env: { VBUILD_CACHE: join(top, 'own') } }), []);
  assert.deepEqual(readdirSync(folder), []);
});

test('a cache folder that cannot be written is no obstacle', async (t) => {
  const { top, bin } = installation(t);
  for (const VBUILD_CACHE of ['/dev/null/cache', 'relative']) {
    assertRan(await runStub([bin], { top, env: { VBUILD_CACHE } }), []);
    assert.ok(!existsSync(join(top, 'relative')));
  }
});
