import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { VbuildError } from '../../src/model/error.ts';
import { walk } from '../../src/system/files.ts';
import { commitOf, type GitOptions, openRepository } from '../../src/system/git.ts';
import { commitAll, gitServer, inGit, makeRepository } from '../support/git-server.ts';
import { type Tree, tempDir, writeTree } from '../support/temp.ts';

interface Setting {
  readonly top: string;
  readonly upstream: string;
  readonly commit: string;
  readonly options: GitOptions & { readonly cwd: string };
  readonly exported: (url: string, commit: string, subdir?: string) => Promise<string>;
}

function setting(
  t: TestContext,
  tree: Tree = { 'a.c': 'one\n' },
  environment: Readonly<Record<string, string>> = {},
): Setting {
  const top = tempDir(t);
  const upstream = join(top, 'served/up');
  const commit = makeRepository(upstream, tree);
  const options = {
    cwd: top,
    environment: { PATH: process.env['PATH'], HOME: join(top, 'home'), ...environment },
    signal: new AbortController().signal,
  };
  let count = 0;
  return {
    top,
    upstream,
    commit,
    options,
    exported: async (url, id, subdir) => {
      const into = join(top, `out${(count += 1)}`);
      mkdirSync(into);
      const repository = await openRepository(join(top, 'state'), id, options);
      if (!(await repository.has(id))) assert.ok(await repository.fetch(url, id));
      await repository.export(id, subdir, into);
      return into;
    },
  };
}

const contentOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    walk(folder).flatMap(({ path, type, target }) =>
      type === 'file'
        ? [[path, readFileSync(join(folder, path), 'latin1')]]
        : target === undefined
          ? []
          : [[path, `-> ${target}`]],
    ),
  );

test('commitOf() peels annotated tags, knows branches and full names, prefers a tag, and takes no name that only ends alike', async (t) => {
  const { upstream, commit, options } = setting(t);
  inGit(upstream, 'tag', 'light');
  inGit(upstream, 'tag', '--annotate', '--message=v', 'v1.0');
  inGit(upstream, 'tag', 'both');
  inGit(upstream, 'branch', 'other/1.0');
  const later = commitAll(upstream, 'second');
  inGit(upstream, 'branch', 'both');
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['light', commit],
    ['v1.0', commit],
    ['both', commit],
    ['refs/heads/both', later],
    ['main', later],
    ['HEAD', later],
    ['other/1.0', commit],
    ['1.0', undefined],
    ['nothing', undefined],
  ];
  for (const [rev, expected] of rows) assert.equal(await commitOf(upstream, rev, options), expected, rev);
});

test('commitOf() passes on what git says when there is no repository', async (t) => {
  const { top, options } = setting(t);
  await assert.rejects(commitOf(join(top, 'gone'), 'main', options), (error: VbuildError) => {
    assert.equal(error.code, 'git-failed');
    assert.match(error.facts['said'] ?? '', /gone/);
    return true;
  });
});

test('fetch() brings one commit alone from a server that allows it', async (t) => {
  const { top, upstream, commit, exported, options } = setting(t);
  const server = await gitServer(t, join(top, 'served'));
  writeTree(upstream, { 'b.c': 'two\n' });
  const later = commitAll(upstream, 'second');
  assert.deepEqual(contentOf(await exported(`${server.url}/up`, later)), { 'a.c': 'one\n', 'b.c': 'two\n' });
  const repository = await openRepository(join(top, 'state'), later, options);
  assert.equal(await repository.has(commit), false);
});

test('fetch() takes all of a server that cannot send single commits', async (t) => {
  const { top, upstream, commit, exported } = setting(t);
  writeTree(upstream, { 'b.c': 'two\n' });
  const later = commitAll(upstream, 'second');
  // Plain files over HTTP: git's oldest way, without any server of its own.
  inGit(upstream, 'update-server-info');
  const { httpServer } = await import('../support/http-server.ts');
  const server = await httpServer(t, (request, response) => {
    const file = join(top, 'served', new URL(request.url ?? '', 'http://x').pathname);
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  assert.deepEqual(contentOf(await exported(`${server.url}/up/.git`, later)), { 'a.c': 'one\n', 'b.c': 'two\n' });
  assert.deepEqual(contentOf(await exported(`${server.url}/up/.git`, commit)), { 'a.c': 'one\n' });
});

test('fetch() finds an older commit behind one that was fetched alone', async (t) => {
  const { top, upstream, commit, exported } = setting(t);
  const server = await gitServer(t, join(top, 'served'));
  const later = commitAll(upstream, 'second');
  await exported(`${server.url}/up`, later);
  assert.deepEqual(contentOf(await exported(`${server.url}/up`, commit)), { 'a.c': 'one\n' });
});

test('fetch() is false for a commit that upstream no longer has, and throws when there is no upstream', async (t) => {
  const { top, upstream, commit, options } = setting(t);
  const gone = 'f'.repeat(40);
  const repository = await openRepository(join(top, 'state'), commit, options);
  assert.equal(await repository.fetch(upstream, gone), false);
  await assert.rejects(repository.fetch(join(top, 'nowhere'), commit), { code: 'git-failed' });
});

test('export() gives the bytes as they are stored, whatever attributes, filters and the user’s configuration say', async (t) => {
  const stored: Tree = {
    '.gitattributes':
      '*.bat text eol=crlf\n*.c ident\n*.x filter=shout\n*.u working-tree-encoding=UTF-16\nsecret export-ignore\n*.s export-subst\n',
    'a.bat': 'echo\n',
    'a.c': '/* $Id$ */\n',
    'a.x': 'quiet\n',
    'a.u': 'text\n',
    'a.s': '$Format:%H$\n',
    secret: 'kept\n',
    'win.txt': 'one\r\ntwo\r\n',
    run: { text: '#!/bin/sh\n', mode: 0o755 },
  };
  const { top, upstream, exported } = setting(t);
  symlinkSync('a.c', join(upstream, 'link'));
  writeTree(upstream, stored);
  // What git stores of these is what is written here: nothing converts on the way in.
  writeFileSync(join(upstream, '.git/info/attributes'), '* -text -filter -ident !working-tree-encoding\n');
  const commit = commitAll(upstream, 'stored');
  writeTree(top, {
    'home/.gitconfig': `[core]\n\tautocrlf = true\n\tsymlinks = false\n\tfileMode = false\n\tattributesFile = ${join(top, 'attributes')}\n[filter "shout"]\n\tsmudge = tr a-z A-Z\n\trequired = true\n[init]\n\ttemplateDir = ${join(top, 'template')}\n`,
    attributes: '* text eol=crlf\n',
    'template/hooks/post-index-change': { text: `#!/bin/sh\ntouch ${join(top, 'hook-was-run')}\n`, mode: 0o755 },
    'template/info/attributes': '* text eol=crlf\n',
  });
  chmodSync(join(top, 'template/hooks/post-index-change'), 0o755);
  const folder = await exported(upstream, commit);
  const expected = Object.fromEntries(
    Object.entries(stored).map(([path, content]) => [
      path,
      typeof content === 'object' && 'text' in content ? content.text : content,
    ]),
  );
  assert.deepEqual(contentOf(folder), { ...expected, link: '-> a.c' });
  assert.equal(walk(folder).find(({ path }) => path === 'run')?.mode, 0o755);
  assert.equal(existsSync(join(top, 'hook-was-run')), false);
});

test('export() gives one folder of a commit, and says when there is none such', async (t) => {
  const { upstream, commit, exported } = setting(t, { 'lib/in/a.c': 'a', 'doc/b': 'b' });
  assert.deepEqual(contentOf(await exported(upstream, commit, './lib/')), { 'in/a.c': 'a' });
  await assert.rejects(exported(upstream, commit, 'gone'), { code: 'source-missing' });
  await assert.rejects(exported(upstream, commit, 'doc/b'), { code: 'source-missing' });
});

test('openRepository() makes anew what was cut short, and clears locks that a killed git left', async (t) => {
  const { top, upstream, commit, exported } = setting(t);
  mkdirSync(join(top, 'state/.git'), { recursive: true });
  writeFileSync(join(top, 'state/.git/config'), 'half a conf');
  await exported(upstream, commit);
  for (const lock of ['index.lock', 'shallow.lock', 'config.lock']) writeFileSync(join(top, 'state/.git', lock), '');
  assert.deepEqual(contentOf(await exported(upstream, commit)), { 'a.c': 'one\n' });
});

test('git reads neither another index nor another repository out of the environment', async (t) => {
  const elsewhere = join(tempDir(t), 'elsewhere');
  const { upstream, commit, exported } = setting(
    t,
    { 'a.c': 'one\n' },
    {
      GIT_DIR: elsewhere,
      GIT_WORK_TREE: elsewhere,
      GIT_INDEX_FILE: join(elsewhere, 'index'),
      EDITOR: 'false',
      PAGER: 'false',
    },
  );
  assert.deepEqual(contentOf(await exported(upstream, commit)), { 'a.c': 'one\n' });
  assert.equal(existsSync(elsewhere), false);
});

test('git stops when it is told to, with the reason given', async (t) => {
  const { upstream, options } = setting(t);
  const reason = new Error('enough');
  await assert.rejects(
    commitOf(upstream, 'main', { ...options, signal: AbortSignal.abort(reason) }),
    (thrown) => thrown === reason,
  );
});
