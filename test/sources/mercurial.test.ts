import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { VbuildError } from '../../src/model/error.ts';
import { mercurial, mercurialKind, type MercurialSpec } from '../../src/sources/mercurial.ts';
import { exists, walk } from '../../src/system/files.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { commitAllHg, hgServer, inHg, makeHgRepository } from '../support/hg-server.ts';
import { removeTree, tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, sourceContext } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

function setting(t: TestContext) {
  const top = tempDir(t);
  const upstream = join(top, 'served/up');
  const commit = makeHgRepository(upstream, { 'a.c': 'one\n', 'lib/b.c': '$Id$\r\ntwo\n' });
  return { top, upstream, commit, context: sourceContext(top) };
}

async function fetched(spec: MercurialSpec, { top, context }: Pick<ReturnType<typeof setting>, 'top' | 'context'>) {
  const target = fetchTarget(top, `target${Math.random()}`);
  await mercurialKind.fetch(spec, await mercurialKind.resolve(spec, context), target, context);
  return target.tree;
}

/** The facts of the first notice. */
const toldOf = ({ events }: ReturnType<typeof sourceContext>): Readonly<Record<string, string>> | undefined =>
  events.find((event) => event.type === 'notice')?.facts;

const id = 'a'.repeat(40);
const rows: readonly (readonly [title: string, spec: MercurialSpec, problem: RegExp | undefined])[] = [
  ['an https URL and a tag', mercurial('https://example.org/up', { rev: 'v1.0' }), undefined],
  ['an ssh URL and a hash', mercurial('ssh://hg@example.org/up', { rev: id, subdir: 'lib' }), undefined],
  ['a path', mercurial('../up', { rev: 'stable' }), undefined],
  ['an empty URL', mercurial('', { rev: 'x' }), /URL of a repository/],
  ['an option in place of a URL', mercurial('--config=alias.x=!id', { rev: 'x' }), /not the URL/],
  ['an option in place of a host', mercurial('ssh://-oProxyCommand=id/x', { rev: 'x' }), /not the URL/],
  ['a bundle', mercurial('bundle:/tmp/x', { rev: 'x' }), /not the URL/],
  ['another scheme', mercurial('svn://example.org/x', { rev: 'x' }), /cannot read from svn/],
  ['a branch behind the URL', mercurial('https://example.org/up#stable', { rev: 'x' }), /as rev/],
  ['an option in place of a rev', mercurial('../up', { rev: '--debugger' }), /rev must be/],
  ['a rev with blanks, which could be an expression', mercurial('../up', { rev: 'last(all(), 2)' }), /rev must be/],
  ['a subdir that climbs', mercurial('../up', { rev: 'x', subdir: '../x' }), /subdir/],
];

for (const [title, spec, problem] of rows)
  test(`mercurial() ${problem ? 'refuses' : 'accepts'} ${title}`, () => {
    const found = mercurialKind.problems(spec);
    if (problem === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('; '), problem);
  });

test('mercurial() pins the changeset of a tag, a bookmark or a branch, and takes a full hash as it is', async (t) => {
  const { context, upstream, commit } = setting(t);
  inHg(upstream, 'tag', '--user=A', 'v1.0');
  inHg(upstream, 'bookmark', '--rev', commit, 'here');
  for (const rev of ['v1.0', 'here'])
    assert.deepEqual(await mercurialKind.resolve(mercurial('served/up', { rev }), context), {
      kind: 'mercurial',
      commit,
    });
  assert.deepEqual(
    await mercurialKind.resolve(mercurial('https://example.org/up', { rev: commit }), { ...context, offline: true }),
    { kind: 'mercurial', commit },
  );
});

test('mercurial() asks again what failed in passing, before it says that upstream lacks a rev', async (t) => {
  const { top, context, upstream, commit } = setting(t);
  const proxy = await faultProxy((await hgServer(t, top, upstream)).url);
  t.after(() => proxy.close());
  const spec = mercurial(`${proxy.url}/up`, { rev: 'default' });
  proxy.misbehave({ fault: { kind: 'answer', status: 503, body: 'try again' }, times: 1 });
  assert.deepEqual(await mercurialKind.resolve(spec, context), { kind: 'mercurial', commit });
  assert.ok(proxy.log.length > 1, 'the place was asked through the proxy');
});

test('mercurial() names a rev that upstream does not have', async (t) => {
  const { context } = setting(t);
  await assert.rejects(mercurialKind.resolve(mercurial('served/up', { rev: 'v9' }), context), (error: VbuildError) => {
    assert.equal(error.code, 'source-missing');
    assert.equal(error.facts['rev'], 'v9');
    return true;
  });
});

test('mercurial() fetches from paths and file: URLs, also offline, the bytes that are stored and nothing of its own', async (t) => {
  const { context, upstream, top } = setting(t);
  symlinkSync('a.c', join(upstream, 'link'));
  commitAllHg(upstream, 'link');
  for (const place of ['./served/up', pathToFileURL(upstream).href]) {
    const spec = mercurial(place, { rev: 'default' });
    const tree = await fetched(spec, { top, context: { ...context, offline: true } });
    assert.deepEqual(names(tree), ['a.c', 'lib', 'lib/b.c', 'link']);
    assert.equal(readFileSync(join(tree, 'lib/b.c'), 'latin1'), '$Id$\r\ntwo\n');
  }
});

test('mercurial() takes one folder of the repository, and names one that is not there', async (t) => {
  const here = setting(t);
  assert.deepEqual(names(await fetched(mercurial('served/up', { rev: 'tip', subdir: './lib' }), here)), ['b.c']);
  for (const subdir of ['nix', 'a.c'])
    await assert.rejects(fetched(mercurial('served/up', { rev: 'tip', subdir }), here), {
      code: 'source-missing',
      message: 'Commit has no such folder',
    });
});

test('mercurial() brings only what a later pin adds, and keeps to the pinned changeset when upstream moves the name', async (t) => {
  const { context, upstream, commit, top } = setting(t);
  inHg(upstream, 'bookmark', 'v1');
  const server = await hgServer(t, top, upstream);
  const spec = mercurial(`${server.url}/up`, { rev: 'v1' });
  const pin = await mercurialKind.resolve(spec, context);
  writeTree(upstream, { 'new.c': 'new' });
  const moved = commitAllHg(upstream, 'later');
  const next = await mercurialKind.resolve(spec, context);
  assert.deepEqual([pin.commit, next.commit], [commit, moved]);
  for (const [which, expected] of [
    [next, ['a.c', 'lib', 'lib/b.c', 'new.c']],
    [pin, ['a.c', 'lib', 'lib/b.c']],
  ] as const) {
    const target = fetchTarget(top, which.commit ?? '');
    await mercurialKind.fetch(spec, which, target, context);
    assert.deepEqual(names(target.tree), expected);
  }
});

test('mercurial() warns of a tag that moved, with both changesets, and says nothing of a bookmark or a branch that moved', async (t) => {
  const { context, upstream, commit, top } = setting(t);
  inHg(upstream, 'tag', '--user=A', '--rev', commit, 'v1');
  inHg(upstream, 'bookmark', '--rev', commit, 'here');
  const server = await hgServer(t, top, upstream);
  const sources = ['v1', 'here', 'default', 'tip', commit].map((rev) => mercurial(`${server.url}/up`, { rev }));
  const pins = await Promise.all(sources.map((spec) => mercurialKind.resolve(spec, context)));
  writeTree(upstream, { 'new.c': 'new' });
  const moved = commitAllHg(upstream, 'later');
  inHg(upstream, 'tag', '--user=A', '--force', '--rev', moved, 'v1');
  inHg(upstream, 'bookmark', '--force', '--rev', moved, 'here');
  for (const place of [server.url, join(top, 'served')])
    for (const [at, { rev }] of sources.entries()) {
      const fresh = sourceContext(tempDir(t, 'site'));
      const spec = mercurial(`${place}/up`, { rev });
      await mercurialKind.fetch(spec, pins[at] as (typeof pins)[number], fetchTarget(fresh.state), fresh);
      assert.deepEqual(
        fresh.events.map((event) => event.type === 'notice' && [event.code, event.facts]),
        rev === 'v1' ? [['tag-moved', { ...toldOf(fresh), url: `${place}/up`, expected: commit, found: moved }]] : [],
        `${rev} ${place}`,
      );
    }
});

test('mercurial() names both changesets when upstream moved the name and dropped the pinned one', async (t) => {
  const { context, upstream, commit, top } = setting(t);
  inHg(upstream, 'bookmark', 'v1');
  const server = await hgServer(t, top, upstream);
  const spec = mercurial(`${server.url}/up`, { rev: 'v1' });
  const pin = await mercurialKind.resolve(spec, context);
  removeTree(upstream);
  const moved = makeHgRepository(upstream, { 'other.c': 'other' });
  inHg(upstream, 'bookmark', 'v1');
  await assert.rejects(mercurialKind.fetch(spec, pin, fetchTarget(top), context), (error: VbuildError) => {
    assert.equal(error.code, 'pin-mismatch');
    assert.deepEqual([error.facts['expected'], error.facts['found']], [commit, moved]);
    return true;
  });
  await assert.rejects(mercurialKind.fetch({ ...spec, rev: commit }, pin, fetchTarget(top, 'other'), context), {
    code: 'source-missing',
  });
});

test('mercurial() runs no hook, of the user or of a repository on this disk, and no extension has a say in the bytes', async (t) => {
  const { context, upstream, commit, top } = setting(t);
  const marker = join(top, 'ran');
  const hooks = [
    'pre-identify',
    'pre-pull',
    'post-pull',
    'changegroup',
    'incoming',
    'preoutgoing',
    'outgoing',
    'update',
  ];
  const configuration = `[hooks]\n${hooks.map((name) => `${name}.x = touch ${marker}`).join('\n')}\n`;
  const rest =
    '[extensions]\nkeyword =\neol =\n[keyword]\n** =\n[eol]\nnative = CRLF\n[defaults]\narchive = --type zip\n';
  writeTree(top, { 'home/.hgrc': configuration + rest });
  writeFileSync(join(upstream, '.hg/hgrc'), configuration.replaceAll('.x', '.y'));
  const tree = await fetched(mercurial('served/up', { rev: 'default' }), { top, context });
  assert.equal(readFileSync(join(tree, 'lib/b.c'), 'latin1'), '$Id$\r\ntwo\n');
  assert.equal(exists(marker), false);
  assert.equal(commit.length, 40);
});

test('mercurial() leaves subrepositories out, and says so', async (t) => {
  const { context, upstream, top } = setting(t);
  makeHgRepository(join(upstream, 'sub'), { 'sub.c': 's' });
  writeTree(upstream, { '.hgsub': 'sub = sub\n' });
  commitAllHg(upstream, 'sub');
  const tree = await fetched(mercurial('served/up', { rev: 'default' }), { top, context });
  assert.ok(!names(tree).includes('sub'));
  assert.deepEqual(
    context.events.flatMap((event) => (event.type === 'notice' ? [[event.code, event.facts?.['folders']]] : [])),
    [['submodules-left-out', 'sub']],
  );
});

test('mercurial() refuses a symlink that leads out of the tree', async (t) => {
  const { context, upstream, top } = setting(t);
  symlinkSync('../../etc/passwd', join(upstream, 'lib/out'));
  commitAllHg(upstream, 'link');
  await assert.rejects(fetched(mercurial('served/up', { rev: 'default' }), { top, context }), (error: VbuildError) => {
    assert.equal(error.code, 'archive-refused');
    assert.equal(error.facts['member'], '"lib/out"');
    return true;
  });
});

test('mercurial() goes on after a pull that was killed', async (t) => {
  const { context, top } = setting(t);
  const spec = mercurial('served/up', { rev: 'default' });
  await fetched(spec, { top, context });
  const [repository = ''] = names(context.state).filter((name) => /^hg-\w+$/.test(name));
  symlinkSync('somebody:1', join(context.state, repository, '.hg/store/lock'));
  assert.deepEqual(names(await fetched(spec, { top, context })), ['a.c', 'lib', 'lib/b.c']);
});

test('mercurial() shows no password, and names the package that has hg where there is none', async (t) => {
  const { context, top } = setting(t);
  await assert.rejects(
    mercurialKind.resolve(mercurial('http://jo:s3cret@127.0.0.1:1/up', { rev: 'x' }), context),
    (error: VbuildError) => {
      assert.equal(error.code, 'vcs-failed');
      assert.doesNotMatch(JSON.stringify(error.facts), /s3cret/);
      return true;
    },
  );
  await assert.rejects(
    mercurialKind.resolve(mercurial('served/up', { rev: 'x' }), { ...context, environment: { PATH: top } }),
    (error: VbuildError) => {
      assert.equal(error.code, 'tool-missing');
      assert.match(error.mend, /apt-get install mercurial/);
      return true;
    },
  );
});
