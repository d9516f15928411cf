/** `kill -9` at every change that `vbuild patch apply` makes to a tree: the next one finds the tree as it was, and no other trace. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { walk } from '../../src/system/files.ts';
import { type KillPoint, pointsIn, runKilledAt } from '../support/killing.ts';
import { projectAt } from '../support/project.ts';
import { tempDir, type WithCleanUp, writeTree } from '../support/temp.ts';
import type { Workspace } from '../support/vbuild.ts';

const one = `--- a/changed
+++ b/changed
@@ -1 +1 @@
-first
+second
--- a/gone/deep/file
+++ /dev/null
@@ -1 +0,0 @@
-first
`;
const two = `--- a/other
+++ b/other
@@ -1 +1 @@
-first
+second
--- /dev/null
+++ b/new/deep/file
@@ -0,0 +1 @@
+new
`;
const apply = ['patch', 'apply', '-d', 'tree', 'one.patch', 'two.patch'];

/** Every path with its mode and content, but for what is kept aside. */
const treeOf = (site: Workspace): unknown =>
  walk(join(site.path, 'tree'))
    .filter(({ path }) => !path.startsWith('.patched.'))
    .map(({ path, type, mode }) => [
      path,
      mode,
      type === 'file' ? readFileSync(join(site.path, 'tree', path), 'utf8') : type,
    ]);
const asideIn = (site: Workspace): string | undefined =>
  readdirSync(join(site.path, 'tree')).find((name) => name.startsWith('.patched.'));

/** All that changes the tree, and a part of what is noted of that. */
const sample = (points: readonly KillPoint[]): KillPoint[] =>
  points.filter(
    ({ name, count }) =>
      /^\w+ site\/tree\/([^.]|\.patched\.tmp(\/old\d+)?$)|^rm .*\/journal$/.test(name) ||
      (/^write .*\/journal$/.test(name) && count % 3 === 1),
  );

/** The first one to work on, and what makes a copy of it as it is now. */
function sites(t: WithCleanUp): { readonly copy: (name: string) => Workspace } {
  const top = tempDir(t);
  const kept = join(top, 'kept');
  const tree = { changed: 'first\n', other: 'first\n', kept: 'kept\n', 'gone/deep/file': 'first\n' };
  writeTree(join(kept, 'site/tree'), tree);
  writeTree(join(kept, 'site'), { 'one.patch': one, 'two.patch': two, 'bad.patch': one.replace('-first', '-last') });
  chmodSync(join(kept, 'site/tree/gone/deep'), 0o750);
  mkdirSync(join(kept, 'home'));
  return {
    copy(name) {
      cpSync(kept, join(top, name), { recursive: true, preserveTimestamps: true });
      return projectAt(join(top, name, 'site'), join(top, name, 'home'));
    },
  };
}

test('patches that are applied to a tree and killed on the way are taken back by the next command', async (t) => {
  const { copy } = sites(t);
  const [untouched, whole] = [copy('untouched'), copy('whole')];
  const before = treeOf(untouched);
  const points = sample(await pointsIn(whole, apply));
  const after = treeOf(whole);
  assert.notDeepEqual(after, before);
  t.diagnostic(`${points.length} points`);
  let partial = 0;
  const queue = [...points.entries()];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const [at, point] = item;
      const site = copy(`run${at}`);
      const where = `killed at ${point.count} ${point.name}`;
      const { signal, stderr } = await runKilledAt(site, point, apply);
      assert.equal(signal, 'SIGKILL', `${where}: ${stderr}`);
      const left = treeOf(site);
      const isDone =
        !existsSync(join(site.path, 'tree', asideIn(site) ?? '', 'journal')) && !isDeepStrictEqual(left, before);
      if (![before, after].some((state) => isDeepStrictEqual(left, state))) partial += 1;
      // One that fails shows what it began with; one that succeeds, that nothing stands in its way.
      const fails = isDone || at % 2 === 0;
      const ended = await site.run(fails ? ['patch', 'apply', '-d', 'tree', 'bad.patch'] : apply);
      assert.equal(ended.exitStatus, fails ? 1 : 0, `${where}: ${ended.stderr}`);
      assert.deepEqual([treeOf(site), asideIn(site)], [fails && !isDone ? before : after, undefined], where);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  assert.ok(partial > 2, `${partial} of the kills left the series in part`);
});

test('a tree that somebody changed after a kill is not taken back over that change', async (t) => {
  const { copy } = sites(t);
  const points = await pointsIn(copy('whole'), apply);
  const last = points.findLast(({ name }) => /^rename site\/tree\/[^.]/.test(name)) ?? assert.fail();
  const changes: readonly ((tree: string) => void)[] = [
    (tree) => writeFileSync(join(tree, 'changed'), 'mine\n'),
    (tree) => writeTree(tree, { 'gone/deep/file': 'mine\n' }),
    (tree) => rmSync(join(tree, 'other')),
  ];
  for (const [at, change] of changes.entries()) {
    const site = copy(`run${at}`);
    const { signal } = await runKilledAt(site, last, apply);
    assert.equal(signal, 'SIGKILL');
    change(join(site.path, 'tree'));
    const left = treeOf(site);
    const { exitStatus, stderr } = await site.run(apply);
    assert.equal(exitStatus, 1, String(at));
    assert.match(stderr, /changed after applying patches to it had been cut off/);
    assert.deepEqual(treeOf(site), left);
    // What it names is enough to go on.
    assert.ok(stderr.includes(asideIn(site) ?? assert.fail()), stderr);
  }
});
