/** Deployments: install what is ready, refuse what is not before anything is brought, roll back, and what running programs see of it. */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { equalKeyOf } from '../../src/artifact/equal.ts';
import { serialiseManifest } from '../../src/artifact/manifest-text.ts';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { manifestObject, objectFor } from '../../src/cache/layout.ts';
import { generationsFolder } from '../../src/install/generations.ts';
import type { ContentKey } from '../../src/model/digest.ts';
import { acquireLock } from '../../src/system/lock.ts';
import { hostPlatform } from '../../src/system/platform.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { forge, manifestIn } from '../support/forged.ts';
import { cloneOf, type Project, projectAt } from '../support/project.ts';
import { served } from '../support/served.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { runProgram, startProgram, vbuildBin } from '../support/vbuild.ts';

test('install takes what a cache has, and refuses the rest before any body is brought', async (t) => {
  const { site, bucket, clone, seen } = await served(t);
  const install = async (at: typeof clone, args: readonly string[] = []) =>
    eventsOf(await at.run(['install', '--json', ...args]));
  const bodies = (): number => seen.filter(({ path }) => path.includes('/blobs/')).length;

  await t.test('nothing is compiled, and nothing written into the project', async () => {
    const run = insistOnSuccess(await install(clone, ['branch']));
    assert.deepEqual([run.stages, run.installs, run.outcomes], [[], 1, { fresh: 0, restored: 2, built: 0 }]);
    assert.deepEqual(Object.keys(clone.installed()), ['branch', 'leaf']);
    assert.ok(!existsSync(join(clone.path, '.vbuild')));
    assert.equal((await clone.run(['check', 'branch'])).exitStatus, 0);
    const again = insistOnSuccess(await install(clone, ['branch']));
    assert.deepEqual([again.installs, again.outcomes], [0, { fresh: 2, restored: 0, built: 0 }]);
  });

  await t.test('where no prefix can lie nothing is installed, and it is said why', async () => {
    const links = [join(clone.path, 'dangling'), join(clone.path, 'circle')] as const;
    symlinkSync('nowhere', links[0]);
    symlinkSync('circle', links[1]);
    const rows = [
      ['dangling/vendor', /^error: Something else lies where a folder is needed\n +file +dangling$/m],
      ['circle/vendor', /^error: Symbolic links lead round in a circle$/m],
      ['x'.repeat(300), /^error: Path is too long$/m],
      // This one is noted in the cache, as one to share files with, before it turns out that it cannot be.
      ['y'.repeat(250), /^error: Path is too long$/m],
      ['a:b', /^error: Prefix cannot be called so\n +prefix +"\S+a:b"$/m],
      ['new\nline', /^error: Prefix cannot be called so\n +prefix +"\S+new\\nline"$/m],
      ['vendor/own', /^error: Prefix would lie among the generations of another one\n +file +vendor\/own$/m],
      ['.vendor.generations/9', /^error: Prefix would lie among the generations of another one$/m],
    ] as const;
    for (const [prefix, said] of rows) {
      const { exitStatus, stderr } = await clone.run(['install', 'branch', '--prefix', prefix]);
      assert.equal(exitStatus, 1, stderr);
      assert.match(stderr, said);
      assert.match(stderr, /^ {2}mend/m);
    }
    assert.equal((await clone.run(['verify'])).exitStatus, 0);
    for (const link of links) rmSync(link);
  });

  await t.test('what no cache has ends with status 3, and the prefix stays as it was', async () => {
    const before = bodies();
    const run = await install(clone, ['--offline']);
    assert.deepEqual(
      [run.exitStatus, run.errors.map(({ code, where }) => [code, where.package])],
      [
        3,
        [
          ['not-ready', 'app@1.0'],
          ['not-ready', 'lone@1.0'],
        ],
      ],
    );
    assert.equal((await install(clone)).exitStatus, 3);
    assert.deepEqual([bodies(), Object.keys(clone.installed())], [before, ['branch', 'leaf']]);
  });

  await t.test('what does not fit this host ends with status 4, and nothing of it is brought', async () => {
    const honest = join(clone.home, 'honest');
    cpSync(bucket, honest, { recursive: true });
    forge(bucket, 'leaf', ({ needs }) => ({ needs: { ...needs, symbolVersions: { GLIBC: '9.99' } } }));
    const other = cloneOf(clone, `${clone.path}-other`, `${clone.home}-other`);
    const before = bodies();
    const run = await install(other, ['branch']);
    assert.deepEqual(
      [run.exitStatus, run.errors.map(({ code, where }) => [code, where.package])],
      [4, [['unfit-host', 'leaf@1.0']]],
    );
    assert.equal(bodies(), before);
    // A run that may not build brings what fits, and ends in the same way.
    assert.equal((await other.build(['branch', '--no-build'])).exitStatus, 4);
    assert.ok(!existsSync(join(other.path, 'vendor')));
    rmSync(bucket, { recursive: true });
    cpSync(honest, bucket, { recursive: true });
  });

  await t.test('two packages that own one path are both named, before anything is brought', async () => {
    const honest = join(clone.home, 'honest');
    forge(bucket, 'branch', ({ files, provides }) => ({
      files: files
        .map((file) => (file.path === 'include/branch.h' ? { ...file, path: 'include/leaf.h' } : file))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
      provides,
    }));
    const other = cloneOf(clone, `${clone.path}-clash`, `${clone.home}-clash`);
    const before = bodies();
    const run = await install(other, ['branch']);
    assert.deepEqual(
      [run.exitStatus, run.errors.map(({ code, facts }) => [code, facts])],
      [1, [['install-refused', { first: 'leaf@1.0', second: 'branch@2.0', paths: 'include/leaf.h' }]]],
    );
    const checked = await other.run(['check', 'branch', '--no-install']);
    assert.equal(checked.exitStatus, 1, checked.stdout);
    assert.match(checked.stderr, /Two packages own one path\n +first +leaf@1\.0\n +second +branch@2\.0/);
    assert.equal(bodies(), before);
    rmSync(bucket, { recursive: true });
    cpSync(honest, bucket, { recursive: true });
  });

  await t.test('rollback, generations and verify go by the prefix alone', async () => {
    const prefix = join(clone.path, 'vendor');
    const bare = tempDir(t, 'bare');
    const at = (...args: string[]) => projectAt(bare, clone.home).run([...args, '--prefix', prefix]);
    insistOnSuccess(await site.build(['lone', '--push', '--no-install']));
    insistOnSuccess(await clone.run(['install', 'lone']));
    assert.deepEqual(Object.keys(clone.installed()), ['branch', 'leaf', 'lone']);
    const back = insistOnSuccess(await at('rollback'));
    assert.match(back.stdout, /shows generation 1 \(was 2\): branch@2\.0 leaf@1\.0\n$/);
    assert.deepEqual(Object.keys(clone.installed()), ['branch', 'leaf']);
    insistOnSuccess(await at('rollback', '--to', '2'));
    const listed = insistOnSuccess(await at('generations', '--json'));
    const { current, generations } = JSON.parse(listed.stdout) as {
      current: number;
      generations: { generation: number }[];
    };
    assert.deepEqual([current, generations.map((one) => one.generation)], [2, [2, 1]]);
    const text = insistOnSuccess(await at('generations')).stdout;
    assert.match(
      text,
      /^\* {2}2 {2}20\S+ \S+ {2}branch@2\.0 leaf@1\.0 lone@1\.0 {2}other than in 1: lone\n {3}1 .*leaf@1\.0\n$/,
    );
    assert.equal((await at('rollback', '--to', '9')).exitStatus, 3);

    assert.equal((await at('verify')).exitStatus, 0);
    rmSync(join(prefix, 'bin/lone'));
    const changed = await at('verify');
    assert.equal(changed.exitStatus, 1);
    assert.match(changed.stdout, /^missing {2}bin\/lone {2}lone@1\.0\n1 file of generation 2 changed by hand; /);
    // What is asked for is there by its keys, so nothing is done by itself.
    assert.equal((await install(clone, ['lone'])).installs, 0);
    const repaired = insistOnSuccess(await install(clone, ['lone', '--repair']));
    assert.match(insistOnSuccess(await at('generations')).stdout, /lone@1\.0 {2}as 2\n/);
    assert.deepEqual(
      repaired.warnings.map(({ code }) => code),
      ['changed-by-hand'],
    );
    assert.equal(await clone.output('bin/lone'), 'alone\n');
    assert.equal((await at('verify')).exitStatus, 0);

    rmSync(join(prefix, 'bin/lone'));
    const lock = await acquireLock(join(generationsFolder(prefix), 'lock'));
    const waiting = startProgram([vbuildBin, 'rollback', '--prefix', prefix], { cwd: bare, home: clone.home });
    let heard = '';
    const told = new Promise<void>((done) =>
      waiting.child.stderr?.on('data', (more: string) => /waiting for it/.test((heard += more)) && done()),
    );
    await Promise.race([told, waiting.ended]);
    await lock[Symbol.asyncDispose]();
    const left = insistOnSuccess(await waiting.ended);
    assert.match(left.stderr, new RegExp(`works on this prefix, waiting for it\\n +process +${process.pid}\\n`));
    assert.match(left.stderr, /Generation 3 was changed by hand; the current one has nothing of that/);
    assert.match(left.stderr, /bin\/lone missing/);
  });
});

const accept = (site: Project, platform: string): void =>
  site.edit('Buildfile.ts', 'defaults: [app, lone]', `platforms: [${JSON.stringify(platform)}], defaults: [app, lone]`);

/** Pins the tools of this host for another platform. */
function pinAsHere(site: Project, platform: string): void {
  const lock = JSON.parse(site.read('Buildfile.lock')) as { tools: Record<string, object> };
  const tools = { ...lock.tools, [platform]: lock.tools[hostPlatform()] };
  site.write({ 'Buildfile.lock': JSON.stringify({ ...lock, tools }) });
}

test('of several platforms that a Buildfile accepts, the first one is taken of which a cache has all that fits', async (t) => {
  const { bucket, clone } = await served(t);
  const own = hostPlatform();
  const older = `${own.split(' ')[0]} debian-10`;
  const before = manifestIn(bucket, 'leaf').manifest.key;
  const leaf = forge(bucket, 'leaf', ({ keyText }) => ({ keyText: keyText.replace(own, older) }), true);
  const branch = forge(
    bucket,
    'branch',
    ({ keyText, dependencies }) => ({
      keyText: keyText.replace(own, older).replace(before, leaf.key),
      dependencies: dependencies.map((one) => ({ ...one, key: leaf.key })),
    }),
    true,
  );
  const told = async (args: readonly string[]): Promise<{ platform: string; packages: { state: string }[] }> =>
    JSON.parse((await clone.run([...args, '--json'])).stdout) as never;
  assert.equal((await told(['check', 'branch'])).platform, own);
  accept(clone, older);
  // Without pins for it no key of it is known.
  assert.equal((await told(['check', 'branch'])).platform, own);
  pinAsHere(clone, older);

  const available = await told(['check', 'branch']);
  assert.deepEqual(
    [available.platform, available.packages.map(({ state }) => state)],
    [older, ['available', 'available']],
  );
  insistOnSuccess(await clone.run(['install', 'branch']));
  assert.deepEqual(
    Object.values(clone.installed()).map(({ key }) => key),
    [branch.key, leaf.key],
  );
  assert.equal((await clone.run(['check', 'branch'])).exitStatus, 0);
  assert.deepEqual(insistOnSuccess(await clone.build(['branch'])).stages, []);

  // A release is for servers: what this machine holds already counts for nothing.
  const released = async (name: string): Promise<string | undefined> =>
    insistOnSuccess(await clone.run(['release', 'create', name, 'branch', '--json']))
      .stdout.split('\n')
      .filter((line) => line.includes('"release-created"'))
      .map((line) => (JSON.parse(line) as { release: { platform: string } }).release.platform)[0];
  assert.equal(await released('one'), older);
  const olderLeaf = join(bucket, manifestObject('leaf', leaf.key));
  renameSync(olderLeaf, `${olderLeaf}.aside`);
  assert.equal(await released('two'), own);
  renameSync(`${olderLeaf}.aside`, olderLeaf);
  const ownLeaf = join(bucket, manifestObject('leaf', before));
  renameSync(ownLeaf, `${ownLeaf}.aside`);
  assert.equal((await clone.run(['cache', 'prove', 'branch'])).exitStatus, 0);
  renameSync(`${ownLeaf}.aside`, ownLeaf);

  // What has to be built is built for this host, with all that it rests on.
  const built = insistOnSuccess(await clone.build(['app']));
  assert.deepEqual(built.outcomes, { fresh: 0, restored: 2, built: 2 });
  assert.equal(clone.installed()['leaf']?.key, before);

  // Of what does not fit, the next one is taken.
  const other = cloneOf(clone, `${clone.path}-other`, `${clone.home}-other`);
  const file = join(bucket, manifestObject('leaf', leaf.key));
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const needs = { ...manifest.needs, libraries: ['libfoo.so.2'] };
  writeFileSync(file, serialiseManifest({ ...manifest, needs }));
  insistOnSuccess(await other.run(['install', 'branch']));
  assert.equal(other.installed()['leaf']?.key, before);
});

test('a platform is accepted too where a cache has what was made of the same to the byte', async (t) => {
  const { bucket, clone } = await served(t);
  const own = hostPlatform();
  const older = `${own.split(' ')[0]} debian-10`;
  const before = manifestIn(bucket, 'leaf').manifest.key;
  const leaf = forge(bucket, 'leaf', ({ keyText }) => ({ keyText: keyText.replace(own, older) }), true);
  const another = 'f'.repeat(64) as ContentKey;
  const branch = forge(
    bucket,
    'branch',
    ({ keyText, dependencies }) => ({
      keyText: keyText.replace(own, older).replace(before, another),
      dependencies: dependencies.map((one) => ({ ...one, key: another })),
    }),
    true,
  );
  accept(clone, older);
  pinAsHere(clone, older);
  const platform = async (): Promise<string> =>
    (JSON.parse((await clone.run(['check', 'branch', '--json'])).stdout) as { platform: string }).platform;
  assert.equal(await platform(), own);
  const equal = equalKeyOf(branch) ?? assert.fail();
  writeTree(bucket, { [objectFor({ name: 'branch', equal }, 'unsigned')]: serialiseManifest(branch) });
  assert.equal(await platform(), older);
  insistOnSuccess(await clone.run(['install', 'branch']));
  assert.equal(clone.installed()['leaf']?.key, leaf.key);
});

const python = '/usr/bin/python3';

/** A Buildfile with one package of two Python modules, both of which say the same word. */
const modules = (
  word: string,
  folder: string,
): string => `import { defineBuild, definePackage, directory, steps } from 'vbuild';
const shop = definePackage('shop', {
  version: '1',
  source: directory('sources'),
  recipe: steps([
    { group: 'install', run: 'for one in soon late; do install -d "@stage@@prefix@/${folder}"; echo "WORD = \\\\"${word}\\\\"" >"@stage@@prefix@/${folder}/shop_$one.py"; done' },
  ]),
});
export default defineBuild({ packages: [shop] });
`;

test('a virtualenv that is bound by a .pth file follows the prefix, and a running process stays in its generation', async (t) => {
  const top = tempDir(t, 'bound');
  const home = join(top, 'home');
  const site = projectAt(join(top, 'site'), home);
  const version = (
    await runProgram([python, '-c', "import sys; print('python%d.%d' % sys.version_info[:2])"], { cwd: '/', home })
  ).stdout.trim();
  const folder = `lib/${version}/site-packages`;
  writeTree(site.path, { 'sources/empty': '', 'Buildfile.ts': modules('first', folder) });
  insistOnSuccess(await site.build());

  const venv = join(top, 'venv');
  insistOnSuccess(await runProgram([python, '-m', 'venv', '--without-pip', venv], { cwd: '/', home }));
  const line = insistOnSuccess(await site.run(['env', '--pth'])).stdout;
  writeFileSync(join(venv, folder, 'vendor.pth'), line);
  const bound = join(venv, 'bin/python');
  const word = async (): Promise<string> =>
    insistOnSuccess(await runProgram([bound, '-c', 'import shop_soon; print(shop_soon.WORD)'], { cwd: '/', home }))
      .stdout;
  assert.equal(await word(), 'first\n');

  const signal = join(top, 'go on');
  const program = `import os, sys, time, shop_soon
print('started', flush=True)
while not os.path.exists(${JSON.stringify(signal)}): time.sleep(0.02)
import shop_late
print(shop_soon.WORD, shop_late.WORD)`;
  const running = startProgram([bound, '-B', '-c', program], { cwd: '/', home });
  await running.says('started');
  site.write({ 'Buildfile.ts': modules('second', folder) });
  insistOnSuccess(await site.build());
  assert.equal(await word(), 'second\n');
  writeFileSync(signal, '');
  const ended = await running.ended;
  assert.deepEqual([ended.exitStatus, ended.stdout], [0, 'started\nfirst first\n'], ended.stderr);

  insistOnSuccess(await site.run(['rollback']));
  assert.equal(await word(), 'first\n');
  assert.equal(
    readFileSync(join(realpathSync(join(site.path, 'vendor')), folder, 'shop_late.py'), 'utf8'),
    'WORD = "first"\n',
  );
});
