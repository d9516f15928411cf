import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { VbuildError } from '../../src/model/error.ts';
import { bazaar, bazaarKind, type BazaarSpec } from '../../src/sources/bazaar.ts';
import { exists, walk } from '../../src/system/files.ts';
import { bzrServer, commitAllBzr, inBzr, makeBzrBranch } from '../support/bzr-server.ts';
import { removeTree, tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, sourceContext } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

function setting(t: TestContext) {
  const top = tempDir(t);
  const upstream = join(top, 'served/up');
  const commit = makeBzrBranch(upstream, { 'a.c': '$Id$\r\n', 'lib/b.c': { text: 'two\n', mode: 0o755 } });
  return { top, upstream, commit, context: sourceContext(top) };
}

let targets = 0;
async function fetched(
  spec: BazaarSpec,
  { top, context }: Pick<ReturnType<typeof setting>, 'top' | 'context'>,
  pin?: Parameters<typeof bazaarKind.fetch>[1],
): Promise<string> {
  const target = fetchTarget(top, `target${(targets += 1)}`);
  await bazaarKind.fetch(spec, pin ?? (await bazaarKind.resolve(spec, context)), target, context);
  return target.tree;
}

const rows: readonly (readonly [title: string, spec: BazaarSpec, problem: RegExp | undefined])[] = [
  ['a tag', bazaar('bzr://example.org/up', { rev: '1.0' }), undefined],
  ['a number', bazaar('https://example.org/up', { rev: 'revno:12.1.3', subdir: 'lib' }), undefined],
  ['a revision id', bazaar('../up', { rev: 'revid:a@example.org-2024-x:1' }), undefined],
  ['an option in place of a URL', bazaar('--x', { rev: '1.0' }), /not the URL/],
  ['another scheme', bazaar('git://example.org/up', { rev: '1.0' }), /cannot read from git/],
  ['an option in place of a rev', bazaar('../up', { rev: '-x' }), /rev must be/],
  ['a form of rev that reads another place', bazaar('../up', { rev: 'branch:/etc' }), /rev must be/],
  ['a subdir that climbs', bazaar('../up', { rev: '1.0', subdir: '../x' }), /subdir/],
];

for (const [title, spec, problem] of rows)
  test(`bazaar() ${problem ? 'refuses' : 'accepts'} ${title}`, () => {
    const found = bazaarKind.problems(spec);
    if (problem === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('; '), problem);
  });

test('bazaar() pins the revision id of a tag or a number, and gives that tree when the tag has moved', async (t) => {
  const here = setting(t);
  inBzr(here.upstream, 'tag', '--quiet', '1.0');
  const spec = bazaar('served/up', { rev: '1.0' });
  const pin = await bazaarKind.resolve(spec, here.context);
  assert.deepEqual(pin, { kind: 'bazaar', commit: here.commit });
  assert.deepEqual(await bazaarKind.resolve({ ...spec, rev: 'revno:1' }, here.context), pin);
  assert.deepEqual(await bazaarKind.resolve({ ...spec, rev: `revid:${here.commit}` }, here.context), pin);
  const moved = commitAllBzr(here.upstream, { 'new.c': 'new' });
  inBzr(here.upstream, 'tag', '--quiet', '--force', '1.0');
  assert.equal((await bazaarKind.resolve(spec, here.context)).commit, moved);
  assert.deepEqual(names(await fetched(spec, here, pin)), ['a.c', 'lib', 'lib/b.c']);
  const told = (): unknown[] =>
    here.context.events.map(
      (event) => event.type === 'notice' && [event.code, event.facts?.['expected'], event.facts?.['found']],
    );
  assert.deepEqual(told(), [['tag-moved', here.commit, moved]]);
  // Numbers are upstream's to give anew.
  const [again, revno] = [sourceContext(join(here.top, 'again')), { ...spec, url: here.upstream, rev: 'revno:2' }];
  await bazaarKind.fetch(revno, pin, fetchTarget(here.top, 'revno'), again);
  assert.deepEqual(again.events, []);
});

test('bazaar() gives the stored bytes, links and modes included, whatever the user’s rules say, and runs none of the user’s plugins', async (t) => {
  const here = setting(t);
  symlinkSync('a.c', join(here.upstream, 'link'));
  commitAllBzr(here.upstream, {});
  const marker = join(here.top, 'ran');
  writeTree(here.top, {
    'home/.config/breezy/rules': '[name *]\neol = native\nkeywords = on\n',
    'home/.config/breezy/plugins/evil.py': `open(${JSON.stringify(marker)}, 'w').close()\n`,
  });
  const tree = await fetched(bazaar('served/up', { rev: 'revno:2' }), here);
  assert.equal(readFileSync(join(tree, 'a.c'), 'latin1'), '$Id$\r\n');
  assert.deepEqual(
    walk(tree).map(({ path, type, mode }) => `${path} ${type} ${type === 'symlink' ? '' : mode.toString(8)}`),
    ['a.c file 644', 'lib directory 755', 'lib/b.c file 755', 'link symlink '],
  );
  assert.equal(exists(marker), false);
});

test('bazaar() takes one folder of the branch, and names what is not there', async (t) => {
  const here = setting(t);
  assert.deepEqual(names(await fetched(bazaar('served/up', { rev: 'revno:1', subdir: 'lib' }), here)), ['b.c']);
  await assert.rejects(fetched(bazaar('served/up', { rev: 'revno:1', subdir: 'nix' }), here), {
    code: 'source-missing',
    message: 'Commit has no such folder',
  });
  for (const rev of ['v9', 'revno:9'])
    await assert.rejects(fetched(bazaar('served/up', { rev }), here), {
      code: 'source-missing',
      message: 'Repository has no such tag or branch',
    });
  await assert.rejects(fetched(bazaar('served/nix', { rev: '1.0' }), here), { code: 'vcs-failed' });
});

test('bazaar() names both revisions when upstream moved the tag and dropped the pinned one', async (t) => {
  const here = setting(t);
  inBzr(here.upstream, 'tag', '--quiet', '1.0');
  const server = await bzrServer(t, join(here.top, 'served'));
  const spec = bazaar(`${server.url}/up`, { rev: '1.0' });
  const pin = await bazaarKind.resolve(spec, here.context);
  removeTree(here.upstream);
  const moved = makeBzrBranch(here.upstream, { 'other.c': 'other' });
  inBzr(here.upstream, 'tag', '--quiet', '1.0');
  await assert.rejects(fetched(spec, here, pin), (error: VbuildError) => {
    assert.equal(error.code, 'pin-mismatch');
    assert.deepEqual([error.facts['expected'], error.facts['found']], [here.commit, moved]);
    return true;
  });
  await assert.rejects(fetched({ ...spec, rev: `revid:${here.commit}` }, here, pin), { code: 'source-missing' });
});

test('bazaar() names the package that has brz where there is none', async (t) => {
  const { context, top } = setting(t);
  await assert.rejects(
    bazaarKind.resolve(bazaar('served/up', { rev: '1.0' }), { ...context, environment: { PATH: top } }),
    (error: VbuildError) => {
      assert.equal(error.code, 'tool-missing');
      assert.match(error.mend, /apt-get install brz/);
      return true;
    },
  );
});
