/** Early cutoff: a dependency that is made anew and comes out equal to the byte does not have what rests on it compiled again. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Plan } from '../../src/model/plan.ts';
import { filesBelow } from '../cache/sample.ts';
import { checkIn } from '../support/check-in.ts';
import { type EventsOf, insistOnSuccess } from '../support/events.ts';
import { fileServer } from '../support/http-server.ts';
import { appSays, cloneOf, leafPatch, type Project, project, stagesFrom } from '../support/project.ts';
import { skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { removeTree } from '../support/temp.ts';

/** A second patch of leaf, in a file that is never compiled: the key moves, and nothing that is installed. */
const idle = (value: number) => ({
  'patches/leaf/series': 'value.patch\nidle.patch\n',
  'patches/leaf/idle.patch': leafPatch(value, 1, 'old/leaf.c'),
});

/** Which dependencies came out equal, by the package that was spared for it. */
const spared = ({ events }: EventsOf): Record<string, readonly string[]> =>
  Object.fromEntries(
    events.flatMap(({ type, package: id = '', equal }) =>
      type === 'package-finished' && equal !== undefined && typeof equal !== 'string' ? [[id, equal]] : [],
    ),
  );
const bothSpared = { 'branch@2.0': ['leaf@1.0'], 'app@1.0': ['branch@2.0'] };

/** By package: another key and the same tree. */
function insistOnEqualTrees(before: ReturnType<Project['installed']>, now: ReturnType<Project['installed']>): void {
  for (const name of ['leaf', 'branch', 'app']) {
    assert.notEqual(now[name]?.key, before[name]?.key, name);
    assert.equal(now[name]?.tree, before[name]?.tree, name);
  }
}

test('a dependency that comes out equal', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build());
  const before = site.installed();
  site.write(idle(7));

  await t.test('is foreseen by a plan as far as that can be: what comes of it decides', async () => {
    const { packages } = JSON.parse(insistOnSuccess(await site.run(['plan', '--json'])).stdout) as Plan;
    assert.deepEqual(
      packages.flatMap((one) => (one.unlessEqual === true ? [one.package] : [])),
      ['branch@2.0', 'app@1.0'],
    );
    const { stdout } = await site.run(['plan']);
    assert.match(stdout, /\nnot compiled if what they rest on comes out equal: branch@2\.0 and app@1\.0\n/);
  });

  await t.test('does not have what rests on it compiled again, and the run says so', async () => {
    const run = insistOnSuccess(await site.build());
    assert.deepEqual(run.stages, stagesFrom('patch', 'leaf@1.0'));
    assert.deepEqual(run.outcomes, { fresh: 2, restored: 2, built: 1 });
    assert.deepEqual(spared(run), bothSpared);
    assert.deepEqual(run.warnings, []);
    insistOnEqualTrees(before, site.installed());
    assert.equal(await site.output('bin/app'), appSays);
    const again = insistOnSuccess(await site.build());
    assert.deepEqual([again.stages, again.installs], [[], 0]);
  });

  await t.test('is why a package was not compiled, long after the run', async () => {
    const { stdout } = await site.run(['why', 'branch']);
    assert.match(stdout, /last restored .*, because of\n  leaf@1\.0\n    patch 2, .*idle\.patch, is new\n/);
    assert.match(stdout, /\n  leaf@1\.0 came out equal, so this was not compiled again\n/);
    assert.match(stdout, /\n  caches then: disk absent; disk hit by equal trees\n/);
  });

  await t.test('spares even the sources of what rests on it, when the work folder is gone', async () => {
    site.write(idle(8));
    removeTree(join(site.path, '.vbuild'));
    const { stderr } = insistOnSuccess(await site.run([]));
    assert.match(
      stderr,
      /branch@2\.0 +restored from disk .* \(leaf@1\.0 came out equal, so this was not compiled again\)/,
    );
    assert.deepEqual(
      [...stderr.matchAll(/(\S+) +(?:fetched|compile …)/g)].map(([, id]) => id),
      ['leaf@1.0', 'leaf@1.0'],
    );
  });

  await t.test('counts for nothing where no cache is to be asked', async () => {
    site.write(idle(9));
    const run = insistOnSuccess(await site.build(['--no-cache']));
    assert.deepEqual([run.outcomes?.built, spared(run)], [3, {}]);
  });

  await t.test('is told from one that does not', async () => {
    site.write({ ...idle(10), 'patches/leaf/value.patch': leafPatch(3) });
    const run = insistOnSuccess(await site.build());
    assert.deepEqual(spared(run), {});
    assert.equal(await site.output('bin/app'), 'branch 30 generated\n');
    // With the flags of app alone, nothing that app rests on has moved: this is no matter of trees.
    site.write(idle(11));
    site.edit(
      'Buildfile.ts',
      "definePackage('app', {\n  version: '1.0',",
      "definePackage('app', {\n  version: '1.0', remove: ['x'],",
    );
    const other = insistOnSuccess(await site.build());
    assert.deepEqual(spared(other), { 'branch@2.0': ['leaf@1.0'] });
    assert.deepEqual(other.stages, stagesFrom('patch', 'leaf@1.0').concat(stagesFrom('compile', 'app@1.0')).sort());
  });
});

test('what comes out equal on a build machine spares every other one, through each kind of tier', async (t) => {
  const server = skipWithoutS3 === false ? await startS3Server() : undefined;
  t.after(() => server?.close());
  const site = project(t);
  const env = server?.owner ?? {};
  const folder = join(site.home, 'tier');
  mkdirSync(folder, { recursive: true });
  const { url } = await fileServer(t, folder);
  const bucket = (await server?.bucket()) ?? '';
  site.edit('Buildfile.ts', 'make, place, tarball', 'directoryCache, httpCache, make, place, s3, tarball');
  site.edit('Buildfile.ts', 'defaults: [app, lone]', 'defaults: [app], cache: [CACHE]');

  interface Store {
    readonly written: string;
    readonly read: Readonly<Record<string, string>>;
    readonly remove: (object: RegExp) => Promise<void>;
  }
  const directory = `directoryCache('${folder}')`;
  const stores: Store[] = [
    {
      written: directory,
      read: { directory, http: `httpCache('${url}')` },
      async remove(object) {
        for (const name of filesBelow(folder)) if (object.test(name)) rmSync(join(folder, name));
      },
    },
  ];
  if (server !== undefined) {
    const written = `s3(${JSON.stringify({ bucket, endpoint: server.endpoint })})`;
    const remove: Store['remove'] = async (object) => {
      for (const name of await server.list(bucket)) if (object.test(name)) await server.remove(bucket, name);
    };
    stores.push({ written, read: { s3: written }, remove });
  }
  for (const [at, { written, read, remove }] of stores.entries()) {
    const ci = cloneOf(site, `${site.path}-${at}`, `${site.home}-${at}`);
    ci.edit('Buildfile.ts', 'CACHE', written);
    checkIn(ci.path);
    insistOnSuccess(await ci.build(['--push'], { env }));
    const before = ci.installed();
    ci.write(idle(7));
    checkIn(ci.path);
    const run = insistOnSuccess(await ci.build(['--push'], { env }));
    assert.deepEqual(spared(run), bothSpared);
    // What was not compiled is pushed all the same: as whole as anything.
    const pushed = run.events.flatMap(({ type, package: id }) => (type === 'pushed' ? [id] : []));
    assert.deepEqual(new Set(pushed), new Set(['leaf@1.0', 'branch@2.0', 'app@1.0']));
    insistOnEqualTrees(before, ci.installed());
    // From here on nobody finds these but as equal ones.
    await remove(/\/artifacts\/(branch|app)\//);
    insistOnSuccess(await ci.run(['release', 'create', 'shop', '--push'], { env }));
    for (const [kind, cache] of Object.entries(read)) {
      await t.test(kind, async () => {
        const machine = cloneOf(ci, `${ci.path}-${kind}`, `${ci.home}-${kind}`);
        machine.edit('Buildfile.ts', written, cache);
        const proof = await machine.run(['cache', 'prove'], { env });
        assert.equal(proof.exitStatus, 0, proof.stdout);
        const elsewhere = ['--prefix', 'elsewhere', '--cache-dir', 'apart'];
        assert.equal((await machine.run(['check', '--no-install', ...elsewhere], { env })).exitStatus, 0);
        insistOnSuccess(await machine.run(['install', ...elsewhere], { env }));
        assert.equal((await machine.run(['check', ...elsewhere], { env })).exitStatus, 0);
        assert.deepEqual(machine.installed(join(machine.path, 'elsewhere')), ci.installed());
        const released = ['--release', 'shop', '--prefix', 'released', '--cache-dir', 'third'];
        assert.equal((await machine.run(['check', '--no-install', ...released], { env })).exitStatus, 0);
        insistOnSuccess(await machine.run(['install', ...released], { env }));
        assert.equal((await machine.run(['check', ...released], { env })).exitStatus, 0);
        assert.deepEqual(machine.installed(join(machine.path, 'released')), ci.installed());
        const taken = insistOnSuccess(await machine.build(['--no-build', '--frozen'], { env }));
        assert.deepEqual([taken.outcomes, spared(taken)], [{ fresh: 0, restored: 3, built: 0 }, bothSpared]);
        assert.equal(await machine.output('bin/app'), appSays);
        assert.deepEqual(machine.installed(), ci.installed());
        // What only compiling needs was looked at, and stayed where it was.
        assert.ok(!readdirSync(join(machine.home, '.cache/vbuild/v1/artifacts')).includes('gen'));
      });
    }
    await remove(/\/equal\//);
    const late = cloneOf(ci, `${ci.path}-late`, `${ci.home}-late`);
    assert.equal((await late.run(['cache', 'prove'], { env })).exitStatus, 3);
    assert.equal((await late.run(['--no-build', '--frozen'], { env })).exitStatus, 3);
    assert.equal((await late.run(['check', '--no-install'], { env })).exitStatus, 3);
    assert.equal((await late.run(['check', '--no-install', '--release', 'shop'], { env })).exitStatus, 3);
    assert.equal((await ci.run(['release', 'create', 'late'], { env })).exitStatus, 3);
  }
});

test('an object among the equal ones that somebody else put there does no harm', async (t) => {
  const site = project(t);
  const store = (where: Project): string => join(where.home, 'tier');
  mkdirSync(store(site), { recursive: true });
  site.edit('Buildfile.ts', 'make, place, tarball', 'directoryCache, make, place, tarball');
  site.edit('Buildfile.ts', 'defaults: [app, lone]', `defaults: [branch], cache: [directoryCache('../home/tier')]`);
  checkIn(site.path);
  insistOnSuccess(await site.build(['--push', '--no-install']));
  const placeIn = (where: Project): string =>
    filesBelow(store(where)).find((name) => name.includes('/equal/branch/')) ?? assert.fail();
  const place = placeIn(site);
  // An artifact that was linked with another leaf: what somebody would like to pass off as one that was linked with this.
  const other = cloneOf(site, `${site.path}/../other/site`, `${site.path}/../other/home`);
  mkdirSync(store(other), { recursive: true });
  other.write({ 'patches/leaf/value.patch': leafPatch(5) });
  checkIn(other.path);
  insistOnSuccess(await other.build(['--push', '--no-install']));
  cpSync(join(store(other), 'v1/blobs'), join(store(site), 'v1/blobs'), { recursive: true });
  const foreign = readFileSync(join(store(other), placeIn(other)), 'utf8');
  const sound = readFileSync(join(store(site), place), 'utf8');
  const trees = (text: string): object => ({ against: (JSON.parse(text) as { against: object }).against });
  const poisons: Readonly<Record<string, string>> = {
    'made with another leaf': foreign,
    'a body that is not there': sound.replace(/("body": \{\s*"digest": ")[0-9a-f]+/, `$1${'f'.repeat(64)}`),
  };
  assert.notDeepEqual(trees(foreign), trees(sound));
  for (const [at, [name, bytes]] of Object.entries(poisons).entries()) {
    await t.test(name, async () => {
      writeFileSync(join(store(site), place), bytes);
      const clone = cloneOf(site, `${site.path}-${at}`, `${site.home}-${at}`);
      clone.edit('Buildfile.ts', '../home/tier', store(site));
      clone.write(idle(7));
      const run = insistOnSuccess(await clone.build());
      assert.deepEqual([run.outcomes, spared(run)], [{ fresh: 0, restored: 0, built: 2 }, {}]);
      const rejected = run.events.filter(({ type, answer }) => type === 'cache-looked-up' && answer === 'rejected');
      assert.deepEqual(
        rejected.map(({ package: id, equal }) => [id, typeof equal]),
        [['branch@2.0', 'string']],
      );
    });
  }
});
