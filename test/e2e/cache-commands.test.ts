/** cache ls, prove and gc, with a folder for a bucket. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkIn } from '../support/check-in.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { cloneOf, leafPatch, type Project, project, projectAt, withFolderCache } from '../support/project.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { runProgram, vbuildBin } from '../support/vbuild.ts';
import { filesBelow } from '../cache/sample.ts';

const dayMs = 24 * 3_600_000;
/** Makes every file below a folder look older. */
function age(folder: string, days: number): void {
  const then = new Date(Date.now() - days * dayMs);
  for (const file of filesBelow(folder)) utimesSync(join(folder, file), then, then);
}

test('looking into caches', async (t) => {
  const site = project(t);
  const bucket = withFolderCache(site, 'branch');
  checkIn(site.path);
  const disk = join(site.home, '.cache/vbuild');
  const result = async (where: Project, ...args: string[]) => {
    const run = await where.run(['cache', ...args, '--json']);
    const last = run.stdout.trimEnd().split('\n').at(-1) ?? '';
    return { ...run, data: last === '' ? {} : (JSON.parse(last) as Record<string, never>) };
  };
  const machine = (name: string): Project => cloneOf(site, `${site.path}-${name}`, `${site.home}-${name}`);

  await t.test('prove ends with status 3 and names what is lacking, even if it lies on the disk', async () => {
    const early = await result(site, 'prove');
    assert.equal(early.exitStatus, 2, early.stderr);
    insistOnSuccess(await site.run([]));
    const run = await site.run(['cache', 'prove']);
    assert.equal(run.exitStatus, 3, run.stderr);
    assert.match(run.stdout, /^LACKING {2}leaf@1\.0 .*: absent$/m);
    assert.match(run.stdout, /^0 of 2 can be restored; missing: leaf@1\.0, branch@2\.0$/m);
  });

  await t.test('prove ends with status 0 once all of it is there', async () => {
    insistOnSuccess(await site.run(['--push']));
    const { exitStatus, data } = await result(site, 'prove');
    assert.equal(exitStatus, 0);
    const { packages } = data as unknown as { packages: { package: string; tier: string; signer: string }[] };
    assert.deepEqual(
      packages.map(({ package: id, tier, signer }) => [id, tier, signer]),
      [
        ['leaf@1.0', bucket, 'unsigned'],
        ['branch@2.0', bucket, 'unsigned'],
      ],
    );
    assert.equal(filesBelow(disk).filter((name) => name.endsWith('.tmp')).length, 0);
  });

  await t.test('prove reads every body: a flipped bit is found', async () => {
    const manifest = filesBelow(bucket).find((name) => name.includes('/artifacts/leaf/')) ?? assert.fail();
    const { body } = JSON.parse(readFileSync(join(bucket, manifest), 'utf8')) as { body: { digest: string } };
    const path = join(bucket, 'v1/blobs/sha256', body.digest.slice(0, 2), body.digest);
    const sound = readFileSync(path);
    const damaged = Buffer.from(sound);
    damaged[9] = (damaged[9] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    const run = await site.run(['cache', 'prove']);
    assert.equal(run.exitStatus, 3);
    assert.match(run.stdout, /^LACKING {2}leaf@1\.0 .*rejected \(its body: its SHA-256 is/m);
    // What completes reads nothing that is there; what repairs does, and sends what is damaged only.
    const size = damaged.length;
    assert.equal(insistOnSuccess(await site.run(['cache', 'push'])).stdout, '2 artifacts complete in every cache\n');
    assert.deepEqual(readFileSync(path), damaged);
    const repaired = insistOnSuccess(eventsOf(await site.run(['cache', 'push', '--repair', '--json'])));
    assert.deepEqual(
      repaired.events.flatMap(({ type, package: id, sizeBytes }) => (type === 'pushed' ? [[id, sizeBytes]] : [])),
      [['leaf@1.0', size]],
    );
    assert.deepEqual(readFileSync(path), sound);
    assert.equal((await site.run(['cache', 'prove'])).exitStatus, 0);
    // Who finds it damaged and makes it anew says that it cannot be put in its place.
    writeFileSync(path, damaged);
    const other = machine('damaged');
    const pushing = eventsOf(await other.run(['--push', '--json']));
    assert.equal(pushing.exitStatus, 5, pushing.stderr);
    assert.match(pushing.errors[0]?.facts['reason'] ?? '', /came damaged/);
    assert.match(pushing.errors[0]?.mend ?? '', /vbuild cache push --repair/);
    assert.deepEqual(readFileSync(path), damaged);
    rmSync(path);
    const gone = await site.run(['cache', 'prove']);
    assert.match(gone.stdout, /^LACKING {2}leaf@1\.0 .*rejected \(its body is not there\)$/m);
    insistOnSuccess(await site.run(['cache', 'push']));
    assert.deepEqual(readFileSync(path), sound);
    assert.equal((await site.run(['cache', 'prove'])).exitStatus, 0);
  });

  await t.test('ls shows what is where, and what the Buildfile asks for now', async () => {
    site.write({ 'patches/leaf/value.patch': leafPatch(4) });
    insistOnSuccess(await site.run(['leaf', '--no-install']));
    const { data } = await result(site, 'ls', 'leaf');
    const { artifacts } = data as unknown as {
      artifacts: { tier: string; name: string; signer: string; current: boolean }[];
    };
    assert.deepEqual(
      artifacts
        .map(({ tier, name, signer, current }) => [tier, name, signer, current])
        .toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
      [
        [bucket, 'leaf', 'unsigned', false],
        ['disk', 'leaf', 'local', false],
        ['disk', 'leaf', 'local', true],
      ],
    );
    const text = insistOnSuccess(await site.run(['cache', 'ls'])).stdout;
    assert.equal(text.split('\n').length - 1, 3 + 2, text);
    site.write({ 'patches/leaf/value.patch': leafPatch(2) });
  });

  await t.test('gc keeps the disk cache below its quota, and what a prefix uses in any case', async () => {
    const manifests = (): string[] =>
      readdirSync(join(disk, 'v1/artifacts/leaf')).filter(
        (name) => filesBelow(join(disk, 'v1/artifacts/leaf', name)).length > 0,
      );
    assert.equal(manifests().length, 2);
    const young = await result(site, 'gc', '--quota', '1k');
    assert.deepEqual([young.data['swept'], manifests().length], [[], 2]);
    age(disk, 3);
    writeFileSync(join(disk, 'v1/blobs/.incoming.1.tmp'), 'half');
    utimesSync(join(disk, 'v1/blobs/.incoming.1.tmp'), 0, 0);
    const before = filesBelow(disk);
    const dry = await result(site, 'gc', '--quota', '1k', '--dry-run');
    assert.deepEqual(filesBelow(disk), before);
    const run = await result(site, 'gc', '--quota', '1k');
    assert.deepEqual(run.data['swept'], dry.data['swept']);
    const kinds = (run.data['swept'] as unknown as { kind: string }[]).map(({ kind }) => kind).sort();
    assert.deepEqual(kinds, ['archive', 'archive', 'artifact', 'remains']);
    assert.equal(manifests().length, 1);
    assert.ok((run.data['inUseBytes'] as unknown as number) > 0);
    const again = eventsOf(await site.run(['--json']));
    assert.deepEqual([again.exitStatus, again.stages], [0, []]);
    insistOnSuccess(await site.run(['cache', 'gc']));
  });

  await t.test('gc spares what an earlier generation of a prefix uses, until the prefix is gone', async () => {
    const clone = machine('generations');
    const its = join(clone.home, '.cache/vbuild');
    insistOnSuccess(await clone.run(['leaf']));
    clone.write({ 'patches/leaf/value.patch': leafPatch(5) });
    insistOnSuccess(await clone.run(['leaf']));
    age(its, 3);
    const spared = await result(clone, 'gc', '--quota', '0');
    assert.deepEqual(
      (spared.data['swept'] as unknown as { kind: string }[]).map(({ kind }) => kind),
      ['archive'],
    );
    for (const name of ['vendor', '.vendor.generations']) rmSync(join(clone.path, name), { recursive: true });
    const { data } = await result(clone, 'gc', '--quota', '0');
    assert.equal((data['swept'] as unknown as unknown[]).length, 2);
    assert.equal(data['keptBytes'], 0);
    assert.deepEqual(
      filesBelow(its).filter((name) => /^v1\/(artifacts|equal|blobs\/sha256)\//.test(name)),
      [],
    );
  });

  await t.test('gc of a bucket keeps what lock files reach, lists first, and removes when told to', async () => {
    const release = machine('release');
    release.write({ 'patches/leaf/value.patch': leafPatch(7) });
    checkIn(release.path);
    insistOnSuccess(await release.run(['--push']));
    const old = machine('old');
    old.write({ 'patches/leaf/value.patch': leafPatch(8) });
    checkIn(old.path);
    insistOnSuccess(await old.run(['--push']));
    const all = filesBelow(bucket);
    assert.equal(all.filter((name) => name.includes('/artifacts/')).length, 6);
    assert.equal(all.filter((name) => name.includes('/equal/branch/')).length, 3);
    const gc = (...args: string[]) => result(site, 'gc', '--tier', bucket, ...args);

    const young = await gc('--delete');
    assert.deepEqual([young.data['swept'], filesBelow(bucket)], [[], all]);
    age(bucket, 40);
    const locks = ['Buildfile.lock', join(release.path, 'Buildfile.lock')];
    const dry = await gc(...locks);
    // The bytes of branch are those of the others: its body stays, under another manifest.
    assert.equal((dry.data['swept'] as unknown as unknown[]).length, 4);
    assert.deepEqual(filesBelow(bucket), all);
    const run = await gc('--delete', ...locks);
    assert.deepEqual(run.data['swept'], dry.data['swept']);
    assert.equal(filesBelow(bucket).length, all.length - 4);
    for (const where of [site, release]) assert.equal((await where.run(['cache', 'prove'])).exitStatus, 0);
    assert.equal((await old.run(['cache', 'prove'])).exitStatus, 3);
    // By the default, only what the Buildfile at hand reaches stays; archives of the sources are pinned.
    await gc('--delete');
    assert.equal((await release.run(['cache', 'prove'])).exitStatus, 3);
    assert.equal(filesBelow(bucket).length, 2 + 1 + 2 + 2);
  });

  const refused: readonly (readonly [args: readonly string[], headline: RegExp])[] = [
    [['--tier', 's3://nowhere'], /There is no such cache/],
    [['--delete'], /--delete is about a bucket/],
    [['Buildfile.lock'], /is about a bucket/],
    [['--tier', bucket, '--older-than', '1'], /may be part of a push/],
    [['--tier', bucket, '--quota', '1G'], /about the local disk/],
    [['--tier', bucket, '--delete', '-n'], /contradict/],
    [['--tier', bucket, 'no-such.lock'], /There is no such lock file/],
    [['--quota', 'much'], /Quota is not a size/],
    [['--quota', '5'], /Quota is not a size/],
  ];
  for (const [args, headline] of refused) {
    await t.test(`gc refuses ${args.join(' ').replace(bucket, 'BUCKET')}`, async () => {
      const run = await site.run(['cache', 'gc', ...args]);
      assert.equal(run.exitStatus, 2, run.stderr);
      assert.match(run.stderr, headline);
    });
  }
});

/** A project of one package that needs no tool, and a folder that it pushes to. */
function toolless(t: TestContext): { readonly site: Project; readonly bucket: string } {
  const top = tempDir(t);
  const bucket = join(top, 'bucket');
  mkdirSync(bucket);
  writeTree(join(top, 'site'), {
    'Buildfile.ts': `import { defineBuild, definePackage, directoryCache, steps, tarball } from 'vbuild';
const one = definePackage('one', {
  version: '1',
  source: tarball('one.tar'),
  recipe: steps([{ group: 'install', run: 'mkdir -p @stage@@prefix@/share; cp file @stage@@prefix@/share' }]),
});
export default defineBuild({ packages: [one], cache: [directoryCache('../bucket')] });
`,
    'one/file': 'text\n',
  });
  execFileSync('tar', ['-C', join(top, 'site'), '-cf', join(top, 'site/one.tar'), 'one']);
  checkIn(join(top, 'site'));
  return { site: projectAt(join(top, 'site'), join(top, 'home')), bucket };
}

test('gc of a bucket keeps what a lock file without any tool reaches', async (t) => {
  const { site, bucket } = toolless(t);
  insistOnSuccess(await site.run(['--push']));
  age(bucket, 40);
  const all = filesBelow(bucket);
  const gc = () => site.run(['cache', 'gc', '--tier', bucket, '--delete']);
  insistOnSuccess(await gc());
  assert.ok(all.length > 0);
  assert.deepEqual(filesBelow(bucket), all);
  // What a killed push left, which no list shows.
  const left = join(bucket, 'v1/blobs/sha256/21/.452c0f1e.tmp');
  mkdirSync(dirname(left), { recursive: true });
  writeFileSync(left, 'half');
  insistOnSuccess(await gc());
  assert.ok(existsSync(left));
  age(bucket, 40);
  assert.match(insistOnSuccess(await gc()).stdout, /^gave up 1 upload that had never ended$/m);
  assert.deepEqual(filesBelow(bucket), all);
});

test('a push to a folder on a read-only file system says that it is read-only', async (t) => {
  const { site, bucket } = toolless(t);
  const root = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99; "$2" --push';
  const argv = ['unshare', ...root, '--mount', '--', 'sh', '-c', script, 'sh', bucket, vbuildBin];
  const { exitStatus, stderr } = await runProgram(argv, { cwd: site.path, home: site.home });
  assert.equal(exitStatus, 5, stderr);
  assert.match(stderr, /the file system is read-only/);
  assert.deepEqual(filesBelow(bucket), []);
});
