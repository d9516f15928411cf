/** What one machine pushed to a bucket, another one restores; and no trouble with a bucket stops a build. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkIn } from '../support/check-in.ts';
import { type EventsOf, insistOnSuccess } from '../support/events.ts';
import { appSays, cloneOf, packages, type Project, project, projectAt } from '../support/project.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';

/** A project whose Buildfile names a bucket. */
function projectWith(t: TestContext, bucket: string, endpoint: string): Project {
  const site = project(t);
  site.edit('Buildfile.ts', 'make, place, tarball', 'make, place, s3, tarball');
  const spec = JSON.stringify({ bucket, endpoint, prefix: 'site' });
  site.edit('Buildfile.ts', 'defaults: [app, lone]', `defaults: [app, lone], cache: [s3(${spec})]`);
  checkIn(site.path);
  return site;
}

/** Another machine: only what version control holds, and a home of its own. */
const machine = (site: Project, name: string): Project => cloneOf(site, `${site.path}-${name}`, `${site.home}-${name}`);

const steps = ({ events }: EventsOf): number => events.filter(({ type }) => type === 'step-started').length;
const pushed = ({ events }: EventsOf): string[] =>
  events.flatMap(({ type, package: id }) => (type === 'pushed' ? [id ?? ''] : [])).sort();

test('a bucket between machines', { skip: skipWithoutS3 }, async (t) => {
  const server: S3Server = await startS3Server();
  t.after(() => server.close());
  const bucket = await server.bucket({ who: 'reader', may: 'list and get' });
  const { endpoint, owner, reader } = server;
  const site = projectWith(t, bucket, endpoint);

  await t.test('--push fills it, each manifest with its body', async () => {
    const run = insistOnSuccess(await site.build(['--push'], { env: owner }));
    assert.deepEqual(pushed(run), [...packages].sort());
    const objects = await server.list(bucket);
    assert.equal(
      objects.filter((name) => /^site\/v1\/artifacts\/[^/]+\/[0-9a-f]{64}\/unsigned\.json$/.test(name)).length,
      5,
    );
    // Of each package the body and the archive of its source.
    assert.equal(objects.filter((name) => name.startsWith('site/v1/blobs/sha256/')).length, 10);
  });
  await t.test('a clone that may only read restores all of it and compiles nothing', async () => {
    const clone = machine(site, 'reader');
    const run = insistOnSuccess(await clone.build(['--no-build', '--frozen'], { env: reader }));
    assert.deepEqual([run.stages, steps(run)], [[], 0]);
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 4, built: 0 });
    assert.deepEqual(run.warnings, []);
    assert.equal(await clone.output('bin/app'), appSays);
    assert.equal(clone.read('vendor/share/app/prefix'), `${clone.path}/vendor\n`);
    assert.deepEqual(clone.installed(), site.installed());
    // What came once is on the disk: the next run asks nobody.
    const again = insistOnSuccess(await clone.build([], { env: {} }));
    assert.deepEqual(again.outcomes, { fresh: 4, restored: 0, built: 0 });
  });
  await t.test('only what changed is built on top of it', async () => {
    const clone = machine(site, 'changed');
    clone.edit(
      'Buildfile.ts',
      'buildDeps: [gen],\n  recipe: make(options)',
      "buildDeps: [gen],\n  recipe: make({ ...options, env: { A: 'B' } })",
    );
    const run = insistOnSuccess(await clone.build([], { env: reader }));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 4, built: 1 });
    assert.deepEqual(
      run.stages.filter((stage) => stage.endsWith(' compile')),
      ['app@1.0 compile'],
    );
  });
  await t.test('a release lies in it, until it is dropped', async () => {
    const clone = machine(site, 'release');
    const key = join(clone.home, 'ci.key');
    const made = insistOnSuccess(await clone.run(['key', 'new', key, '--json']));
    const { publicKey } = JSON.parse(made.stdout) as { readonly publicKey: string };
    const trust = JSON.stringify({ keys: [{ name: 'ci', publicKey, role: 'ci' }] });
    clone.edit('Buildfile.ts', 'defaults: [app, lone]', `defaults: [lone], trust: ${trust}`);
    checkIn(clone.path);
    const ci = { env: { ...owner, VBUILD_SIGNING_KEY_FILE: key } };
    insistOnSuccess(await clone.build(['--push'], ci));
    insistOnSuccess(await clone.run(['release', 'create', 'shop-1', '--push'], ci));
    const shop = projectAt(join(clone.home, 'shop'), join(clone.home, 'home'));
    shop.write({ 'trust.json': trust });
    const from = ['--from', `s3://${bucket}/site`, '--trust', 'trust.json'];
    const env = { ...reader, AWS_ENDPOINT_URL: endpoint };
    const install = () => shop.run(['install', '--release', 'shop-1', ...from], { env });
    insistOnSuccess(await install());
    assert.equal(shop.read('vendor/share/lone/prefix'), `${shop.path}/vendor\n`);
    insistOnSuccess(await clone.run(['release', 'drop', 'shop-1'], ci));
    assert.equal((await install()).exitStatus, 3);
  });

  await t.test('an upload that fails ends with status 5, and the prefix is ready all the same', async () => {
    const clone = machine(site, 'denied');
    clone.edit(
      'Buildfile.ts',
      'buildDeps: [gen],\n  recipe: make(options)',
      "buildDeps: [gen],\n  recipe: make({ ...options, env: { C: 'D' } })",
    );
    checkIn(clone.path);
    const run = await clone.build(['--push'], { env: reader });
    assert.equal(run.exitStatus, 5, run.stderr);
    assert.deepEqual([...new Set(run.errors.map(({ code }) => code))], ['upload-failed']);
    assert.deepEqual(pushed(run), []);
    assert.equal(run.installs, 1);
    assert.equal(await clone.output('bin/app'), appSays);
  });
  await t.test('bytes that are not what was pushed are rejected, said, and built from source', async () => {
    const clone = machine(site, 'liar');
    for (const name of await server.list(bucket)) {
      if (!name.includes('/blobs/')) continue;
      const bytes = await server.get(bucket, name);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await server.put(bucket, name, bytes);
    }
    const run = insistOnSuccess(await clone.build([], { env: reader }));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 0, built: 5 });
    const rejected = run.events.flatMap(({ answer, package: id }) => (answer === 'rejected' ? [id ?? ''] : []));
    // One that rests on another is asked for once more, when that one has come out equal.
    assert.deepEqual([...new Set(rejected)].sort(), [...packages].sort());
    assert.deepEqual(clone.installed(), site.installed());
  });
});

test('a bucket that cannot be reached costs one warning, and all is built from source', async (t) => {
  // Port 9, discard: nobody listens there.
  const site = projectWith(t, 'vendor', 'http://127.0.0.1:9');
  const { exitStatus, stderr } = await site.run([], { env: { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' } });
  assert.equal(exitStatus, 0, stderr);
  assert.equal(await site.output('bin/app'), appSays);
  assert.equal(stderr.split(/^warning: /m).length - 1, 1, stderr);
  assert.match(stderr, /^warning: Cache s3:\/\/vendor\S* is unreachable$/m);
});
