/** `vbuild check`: whether all is there, told by an exit status, without leaving a trace. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import { forge } from '../support/forged.ts';
import { runAndListLoads } from '../support/loads.ts';
import { otherUser, skipUnlessRoot } from '../support/other-user.ts';
import { cloneOf, type Project, project } from '../support/project.ts';
import { complaints } from '../support/schemas.ts';
import { served } from '../support/served.ts';
import { snapshot } from '../support/snapshot.ts';

interface Checked {
  readonly exitStatus: number;
  readonly packages: readonly {
    readonly package: string;
    readonly state: string;
    readonly tier?: string;
    readonly answer?: string;
    readonly reason?: string;
  }[];
  readonly reasons: readonly { readonly input: string }[];
  readonly notices: readonly unknown[];
}

/** What check answers, its own status held against that of the process; `states` as `PACKAGE STATE`. */
async function checked(site: Project, args: readonly string[] = []): Promise<Checked & { states: string[] }> {
  const { exitStatus, stdout, stderr } = await site.run(['check', '--json', ...args]);
  const told = JSON.parse(stdout || '{}') as Checked;
  assert.equal(told.exitStatus, exitStatus, stderr);
  assert.deepEqual(complaints('check', told), []);
  return { ...told, states: told.packages.map((one) => `${one.package} ${one.state}`) };
}

test('check says what is installed, available and missing, and asks the network for manifests alone, or for nothing', async (t) => {
  const { clone, seen, stop, bucket } = await served(t);

  await t.test('of an empty prefix, what a cache has is available', async () => {
    const { exitStatus, states, packages } = await checked(clone, ['branch']);
    assert.deepEqual([exitStatus, states], [3, ['leaf@1.0 available', 'branch@2.0 available']]);
    assert.match(packages[0]?.tier ?? '', /^http:/);
    assert.ok(seen.length > 0 && seen.every(({ path }) => path.endsWith('.json')), JSON.stringify(seen));
    // What could be installed is ready, where the prefix counts for nothing.
    assert.deepEqual((await checked(clone, ['branch', '--no-install'])).exitStatus, 0);
  });

  await t.test('--offline asks nobody', async () => {
    const before = seen.length;
    const { exitStatus, states } = await checked(clone, ['branch', '--offline']);
    assert.deepEqual([exitStatus, states], [3, ['leaf@1.0 missing', 'branch@2.0 missing']]);
    assert.equal(seen.length, before);
  });

  await t.test('what no cache has is missing, and that is said in words too', async () => {
    const { states, packages } = await checked(clone);
    assert.deepEqual(states, ['leaf@1.0 available', 'branch@2.0 available', 'app@1.0 missing', 'lone@1.0 missing']);
    assert.equal(packages[2]?.answer, 'absent');
    const { exitStatus, stdout } = await clone.run(['-q']);
    assert.equal(exitStatus, 3);
    assert.match(stdout, /^lone@1\.0 +missing +no cache has it$/m);
    assert.match(stdout, /^app and lone are not ready in vendor: 2 missing and 2 available of 4 packages$/m);
    assert.equal((await clone.run(['check', '-s'])).stdout, '');
  });

  await t.test('what does not fit this host is unfit, with the reason and a status of its own', async () => {
    const honest = join(clone.home, 'honest');
    cpSync(bucket, honest, { recursive: true });
    forge(bucket, 'leaf', ({ needs }) => ({ needs: { ...needs, symbolVersions: { GLIBC: '9.99' } } }));
    const { exitStatus, states, packages } = await checked(clone, ['branch']);
    assert.deepEqual([exitStatus, states], [4, ['leaf@1.0 unfit', 'branch@2.0 available']]);
    assert.match(packages[0]?.reason ?? '', /^http:\S+: leaf needs GLIBC_9\.99, this host has 2\.\d+$/);
    assert.equal((await checked(clone)).exitStatus, 3);
    rmSync(bucket, { recursive: true });
    cpSync(honest, bucket, { recursive: true });
  });

  await t.test('a cache that cannot be reached is no cache that has nothing', async () => {
    await stop();
    const { exitStatus, packages, notices } = await checked(clone, ['leaf']);
    assert.deepEqual([exitStatus, packages[0]?.state, packages[0]?.answer], [3, 'missing', 'unreachable']);
    assert.ok(notices.length > 0);
  });
});

test('check follows the project: ready after a build, not after a change, and never writes anything', {
  skip: skipUnlessRoot,
}, async (t) => {
  const site = project(t);
  insistOnSuccess(await site.run(['lock']));
  insistOnSuccess(await site.build(['branch']));
  const ready = await checked(site, ['branch']);
  assert.deepEqual([ready.exitStatus, ready.states], [0, ['leaf@1.0 installed', 'branch@2.0 installed']]);
  const words = await site.run(['check', 'branch']);
  assert.deepEqual([words.exitStatus, words.stdout], [0, 'branch is ready in vendor\n']);

  await t.test('it loads nothing that builds or asks caches, and no package', async () => {
    const { packages, sources } = await runAndListLoads(['check', 'branch'], { cwd: site.path, home: site.home });
    assert.deepEqual(packages, []);
    assert.deepEqual(
      sources.filter((path) =>
        /^cache\/(layered|object-tier|judge)|^system\/(process|s3|http|git|lock)\.ts$/.test(path),
      ),
      [],
    );
  });

  await t.test('in a project and with a cache that it may not write, and leaves both as they were', async () => {
    // Once, for the folder in which Node keeps compiled code.
    await checked(site, ['lone']);
    site.write({ 'patches/leaf/value.patch': site.read('patches/leaf/value.patch').replace('return 2', 'return 3') });
    const user = otherUser(t);
    // Folders that are open already, the machine's own among them, keep their mode.
    const open = (path: string): void => {
      for (; path !== '/'; path = join(path, '..')) {
        const { mode } = statSync(path);
        if ((mode & 0o005) !== 0o005) chmodSync(path, (mode & 0o7777) | 0o055);
      }
    };
    const cache = join(site.home, '.cache/vbuild');
    open(site.path);
    open(cache);
    const before = [snapshot(site.path), snapshot(cache, ['compiled'])];
    const options = { cwd: site.path, home: join(user.folder, 'home') };
    const ended = await user.run(['check', 'branch', 'lone', '--json', '--cache-dir', cache], options);
    const told = JSON.parse(ended.stdout) as Checked;
    assert.deepEqual(
      [ended.exitStatus, told.packages.map((one) => `${one.package} ${one.state}`)],
      [3, ['leaf@1.0 missing', 'branch@2.0 missing', 'lone@1.0 missing']],
      ended.stderr,
    );
    site.write({ 'patches/leaf/value.patch': site.read('patches/leaf/value.patch').replace('return 3', 'return 2') });
    before[0] = snapshot(site.path);
    const elsewhere = ['check', 'branch', '--cache-dir', cache, '--prefix', join(user.folder, 'vendor')];
    assert.equal((await user.run(elsewhere, options)).exitStatus, 3);
    // Who may write does not either: root itself, from the same caches.
    assert.equal((await site.run(['check', 'branch', '--prefix', join(user.folder, 'vendor')])).exitStatus, 3);
    assert.equal((await site.run(['check', 'branch'])).exitStatus, 0);
    assert.deepEqual([snapshot(site.path), snapshot(cache, ['compiled'])], before);
    assert.ok(!existsSync(join(user.folder, 'vendor')));

    // What lies in such a cache can be installed.
    insistOnSuccess(await user.run(['install', ...elsewhere.slice(1)], options));
    assert.equal((await user.run(elsewhere, options)).exitStatus, 0);
    assert.deepEqual(site.installed(join(user.folder, 'vendor')), site.installed());
    const own = cloneOf(site, join(user.folder, 'own'));
    user.give(own.path);
    const other = { ...options, cwd: own.path };
    insistOnSuccess(await user.run(['branch', '--no-build', '--frozen', '--cache-dir', cache], other));
    assert.deepEqual(own.installed(), site.installed());
    assert.deepEqual([snapshot(site.path), snapshot(cache, ['compiled'])], before);
    // What does not is to be brought there first.
    const lacking = await user.run(['lone', '--cache-dir', cache], other);
    assert.equal(lacking.exitStatus, 1, lacking.stderr);
    assert.match(lacking.stderr, /^ {2}mend +give this user access to the path, .*--cache-dir/m);
  });

  await t.test('a package too many in the prefix is no readiness either', async () => {
    const all = site.read('Buildfile.ts');
    insistOnSuccess(await site.build(['lone']));
    const start = all.indexOf('const lone =');
    site.write({
      'Buildfile.ts': (all.slice(0, start) + all.slice(all.indexOf('export default'))).replaceAll(', lone]', ']'),
    });
    const { exitStatus, reasons } = await checked(site, ['branch']);
    assert.equal(exitStatus, 3);
    assert.ok(
      reasons.some(({ input }) => input.includes('lone@1.0')),
      JSON.stringify(reasons),
    );
  });
});

test('without pins for this platform check cannot tell, and names vbuild lock --platform, which takes them from artifacts', async (t) => {
  const { site, bucket } = await served(t);
  const other = 'linux-x64-glibc debian-99';
  forge(bucket, 'leaf', ({ keyText }) => ({ keyText: keyText.replaceAll(/linux-\S+ [^"]+/g, other) }));
  forge(bucket, 'branch', ({ keyText }) => ({ keyText: keyText.replaceAll(/linux-\S+ [^"]+/g, other) }));
  const clone = cloneOf(site, `${site.path}-bare`, `${site.home}-bare`);
  rmSync(join(clone.path, 'Buildfile.lock'));
  const bare = await clone.run(['check', 'branch']);
  assert.equal(bare.exitStatus, 2);
  assert.match(bare.stderr, /vbuild lock --platform 'linux-\S+ \S+' and commit the lock file/);
  assert.ok(!existsSync(join(clone.path, 'Buildfile.lock')));

  const pinned = insistOnSuccess(await clone.run(['lock', 'branch', '--platform', other, '--json']));
  const { tools } = JSON.parse(pinned.stdout.trimEnd().split('\n').at(-1) ?? '') as { tools: Record<string, string> };
  const here = (JSON.parse(site.read('Buildfile.lock')) as { tools: Record<string, Record<string, string>> }).tools;
  const [own = {}] = Object.values(here);
  assert.deepEqual(tools, own);
  assert.deepEqual(Object.keys((JSON.parse(clone.read('Buildfile.lock')) as { tools: object }).tools), [other]);

  // lone was never built there, but all of its tools are known by now; a platform that no artifact is of stays unknown.
  insistOnSuccess(await clone.run(['lock', 'lone', '--platform', other]));
  const unknown = await clone.run(['lock', '--platform', 'linux-arm64-glibc debian-99']);
  assert.equal(unknown.exitStatus, 2);
  assert.match(unknown.stderr, /^error: Tools of this platform are not known here$/m);
  const misnamed = await clone.run(['lock', '--platform', 'debian']);
  assert.deepEqual([misnamed.exitStatus, /--platform "linux-x64/.test(misnamed.stderr)], [2, true]);
});
