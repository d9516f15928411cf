/** The private state of apt: which repositories it has, when it updates, what it downloads. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import { type Apt, openApt } from '../../src/system/apt.ts';
import { fetchFailures, listedFiles, offersIn } from '../../src/system/apt-output.ts';
import { sourcesOnly } from '../../src/system/apt-sources.ts';
import { type DebianMirror, debianMirror, type MirrorPackage } from '../support/debian-mirror.ts';
import { tempDir } from '../support/temp.ts';

const lists: readonly (readonly [title: string, name: string, before: string, after: string])[] = [
  [
    'a deb line becomes a deb-src line',
    'a.list',
    'deb http://m/debian stable main contrib\n',
    'deb-src http://m/debian stable main contrib\n',
  ],
  [
    'a deb-src line of the same repository is not doubled',
    'a.list',
    'deb http://m s main\ndeb-src http://m s main\n',
    'deb-src http://m s main\n',
  ],
  [
    'options stay as they are',
    'a.list',
    '  deb [ arch=amd64 signed-by=/k.gpg trusted=yes ] http://m ./ # own\n',
    'deb-src [ arch=amd64 signed-by=/k.gpg trusted=yes ] http://m ./ # own\n',
  ],
  [
    'comments and discs are left out',
    'a.list',
    '# deb http://m s main\ndeb cdrom:[Debian 12]/ s main\ndeb [trusted=yes] cdrom:[x]/ s main\n\n',
    '\n',
  ],
  [
    'a paragraph asks for sources and keeps all else',
    'a.sources',
    '# comment\nTypes: deb\nURIs: http://m\nSuites: a b\nEnabled: no\nSigned-By:\n -----BEGIN PGP\n .\n types: deb\n\nTypes: deb deb-src\nURIs: http://n\n',
    '# comment\nTypes: deb-src\nURIs: http://m\nSuites: a b\nEnabled: no\nSigned-By:\n -----BEGIN PGP\n .\n types: deb\n\nTypes: deb-src\nURIs: http://n\n',
  ],
  [
    'types may go on in further lines',
    'a.sources',
    'types:\n deb\n# note\n deb-src\nURIs: http://m\n',
    'Types: deb-src\nURIs: http://m\n',
  ],
];

for (const [title, name, before, after] of lists) {
  test(`sourcesOnly(): ${title}`, () => {
    assert.deepEqual(sourcesOnly({ name, text: before }), { name, text: after });
  });
}

test('fetchFailures() gives the reason by URI, over several lines if need be', () => {
  const printed = [
    "W: Download is performed unsandboxed as root as file '/x' couldn't be accessed by user '_apt'.",
    'E: Failed to fetch http://m/a%2b1.tar  404  Not Found [IP: 127.0.0.1 80]',
    'E: Failed to fetch http://m/b.tar  Hash Sum mismatch',
    '   Hashes of expected file:',
    '    - SHA256:00',
    'E: Download Failed',
  ].join('\n');
  assert.deepEqual(
    [...fetchFailures(printed)],
    [
      ['http://m/a%2b1.tar', '404  Not Found [IP: 127.0.0.1 80]'],
      ['http://m/b.tar', 'Hash Sum mismatch Hashes of expected file: - SHA256:00'],
    ],
  );
});

test('listedFiles() takes lines with a SHA-256 and a plain name only', () => {
  const digest = digestOf('x');
  const printed = `Need to get 2 B\n'http://m/a%2b_1.dsc' a+_1.dsc 12 SHA256:${digest}\n'http://m/b' ../b 1 SHA256:${digest}\n'http://m/c' c 1 MD5Sum:00\n`;
  assert.deepEqual(listedFiles(printed), [{ name: 'a+_1.dsc', uri: 'http://m/a%2b_1.dsc', digest, sizeBytes: 12 }]);
});

test('offersIn() gives each version of the package once', () => {
  const text =
    'Package: a\nVersion: 1-1\nFormat: 1.0\n\nPackage: ab\nVersion: 2-1\nFormat: 1.0\n\nPackage: a\nVersion: 1-1\nFormat: 1.0\nFiles:\n 0 1 x\n\n';
  assert.deepEqual(offersIn(text, 'a'), [{ version: '1-1', format: '1.0' }]);
});

const demo = (version: string): MirrorPackage => ({
  name: 'demo',
  version,
  files: { [`${version}.tar.gz`]: Buffer.from(version) },
  format: '3.0 (native)',
});

const open = (t: TestContext, mirror: DebianMirror, folder: string): Promise<Apt> =>
  openApt({ folder, environment: mirror.environment, signal: t.signal });

test('a repository in one line serves sources, one that is switched off is not asked, hooks of the system do not run', async (t) => {
  const hook = join(tempDir(t), 'hook');
  const hooks = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success']
    .map((when) => `APT::Update::${when} { "touch ${hook}"; };`)
    .join('\n');
  const mirror = await debianMirror(t, { list: 'one-line', configuration: hooks });
  mirror.publish([demo('1')]);
  const apt = await open(t, mirror, join(tempDir(t), 'apt'));
  const { revision, trouble } = await apt.refresh(0);
  assert.notEqual(revision, '');
  assert.equal(trouble, undefined);
  assert.deepEqual(await apt.offers('demo'), [{ version: '1', format: '3.0 (native)' }]);
  assert.ok(!existsSync(hook));
});

test('packages of one process share one update, and the next process finds it recent', async (t) => {
  const mirror = await debianMirror(t);
  mirror.publish([demo('1')]);
  const folder = join(tempDir(t), 'apt');
  const updates = (): number => mirror.requests.filter((path) => path === '/dists/stable/Release').length;
  const apts = await Promise.all([open(t, mirror, folder), open(t, mirror, folder), open(t, mirror, folder)]);
  const done = await Promise.all(apts.map((apt) => apt.refresh(1000)));
  assert.deepEqual(
    done.map(({ updatedHere }) => updatedHere),
    [true, false, false],
  );
  assert.equal(new Set(done.map(({ revision }) => revision)).size, 1);
  assert.equal((await (await open(t, mirror, folder)).refresh(0)).updatedHere, false);
  assert.equal(updates(), 1);
});

test('other lists of repositories are a reason to update', async (t) => {
  const mirror = await debianMirror(t);
  mirror.publish([demo('1')]);
  const folder = join(tempDir(t), 'apt');
  const first = await (await open(t, mirror, folder)).refresh(1_000_000);
  appendFileSync(join(mirror.environment['APT_CONFIG'] ?? '', '../sources.list.d/own.sources'), '# changed\n');
  const second = await (await open(t, mirror, folder)).refresh(1_000_000);
  assert.ok(second.updatedHere);
  assert.notEqual(second.revision, first.revision);
});

test('a repository that cannot be read is told of, and the others serve', async (t) => {
  const mirror = await debianMirror(t, { configuration: 'Acquire::Retries "0";' });
  mirror.publish([demo('1')]);
  writeFileSync(
    join(mirror.environment['APT_CONFIG'] ?? '', '../sources.list.d/dead.list'),
    'deb http://127.0.0.2:1/ stable main\n',
  );
  const apt = await open(t, mirror, join(tempDir(t), 'apt'));
  assert.match((await apt.refresh(0)).trouble ?? '', /127\.0\.0\.2:1/);
  assert.equal((await apt.offers('demo')).length, 1);
});

test('download() keeps what came and tells what is missing from what is broken', async (t) => {
  const mirror = await debianMirror(t);
  mirror.publish([demo('1'), demo('2'), demo('3')]);
  const folder = tempDir(t);
  const apt = await open(t, mirror, join(folder, 'apt'));
  await apt.refresh(0);
  const [here, gone, changed] = await Promise.all(
    ['1', '2', '3'].map(async (version) => (await apt.files('demo', version)).find(({ name }) => name.endsWith('.gz'))),
  );
  assert.ok(here && gone && changed);
  mirror.drop('demo', gone.name);
  mirror.tamper(`pool/main/d/demo/${changed.name}`, () => Buffer.from('4'));
  const local = { uri: `file:${join(folder, 'apt/status')}`, digest: digestOf(''), name: 'local' };
  const nowhere = { uri: `file:${join(folder, 'nowhere')}`, digest: digestOf(''), name: 'nowhere' };
  const place = (name: string): string => join(folder, `got-${name}`);
  const wanted: readonly { readonly uri: string; readonly digest: Digest; readonly name: string }[] = [
    here,
    gone,
    changed,
    local,
    nowhere,
  ];
  const failures = await apt.download(wanted.map(({ uri, digest, name }) => ({ uri, digest, into: place(name) })));
  assert.deepEqual(
    wanted.map(({ uri }) => failures.get(uri)?.missing),
    [undefined, true, false, undefined, true],
  );
  assert.equal(readFileSync(place(here.name), 'utf8'), '1');
  assert.deepEqual(
    wanted.map(({ name }) => existsSync(place(name))),
    [true, false, false, true, false],
  );
  assert.ok(!existsSync(`${place(changed.name)}.FAILED`));
});
