/** What every source kind must do, run over the list of kinds: a kind without a builder here fails. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { VbuildError } from '../../src/model/error.ts';
import { bazaar } from '../../src/sources/bazaar.ts';
import { debian } from '../../src/sources/debian.ts';
import { directory } from '../../src/sources/directory.ts';
import { generated } from '../../src/sources/generated.ts';
import { git } from '../../src/sources/git.ts';
import { type SourceSpec, sourceKind, sourceKinds } from '../../src/sources/index.ts';
import { mercurial } from '../../src/sources/mercurial.ts';
import { npm } from '../../src/sources/npm.ts';
import type { SourceContext } from '../../src/sources/source.ts';
import { subversion } from '../../src/sources/subversion.ts';
import { tarball } from '../../src/sources/tarball.ts';
import { walk } from '../../src/system/files.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { bzrServer, inBzr, makeBzrBranch } from '../support/bzr-server.ts';
import { debianMirror, type MirrorPackage } from '../support/debian-mirror.ts';
import type { OfflineJob, OfflineOutcome } from '../support/fetch-offline.ts';
import { gitServer, inGit, makeRepository } from '../support/git-server.ts';
import { hgServer, inHg, makeHgRepository } from '../support/hg-server.ts';
import { httpServer, serve } from '../support/http-server.ts';
import { npmRegistry } from '../support/npm-registry.ts';
import { commitAllSvn, makeSvnRepository, svnServer } from '../support/svn-server.ts';
import { removeTree, type Tree, tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, sourceContext, upstreamTarball } from '../support/upstream.ts';

/** An upstream that holds `content`, and what a test can do to it. */
interface Upstream {
  readonly spec: SourceSpec;
  readonly environment?: Readonly<Record<string, string>>;
  /** Offers other content under the same name. */
  readonly change: () => Promise<void> | void;
  /** Is no longer there. */
  readonly vanish: () => Promise<void> | void;
}

const content: Tree = {
  'main.c': 'int main;\n',
  'lib/a.h': 'first\n',
  configure: { text: '#!/bin/sh\n', mode: 0o755 },
};
const changed: Tree = { ...content, 'lib/a.h': 'second\n' };

const builders: Readonly<Record<SourceSpec['kind'], (t: TestContext, top: string) => Promise<Upstream>>> = {
  async tarball(t, top) {
    let archive = readFileSync(upstreamTarball(top, content));
    const server = await httpServer(t, (request, response) => serve(request, response, archive, { etag: '"x"' }));
    return {
      spec: tarball(`${server.url}/upstream-1.0.tar.gz`),
      change: () => void (archive = readFileSync(upstreamTarball(join(top, 'new'), changed))),
      vanish: () => server.stop(),
    };
  },

  async git(t, top) {
    const repository = join(top, 'served/upstream');
    makeRepository(repository, content);
    inGit(repository, 'tag', 'v1.0');
    const server = await gitServer(t, join(top, 'served'));
    return {
      spec: git(`${server.url}/upstream`, { rev: 'v1.0' }),
      change() {
        // As upstreams do it: history rewritten, the tag moved, the old commit gone.
        removeTree(repository);
        makeRepository(repository, changed);
        inGit(repository, 'tag', 'v1.0');
      },
      vanish: () => server.stop(),
    };
  },

  async mercurial(t, top) {
    const repository = join(top, 'served/upstream');
    makeHgRepository(repository, content);
    inHg(repository, 'bookmark', 'v1.0');
    const server = await hgServer(t, top, repository);
    return {
      spec: mercurial(`${server.url}/up`, { rev: 'v1.0' }),
      change() {
        removeTree(repository);
        makeHgRepository(repository, changed);
        inHg(repository, 'bookmark', 'v1.0');
      },
      vanish: () => server.stop(),
    };
  },

  async subversion(t, top) {
    const copy = makeSvnRepository(join(top, 'served/upstream'), content);
    const server = await svnServer(t, join(top, 'served'));
    return {
      spec: subversion(`${server.url}/upstream/trunk`),
      change() {
        writeTree(join(copy, 'trunk'), changed);
        commitAllSvn(copy);
      },
      vanish: () => server.stop(),
    };
  },

  async bazaar(t, top) {
    const branch = join(top, 'served/upstream');
    makeBzrBranch(branch, content);
    inBzr(branch, 'tag', '--quiet', 'v1.0');
    const server = await bzrServer(t, join(top, 'served'));
    return {
      spec: bazaar(`${server.url}/upstream`, { rev: 'v1.0' }),
      change() {
        removeTree(branch);
        makeBzrBranch(branch, changed);
        inBzr(branch, 'tag', '--quiet', 'v1.0');
      },
      vanish: () => server.stop(),
    };
  },

  async npm(t, top) {
    const registry = await npmRegistry(t);
    registry.configure(top);
    const offer = (folder: string, tree: Tree): void =>
      registry.publish([
        { name: '@site/upstream', version: '1.0.0', tarball: readFileSync(upstreamTarball(folder, tree)) },
      ]);
    offer(top, content);
    return {
      spec: npm('@site/upstream', '1.0.0'),
      change: () => offer(join(top, 'new'), changed),
      vanish: () => registry.stop(),
    };
  },

  async generated(t, top) {
    let archive = readFileSync(upstreamTarball(top, content));
    const server = await httpServer(t, (request, response) => serve(request, response, archive));
    return {
      spec: generated({
        tools: ['curl', 'tar'],
        steps: [
          `curl --silent --fail --output "$TMPDIR/up.tar.gz" ${server.url}/up.tar.gz`,
          'tar -xzf "$TMPDIR/up.tar.gz" --strip-components=1',
        ],
      }),
      change: () => void (archive = readFileSync(upstreamTarball(join(top, 'new'), changed))),
      vanish: () => server.stop(),
    };
  },

  async debian(t) {
    const mirror = await debianMirror(t);
    const offer = (tree: Tree, upstream: string): MirrorPackage => ({
      name: 'upstream',
      version: `${upstream}-1`,
      files: {
        [`${upstream}.orig.tar.gz`]: Object.fromEntries(
          Object.entries(tree).map(([path, file]) => [`upstream-1.0/${path}`, file]),
        ),
        [`${upstream}-1.debian.tar.gz`]: { 'debian/control': 'Source: upstream\n' },
      },
    });
    mirror.publish([offer(content, '1.0')]);
    return {
      spec: debian('upstream'),
      environment: mirror.environment,
      change: () => mirror.publish([offer(changed, '1.0+dfsg')]),
      vanish: () => {
        mirror.publish([]);
        mirror.drop('upstream', 'upstream_1.0.orig.tar.gz');
      },
    };
  },

  async directory(_t, top) {
    const folder = join(top, 'sources/own');
    writeTree(folder, content);
    return {
      spec: directory('sources/own'),
      change: () => writeTree(folder, changed),
      vanish: () => removeTree(folder),
    };
  },
};

interface Setting extends Upstream {
  readonly top: string;
  /** A context that knows of nothing that was fetched in another one. */
  readonly fresh: (changes?: Partial<SourceContext>) => SourceContext;
}

async function setting(t: TestContext, kind: SourceSpec['kind']): Promise<Setting> {
  const top = tempDir(t, 'conformance');
  chmodSync(top, 0o755);
  const upstream = await builders[kind](t, top);
  let count = 0;
  return {
    ...upstream,
    top,
    fresh: (changes = {}) => {
      const base = sourceContext(join(top, `site${(count += 1)}`));
      return {
        ...base,
        buildfileFolder: top,
        environment: { ...base.environment, ...upstream.environment },
        ...changes,
      };
    },
  };
}

let targets = 0;
/** Fetches into folders of its own; the tree's path. */
async function fetched(
  spec: SourceSpec,
  pin: Parameters<ReturnType<typeof sourceKind>['fetch']>[1],
  context: SourceContext,
  top: string,
): Promise<string> {
  const target = fetchTarget(top, `target${(targets += 1)}`);
  await sourceKind(spec).fetch(spec, pin, target, context);
  return target.tree;
}

const expectedDigest = (top: string, tree: Tree): string => {
  const folder = join(top, `expected${(targets += 1)}`);
  writeTree(folder, tree);
  return treeDigest(folder);
};

const isGone = (error: unknown): boolean => {
  assert.ok(error instanceof VbuildError, String(error));
  assert.ok(
    [
      'source-missing',
      'download-failed',
      'git-failed',
      'vcs-failed',
      'npm-failed',
      'step-failed',
      'debian-source',
    ].includes(error.code),
    error.code,
  );
  assert.notEqual(error.mend, '');
  return true;
};

test('every source kind has an upstream to be tried with, and no name comes twice', () => {
  assert.deepEqual(Object.keys(builders).sort(), sourceKinds.map(({ kind }) => kind).sort());
});

/** Runs a program to its end. @returns What it wrote to stdout, and every internet socket that it or a child of its asked for. */
function watched(
  top: string,
  ...argv: readonly string[]
): { readonly stdout: string; readonly sockets: readonly string[] } {
  const trace = join(top, 'trace');
  const watch = ['-f', '-qq', '-e', 'trace=socket', '-e', 'signal=none', '-o', trace];
  const stdout = execFileSync('strace', [...watch, process.execPath, ...argv], { encoding: 'utf8' });
  return {
    stdout,
    sockets: readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('AF_INET')),
  };
}

test('what watches for sockets sees one', (t) => {
  const connect = "require('node:net').connect(9, '127.0.0.1').on('error', () => {})";
  assert.equal(watched(tempDir(t), '--eval', connect).sockets.length, 1);
});

for (const { kind, ...rest } of sourceKinds) {
  const pinned = !('current' in rest);
  test(`${kind} accepts its own specs, and names a mistake rather than failing over it`, async (t) => {
    const { spec } = await setting(t, kind);
    assert.deepEqual(sourceKind(spec).problems(spec), []);
    for (const junk of [undefined, 7, null, {}, '', '-x'])
      for (const field of Object.keys(spec).filter((name) => name !== 'kind')) {
        const spoilt = { ...spec, [field]: junk } as SourceSpec;
        assert.ok(Array.isArray(sourceKind(spec).problems(spoilt)), `${field}: ${JSON.stringify(junk)}`);
      }
  });

  test(`${kind} makes a pin that survives the lock file, and from it the tree that upstream offers`, async (t) => {
    const { spec, top, fresh } = await setting(t, kind);
    const context = fresh();
    const pin = await sourceKind(spec).resolve(spec, context);
    assert.equal(pin.kind, kind);
    assert.deepEqual(JSON.parse(JSON.stringify(pin)), pin);
    assert.deepEqual(await sourceKind(spec).resolve(spec, context), pin);
    const tree = await fetched(spec, pin, context, top);
    assert.equal(treeDigest(tree), expectedDigest(top, content));
    assert.deepEqual([...new Set(walk(tree).map(({ type, mode }) => `${type} ${mode.toString(8)}`))].sort(), [
      'directory 755',
      'file 644',
      'file 755',
    ]);
  });

  test(`${kind} fetches the same tree twice, here and on another machine`, async (t) => {
    const { spec, top, fresh } = await setting(t, kind);
    const context = fresh();
    const pin = await sourceKind(spec).resolve(spec, context);
    const digests = [
      await fetched(spec, pin, context, top),
      await fetched(spec, pin, context, top),
      await fetched(spec, pin, fresh(), top),
    ].map((tree) => treeDigest(tree));
    assert.equal(new Set(digests).size, 1);
  });

  test(`${kind} fetches without a network what it has fetched once`, async (t) => {
    const { spec, top, fresh } = await setting(t, kind);
    const context = fresh();
    const pin = await sourceKind(spec).resolve(spec, context);
    await fetched(spec, pin, context, top);
    assert.equal(
      treeDigest(await fetched(spec, pin, { ...context, offline: true }, top)),
      expectedDigest(top, content),
    );
  });

  test(`${kind} opens no socket offline, whether it has the source or not`, async (t) => {
    const { spec, top, fresh } = await setting(t, kind);
    const context = fresh();
    const pin = await sourceKind(spec).resolve(spec, context);
    await fetched(spec, pin, context, top);
    const job: OfflineJob = {
      spec,
      pin,
      environment: context.environment ?? {},
      buildfileFolder: top,
      known: dirname(context.state),
      unknown: join(top, 'offline'),
    };
    const child = join(import.meta.dirname, '../support/fetch-offline.ts');
    const { stdout, sockets } = watched(top, child, JSON.stringify(job));
    const outcome = JSON.parse(stdout) as OfflineOutcome;
    assert.equal(outcome.known, expectedDigest(top, content));
    if (pinned) assert.match(outcome.unknown, /^(source-missing|download-failed)$/);
    assert.deepEqual(sockets, []);
  });

  test(`${kind} says that it may not go to the network, where it would have to`, async (t) => {
    const { spec, top, fresh } = await setting(t, kind);
    const pin = await sourceKind(spec).resolve(spec, fresh());
    const attempt = fetched(spec, pin, fresh({ offline: true }), top);
    if (pinned) await assert.rejects(attempt, isGone);
    else assert.equal(treeDigest(await attempt), expectedDigest(top, content));
  });

  test(`${kind} says that upstream is gone when nothing is left`, async (t) => {
    const { spec, top, fresh, vanish } = await setting(t, kind);
    const pin = await sourceKind(spec).resolve(spec, fresh());
    await vanish();
    await assert.rejects(fetched(spec, pin, fresh(), top), isGone);
    if (pinned) await assert.rejects(async () => sourceKind(spec).resolve(spec, fresh()), isGone);
    else assert.throws(() => sourceKind(spec).current?.(spec, top), isGone);
  });

  if (pinned) {
    test(`${kind} still fetches what it has when upstream is gone`, async (t) => {
      const { spec, top, fresh, vanish } = await setting(t, kind);
      const context = fresh();
      const pin = await sourceKind(spec).resolve(spec, context);
      await fetched(spec, pin, context, top);
      await vanish();
      assert.equal(treeDigest(await fetched(spec, pin, context, top)), expectedDigest(top, content));
    });

    test(`${kind} insists on its pin when upstream offers other content under the same name`, async (t) => {
      const { spec, top, fresh, change } = await setting(t, kind);
      const pin = await sourceKind(spec).resolve(spec, fresh());
      await change();
      const outcome = await fetched(spec, pin, fresh(), top).then(
        (tree) => treeDigest(tree),
        (error: unknown) => error,
      );
      if (outcome instanceof VbuildError)
        assert.ok(['pin-mismatch', 'source-missing', 'debian-source'].includes(outcome.code), outcome.code);
      else assert.equal(outcome, expectedDigest(top, content));
      const next = await sourceKind(spec).resolve(spec, fresh());
      assert.notDeepEqual(next, pin);
      assert.equal(treeDigest(await fetched(spec, next, fresh(), top)), expectedDigest(top, changed));
    });
  } else {
    test(`${kind} gives what is there now`, async (t) => {
      const { spec, top, fresh, change } = await setting(t, kind);
      const pin = await sourceKind(spec).resolve(spec, fresh());
      await change();
      assert.equal(treeDigest(await fetched(spec, pin, fresh(), top)), expectedDigest(top, changed));
    });
  }

  test(`${kind} stops when it is told to`, async (t) => {
    const { spec, top, fresh } = await setting(t, kind);
    const pin = await sourceKind(spec).resolve(spec, fresh());
    const reason = new Error('enough');
    const attempt = fetched(spec, pin, fresh({ signal: AbortSignal.abort(reason) }), top);
    if (pinned) await assert.rejects(attempt);
    else await attempt;
  });
}
