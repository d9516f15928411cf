import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { VbuildError } from '../../src/model/error.ts';
import { git, gitKind, type GitSpec } from '../../src/sources/git.ts';
import { mirror } from '../../src/sources/mirror-spec.ts';
import { walk } from '../../src/system/files.ts';
import { commitAll, gitServer, inGit, makeRepository } from '../support/git-server.ts';
import { removeTree, tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, sourceContext } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

function setting(t: TestContext) {
  const top = tempDir(t);
  const upstream = join(top, 'served/up');
  const commit = makeRepository(upstream, { 'a.c': 'one\n', 'lib/b.c': 'two\n' });
  return { top, upstream, commit, context: sourceContext(top) };
}

const id = 'a'.repeat(40);
const rows: readonly (readonly [title: string, spec: GitSpec, problem: RegExp | undefined])[] = [
  ['an https URL and a tag', git('https://example.org/up.git', { rev: 'v1.0' }), undefined],
  ['the form of scp', git('git@example.org:up.git', { rev: id }), undefined],
  ['a path', git('../up', { rev: 'release/1.x' }), undefined],
  ['all options', git('ssh://example.org/up', { rev: 'main', subdir: 'lib', submodules: true }), undefined],
  ['an empty URL', git('', { rev: 'main' }), /URL of a repository/],
  ['an option in place of a URL', git('--upload-pack=touch /tmp/x', { rev: 'main' }), /not the URL/],
  ['a remote helper that runs programs', git('ext::sh -c id', { rev: 'main' }), /not the URL/],
  ['an empty rev', git('../up', { rev: '' }), /rev must be/],
  ['an option in place of a rev', git('../up', { rev: '--exec=x' }), /rev must be/],
  ['a pattern in place of a rev', git('../up', { rev: 'v1.*' }), /rev must be/],
  ['a range', git('../up', { rev: 'a..b' }), /rev must be/],
  ['a subdir that climbs', git('../up', { rev: 'main', subdir: '../x' }), /subdir/],
];

for (const [title, spec, problem] of rows)
  test(`git() ${problem ? 'refuses' : 'accepts'} ${title}`, () => {
    const found = gitKind.problems(spec);
    if (problem === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('; '), problem);
  });

test('git() pins the commit of a tag, and takes a full commit id as it is', async (t) => {
  const { context, upstream, commit } = setting(t);
  inGit(upstream, 'tag', '--annotate', '--message=v', 'v1.0');
  commitAll(upstream, 'later');
  assert.deepEqual(await gitKind.resolve(git('served/up', { rev: 'v1.0' }), context), { kind: 'git', commit });
  assert.deepEqual(
    await gitKind.resolve(git('https://example.org/up', { rev: commit }), { ...context, offline: true }),
    { kind: 'git', commit },
  );
});

test('git() takes the full name of a ref, and peels a tag that has a text of its own', async (t) => {
  const { context, upstream, commit } = setting(t);
  inGit(upstream, 'tag', '--annotate', '--message=first', 'v1.0');
  inGit(upstream, 'branch', 'stable');
  for (const rev of ['v1.0', 'refs/tags/v1.0', 'stable', 'refs/heads/stable', 'HEAD'])
    assert.equal((await gitKind.resolve(git('served/up', { rev }), context)).commit, commit, rev);
});

test('git() says nothing of a branch that moved on', async (t) => {
  const { context, upstream, top } = setting(t);
  inGit(upstream, 'branch', 'stable');
  const spec = git('served/up', { rev: 'stable' });
  const pin = await gitKind.resolve(spec, context);
  writeTree(upstream, { 'new.c': 'new' });
  commitAll(upstream, 'later');
  inGit(upstream, 'branch', '--force', 'stable');
  await gitKind.fetch(spec, pin, fetchTarget(top), context);
  assert.deepEqual(context.events, []);
});

test('git() names a rev that upstream does not have', async (t) => {
  const { context } = setting(t);
  await assert.rejects(gitKind.resolve(git('served/up', { rev: 'v9' }), context), (error: VbuildError) => {
    assert.equal(error.code, 'source-missing');
    assert.equal(error.facts['rev'], 'v9');
    return true;
  });
});

for (const [title, place] of [
  ['a path relative to the Buildfile', () => './served/up'],
  ['an absolute path', (upstream: string) => upstream],
  ['a file: URL', (upstream: string) => pathToFileURL(upstream).href],
] as const)
  test(`git() fetches from ${title}, without .git`, async (t) => {
    const { context, upstream, top } = setting(t);
    const spec = git(place(upstream), { rev: 'main' });
    const target = fetchTarget(top);
    await gitKind.fetch(spec, await gitKind.resolve(spec, context), target, context);
    assert.deepEqual(names(target.tree), ['a.c', 'lib', 'lib/b.c']);
  });

test('git() keeps to the pinned commit when upstream moves the tag, as long as the commit is to be had', async (t) => {
  const { context, upstream, commit, top } = setting(t);
  inGit(upstream, 'tag', 'v1.0');
  const spec = git('served/up', { rev: 'v1.0' });
  const pin = await gitKind.resolve(spec, context);
  writeTree(upstream, { 'new.c': 'new' });
  const moved = commitAll(upstream, 'later');
  inGit(upstream, 'tag', '--force', 'v1.0');
  const target = fetchTarget(top);
  await gitKind.fetch(spec, pin, target, context);
  assert.deepEqual(names(target.tree), ['a.c', 'lib', 'lib/b.c']);
  assert.deepEqual(
    context.events.flatMap((event) =>
      event.type === 'notice' ? [[event.level, event.code, event.facts?.['expected'], event.facts?.['found']]] : [],
    ),
    [['warning', 'tag-moved', commit, moved]],
  );
  assert.deepEqual([pin.commit, (await gitKind.resolve(spec, context)).commit], [commit, moved]);
});

test('git() names both commits when upstream moved the tag and dropped the pinned one', async (t) => {
  const { context, upstream, commit, top } = setting(t);
  inGit(upstream, 'tag', 'v1.0');
  const spec = git('served/up', { rev: 'v1.0' });
  const pin = await gitKind.resolve(spec, context);
  removeTree(upstream);
  const moved = makeRepository(upstream, { 'other.c': 'other' });
  inGit(upstream, 'tag', 'v1.0');
  await assert.rejects(gitKind.fetch(spec, pin, fetchTarget(top), context), (error: VbuildError) => {
    assert.equal(error.code, 'pin-mismatch');
    assert.deepEqual([error.facts['expected'], error.facts['found']], [commit, moved]);
    return true;
  });
  await assert.rejects(gitKind.fetch({ ...spec, rev: commit }, pin, fetchTarget(top, 'other'), context), {
    code: 'source-missing',
  });
});

test('git() names the package that has git where there is none', async (t) => {
  const { context, top } = setting(t);
  const bare = { ...context, environment: { ...context.environment, PATH: top } };
  await assert.rejects(gitKind.resolve(git('served/up', { rev: 'v1.0' }), bare), (error: VbuildError) => {
    assert.equal(error.code, 'tool-missing');
    assert.match(error.mend, /apt-get install git$/);
    return true;
  });
});

test('git() never shows a password', async (t) => {
  const { context } = setting(t);
  const spec = git('http://jo:s3cret@127.0.0.1:1/up', { rev: 'main' });
  await assert.rejects(gitKind.resolve(spec, context), (error: VbuildError) => {
    assert.equal(error.code, 'git-failed');
    assert.doesNotMatch(JSON.stringify(error.facts), /s3cret/);
    return true;
  });
});

test('git() takes one folder of the repository', async (t) => {
  const { context, top } = setting(t);
  const spec = git('served/up', { rev: 'main', subdir: 'lib' });
  const target = fetchTarget(top);
  await gitKind.fetch(spec, await gitKind.resolve(spec, context), target, context);
  assert.deepEqual(names(target.tree), ['b.c']);
});

test('git() refuses a symlink that leads out of the tree', async (t) => {
  const { context, upstream, top } = setting(t);
  symlinkSync('../../etc/passwd', join(upstream, 'lib/out'));
  commitAll(upstream, 'link');
  const spec = git('served/up', { rev: 'main' });
  const pin = await gitKind.resolve(spec, context);
  await assert.rejects(gitKind.fetch(spec, pin, fetchTarget(top), context), (error: VbuildError) => {
    assert.equal(error.code, 'archive-refused');
    assert.equal(error.facts['member'], '"lib/out"');
    return true;
  });
});

/** Makes `up` name `sub` as a submodule in `deps/sub`, by any URL. */
function addSubmodule(upstream: string, url: string, commit: string): void {
  writeTree(upstream, { '.gitmodules': `[submodule "s.u b"]\n\tpath = deps/sub\n\turl = ${url}\n` });
  inGit(upstream, 'add', '.gitmodules');
  inGit(upstream, 'update-index', '--add', '--cacheinfo', `160000,${commit},deps/sub`);
  inGit(upstream, 'commit', '--quiet', '--message=submodule');
}

test('git() lands nothing of a hostile tree, and names what it refuses', async (t) => {
  const { context, upstream, top } = setting(t);
  inGit(upstream, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  const write = (type: string, content: string | Buffer): string =>
    execFileSync('git', ['-C', upstream, 'hash-object', '-w', '--literally', '-t', type, '--stdin'], {
      input: content,
      encoding: 'utf8',
    }).trim();
  const tree = (mode: string, name: string, object: string): string =>
    write('tree', Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, 'hex')]));
  const blob = write('blob', 'evil\n');
  const folder = (name: string): string => tree('40000', name, tree('100755', 'evil', blob));
  const hostile: Readonly<Record<string, string>> = {
    '../evil': folder('..'),
    '..': tree('100644', '..', blob),
    '../../evil': tree('100644', '../../evil', blob),
    [`${top}/evil`]: tree('100644', `${top}/evil`, blob),
    '.git/evil': folder('.git'),
    '.GIT/evil': folder('.GIT'),
    l: tree('120000', 'l', write('blob', '/etc')),
  };
  for (const [at, [member, evil]] of Object.entries(hostile).entries()) {
    const commit = inGit(upstream, 'commit-tree', '-m', 'evil', evil);
    inGit(upstream, 'update-ref', `refs/heads/evil${at}`, commit);
    const target = fetchTarget(top, `hostile${at}`);
    await assert.rejects(gitKind.fetch(git('served/up', { rev: commit }), { kind: 'git', commit }, target, context), {
      code: 'archive-refused',
      facts: {
        member: JSON.stringify(member),
        reason: member === 'l' ? 'it is a symlink that leads out of the tree: "/etc"' : 'git takes no such name',
      },
    });
    assert.deepEqual(
      [...walk(top)].filter(({ path }) => path.endsWith('/evil') || path === 'evil'),
      [],
    );
  }
});

test('git() brings submodules, also nested and relative ones, at the commits that the pinned tree names', async (t) => {
  const { context, upstream, top } = setting(t);
  const server = await gitServer(t, join(top, 'served'));
  const inner = makeRepository(join(top, 'served/inner'), { 'inner.c': 'i' });
  const sub = join(top, 'served/sub');
  makeRepository(sub, { 'sub.c': 's' });
  addSubmodule(sub, '../inner', inner);
  const named = inGit(sub, 'rev-parse', 'HEAD');
  commitAll(join(top, 'served/inner'), 'later, not wanted');
  addSubmodule(upstream, `${server.url}/sub`, named);
  const spec = git(`${server.url}/up`, { rev: 'main', submodules: true });
  const target = fetchTarget(top);
  await gitKind.fetch(spec, await gitKind.resolve(spec, context), target, context);
  assert.deepEqual(
    names(target.tree).filter((name) => name.endsWith('.c')),
    ['a.c', 'deps/sub/deps/sub/inner.c', 'deps/sub/sub.c', 'lib/b.c'],
  );
});

test('git() asks mirrors for a submodule that is named as ssh names places', async (t) => {
  const { upstream, top } = setting(t);
  addSubmodule(
    upstream,
    'git@git.example.org:me/sub.git',
    makeRepository(join(top, 'mirror/me/sub.git'), { 'sub.c': 's' }),
  );
  const context = sourceContext(top, { mirrors: [mirror('git@git.example.org:', { to: join(top, 'mirror') })] });
  const spec = git('served/up', { rev: 'main', submodules: true });
  const target = fetchTarget(top);
  await gitKind.fetch(spec, await gitKind.resolve(spec, context), target, context);
  assert.ok(names(target.tree).includes('deps/sub/sub.c'));
});

test('git() leaves submodules out unless told otherwise, and says so', async (t) => {
  const { context, upstream, commit, top } = setting(t);
  addSubmodule(upstream, '../sub', commit);
  const spec = git('served/up', { rev: 'main' });
  const target = fetchTarget(top);
  await gitKind.fetch(spec, await gitKind.resolve(spec, context), target, context);
  assert.deepEqual(
    names(target.tree).filter((name) => name.startsWith('deps/sub/')),
    [],
  );
  assert.deepEqual(
    context.events.flatMap((event) => (event.type === 'notice' ? [[event.code, event.facts?.['folders']]] : [])),
    [['submodules-left-out', 'deps/sub']],
  );
});

for (const url of [
  'ext::sh -c "touch /tmp/evil"',
  'file:///etc',
  '/etc',
  '-oProxyCommand=x',
  'ssh://-oProxyCommand=x/y',
  '-oProxyCommand=x:y',
  'git@-oProxyCommand=x:y',
  'git@example.org:-oProxyCommand=x',
  'git@example.org::y',
  'git@example.org:',
])
  test(`git() follows no submodule to ${url}`, async (t) => {
    const { context, upstream, commit, top } = setting(t);
    addSubmodule(upstream, url, commit);
    const spec = git('served/up', { rev: 'main', submodules: true });
    const pin = await gitKind.resolve(spec, context);
    await assert.rejects(gitKind.fetch(spec, pin, fetchTarget(top), context), (error: VbuildError) => {
      assert.equal(error.code, 'git-failed');
      assert.equal(error.facts['folder'], 'deps/sub');
      return true;
    });
  });
