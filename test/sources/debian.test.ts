/** The debian source kind against an archive on loopback, and against the machine's own repositories. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { VbuildError } from '../../src/model/error.ts';
import type { BuildEvent } from '../../src/model/event.ts';
import { type DebianSpec, debian, debianKind } from '../../src/sources/debian.ts';
import { upstreamVersion } from '../../src/sources/debian-version.ts';
import type { FetchTarget, Pin, SourceContext } from '../../src/sources/source.ts';
import { openApt } from '../../src/system/apt.ts';
import { blobStore } from '../../src/system/blob-store.ts';
import { walk } from '../../src/system/files.ts';
import { type DebianMirror, debianMirror, type MirrorPackage } from '../support/debian-mirror.ts';
import { tempDir } from '../support/temp.ts';
import { twoContexts } from '../support/upstream.ts';

/** A package `demo` whose content tells its versions apart; Debian's archive has its patches folder closed to others. */
const demo = (version: string, upstream: string): MirrorPackage => ({
  name: 'demo',
  version,
  files: {
    [`${upstream}.orig.tar.gz`]: {
      [`demo-${upstream}/demo.c`]: `/* ${upstream} */\n`,
      [`demo-${upstream}/configure`]: { text: '#!/bin/sh\n', mode: 0o755 },
    },
    [`${version.replace(/^\d+:/, '')}.debian.tar.gz`]: {
      'debian/': '700',
      'debian/patches/': '700',
      'debian/control': 'Source: demo\n',
      'debian/patches/series': 'fix.patch\n',
      'debian/patches/fix.patch': `fix of ${version}\n`,
    },
  },
});

interface Workplace {
  readonly context: SourceContext;
  readonly events: readonly BuildEvent[];
  readonly top: string;
  resolve(spec: DebianSpec): Promise<Pin>;
  /** Fetches into a fresh target. */
  fetch(spec: DebianSpec, pin: Pin): Promise<FetchTarget>;
}

function workplace(
  t: TestContext,
  environment: SourceContext['environment'],
  changes: Partial<SourceContext> = {},
  top = tempDir(t, `debian 'ü"`),
): Workplace {
  chmodSync(top, 0o755);
  const events: BuildEvent[] = [];
  const blobs = blobStore(join(top, 'blobs'));
  const version = changes.version ?? '1.0';
  const context: SourceContext = {
    package: `demo@${version}`,
    version,
    buildfileFolder: top,
    blobs,
    findBlob: async (digest) => blobs.find(digest),
    alone: (_name, work) => work({ leave: () => {} }),
    mirrors: [],
    state: join(top, 'state', 'demo'),
    ...(environment && { environment }),
    offline: false,
    emit: (event) => events.push(event),
    signal: t.signal,
    ...changes,
  };
  mkdirSync(context.state, { recursive: true });
  let targets = 0;
  return {
    context,
    events,
    top,
    resolve: (spec) => debianKind.resolve(spec, context),
    async fetch(spec, pin) {
      const folder = join(top, `target-${(targets += 1)}`);
      const target = { tree: join(folder, 'tree'), series: join(folder, 'series') };
      for (const path of [target.tree, target.series]) mkdirSync(path, { recursive: true });
      await debianKind.fetch(spec, pin, target, context);
      return target;
    },
  };
}

/** Everything in a tree with its mode in octal; contents of files. */
const listing = (top: string): string[] =>
  walk(top).map(
    ({ path, type, mode }) =>
      `${mode.toString(8)} ${path}${type === 'directory' ? '/' : ` ${readFileSync(join(top, path), 'utf8').trim()}`}`,
  );

const notices = (events: readonly BuildEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'notice' ? [event.code] : []));

/** The problem that a promise ends with. */
async function problemOf(promise: Promise<unknown>): Promise<VbuildError> {
  const problem = await promise.then(
    () => assert.fail('it should have failed'),
    (error: unknown) => error,
  );
  assert.ok(problem instanceof VbuildError, String(problem));
  return problem;
}

async function mirrorOf(t: TestContext, ...packages: readonly MirrorPackage[]): Promise<DebianMirror> {
  const mirror = await debianMirror(t);
  mirror.publish(packages);
  return mirror;
}

test('problems() of a spec', () => {
  assert.deepEqual(debianKind.problems(debian('libpng1.6', { patches: true, version: '1:1.6.39-2+deb12u5' })), []);
  const clauses = (spec: unknown): number => debianKind.problems(spec as DebianSpec).length;
  assert.equal(clauses({ kind: 'debian', name: '-oDir::Etc=/tmp', patches: false }), 1);
  assert.equal(clauses({ kind: 'debian', name: 'zlib/stable', patches: false }), 1);
  assert.equal(clauses({ kind: 'debian', name: 77, patches: 'yes', version: 1 }), 3);
  assert.equal(clauses({ kind: 'debian', name: 'zlib', patches: false, version: 'newest' }), 1);
});

test('the newest version of the wanted upstream is pinned, though a newer upstream is on offer, and nothing of Debian gets into the tree', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-2', '1.0'), demo('1:1.0-1', '1.0'), demo('1:2.0-1', '2.0'));
  const work = workplace(t, mirror.environment);
  const pin = await work.resolve(debian('demo'));
  assert.equal(pin['debianVersion'], '1:1.0-1');
  assert.equal(pin.version, '1.0');
  assert.deepEqual(
    pin.files?.map(({ name }) => name),
    ['demo_1.0.orig.tar.gz'],
  );
  const target = await work.fetch(debian('demo'), pin);
  assert.deepEqual(listing(target.tree), ['755 configure #!/bin/sh', '644 demo.c /* 1.0 */']);
  assert.deepEqual(listing(target.series), []);
  assert.deepEqual(notices(work.events), []);
  const sizeBytes = pin.files?.[0]?.sizeBytes;
  assert.deepEqual(work.events.at(-1), {
    type: 'transfer',
    package: 'demo@1.0',
    what: 'demo_1.0.orig.tar.gz',
    doneBytes: sizeBytes,
    totalBytes: sizeBytes,
  });
});

test('two projects that want the same files at the same time download them once', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const work = workplace(t, mirror.environment);
  const spec = debian('demo', { patches: true });
  const contexts = twoContexts(work.top, work.context);
  const [one, two] = await Promise.all(contexts.map((context) => debianKind.resolve(spec, context)));
  assert.deepEqual(one, two);
  const asked = mirror.requests.filter((path) => path.endsWith('.tar.gz'));
  assert.equal(asked.length, 2, asked.join(' '));
});

test("Debian's series is handed over readable, though its archive closes the folder", async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const work = workplace(t, mirror.environment);
  const spec = debian('demo', { patches: true });
  const pin = await work.resolve(spec);
  assert.deepEqual(
    pin.files?.map(({ name }) => name),
    ['demo_1.0.orig.tar.gz', 'demo_1.0-1.debian.tar.gz'],
  );
  const { tree, series } = await work.fetch(spec, pin);
  assert.deepEqual(listing(series), ['644 fix.patch fix of 1.0-1', '644 series fix.patch']);
  assert.equal((walk(join(series, '..')).find(({ path }) => path === 'series')?.mode ?? 0).toString(8), '755');
  assert.ok(!existsSync(join(tree, 'debian')));
});

test('a package without patches gives an empty series, and the series for Debian goes before the common one', async (t) => {
  const plain = demo('1.0-1', '1.0');
  const mirror = await mirrorOf(
    t,
    { ...plain, files: { ...plain.files, '1.0-1.debian.tar.gz': { 'debian/control': 'Source: demo\n' } } },
    {
      ...plain,
      name: 'vendor',
      files: {
        ...plain.files,
        '1.0-1.debian.tar.gz': { 'debian/patches/series': 'common\n', 'debian/patches/debian.series': 'own\n' },
      },
    },
  );
  const work = workplace(t, mirror.environment);
  const seriesOf = async (name: string): Promise<string> => {
    const spec = debian(name, { patches: true });
    const target = await work.fetch(spec, await work.resolve(spec));
    return readFileSync(join(target.series, 'series'), 'utf8');
  };
  assert.equal(await seriesOf('demo'), '');
  assert.equal(await seriesOf('vendor'), 'own\n');
});

test('a link among the patches is refused', async (t) => {
  const plain = demo('1.0-1', '1.0');
  const mirror = await mirrorOf(t, { ...plain, files: { ...plain.files, '1.0-1.debian.tar.gz': linked() } });
  const work = workplace(t, mirror.environment);
  const spec = debian('demo', { patches: true });
  const pin = await work.resolve(spec);
  assert.equal((await problemOf(work.fetch(spec, pin))).code, 'debian-source');
});

/** `debian/patches/fix.patch` as a symbolic link to `../control`, packed by hand: headers of 512 bytes. */
function linked(): Buffer {
  const member = (name: string, type: string, target: string, text: string): Buffer => {
    const head = Buffer.alloc(512);
    const fields = [
      [0, name],
      [100, '0000644\0'],
      [108, '0000000\0'],
      [116, '0000000\0'],
      [124, `${text.length.toString(8).padStart(11, '0')}\0`],
      [136, '00000000001\0'],
      [148, '        '],
      [156, type],
      [157, target],
      [257, 'ustar\x0000'],
    ] as const;
    for (const [at, value] of fields) head.write(value, at, 'latin1');
    head.write(
      `${head
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
      'latin1',
    );
    return Buffer.concat([head, Buffer.alloc(Math.ceil(text.length / 512) * 512, text.padEnd(512, '\0'))]);
  };
  return gzipSync(
    Buffer.concat([
      member('debian/control', '0', '', 'Source: demo\n'),
      member('debian/patches/series', '0', '', 'fix.patch\n'),
      member('debian/patches/fix.patch', '2', '../control', ''),
      Buffer.alloc(1024),
    ]),
  );
}

test('component archives lie in folders of their names, in place of what the main archive has there', async (t) => {
  const plain = demo('1.0-1', '1.0');
  const mirror = await mirrorOf(t, {
    ...plain,
    files: {
      '1.0.orig-docs.tar.gz': { 'demo-docs-1.0/manual.txt': 'manual\n' },
      '1.0.orig-a-b.tar.gz': { 'one.c': '1\n', 'two.c': '2\n' },
      '1.0.orig.tar.gz': { 'demo-1.0/demo.c': 'demo\n', 'demo-1.0/docs/stale.txt': 'stale\n' },
    },
  });
  const work = workplace(t, mirror.environment);
  const pin = await work.resolve(debian('demo'));
  assert.deepEqual(
    pin.files?.map(({ name }) => name),
    ['demo_1.0.orig.tar.gz', 'demo_1.0.orig-a-b.tar.gz', 'demo_1.0.orig-docs.tar.gz'],
  );
  const { tree } = await work.fetch(debian('demo'), pin);
  assert.deepEqual(listing(tree), [
    '755 a-b/',
    '644 a-b/one.c 1',
    '644 a-b/two.c 2',
    '644 demo.c demo',
    '755 docs/',
    '644 docs/manual.txt manual',
  ]);
});

test('of a native package the one archive is the tree', async (t) => {
  const mirror = await mirrorOf(t, {
    name: 'demo',
    version: '1.0',
    format: '3.0 (native)',
    files: { '1.0.tar.gz': { 'demo-1.0/demo.c': 'demo\n' } },
  });
  const work = workplace(t, mirror.environment);
  const { tree } = await work.fetch(debian('demo'), await work.resolve(debian('demo')));
  assert.deepEqual(listing(tree), ['644 demo.c demo']);
});

test('in format 1.0 the diff is a series of one patch, or is left out', async (t) => {
  const diff = '--- demo-1.0.orig/demo.c\n+++ demo-1.0/demo.c\n@@ -1 +1 @@\n-demo\n+DEMO\n';
  const mirror = await mirrorOf(t, {
    name: 'demo',
    version: '1.0-1',
    format: '1.0',
    files: { '1.0.orig.tar.gz': { 'demo-1.0/demo.c': 'demo\n' }, '1.0-1.diff.gz': gzipSync(diff) },
  });
  const work = workplace(t, mirror.environment);
  const spec = debian('demo', { patches: true });
  const { series } = await work.fetch(spec, await work.resolve(spec));
  assert.equal(readFileSync(join(series, 'series'), 'utf8'), 'demo_1.0-1.diff\n');
  assert.equal(readFileSync(join(series, 'demo_1.0-1.diff'), 'utf8'), diff);
  const without = await work.fetch(debian('demo'), await work.resolve(debian('demo')));
  assert.deepEqual(listing(without.series), []);
});

test('a format that is not understood is refused by name', async (t) => {
  const mirror = await mirrorOf(t, { ...demo('1.0-1', '1.0'), format: '3.0 (git)' });
  const problem = await problemOf(workplace(t, mirror.environment).resolve(debian('demo')));
  assert.equal(problem.code, 'debian-source');
  assert.equal(problem.facts['found'], '3.0 (git)');
});

test('a package without an upstream archive is refused', async (t) => {
  const plain = demo('1.0-1', '1.0');
  const { '1.0-1.debian.tar.gz': packaging = {} } = plain.files;
  const mirror = await mirrorOf(t, { ...plain, files: { '1.0-1.debian.tar.gz': packaging } });
  const problem = await problemOf(workplace(t, mirror.environment).resolve(debian('demo', { patches: true })));
  assert.equal(problem.code, 'debian-source');
  assert.equal(problem.facts['found'], 'demo_1.0-1.debian.tar.gz');
});

test('an interrupt ends a download at once and leaves nothing of it', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const stop = new AbortController();
  const work = workplace(t, mirror.environment, { signal: stop.signal });
  const asked = mirror.stall('/pool/main/d/demo/demo_1.0.orig.tar.gz');
  const resolving = work.resolve(debian('demo'));
  resolving.catch(() => {});
  await asked;
  stop.abort(new Error('interrupted'));
  await assert.rejects(resolving, (error) => error === stop.signal.reason);
  assert.deepEqual(listing(join(work.top, 'blobs')), []);
});

test('where files of the newest version are missing, the next one is pinned, and that is said', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'), demo('1.0-2', '1.0'), demo('1.0-3', '1.0'));
  mirror.drop('demo', 'demo_1.0-3.debian.tar.gz');
  mirror.drop('demo', 'demo_1.0-2.debian.tar.gz');
  const work = workplace(t, mirror.environment);
  const pin = await work.resolve(debian('demo', { patches: true }));
  assert.equal(pin['debianVersion'], '1.0-1');
  assert.deepEqual(
    work.events.filter(({ type }) => type === 'notice'),
    [
      {
        type: 'notice',
        level: 'warning',
        code: 'debian-version-fallback',
        headline: 'Newest version on offer is not there in full, an older one is pinned',
        package: 'demo@1.0',
        facts: {
          'missing of 1.0-3': 'demo_1.0-3.debian.tar.gz',
          'missing of 1.0-2': 'demo_1.0-2.debian.tar.gz',
          pinned: '1.0-1',
        },
      },
    ],
  );
});

test('a version that the Buildfile names is taken as it is, or not at all', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'), demo('1.0-2', '1.0'), demo('1.0-3', '1.0'));
  mirror.drop('demo', 'demo_1.0-2.debian.tar.gz');
  const work = workplace(t, mirror.environment);
  const named = (version: string): DebianSpec => debian('demo', { patches: true, version });
  assert.equal((await work.resolve(named('1.0-1')))['debianVersion'], '1.0-1');
  const missing = await problemOf(work.resolve(named('1.0-2')));
  assert.equal(missing.code, 'source-missing');
  assert.equal(missing.facts['missing of 1.0-2'], 'demo_1.0-2.debian.tar.gz');
  assert.equal((await problemOf(work.resolve(named('1.0-4')))).code, 'debian-source');
});

test('another upstream version than the Buildfile has is an error with what is expected, found and on offer', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'), demo('1.0+dfsg-1', '1.0+dfsg'), demo('2.0-1', '2.0'));
  const problem = await problemOf(workplace(t, mirror.environment, { version: '1.5' }).resolve(debian('demo')));
  assert.equal(problem.code, 'debian-source');
  assert.deepEqual(problem.facts, { expected: 'demo 1.5', found: '2.0, 1.0', 'on offer': '2.0-1, 1.0+dfsg-1, 1.0-1' });
});

test('the name of a binary package leads to its source package', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const problem = await problemOf(workplace(t, mirror.environment).resolve(debian('demo-bin')));
  assert.equal(problem.code, 'debian-source');
  assert.equal(problem.mend, 'name its source package: demo');
  assert.equal((await problemOf(workplace(t, mirror.environment).resolve(debian('nonesuch')))).code, 'debian-source');
});

test('a pinned file that no store has is downloaded again, also when only the pool still has it', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const spec = debian('demo', { patches: true });
  const pin = await workplace(t, mirror.environment).resolve(spec);
  mirror.publish([demo('1.0-2', '1.0')]);
  const later = workplace(t, mirror.environment);
  const target = await later.fetch(spec, pin);
  assert.equal(readFileSync(join(target.series, 'fix.patch'), 'utf8'), 'fix of 1.0-1\n');
});

test('a pin that vanished is an error that names the command to pin anew; what a store still has is enough', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const spec = debian('demo', { patches: true });
  const first = workplace(t, mirror.environment);
  const pin = await first.resolve(spec);
  mirror.publish([demo('1.0-2', '1.0')]);
  mirror.drop('demo', 'demo_1.0-1.debian.tar.gz');
  const problem = await problemOf(workplace(t, mirror.environment).fetch(spec, pin));
  assert.equal(problem.code, 'source-missing');
  assert.equal(problem.facts['pinned'], 'demo 1.0-1');
  assert.match(problem.facts['missing'] ?? '', /^demo_1\.0-1\.debian\.tar\.gz \(SHA-256 [0-9a-f]{64}\)$/);
  assert.match(problem.mend, /`vbuild update demo`/);
  assert.equal(readFileSync(join((await first.fetch(spec, pin)).series, 'fix.patch'), 'utf8'), 'fix of 1.0-1\n');
});

test('a pin from another spec is refused', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const work = workplace(t, mirror.environment);
  const pin = await work.resolve(debian('demo'));
  for (const [spec, other] of [
    [debian('demo', { patches: true }), pin],
    [debian('demo', { version: '1.0-2' }), pin],
    [debian('other'), pin],
    [debian('demo'), { ...pin, files: [] }],
    [debian('demo'), { ...pin, files: [{ ...pin.files?.[0], name: '../../x.tar.gz' }] }],
  ] as const) {
    assert.equal((await problemOf(work.fetch(spec, other as Pin))).code, 'pin-mismatch');
  }
});

test('a repository that is not signed by the key in the lists is refused', async (t) => {
  for (const signature of ['none', 'of another key'] as const) {
    const mirror = await debianMirror(t, { signature });
    mirror.publish([demo('1.0-1', '1.0')]);
    const work = workplace(t, mirror.environment);
    const problem = await problemOf(work.resolve(debian('demo')));
    assert.equal(problem.code, 'debian-source');
    assert.notEqual(problem.facts['apt said'], undefined);
    assert.deepEqual(notices(work.events), ['debian-index-trouble']);
    assert.ok(!mirror.requests.some((path) => path.startsWith('/pool/')));
  }
});

test('an index that was changed after it was signed is refused', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  mirror.tamper('dists/stable/main/source/Sources', (bytes) =>
    Buffer.from(bytes.toString().replaceAll('1.0-1', '1.0-9')),
  );
  const problem = await problemOf(workplace(t, mirror.environment).resolve(debian('demo')));
  assert.equal(problem.code, 'debian-source');
  assert.notEqual(problem.facts['apt said'], undefined);
});

test('an archive with other bytes than the signed index says is refused and kept nowhere', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  mirror.tamper('pool/main/d/demo/demo_1.0.orig.tar.gz', (bytes) => bytes.fill(0x20, 40, 41));
  const work = workplace(t, mirror.environment);
  const problem = await problemOf(work.resolve(debian('demo')));
  assert.equal(problem.code, 'download-failed');
  assert.equal(problem.facts['file'], 'demo_1.0.orig.tar.gz');
  assert.deepEqual(walk(join(work.top, 'blobs')), []);
});

test('a version that came after the last update is found by a second one', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const first = workplace(t, mirror.environment);
  await first.resolve(debian('demo'));
  mirror.publish([demo('1.0-1', '1.0'), demo('2.0-1', '2.0')]);
  const later = anHourLater(t, first);
  // What is known already needs no update.
  assert.equal((await workplace(t, mirror.environment, {}, later).resolve(debian('demo')))['debianVersion'], '1.0-1');
  const asked = mirror.requests.length;
  assert.equal(
    (await workplace(t, mirror.environment, { version: '2.0' }, later).resolve(debian('demo')))['debianVersion'],
    '2.0-1',
  );
  assert.ok(mirror.requests.slice(asked).some((path) => path.startsWith('/dists/')));
});

/** The same workplace in another folder, its indexes an hour old and unknown to this process. */
function anHourLater(t: TestContext, { top }: Workplace): string {
  const copy = tempDir(t, 'debian-later');
  cpSync(top, copy, { recursive: true });
  const stamp = join(copy, 'state/apt/updated');
  const [sources] = readFileSync(stamp, 'utf8').split(' ');
  writeFileSync(stamp, `${sources} ${Date.now() - 3_600_000}`);
  return copy;
}

test('offline nothing is asked of the mirror, and what is at hand is enough', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const online = workplace(t, mirror.environment);
  const pin = await online.resolve(debian('demo'));
  const asked = mirror.requests.length;
  const offline = workplace(t, mirror.environment, { offline: true }, online.top);
  assert.deepEqual(await offline.resolve(debian('demo')), pin);
  await offline.fetch(debian('demo'), pin);
  const fresh = workplace(t, mirror.environment, { offline: true });
  assert.equal((await problemOf(fresh.resolve(debian('demo')))).mend, 'run once without --offline');
  const missing = await problemOf(fresh.fetch(debian('demo'), pin));
  assert.equal(missing.code, 'source-missing');
  assert.equal(missing.mend, 'run once without --offline');
  assert.equal(mirror.requests.length, asked);
});

test('a machine without apt is told what was looked for', async (t) => {
  const problem = await problemOf(workplace(t, { PATH: tempDir(t, 'empty') }).resolve(debian('zlib')));
  assert.equal(problem.code, 'tool-missing');
  assert.equal(problem.facts['looked for'], 'apt-config');
});

const child = join(import.meta.dirname, '../support/debian-child.ts');
const runChild = async (request: object): Promise<{ readonly pin: Pin; readonly uid: number }> => {
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(request)]);
  return JSON.parse(stdout) as { pin: Pin; uid: number };
};

test('two processes at once update the shared indexes once', async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'), { ...demo('1.0-1', '1.0'), name: 'other' });
  const top = tempDir(t, 'debian');
  chmodSync(top, 0o755);
  const results = await Promise.all(
    ['demo', 'other'].map((name) => runChild({ top, name, version: '1.0', environment: mirror.environment })),
  );
  assert.deepEqual(
    results.map(({ pin }) => pin['source']),
    ['demo', 'other'],
  );
  assert.equal(mirror.requests.filter((path) => path === '/dists/stable/Release').length, 1);
});

test('an ordinary user needs no root', {
  skip: process.getuid?.() !== 0 && 'all other tests show it when not run by root',
}, async (t) => {
  const mirror = await mirrorOf(t, demo('1.0-1', '1.0'));
  const top = tempDir(t, 'debian');
  const nobody = 65534;
  chownSync(top, nobody, nobody);
  const { pin, uid } = await runChild({
    top,
    name: 'demo',
    version: '1.0',
    environment: mirror.environment,
    uid: nobody,
  });
  assert.equal(uid, nobody);
  assert.equal(pin['debianVersion'], '1.0-1');
  assert.deepEqual(listing(join(top, 'demo', 'tree')), ['755 configure #!/bin/sh', '644 demo.c /* 1.0 */']);
});

test("the machine's own repositories serve zlib with Debian's patches", async (t) => {
  const top = tempDir(t, 'debian');
  const apt = await openApt({ folder: join(top, 'state/apt'), environment: process.env, signal: t.signal });
  await apt.refresh(0);
  const offered = (await apt.offers('zlib')).map(({ version }) => upstreamVersion(version))[0];
  assert.ok(offered !== undefined, 'the machine needs a Debian mirror that serves source packages');
  const work = workplace(t, process.env, { version: offered }, top);
  const spec = debian('zlib', { patches: true });
  const { tree, series } = await work.fetch(spec, await work.resolve(spec));
  assert.ok(readFileSync(join(tree, 'zlib.h'), 'utf8').includes(`#define ZLIB_VERSION "${offered}`));
  assert.ok(!existsSync(join(tree, 'debian')));
  assert.ok(existsSync(join(series, 'series')));
});
