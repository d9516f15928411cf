/** Mirrors: which places are asked and in which order, tried on real servers of every kind that takes them. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import { VbuildError } from '../../src/model/error.ts';
import { bazaar } from '../../src/sources/bazaar.ts';
import { git } from '../../src/sources/git.ts';
import { type SourceSpec, sourceKind } from '../../src/sources/index.ts';
import { mercurial } from '../../src/sources/mercurial.ts';
import { mirror, type MirrorRule, placesFor } from '../../src/sources/mirror-spec.ts';
import { subversion } from '../../src/sources/subversion.ts';
import { tarball } from '../../src/sources/tarball.ts';
import { walk } from '../../src/system/files.ts';
import { bzrServer, inBzr, makeBzrBranch } from '../support/bzr-server.ts';
import { gitServer, inGit, makeRepository } from '../support/git-server.ts';
import { hgServer, inHg, makeHgRepository } from '../support/hg-server.ts';
import { fileServer, httpServer, serve } from '../support/http-server.ts';
import { skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { makeSvnRepository, svnServer } from '../support/svn-server.ts';
import { removeTree, tempDir } from '../support/temp.ts';
import { fetchTarget, sourceContext, upstreamTarball } from '../support/upstream.ts';

const digest = digestOf('x');
const at = 'https://a.example/';
const rows: readonly (readonly [
  title: string,
  url: string,
  rules: readonly MirrorRule[],
  archives: boolean,
  places: readonly string[],
])[] = [
  ['no rule', `${at}x.tar`, [], true, [`${at}x.tar`]],
  ['a rule for another place', `${at}x.tar`, [mirror('https://b.example/', { to: 'm' })], true, [`${at}x.tar`]],
  ['a folder', `${at}d/x.tar`, [mirror(at, { to: '/m' })], true, ['/m/d/x.tar', `${at}d/x.tar`]],
  ['a slash at the end', `${at}x.tar`, [mirror(at, { to: '/m/' })], true, ['/m/x.tar', `${at}x.tar`]],
  [
    'before and after, each in order',
    `${at}x.tar`,
    [
      mirror(at, { to: 'http://late', when: 'after' }),
      mirror(at, { to: 'http://one' }),
      mirror('https://', { to: 'http://two', when: 'before' }),
      mirror(at, { to: 'http://later', when: 'after' }),
    ],
    true,
    ['http://one/x.tar', 'http://two/a.example/x.tar', `${at}x.tar`, 'http://late/x.tar', 'http://later/x.tar'],
  ],
  [
    'nothing twice',
    `${at}x.tar`,
    [mirror(at, { to: at }), mirror('https://', { to: 'https://' })],
    true,
    [`${at}x.tar`],
  ],
  [
    'a mirror of a mirror',
    `${at}x`,
    [mirror(at, { to: 'http://m/' }), mirror('http://m/', { to: 'n' })],
    true,
    ['http://m/x', `${at}x`],
  ],
  [
    'a digest',
    `${at}x.tar`,
    [mirror(at, { to: 's3://b/s', by: 'digest' })],
    true,
    [`s3://b/s/${digest}`, `${at}x.tar`],
  ],
  ['a digest of a repository', `${at}x.git`, [mirror(at, { to: 'm', by: 'digest' })], false, [`${at}x.git`]],
  ['a bucket of repositories', `${at}x.git`, [mirror(at, { to: 's3://b' })], false, [`${at}x.git`]],
  ['a repository', `${at}o/x.git`, [mirror(at, { to: '/git' })], false, ['/git/o/x.git', `${at}o/x.git`]],
  ['a place as ssh has it', 'git@h:o/x', [mirror('git@h:', { to: '/git' })], false, ['/git/o/x', 'git@h:o/x']],
  [
    'a folder of a URL that is escaped',
    `${at}a%2Bb%20c`,
    [mirror(at, { to: '/m' })],
    true,
    ['/m/a+b c', `${at}a%2Bb%20c`],
  ],
  ['a URL that is escaped', `${at}a%2Bb`, [mirror(at, { to: 'http://m' })], true, ['http://m/a%2Bb', `${at}a%2Bb`]],
  ['a name that climbs', `${at}../x`, [mirror(at, { to: '/m' })], true, [`${at}../x`]],
  ['a name that climbs in disguise', `${at}%2e%2e%2fx`, [mirror(at, { to: '/m' })], true, [`${at}%2e%2e%2fx`]],
  [
    'a name that climbs in disguise on a server',
    `${at}%2E%2E%2fx`,
    [mirror(at, { to: 'http://m/top/' })],
    true,
    [`${at}%2E%2E%2fx`],
  ],
  ['what is no escape', `${at}%zz`, [mirror(at, { to: '/m' })], true, [`${at}%zz`]],
  ['a slash that is escaped', `${at}g%2Fa`, [mirror(at, { to: 'http://m' })], true, ['http://m/g%2Fa', `${at}g%2Fa`]],
  [
    'a slash that is escaped, and files',
    `${at}g%2fa%20b`,
    [mirror(at, { to: '/m' }), mirror(at, { to: 'file:///n/' })],
    true,
    ['/m/g/a b', 'file:///n/g/a%20b', `${at}g%2fa%20b`],
  ],
];
for (const [title, url, rules, archives, places] of rows)
  test(`placesFor() with ${title}`, () => {
    assert.deepEqual(
      placesFor(url, rules, { archives, digest }).map((one) => one.url),
      places,
    );
  });

test('placesFor() has no place by digest while the digest is not known', () => {
  assert.deepEqual(
    placesFor(`${at}x`, [mirror(at, { to: 'm', by: 'digest' })], { archives: true }).map((one) => one.url),
    [`${at}x`],
  );
});

/** Resolves and fetches without anything from before. @returns The files, and where nothing was passed over without a word. */
async function brought(
  t: TestContext,
  spec: SourceSpec,
  mirrors: readonly MirrorRule[],
  pin?: Awaited<ReturnType<ReturnType<typeof sourceKind>['resolve']>>,
) {
  const top = tempDir(t, 'site');
  const context = sourceContext(top, { mirrors });
  const pinned = pin ?? (await sourceKind(spec).resolve(spec, context));
  const target = fetchTarget(top);
  await sourceKind(spec).fetch(spec, pinned, target, context);
  const passed = context.events.flatMap((event) =>
    event.type === 'notice' && event.headline === 'Mirror is passed over' ? [`${event.level} ${event.code}`] : [],
  );
  const files = Object.fromEntries(
    walk(target.tree)
      .filter(({ type }) => type === 'file')
      .map(({ path }) => [path, readFileSync(join(target.tree, path), 'utf8')]),
  );
  return { files, passed, pin: pinned };
}

const content = { 'main.c': 'one\n' };
/** Nothing listens there. */
const nowhere = 'http://127.0.0.1:9';

test('tarball() takes a mirror before the origin, which is then not asked', async (t) => {
  const top = tempDir(t);
  const bytes = readFileSync(upstreamTarball(top, content));
  mkdirSync(join(top, 'mirror/src'), { recursive: true });
  writeFileSync(join(top, 'mirror/src/up+1.tar.gz'), bytes);
  const origin = await httpServer(t, (_request, response) => response.writeHead(500).end());
  const near = await fileServer(t, join(top, 'mirror'));
  const spec = tarball(`${origin.url}/dl/src/up%2B1.tar.gz`);
  for (const to of [`${near.url}/`, join(top, 'mirror'), `file://${top}/mirror`])
    assert.deepEqual((await brought(t, spec, [mirror(`${origin.url}/dl/`, { to })])).files, content, to);
  assert.equal(origin.seen.length, 0);
});

test('tarball() takes a mirror after the origin when that one fails, whichever way it fails', async (t) => {
  const top = tempDir(t);
  const bytes = readFileSync(upstreamTarball(top, content));
  const digestOfIt = digestOf(bytes);
  mkdirSync(join(top, 'by-digest'));
  writeFileSync(join(top, 'by-digest', digestOfIt), bytes);
  const answers = {
    'is gone': (response) => response.writeHead(404).end(),
    'has other bytes': (response) => response.writeHead(200).end('other'),
    'shows a log-in page': (response) => response.writeHead(200).end('<!doctype html><html></html>'),
    'redirects in a circle': (response) => response.writeHead(302, { location: '/a-1.tar.gz' }).end(),
    'forbids it': (response) => response.writeHead(403).end(),
  } satisfies Record<string, (response: ServerResponse) => unknown>;
  for (const [title, answer] of Object.entries(answers)) {
    const origin = await httpServer(t, (_request, response) => void answer(response));
    const spec = tarball(`${origin.url}/a-1.tar.gz`, { sha256: digestOfIt });
    const rule = mirror(`${origin.url}/`, { to: join(top, 'by-digest'), by: 'digest', when: 'after' });
    const { files, passed } = await brought(t, spec, [rule]);
    assert.deepEqual(files, content, title);
    assert.deepEqual(passed.length, 1, title);
    assert.match(passed[0] ?? '', /^warning /);
  }
  const silent = tarball(`${nowhere}/a-1.tar.gz`, { sha256: digestOfIt });
  const found = await brought(t, silent, [
    mirror('http://', { to: join(top, 'by-digest'), by: 'digest', when: 'after' }),
  ]);
  assert.deepEqual(found.files, content);
});

test('tarball() passes over mirrors that lack the archive without a warning, and over those with other bytes with one', async (t) => {
  const top = tempDir(t);
  const bytes = readFileSync(upstreamTarball(top, content));
  const origin = await httpServer(t, (request, response) => serve(request, response, bytes));
  const wrong = await httpServer(t, (_request, response) => response.end('wrong'));
  mkdirSync(join(top, 'empty'));
  const spec = tarball(`${origin.url}/a-1.tar.gz`, { sha256: digestOf(bytes) });
  const rules = [mirror(`${origin.url}/`, { to: join(top, 'empty') }), mirror(`${origin.url}/`, { to: wrong.url })];
  const { files, passed } = await brought(t, spec, rules);
  assert.deepEqual(files, content);
  assert.deepEqual(passed, ['info source-missing', 'warning pin-mismatch']);
});

test('tarball() asks on where a mirror on disk has nothing of that name, a folder, or what cannot be read', async (t) => {
  const top = tempDir(t);
  const bytes = readFileSync(upstreamTarball(top, content));
  mkdirSync(join(top, 'm/folder'), { recursive: true });
  const origin = await httpServer(t, (request, response) => serve(request, response, bytes));
  const names = { 'group%2Fa-1.tar.gz': 'info source-missing', folder: 'info source-missing' };
  for (const [name, passed] of Object.entries({ ...names, [`${'x'.repeat(5000)}.gz`]: 'info source-missing' })) {
    const rule = mirror(`${origin.url}/`, { to: `file://${top}/m/` });
    const found = await brought(t, tarball(`${origin.url}/${name}`), [rule]);
    assert.deepEqual([found.files, found.passed], [content, [passed]], name);
    assert.equal(origin.seen.at(-1)?.path, `/${name}`);
  }
  // Its first page is nobody's to read.
  const unreadable = await brought(t, tarball(`${origin.url}/mem`), [
    mirror(`${origin.url}/`, { to: 'file:///proc/self/' }),
  ]);
  assert.deepEqual([unreadable.files, unreadable.passed], [content, ['warning disk-trouble']]);
});

test('where no place has an archive, the trouble of the place in the Buildfile is told, or else of one with other bytes', async (t) => {
  const top = tempDir(t);
  mkdirSync(join(top, 'empty'));
  const origin = await httpServer(t, (_request, response) => response.writeHead(410).end());
  const spec = tarball(`${origin.url}/a-1.tar.gz`, { sha256: digestOf('x') });
  const refusal = async (rules: readonly MirrorRule[]): Promise<string> =>
    brought(t, spec, rules).then(
      () => 'brought',
      (error: unknown) => (error instanceof VbuildError ? `${error.code} ${error.facts['url']}` : String(error)),
    );
  assert.equal(
    await refusal([mirror(`${origin.url}/`, { to: join(top, 'empty') })]),
    `source-missing ${origin.url}/a-1.tar.gz`,
  );
  const wrong = await httpServer(t, (_request, response) => response.end('wrong'));
  assert.equal(
    await refusal([mirror(`${origin.url}/`, { to: wrong.url, when: 'after' })]),
    `pin-mismatch ${wrong.url}/a-1.tar.gz`,
  );
});

test('a folder serves as a mirror offline', async (t) => {
  const top = tempDir(t);
  const bytes = readFileSync(upstreamTarball(top, content));
  mkdirSync(join(top, 'm'));
  writeFileSync(join(top, 'm/a.tar.gz'), bytes);
  const context = sourceContext(join(top, 'site'), {
    offline: true,
    mirrors: [mirror('https://', { to: join(top, 'm'), when: 'after' })],
  });
  const spec = tarball('https://a.tar.gz');
  const pin = await sourceKind(spec).resolve(spec, context);
  assert.equal(pin.files?.[0]?.digest, digestOf(bytes));
});

test('tarball() takes a mirror in a bucket, by name and by digest', { skip: skipWithoutS3 }, async (t) => {
  const server = await startS3Server();
  t.after(() => server.close());
  const top = tempDir(t);
  const bytes = readFileSync(upstreamTarball(top, content));
  const bucket = await server.bucket({ who: 'reader', may: 'get' });
  await server.put(bucket, 'src/up/a 1.tar.gz', bytes);
  await server.put(bucket, `blobs/${digestOf(bytes)}`, bytes);
  const environment = { AWS_ENDPOINT_URL_S3: server.endpoint, HOME: top, ...server.reader };
  for (const [spec, rule] of [
    [tarball(`${nowhere}/up/a%201.tar.gz`), mirror(`${nowhere}/`, { to: `s3://${bucket}/src/` })],
    [
      tarball(`${nowhere}/up/a.tar.gz`, { sha256: digestOf(bytes) }),
      mirror(`${nowhere}/`, { to: `s3://${bucket}/blobs`, by: 'digest' }),
    ],
  ] as const) {
    const context = { ...sourceContext(tempDir(t, 'site'), { mirrors: [rule] }), environment };
    const pin = await sourceKind(spec).resolve(spec, context);
    assert.equal(pin.files?.[0]?.digest, digestOf(bytes));
  }
});

test('a signature is sought at the mirrors of its place as well', async (t) => {
  const top = tempDir(t);
  const seen = await httpServer(t, (_request, response) => response.writeHead(404).end());
  const spec = tarball(`${nowhere}/a.tar.gz`, { signature: { keyring: 'keys.asc' } });
  mkdirSync(join(top, 'm'));
  writeFileSync(join(top, 'm/a.tar.gz'), readFileSync(upstreamTarball(top, content)));
  const mirrors = [mirror(`${nowhere}/`, { to: join(top, 'm') }), mirror(`${nowhere}/`, { to: `${seen.url}/x` })];
  await assert.rejects(async () => sourceKind(spec).resolve(spec, sourceContext(top, { mirrors })));
  assert.deepEqual(
    seen.seen.map(({ path }) => path),
    ['/x/a.tar.gz.asc'],
  );
});

/** Two servers of one upstream: the origin, which goes away, and a copy of its repository elsewhere. */
interface Twins {
  readonly spec: SourceSpec;
  readonly origin: string;
  /** Places of the copy: a server, and the folder. */
  readonly copies: readonly string[];
  readonly vanish: () => Promise<void>;
}

const twins: Readonly<Record<string, (t: TestContext, top: string) => Promise<Twins>>> = {
  async git(t, top) {
    makeRepository(join(top, 'served/owner/up'), content);
    inGit(join(top, 'served/owner/up'), 'tag', 'v1');
    cpSync(join(top, 'served'), join(top, 'copy/far'), { recursive: true });
    const [origin, copy] = [await gitServer(t, join(top, 'served')), await gitServer(t, join(top, 'copy'))];
    return {
      spec: git(`${origin.url}/owner/up`, { rev: 'v1' }),
      origin: `${origin.url}/`,
      copies: [`${copy.url}/far/`, join(top, 'copy/far')],
      vanish: () => origin.stop(),
    };
  },
  async mercurial(t, top) {
    makeHgRepository(join(top, 'served/up'), content);
    inHg(join(top, 'served/up'), 'bookmark', 'v1');
    cpSync(join(top, 'served/up'), join(top, 'copy/up'), { recursive: true });
    const origin = await hgServer(t, join(top, 'one'), join(top, 'served/up'));
    const copy = await hgServer(t, join(top, 'two'), join(top, 'copy/up'));
    return {
      spec: mercurial(`${origin.url}/up`, { rev: 'v1' }),
      origin: `${origin.url}/`,
      copies: [copy.url, join(top, 'copy')],
      vanish: () => origin.stop(),
    };
  },
  async subversion(t, top) {
    makeSvnRepository(join(top, 'served/up'), content);
    cpSync(join(top, 'served/up'), join(top, 'copy/up'), { recursive: true });
    const [origin, copy] = [await svnServer(t, join(top, 'served')), await svnServer(t, join(top, 'copy'))];
    return {
      spec: subversion(`${origin.url}/up/trunk`),
      origin: `${origin.url}/`,
      copies: [`${copy.url}/`, join(top, 'copy')],
      vanish: () => origin.stop(),
    };
  },
  async bazaar(t, top) {
    makeBzrBranch(join(top, 'served/up'), content);
    inBzr(join(top, 'served/up'), 'tag', '--quiet', 'v1');
    cpSync(join(top, 'served/up'), join(top, 'copy/up'), { recursive: true });
    const [origin, copy] = [await bzrServer(t, join(top, 'served')), await bzrServer(t, join(top, 'copy'))];
    return {
      spec: bazaar(`${origin.url}/up`, { rev: 'v1' }),
      origin: `${origin.url}/`,
      copies: [`${copy.url}/`, join(top, 'copy')],
      vanish: () => origin.stop(),
    };
  },
};

for (const [kind, make] of Object.entries(twins))
  test(`${kind}() pins and fetches from mirrors: servers and folders, before and after an origin that is gone`, async (t) => {
    const top = tempDir(t, 'twins');
    for (const name of ['one', 'two', 'site']) mkdirSync(join(top, name));
    const { spec, origin, copies, vanish } = await make(t, top);
    const { pin, files } = await brought(t, spec, []);
    assert.deepEqual(files, content);
    const empty = mirror(origin, { to: join(top, 'nothing') });
    const overEmpty = await brought(t, spec, [empty]);
    assert.deepEqual([overEmpty.pin, overEmpty.files], [pin, content]);
    assert.ok(overEmpty.passed.length >= 1);
    await vanish();
    for (const [copy, when] of (['before', 'after'] as const).entries()) {
      const to = copies[copy] ?? '';
      const found = await brought(t, spec, [mirror(origin, { to, when })]);
      assert.deepEqual([found.pin, found.files], [pin, content], `${when} ${to}`);
    }
  });

test('git() takes submodules and a commit that one mirror lacks from the next', async (t) => {
  const top = tempDir(t);
  const library = makeRepository(join(top, 'served/lib'), { 'lib.c': 'lib\n' });
  const main = join(top, 'served/main');
  makeRepository(main, content);
  const server = await gitServer(t, join(top, 'served'));
  inGit(main, '-c', 'protocol.allow=always', 'submodule', '--quiet', 'add', `${server.url}/lib`, 'sub');
  cpSync(main, join(top, 'stale/main'), { recursive: true });
  inGit(main, 'commit', '--quiet', '--message=sub');
  inGit(main, 'tag', 'v1');
  cpSync(join(top, 'served'), join(top, 'full'), { recursive: true });
  await server.stop();
  removeTree(join(top, 'served'));
  assert.match(library, /^[0-9a-f]{40}$/);
  const rules = ['stale', 'full'].map((name) => mirror(`${server.url}/`, { to: join(top, name) }));
  const { files, passed } = await brought(t, git(`${server.url}/main`, { rev: 'v1', submodules: true }), rules);
  assert.deepEqual(Object.keys(files).sort(), ['.gitmodules', 'main.c', 'sub/lib.c']);
  assert.ok(passed.includes('info source-missing'), passed.join());
});

test('a mirror that is another repository is told apart by the pin', async (t) => {
  const top = tempDir(t);
  makeSvnRepository(join(top, 'served/up'), content);
  makeSvnRepository(join(top, 'other/up'), content);
  const origin = await svnServer(t, join(top, 'served'));
  const spec = subversion(`${origin.url}/up/trunk`);
  const { pin } = await brought(t, spec, []);
  const rule = mirror(`${origin.url}/`, { to: join(top, 'other') });
  assert.deepEqual((await brought(t, spec, [rule], pin)).passed, ['warning pin-mismatch']);
  await origin.stop();
  renameSync(join(top, 'served'), join(top, 'gone'));
  await assert.rejects(
    async () => brought(t, spec, [rule], pin),
    (error: unknown) => error instanceof VbuildError && error.code === 'pin-mismatch',
  );
});
