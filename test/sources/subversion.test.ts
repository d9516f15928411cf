import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { VbuildError } from '../../src/model/error.ts';
import { subversion, subversionKind, type SubversionSpec } from '../../src/sources/subversion.ts';
import { namesIn, walk } from '../../src/system/files.ts';
import { commitAllSvn, inSvn, makeSvnRepository, svnServer } from '../support/svn-server.ts';
import { removeTree, tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, sourceContext } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

function setting(t: TestContext) {
  const top = tempDir(t);
  const repository = join(top, 'served/up');
  const copy = makeSvnRepository(repository, { 'a.c': '$Id$\n', 'li b/b.c': 'two\r\n' });
  return { top, repository, copy, context: sourceContext(top) };
}

let targets = 0;
async function fetched(
  spec: SubversionSpec,
  { top, context }: Pick<ReturnType<typeof setting>, 'top' | 'context'>,
  pin?: Parameters<typeof subversionKind.fetch>[1],
): Promise<string> {
  const target = fetchTarget(top, `target${(targets += 1)}`);
  await subversionKind.fetch(spec, pin ?? (await subversionKind.resolve(spec, context)), target, context);
  return target.tree;
}

const rows: readonly (readonly [title: string, spec: SubversionSpec, problem: RegExp | undefined])[] = [
  ['an https URL', subversion('https://example.org/up/tags/1.0'), undefined],
  ['a tunnel and a revision', subversion('svn+ssh://example.org/up/trunk', { rev: 7, subdir: 'lib' }), undefined],
  ['a path', subversion('../up/trunk'), undefined],
  ['a URL of nothing', subversion(''), /URL of a repository/],
  ['an option in place of a URL', subversion('--config-dir=x'), /not the URL/],
  ['an option in place of a host', subversion('svn+ssh://-oProxyCommand=id/x'), /not the URL/],
  ['another scheme', subversion('git://example.org/up'), /cannot read from git/],
  ['revision 0', subversion('../up', { rev: 0 }), /rev must be/],
  ['a subdir that climbs', subversion('../up', { subdir: '../x' }), /subdir/],
];

for (const [title, spec, problem] of rows)
  test(`subversion() ${problem ? 'refuses' : 'accepts'} ${title}`, () => {
    const found = subversionKind.problems(spec);
    if (problem === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('; '), problem);
  });

test('subversion() pins the last change of the folder with the repository’s UUID, and stays there while others commit elsewhere', async (t) => {
  const { context, copy } = setting(t);
  const spec = subversion('served/up/trunk');
  const pin = await subversionKind.resolve(spec, context);
  assert.equal(pin.commit, 'r1');
  assert.match(String(pin['uuid']), /^[0-9a-f-]{36}$/);
  writeTree(copy, { 'tags/other': 'x' });
  commitAllSvn(copy);
  assert.deepEqual(await subversionKind.resolve(spec, context), pin);
});

test('subversion() pins a revision in which the folder was where it is, also when it was copied unchanged', async (t) => {
  const here = setting(t);
  inSvn(here.copy, 'mkdir', '--quiet', 'old');
  inSvn(here.copy, 'copy', '--quiet', 'trunk', 'old/1.0');
  commitAllSvn(here.copy);
  inSvn(here.copy, 'move', '--quiet', 'old', 'new');
  commitAllSvn(here.copy);
  const spec = subversion('served/up/new/1.0');
  const pin = await subversionKind.resolve(spec, here.context);
  assert.equal(pin.commit, 'r3');
  assert.deepEqual(names(await fetched(spec, here, pin)), ['a.c', 'li b', 'li b/b.c']);
});

test('subversion() gives the stored bytes of one revision, links and modes included, and nothing of Subversion’s own', async (t) => {
  const here = setting(t);
  inSvn(here.copy, 'propset', '--quiet', 'svn:keywords', 'Id', 'trunk/a.c');
  inSvn(here.copy, 'propset', '--quiet', 'svn:executable', 'on', 'trunk/a.c');
  symlinkSync('a.c', join(here.copy, 'trunk/link'));
  commitAllSvn(here.copy);
  writeTree(here.copy, { 'trunk/later': 'x' });
  commitAllSvn(here.copy);
  const tree = await fetched(subversion('served/up/trunk', { rev: 2 }), here);
  assert.equal(readFileSync(join(tree, 'a.c'), 'latin1'), '$Id$\n');
  assert.equal(readFileSync(join(tree, 'li b/b.c'), 'latin1'), 'two\r\n');
  assert.deepEqual(
    walk(tree).map(({ path, type, mode }) => `${path} ${type} ${type === 'symlink' ? '' : mode.toString(8)}`),
    ['a.c file 755', 'li b directory 755', 'li b/b.c file 644', 'link symlink '],
  );
});

test('subversion() takes one folder below the URL, and names what is not there', async (t) => {
  const here = setting(t);
  assert.deepEqual(names(await fetched(subversion('served/up/trunk', { subdir: 'li b' }), here)), ['b.c']);
  for (const [spec, headline] of [
    [subversion('served/up/trunk', { subdir: 'nix' }), 'Commit has no such folder'],
    [subversion('served/up/trunk/a.c'), 'Repository has no such folder in that revision'],
    [subversion('served/up/nix/nix'), 'Repository has no such folder in that revision'],
    [subversion('served/up/trunk', { rev: 99 }), 'Repository has no such folder in that revision'],
  ] as const)
    await assert.rejects(fetched(spec, here), { code: 'source-missing', message: headline });
});

test('subversion() refuses another repository in the place of the pinned one', async (t) => {
  const here = setting(t);
  const server = await svnServer(t, join(here.top, 'served'));
  const spec = subversion(`${server.url}/up/trunk`);
  const pin = await subversionKind.resolve(spec, here.context);
  removeTree(here.repository);
  makeSvnRepository(here.repository, { 'a.c': 'other' });
  await assert.rejects(fetched(spec, here, pin), (error: VbuildError) => {
    assert.equal(error.code, 'pin-mismatch');
    assert.equal(error.facts['expected'], `UUID ${String(pin['uuid'])}`);
    return true;
  });
});

test('subversion() fetches again when the tree that it kept was damaged', async (t) => {
  const here = setting(t);
  const spec = subversion('served/up/trunk');
  const pin = await subversionKind.resolve(spec, here.context);
  await fetched(spec, here, pin);
  const kept = namesIn(here.context.state).find((name) => name.endsWith('.tar.zst')) ?? '';
  writeTree(here.context.state, { [kept]: readFileSync(join(here.context.state, kept)).subarray(0, 40) });
  assert.deepEqual(names(await fetched(spec, here)), ['a.c', 'li b', 'li b/b.c']);
  removeTree(here.repository);
  assert.deepEqual(names(await fetched(spec, here, pin)), ['a.c', 'li b', 'li b/b.c']);
});

test('subversion() leaves externals out, and says so', async (t) => {
  const here = setting(t);
  inSvn(here.copy, 'propset', '--quiet', 'svn:externals', '^/tags ext', 'trunk');
  commitAllSvn(here.copy);
  const tree = await fetched(subversion('served/up/trunk'), here);
  assert.ok(!names(tree).includes('ext'));
  assert.deepEqual(
    here.context.events.flatMap((event) => (event.type === 'notice' ? [event.code] : [])),
    ['submodules-left-out'],
  );
});

test('subversion() honours the user’s own configuration, keeps nothing in it, and asks nobody', async (t) => {
  const here = setting(t);
  writeTree(here.repository, {
    'conf/svnserve.conf': '[general]\nanon-access = none\nauth-access = read\npassword-db = passwd\nrealm = r\n',
    'conf/passwd': '[users]\njo = s3cret\n',
  });
  const server = await svnServer(t, join(here.top, 'served'));
  const spec = subversion(`${server.url}/up/trunk`);
  await assert.rejects(subversionKind.resolve(spec, here.context), { code: 'vcs-failed' });
  const home = join(here.top, 'home');
  assert.deepEqual(namesIn(join(home, '.subversion/auth/svn.simple')), []);
  const realm = `<${server.url}> r`;
  const simple = `K 8\npasstype\nV 6\nsimple\nK 8\npassword\nV 6\ns3cret\nK 15\nsvn:realmstring\nV ${realm.length}\n${realm}\nK 8\nusername\nV 2\njo\nEND\n`;
  const file = createHash('md5').update(realm).digest('hex');
  writeTree(home, { [`.subversion/auth/svn.simple/${file}`]: simple });
  assert.deepEqual(names(await fetched(spec, here)), ['a.c', 'li b', 'li b/b.c']);
});

test('subversion() names the package that has svn where there is none', async (t) => {
  const { context, top } = setting(t);
  await assert.rejects(
    subversionKind.resolve(subversion('served/up/trunk'), { ...context, environment: { PATH: top } }),
    (error: VbuildError) => {
      assert.equal(error.code, 'tool-missing');
      assert.match(error.mend, /apt-get install subversion/);
      return true;
    },
  );
});
