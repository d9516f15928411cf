/** A password that stands in a Buildfile opens what it is for, and stands nowhere else afterwards. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { walk } from '../../src/system/files.ts';
import { insistOnSuccess } from '../support/events.ts';
import { gitHttpServer } from '../support/git-http.ts';
import { inGit, makeRepository } from '../support/git-server.ts';
import { httpServer, serve } from '../support/http-server.ts';
import { projectAt } from '../support/project.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { upstreamTarball } from '../support/upstream.ts';

/** Longer than what is shown of a long text. */
const password = `hunter2${'x'.repeat(70)}`;
const makefile = (name: string): string =>
  `install:\n\tmkdir -p $(DESTDIR)$(PREFIX)\n\techo ${name} >$(DESTDIR)$(PREFIX)/${name}\n`;

test('passwords of URLs are used, and no output, no lock file and nothing that is kept holds one', async (t) => {
  const top = tempDir(t, 'passwords');
  const bytes = readFileSync(upstreamTarball(top, { Makefile: makefile('a') }));
  const authorization = `Basic ${Buffer.from(`jo:${password}`).toString('base64')}`;
  const archives = await httpServer(t, (request, response) => {
    if (request.headers.authorization === authorization) serve(request, response, bytes);
    else response.writeHead(401).end();
  });
  makeRepository(join(top, 'served/up'), { Makefile: makefile('b') });
  inGit(join(top, 'served/up'), 'tag', 'v1');
  const repositories = await gitHttpServer(t, join(top, 'served'), { login: `jo:${password}` });
  const known = (url: string, by = password): string => url.replace('//', `//jo:${by}@`);
  const site = projectAt(join(top, 'site'), join(top, 'home'));
  const buildfile = (more = '', by = password, path = 'a.tar.gz'): string =>
    `import { defineBuild, definePackage, git, httpCache, make, mirror, place, tarball } from 'vbuild';
const recipe = make({ variables: { PREFIX: place.prefix } });
const a = definePackage('a', { version: '1', source: tarball('${known(`${archives.url}/${path}`, by)}'), recipe });
const b = definePackage('b', { version: '1', source: git('${known(`${repositories.url}/up`, by)}', { rev: 'v1' }), recipe });
export default defineBuild({ packages: [a, b]${more} });
export const used = [httpCache, mirror];
`;
  const said: string[] = [];
  const says = async (args: readonly string[], status = 0) => {
    const ended = await site.run(args);
    assert.equal(ended.exitStatus, status, `${args.join(' ')}: ${ended.stderr}`);
    for (const text of [ended.stdout, ended.stderr]) {
      assert.ok(!text.includes('hunter2'), `${args.join(' ')}: ${text}`);
      said.push(text);
    }
    return ended;
  };

  site.write({ 'Buildfile.ts': buildfile() });
  await says(['plan'], 0);
  await says(['--json', '--verbose']);
  for (const args of [
    ['list'],
    ['show', 'a', 'b'],
    ['why', 'a'],
    ['status'],
    ['graph'],
    ['report'],
    ['log', 'a'],
    ['sbom'],
  ]) {
    await says(args);
    if (args[0] !== 'sbom') await says([...args, '--json']);
  }
  assert.match(said.join(''), /\/\/jo:…@127\.0\.0\.1/);
  assert.match(site.read('Buildfile.lock'), /\/\/jo:…@127\.0\.0\.1/);

  const program = await says(['eject', 'a', 'b']);
  assert.match(program.stdout, /curl[^]*\/\/jo:…@127/);
  assert.match(program.stderr, /warning: Passwords of URLs are left out of the program/);
  const { notices } = JSON.parse((await says(['eject', 'a', 'b', '--json'])).stdout) as { notices: { code: string }[] };
  assert.deepEqual(
    notices.map(({ code }) => code),
    ['password-left-out'],
  );

  // What Node compiled of the Buildfile is the Buildfile once more.
  for (const { path, type } of [
    ...walk(site.path),
    ...walk(site.home).map((one) => ({ ...one, path: `../home/${one.path}` })),
  ])
    if (type === 'file' && path !== 'Buildfile.ts' && !path.includes('/vbuild/compiled/'))
      assert.ok(!readFileSync(join(site.path, path), 'latin1').includes('hunter2'), path);

  // Another password leads to the same source; another place does not, and a wrong one to none.
  site.write({ 'Buildfile.ts': buildfile('', 'hunter2-changed') });
  const again = insistOnSuccess(await site.build(['--frozen']));
  assert.deepEqual(again.stages, []);
  site.write({ 'Buildfile.ts': buildfile('', password, 'b.tar.gz') });
  await says(['--frozen'], 2);
  site.write({ 'Buildfile.ts': buildfile('', 'hunter2-wrong') });
  writeTree(site.path, { 'Buildfile.lock': '{ "lock": 1, "sources": {}, "tools": {} }' });
  await says(['lock'], 1);
  await says(['lock', '--json'], 1);
  site.write({
    'Buildfile.ts': buildfile(`, cache: [httpCache('${known('http://cache.example.org')}')],
mirrors: [mirror('${known('http://example.org')}', { to: '${known('http://m.example.org/')}?x' })]`),
  });
  await says(['list'], 2);
  await says(['list', '--json'], 2);
});
