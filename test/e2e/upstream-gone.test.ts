/** With `--push`, sources of every kind are in the bucket: another machine builds from them when every upstream is switched off. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bzrServer, inBzr, makeBzrBranch } from '../support/bzr-server.ts';
import { checkIn } from '../support/check-in.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { gitServer, inGit, makeRepository } from '../support/git-server.ts';
import { hgServer, inHg, makeHgRepository } from '../support/hg-server.ts';
import { fileServer } from '../support/http-server.ts';
import { npmRegistry } from '../support/npm-registry.ts';
import { cloneOf, projectAt } from '../support/project.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { makeSvnRepository, svnServer } from '../support/svn-server.ts';
import { type Tree, tempDir, writeTree } from '../support/temp.ts';
import { upstreamTarball } from '../support/upstream.ts';

/** Installs its own sources, so that what was built tells what was fetched. */
const upstream = (kind: string): Tree => ({
  Makefile: 'install:\n\tmkdir -p $(DESTDIR)$(PREFIX)/share\n\t./copy $(DESTDIR)$(PREFIX)/share\n',
  copy: { text: `#!/bin/sh\ncat kind/name >"$1/${kind}"\n`, mode: 0o755 },
  'kind/name': `made from ${kind}\n`,
});

test('sources of every kind in a bucket', { skip: skipWithoutS3 }, async (t) => {
  const server: S3Server = await startS3Server();
  t.after(() => server.close());
  const bucket = await server.bucket({ who: 'reader', may: 'list and get' });
  const top = tempDir(t, 'gone');
  const at = (path: string): string => join(top, path);

  writeTree(at('www'), { 'up.tar.gz': readFileSync(upstreamTarball(top, upstream('tarball'))) });
  writeTree(at('www'), { 'made.tar.gz': readFileSync(upstreamTarball(top, upstream('generated'), 'made.tar.gz')) });
  makeRepository(at('git/up'), upstream('git'));
  inGit(at('git/up'), 'tag', 'v1');
  makeHgRepository(at('hg/up'), upstream('mercurial'));
  inHg(at('hg/up'), 'bookmark', 'v1');
  makeSvnRepository(at('svn/up'), upstream('subversion'));
  makeBzrBranch(at('bzr/up'), upstream('bazaar'));
  inBzr(at('bzr/up'), 'tag', '--quiet', 'v1');
  const registry = await npmRegistry(t);
  registry.publish([{ name: 'up', version: '1.0.0', tarball: readFileSync(upstreamTarball(top, upstream('npm'))) }]);
  const [www, gits, hgs, svns, bzrs] = [
    await fileServer(t, at('www')),
    await gitServer(t, at('git')),
    await hgServer(t, top, at('hg/up')),
    await svnServer(t, at('svn')),
    await bzrServer(t, at('bzr')),
  ];

  const sources = {
    tarball: `tarball('${www.url}/up.tar.gz')`,
    git: `git('${gits.url}/up', { rev: 'v1' })`,
    mercurial: `mercurial('${hgs.url}/up', { rev: 'v1' })`,
    subversion: `subversion('${svns.url}/up/trunk')`,
    bazaar: `bazaar('${bzrs.url}/up', { rev: 'v1' })`,
    npm: `npm('up', '1.0.0')`,
    generated: `generated({ steps: ['curl -fsS ${www.url}/made.tar.gz | tar -xz --strip-components=1', 'mkdir empty', 'ln -s kind link'] })`,
  };
  const kinds = Object.keys(sources);
  const definitions = Object.entries(sources).map(
    ([kind, source]) => `definePackage('of-${kind}', { version: '1', source: ${source}, recipe: make(options) })`,
  );
  const buildfile = `import { ${['defineBuild', 'definePackage', 'make', 'place', 's3', ...kinds].join(', ')} } from 'vbuild';
const options = { variables: { PREFIX: place.prefix } };
export default defineBuild({
  packages: [${definitions.join(', ')}],
  cache: [s3(${JSON.stringify({ bucket, endpoint: server.endpoint })})],
});
`;
  const site = projectAt(at('site'), at('home'));
  site.write({ 'Buildfile.ts': buildfile });
  registry.configure(site.path);
  checkIn(site.path);
  const failing = cloneOf(site, at('failing'), at('failing-home'));

  await t.test('a build that fails has pushed what it fetched all the same', async () => {
    failing.edit('Buildfile.ts', 'PREFIX: place.prefix', 'PREFIX: place.prefix, SHELL: "/bin/false"');
    checkIn(failing.path);
    const run = await failing.build(['--push', '-k', 'of-git', 'of-tarball'], { env: server.owner });
    assert.equal(run.exitStatus, 1, run.stderr);
    const objects = await server.list(bucket);
    assert.equal(objects.filter((name) => name.startsWith('v1/artifacts/')).length, 0);
    assert.equal(objects.filter((name) => name.startsWith('v1/sources/')).length, 1);
    assert.equal(objects.filter((name) => name.startsWith('v1/blobs/')).length, 2);
  });

  await t.test('--push puts sources there: archives by their digests, trees packed', async () => {
    const run = insistOnSuccess(await site.build(['--push'], { env: server.owner }));
    assert.deepEqual(run.warnings, []);
    const objects = await server.list(bucket);
    // Five kinds have a tree and no archive.
    assert.equal(objects.filter((name) => name.startsWith('v1/sources/')).length, 5);
    // Of each package the source and the body.
    assert.equal(objects.filter((name) => name.startsWith('v1/blobs/')).length, 2 * kinds.length);
  });

  await t.test('a push that has nothing to do leaves all as it is', async () => {
    const before = await server.list(bucket);
    insistOnSuccess(eventsOf(await site.run(['cache', 'push', '--json'], { env: server.owner })));
    assert.deepEqual(await server.list(bucket), before);
  });

  for (const daemon of [www, gits, hgs, svns, bzrs, registry]) await daemon.stop();
  for (const name of await server.list(bucket)) if (name.startsWith('v1/artifacts/')) await server.remove(bucket, name);

  const elsewhere = cloneOf(site, at('elsewhere'), at('elsewhere-home'));
  await t.test('another machine builds all of it when every upstream is gone', async () => {
    const run = insistOnSuccess(await elsewhere.build(['--frozen'], { env: server.reader }));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 0, built: kinds.length });
    for (const kind of kinds) assert.equal(elsewhere.read(`vendor/share/${kind}`), `made from ${kind}\n`);
    assert.deepEqual(elsewhere.installed(), site.installed());
    const fetched = run.events.flatMap((event) =>
      event.type === 'stage-finished' && event.stage === 'fetch' ? [(event as { detail?: string }).detail ?? ''] : [],
    );
    assert.equal(fetched.filter((detail) => detail.endsWith(` from s3://${bucket}`)).length, 5);
  });

  await t.test('and once more without a network, from what came to its disk', async () => {
    const again = cloneOf(elsewhere, at('again'), elsewhere.home);
    again.edit('Buildfile.ts', 'PREFIX: place.prefix', 'PREFIX: place.prefix, OTHER: "1"');
    const run = insistOnSuccess(await again.build(['--offline'], { env: {} }));
    assert.equal(run.outcomes?.built, kinds.length);
  });

  await t.test('a packed tree that was tampered with is refused by name, and then upstream is missed', async () => {
    for (const name of await server.list(bucket))
      if (name.startsWith('v1/blobs/')) await server.put(bucket, name, Buffer.from('tampered'));
    const victim = cloneOf(site, at('victim'), at('victim-home'));
    const run = await victim.build(['--frozen', 'of-git'], { env: server.reader });
    assert.equal(run.exitStatus, 1, run.stderr);
    assert.deepEqual(
      run.warnings.filter(({ code }) => code === 'source-rejected').map(({ facts }) => facts?.['cache']),
      [`s3://${bucket}`],
    );
    assert.deepEqual(
      run.errors.map(({ code, where }) => [code, where.package]),
      [['git-failed', 'of-git@1']],
    );
  });
});
