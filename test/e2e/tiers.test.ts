/** Several tiers, what a run costs, and servers that have nothing but a lock file and caches. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkIn } from '../support/check-in.ts';
import { type EventsOf, insistOnSuccess } from '../support/events.ts';
import { fileServer } from '../support/http-server.ts';
import { cloneOf, type Project, project } from '../support/project.ts';
import { tempDir } from '../support/temp.ts';
import { tinyChain, tinyProject } from '../support/tiny.ts';
import { startProgram, vbuildBin } from '../support/vbuild.ts';
import { filesBelow } from '../cache/sample.ts';

interface Traffic {
  readonly requests: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}
/** What the events tell of a tier; undefined when it was not asked. */
const traffic = ({ events }: EventsOf, tier: string): Traffic | undefined =>
  events.find((one) => one.type === 'cache-traffic' && one.tier === tier) as Traffic | undefined;

test('tiers one behind the other', async (t) => {
  const site = project(t);
  const [near, far] = [join(site.home, 'near'), join(site.home, 'far')];
  for (const folder of [near, far]) mkdirSync(folder, { recursive: true });
  const { url, seen } = await fileServer(t, far);
  site.edit('Buildfile.ts', 'make, place, tarball', 'directoryCache, httpCache, make, place, tarball');
  const filling = `defaults: [branch], cache: [directoryCache(${JSON.stringify(far)})]`;
  site.edit('Buildfile.ts', 'defaults: [app, lone]', filling);
  checkIn(site.path);
  const built = insistOnSuccess(await site.build(['--push']));
  assert.ok((traffic(built, far)?.sentBytes ?? 0) > 1000);
  const machine = (name: string): Project => {
    const clone = cloneOf(site, `${site.path}-${name}`, `${site.home}-${name}`);
    clone.edit(
      'Buildfile.ts',
      filling,
      `defaults: [branch], cache: [directoryCache(${JSON.stringify(near)}), httpCache('${url}')]`,
    );
    return clone;
  };
  const first = machine('first');

  await t.test('a web server restores a clone, with two requests per artifact', async () => {
    const run = insistOnSuccess(await first.build(['--no-build', '--frozen']));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 2, built: 0 });
    assert.equal(seen.length, 4);
    const { requests, receivedBytes } = traffic(run, url) ?? assert.fail();
    const manifests = filesBelow(far).filter((name) => name.includes('/artifacts/')).length;
    assert.deepEqual([requests, manifests], [4, 2]);
    assert.ok(receivedBytes > 1000);
  });

  await t.test('a folder before it was filled, and serves the next machine alone', async () => {
    assert.deepEqual(
      filesBelow(near).filter((name) => name.includes('/artifacts/')),
      filesBelow(far).filter((name) => name.includes('/artifacts/')),
    );
    const before = seen.length;
    const run = insistOnSuccess(await machine('second').build(['--no-build', '--frozen']));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 2, built: 0 });
    assert.equal(seen.length, before);
    assert.equal(traffic(run, url), undefined);
  });

  await t.test('a run in which everything is fresh asks nobody', async () => {
    const before = seen.length;
    for (const args of [[], ['branch'], ['leaf', 'branch']]) {
      const run = insistOnSuccess(await first.build(args));
      assert.ok(!run.events.some(({ type }) => type === 'cache-traffic'));
    }
    // Nor does one that has lost its prefix: the disk has it all.
    rmSync(join(first.path, 'vendor'));
    insistOnSuccess(await first.build([]));
    assert.equal(seen.length, before);
  });

  await t.test("a lock file from elsewhere is used with --lock, and the clone's own is not made", async () => {
    const clone = machine('locked');
    const lock = join(clone.home, 'ci.lock');
    mkdirSync(clone.home, { recursive: true });
    copyFileSync(join(clone.path, 'Buildfile.lock'), lock);
    rmSync(join(clone.path, 'Buildfile.lock'));
    const without = await clone.build(['--no-build']);
    assert.equal(without.exitStatus, 2, without.stderr);
    const run = insistOnSuccess(await clone.build(['--no-build', '--frozen', '--lock', lock]));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 2, built: 0 });
    assert.ok(!filesBelow(clone.path).includes('Buildfile.lock'));
  });

  await t.test('artifacts that were not made with one another are noticed', async () => {
    const manifest = filesBelow(near).find((name) => name.includes('/artifacts/branch/')) ?? assert.fail();
    const text = readFileSync(join(near, manifest), 'utf8');
    const { dependencies } = JSON.parse(text) as { dependencies: { tree: string }[] };
    writeFileSync(join(near, manifest), text.replaceAll(dependencies[0]?.tree ?? 'none', 'f'.repeat(64)));
    const clone = machine('mixed');
    const run = insistOnSuccess(await clone.build(['--no-build', '--frozen']));
    assert.deepEqual(
      run.warnings.map(({ code, package: id }) => [code, id]),
      [['mixed-set', 'branch@2.0']],
    );
    const proof = await clone.run(['cache', 'prove']);
    assert.equal(proof.exitStatus, 0);
    assert.match(proof.stdout, /^note: branch@2\.0 was compiled against another build of leaf@1\.0/m);
    writeFileSync(join(near, manifest), text);
  });

  await t.test('what one tier has and another lacks, cache push carries over', async () => {
    rmSync(join(near, 'v1'), { recursive: true });
    const clone = machine('carrier');
    checkIn(clone.path);
    insistOnSuccess(await clone.run(['cache', 'push']));
    assert.equal(filesBelow(near).filter((name) => name.includes('/artifacts/')).length, 2);
    // Sources it had no need of stay where they were.
    assert.equal(filesBelow(near).filter((name) => name.includes('/blobs/')).length, 2);
  });
});

test('an artifact is pushed while others are still being built', async (t) => {
  const top = tempDir(t);
  const hold = join(top, 'hold');
  const waiting = `$(while [ -e ${hold} ]; do sleep 0.05; done)`;
  const site = tinyProject(
    top,
    tinyChain.map((one) => (one.name === 'three' ? { ...one, said: waiting } : one)),
  );
  const far = join(top, 'far');
  mkdirSync(far);
  site.edit('Buildfile.ts', 'import { ', 'import { directoryCache, ');
  site.edit('Buildfile.ts', 'defineBuild({', `defineBuild({ cache: [directoryCache(${JSON.stringify(far)})],`);
  checkIn(site.path);
  writeFileSync(hold, '');
  const run = startProgram([vbuildBin, '--push', '--json'], { cwd: site.path, home: site.home });
  await run.says('"type":"pushed","package":"two@1"');
  assert.deepEqual(
    filesBelow(far).filter((name) => name.includes('/artifacts/three/')),
    [],
  );
  rmSync(hold);
  insistOnSuccess(await run.ended);
  assert.equal(filesBelow(far).filter((name) => name.includes('/artifacts/')).length, 3);
});
