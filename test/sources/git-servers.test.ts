/** Git sources from real servers of every sort: http, https, ssh and the git protocol, with log-ins, shallow and not, with LFS. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { digestOf } from '../../src/model/digest.ts';
import type { VbuildError } from '../../src/model/error.ts';
import { git, gitKind, type GitSpec } from '../../src/sources/git.ts';
import { mirror } from '../../src/sources/mirror-spec.ts';
import { exists, namesIn, walk } from '../../src/system/files.ts';
import { gitHttpServer, selfSigned } from '../support/git-http.ts';
import { commitAll, gitServer, inGit, makeRepository } from '../support/git-server.ts';
import { sshServer } from '../support/ssh-server.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, sourceContext } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

function setting(t: TestContext) {
  const top = tempDir(t);
  const upstream = join(top, 'served/up');
  const first = makeRepository(upstream, { 'a.c': 'one\n' });
  writeTree(upstream, { 'b.c': 'two\n' });
  const commit = commitAll(upstream, 'second');
  const context = sourceContext(top);
  const withEnvironment = (more: Readonly<Record<string, string>>) => ({
    ...context,
    environment: { ...context.environment, ...more },
  });
  return { top, upstream, first, commit, context, withEnvironment };
}

let targets = 0;
async function fetched(spec: GitSpec, context: Parameters<typeof gitKind.fetch>[3]): Promise<string> {
  const target = fetchTarget(context.buildfileFolder, `target${(targets += 1)}`);
  await gitKind.fetch(spec, await gitKind.resolve(spec, context), target, context);
  return target.tree;
}

/** How many commits the repository of ours has. */
function commitsHere(state: string): number {
  const [repository = ''] = namesIn(state).filter((name) => name.startsWith('git-'));
  const listed = inGit(join(state, repository), 'cat-file', '--batch-all-objects', '--batch-check=%(objecttype)');
  return listed.split('\n').filter((type) => type === 'commit').length;
}

test('git() fetches one commit alone over http, also one that no branch or tag names', async (t) => {
  const { top, first, context } = setting(t);
  const server = await gitHttpServer(t, join(top, 'served'));
  assert.deepEqual(names(await fetched(git(`${server.url}/up`, { rev: first }), context)), ['a.c']);
  assert.equal(commitsHere(context.state), 1);
});

test('git() takes all that branches and tags reach from a server that gives no single commits', async (t) => {
  const { top, first, withEnvironment, context } = setting(t);
  const server = await gitServer(t, join(top, 'served'));
  // In its first protocols a server gives what a branch or a tag names, and nothing else.
  writeTree(top, { 'old.gitconfig': '[protocol]\nversion = 0\n' });
  const old = withEnvironment({ GIT_CONFIG_GLOBAL: join(top, 'old.gitconfig') });
  assert.deepEqual(names(await fetched(git(`${server.url}/up`, { rev: first }), old)), ['a.c']);
  assert.equal(commitsHere(context.state), 2);
});

test('git() logs in by the user’s own credential helper, asks nobody where there is none, and shows no password', async (t) => {
  const { top, withEnvironment, context } = setting(t);
  const server = await gitHttpServer(t, join(top, 'served'), { login: 'jo:s3cret' });
  const spec = git(`${server.url}/up`, { rev: 'main' });
  await assert.rejects(gitKind.resolve(spec, context), { code: 'git-failed' });
  const helper = join(top, 'helper');
  writeFileSync(helper, '#!/bin/sh\n[ "$1" = get ] && printf "username=jo\\npassword=%s\\n" "$PASSWORD"\n');
  chmodSync(helper, 0o755);
  writeTree(top, { 'user.gitconfig': `[credential]\nhelper = ${helper}\n` });
  const user = (password: string) =>
    withEnvironment({ GIT_CONFIG_GLOBAL: join(top, 'user.gitconfig'), PASSWORD: password });
  assert.deepEqual(names(await fetched(spec, user('s3cret'))), ['a.c', 'b.c']);
  await assert.rejects(gitKind.resolve(spec, user('wr0ng')), (error: VbuildError) => {
    assert.equal(error.code, 'git-failed');
    assert.doesNotMatch(JSON.stringify(error.facts), /wr0ng/);
    return true;
  });
});

test('git() trusts an https server by the authority that the user’s git trusts, and none other', async (t) => {
  const { top, withEnvironment, context } = setting(t);
  const certificate = selfSigned(top);
  const server = await gitHttpServer(t, join(top, 'served'), { tls: certificate });
  const spec = git(`${server.url}/up`, { rev: 'main' });
  await assert.rejects(gitKind.resolve(spec, context), { code: 'git-failed' });
  assert.deepEqual(names(await fetched(spec, withEnvironment({ GIT_SSL_CAINFO: certificate.file }))), ['a.c', 'b.c']);
});

test('git() fetches over ssh with the user’s own command, and asks nobody about a server that is not known', async (t) => {
  const { top, upstream, withEnvironment } = setting(t);
  const server = await sshServer(t, top);
  const spec = git(`${server.url}${upstream}`, { rev: 'main' });
  assert.deepEqual(names(await fetched(spec, withEnvironment({ GIT_SSH_COMMAND: server.command }))), ['a.c', 'b.c']);
  await assert.rejects(
    gitKind.resolve(spec, withEnvironment({ GIT_SSH_COMMAND: server.commandOfStranger })),
    (error: VbuildError) => {
      assert.equal(error.code, 'git-failed');
      assert.match(error.facts['said'] ?? '', /Host key verification failed/);
      return true;
    },
  );
});

test('git() fetches over ssh a submodule that is named as ssh names places', async (t) => {
  const { top, upstream, withEnvironment } = setting(t);
  const server = await sshServer(t, top);
  const sub = join(top, 'served/sub');
  const commit = makeRepository(sub, { 'sub.c': 's\n' });
  writeTree(upstream, { '.gitmodules': `[submodule "sub"]\n\tpath = sub\n\turl = ${server.user}@127.0.0.1:${sub}\n` });
  inGit(upstream, 'add', '.gitmodules');
  inGit(upstream, 'update-index', '--add', '--cacheinfo', `160000,${commit},sub`);
  inGit(upstream, 'commit', '--quiet', '--message=submodule');
  const spec = git('served/up', { rev: 'main', submodules: true });
  const context = withEnvironment({ GIT_SSH_COMMAND: `${server.command} -p ${server.port}` });
  assert.ok(names(await fetched(spec, context)).includes('sub/sub.c'));
});

test('git() runs no hook of the user’s', async (t) => {
  const { top, withEnvironment } = setting(t);
  const hooks = ['post-checkout', 'reference-transaction', 'post-index-change', 'pre-auto-gc'];
  for (const name of hooks) {
    writeTree(top, { [`hooks/${name}`]: { text: `#!/bin/sh\ntouch ${top}/ran\n`, mode: 0o755 } });
    writeTree(top, { [`template/hooks/${name}`]: { text: `#!/bin/sh\ntouch ${top}/ran\n`, mode: 0o755 } });
  }
  writeTree(top, {
    'user.gitconfig': `[core]\nhooksPath = ${top}/hooks\nfsmonitor = touch ${top}/ran\n[init]\ntemplateDir = ${top}/template\n`,
  });
  await fetched(git('served/up', { rev: 'main' }), withEnvironment({ GIT_CONFIG_GLOBAL: join(top, 'user.gitconfig') }));
  assert.equal(exists(join(top, 'ran')), false);
});

/** Adds a file as LFS does: its pointer is what is committed. */
function addLarge(upstream: string, path: string, content: string): string {
  const digest = digestOf(content);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${digest}\nsize ${Buffer.byteLength(content)}\n`;
  writeTree(upstream, { [path]: { text: pointer, mode: 0o755 }, '.gitattributes': '*.bin filter=lfs\n' });
  commitAll(upstream, path);
  return digest;
}

test('git() brings files of LFS when it is told to, and then has them without a network', async (t) => {
  const { top, upstream, context } = setting(t);
  const digest = addLarge(upstream, 'lib/large.bin', 'large content\r\n');
  const files = new Map([[digest, Buffer.from('large content\r\n')]]);
  const server = await gitHttpServer(t, join(top, 'served'), { lfs: files });
  const spec = git(`${server.url}/up`, { rev: 'main', lfs: true });
  const pin = await gitKind.resolve(spec, context);
  for (const offline of [false, true]) {
    const target = fetchTarget(top, `lfs${offline}`);
    await gitKind.fetch(spec, pin, target, { ...context, offline });
    assert.equal(readFileSync(join(target.tree, 'lib/large.bin'), 'latin1'), 'large content\r\n');
    assert.ok(walk(target.tree).some(({ path, mode }) => path === 'lib/large.bin' && mode === 0o755));
  }
  assert.deepEqual(
    context.events.filter(({ type }) => type === 'notice'),
    [],
  );
});

/** A mirror as people make one, from a server in this process. @returns Its absolute path. */
async function mirrorOf(url: string, top: string, how: 'with LFS' | 'without LFS'): Promise<string> {
  const folder = join(top, 'mirror', 'up');
  const run = (...args: readonly string[]) => promisify(execFile)('git', args, { cwd: top, timeout: 60_000 });
  await run('clone', '--quiet', '--mirror', url, folder);
  if (how === 'with LFS') await run(`--git-dir=${folder}`, 'lfs', 'fetch', '--all', 'origin');
  return folder;
}

for (const where of ['beside the repository', 'where .lfsconfig says'])
  test(`git() brings files of LFS from a mirror, and asks no server ${where}`, async (t) => {
    const { top, upstream, context } = setting(t);
    const [content, files] = ['large content', new Map<string, Uint8Array>()];
    const server = await gitHttpServer(t, join(top, 'served'), { lfs: files });
    if (where === 'where .lfsconfig says')
      writeTree(upstream, { 'src/a.c': 'one\n', '.lfsconfig': `[lfs]\n\turl = ${server.url}/other/info/lfs\n` });
    files.set(addLarge(upstream, 'src/large.bin', content), Buffer.from(content));
    const folder = await mirrorOf(`${server.url}/up`, top, 'with LFS');
    const near = await gitHttpServer(t, dirname(folder), { lfs: files });
    const before = server.seen.length;
    const ways = [[dirname(folder)], [`file://${dirname(folder)}`, 'src'], [`${near.url}/`, 'src']] as const;
    for (const [to, subdir] of ways) {
      const spec = git(`${server.url}/up`, { rev: 'main', lfs: true, ...(subdir !== undefined && { subdir }) });
      const state = tempDir(t);
      const tree = await fetched(spec, { ...context, state, mirrors: [mirror(`${server.url}/`, { to })] });
      assert.equal(readFileSync(join(tree, subdir === undefined ? 'src/large.bin' : 'large.bin'), 'utf8'), content, to);
    }
    assert.equal(server.seen.length, before, 'upstream is not asked');
  });

test('git() asks upstream for files of LFS that a mirror does not have, also where .lfsconfig names the server', async (t) => {
  const { top, upstream, context } = setting(t);
  const [content, files] = ['large content', new Map<string, Uint8Array>()];
  const server = await gitHttpServer(t, join(top, 'served'), { lfs: files });
  writeTree(upstream, { '.lfsconfig': `[lfs]\n\turl = ${server.url}/other/info/lfs\n` });
  files.set(addLarge(upstream, 'src/large.bin', content), Buffer.from(content));
  const folder = await mirrorOf(`${server.url}/up`, top, 'without LFS');
  const mirrors = [mirror(`${server.url}/`, { to: dirname(folder) })];
  const spec = git(`${server.url}/up`, { rev: 'main', subdir: 'src', lfs: true });
  const tree = await fetched(spec, { ...context, mirrors });
  assert.equal(readFileSync(join(tree, 'large.bin'), 'utf8'), content);
  assert.ok(server.seen.includes('POST /other/info/lfs/objects/batch'), server.seen.join('\n'));
  const passed = context.events.flatMap((event) => (event.type === 'notice' ? [event] : []));
  assert.deepEqual(
    passed.map(({ headline, code }) => [headline, code]),
    [['Mirror is passed over', 'git-failed']],
  );
  assert.equal(passed[0]?.facts?.['command'], 'git lfs');
  assert.match(passed[0]?.facts?.['said'] ?? '', new RegExp(`${[...files.keys()].join()}|failed to fetch`));
});

test('git() leaves the pointers of LFS unless told otherwise, and says so', async (t) => {
  const { upstream, context } = setting(t);
  addLarge(upstream, 'large.bin', 'large');
  const tree = await fetched(git('served/up', { rev: 'main' }), context);
  assert.match(readFileSync(join(tree, 'large.bin'), 'utf8'), /^version https/);
  assert.deepEqual(
    context.events.flatMap((event) => (event.type === 'notice' ? [[event.code, event.facts?.['folders']]] : [])),
    [['lfs-left-out', 'large.bin']],
  );
});

test('git() names a file that the server of LFS does not have, or has with other bytes', async (t) => {
  const { top, upstream, context } = setting(t);
  const digest = addLarge(upstream, 'large.bin', 'large');
  for (const files of [new Map<string, Uint8Array>(), new Map([[digest, Buffer.from('LARGE')]])]) {
    const server = await gitHttpServer(t, join(top, 'served'), { lfs: files });
    await assert.rejects(
      fetched(git(`${server.url}/up`, { rev: 'main', lfs: true }), context),
      (error: VbuildError) => {
        assert.ok(['git-failed', 'source-missing', 'pin-mismatch'].includes(error.code), error.code);
        assert.ok(JSON.stringify(error.facts).includes(digest), JSON.stringify(error.facts));
        return true;
      },
    );
  }
});

test('git() says before any work that git-lfs is needed, and names its package', async (t) => {
  const { upstream, context, top } = setting(t);
  addLarge(upstream, 'large.bin', 'large');
  assert.deepEqual(gitKind.needs?.(git('x', { rev: 'y', lfs: true })), ['git', 'git-lfs']);
  mkdirSync(join(top, 'bin'));
  for (const program of ['git', 'sh']) symlinkSync(`/usr/bin/${program}`, join(top, 'bin', program));
  const spec = git('served/up', { rev: 'main', lfs: true });
  await assert.rejects(
    fetched(spec, { ...context, environment: { ...context.environment, PATH: join(top, 'bin') } }),
    (error: VbuildError) => {
      assert.equal(error.code, 'tool-missing');
      assert.match(error.mend, /apt-get install git-lfs/);
      return true;
    },
  );
});
