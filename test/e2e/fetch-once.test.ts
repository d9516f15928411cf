/** Two processes that want one source fetch it once, though they work on two projects. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { leftTree, takeLeftTree } from '../../src/build/fetch-once.ts';
import { digestOf } from '../../src/model/digest.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { gitHttpServer } from '../support/git-http.ts';
import { inGit, makeRepository } from '../support/git-server.ts';
import { httpServer, serve } from '../support/http-server.ts';
import { type Project, projectAt } from '../support/project.ts';
import { removeTree, tempDir, writeTree } from '../support/temp.ts';
import { upstreamTarball } from '../support/upstream.ts';
import { startProgram, vbuildBin } from '../support/vbuild.ts';

/** What the Buildfile insists on, by what the archive is known by before it is here. */
const ways: readonly (readonly [known: string, options: (bytes: Buffer) => string])[] = [
  ['its digest', (bytes) => `{ sha256: '${digestOf(bytes)}' }`],
  ['its place alone', () => '{}'],
];

for (const [known, options] of ways)
  test(`an archive known by ${known} that another process is bringing is waited for, not fetched twice`, async (t) => {
    const top = tempDir(t, 'once');
    const makefile = 'install:\n\tmkdir -p $(DESTDIR)$(PREFIX)\n\techo up >$(DESTDIR)$(PREFIX)/up\n';
    const bytes = readFileSync(upstreamTarball(top, { Makefile: makefile }));
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const server = await httpServer(t, (request, response) => {
      asked.resolve();
      void released.promise.then(() => serve(request, response, bytes));
    });
    const start = (name: string, variable: string) => {
      const site = projectAt(join(top, name), join(top, 'home'));
      site.write({
        'Buildfile.ts': `import { defineBuild, definePackage, make, place, tarball } from 'vbuild';
const source = tarball('${server.url}/up.tar.gz', ${options(bytes)});
const recipe = make({ variables: { PREFIX: place.prefix, ${variable} } });
export default defineBuild({ packages: [definePackage('up', { version: '1', source, recipe })] });
`,
      });
      return startProgram([vbuildBin, '--json'], { cwd: site.path, home: site.home });
    };
    const first = start('one', "A: 'a'");
    await asked.promise;
    const second = start('two', "B: 'b'");
    await second.says('waiting-for-source');
    released.resolve();
    for (const run of [first, second]) assert.equal(insistOnSuccess(eventsOf(await run.ended)).outcomes?.built, 1);
    assert.equal(server.seen.length, 1);
    const [one, two] = ['one', 'two'].map((name) => readFileSync(join(top, name, 'Buildfile.lock'), 'utf8'));
    assert.equal(one, two);
    assert.match(one ?? '', new RegExp(digestOf(bytes)));
  });

test('packages of one run that share an archive fetch it once, and nobody is said to be waited for', async (t) => {
  const top = tempDir(t, 'once');
  const makefile = 'install:\n\tmkdir -p $(DESTDIR)$(PREFIX)\n\techo $(NAME) >$(DESTDIR)$(PREFIX)/$(NAME)\n';
  const bytes = readFileSync(upstreamTarball(top, { Makefile: makefile }));
  const server = await httpServer(t, (request, response) => serve(request, response, bytes));
  const site = projectAt(join(top, 'site'), join(top, 'home'));
  site.write({
    'Buildfile.ts': `import { defineBuild, definePackage, make, place, tarball } from 'vbuild';
const source = tarball('${server.url}/up.tar.gz');
const packages = ['a', 'b', 'c'].map((name) =>
  definePackage(name, { version: '1', source, recipe: make({ variables: { PREFIX: place.prefix, NAME: name } }) }));
export default defineBuild({ packages });
`,
  });
  const { outcomes, events } = insistOnSuccess(await site.build(['-j3']));
  assert.equal(outcomes?.built, 3);
  assert.deepEqual(
    events.filter(({ code }) => code === 'waiting-for-source'),
    [],
  );
  assert.equal(server.seen.length, 1);
});

for (const isPinned of [false, true])
  test(`a commit that another process is bringing is waited for, not fetched twice, ${isPinned ? 'its tree known' : 'its tree not known yet'}`, async (t) => {
    const top = tempDir(t, 'once');
    const makefile = 'install:\n\tmkdir -p $(DESTDIR)$(PREFIX)\n\techo up >$(DESTDIR)$(PREFIX)/up\n';
    makeRepository(join(top, 'served/up'), { Makefile: makefile });
    inGit(join(top, 'served/up'), 'tag', 'v1');
    let [asked, released] = [Promise.withResolvers<void>(), Promise.resolve()];
    const server = await gitHttpServer(t, join(top, 'served'), {
      hold: () => {
        asked.resolve();
        return released;
      },
    });
    // Then asking what a tag stands for is no POST, and only what fetches is held.
    writeTree(join(top, 'home'), { '.gitconfig': '[protocol]\nversion = 0\n' });
    const siteAt = (name: string, variable: string): Project => {
      const site = projectAt(join(top, name), join(top, 'home'));
      site.write({
        'Buildfile.ts': `import { defineBuild, definePackage, git, make, place } from 'vbuild';
const source = git('${server.url}/up', { rev: 'v1' });
const recipe = make({ variables: { PREFIX: place.prefix, ${variable} } });
export default defineBuild({ packages: [definePackage('up', { version: '1', source, recipe })] });
`,
      });
      return site;
    };
    const [one, two] = [siteAt('one', "A: 'a'"), siteAt('two', "B: 'b'")];
    if (isPinned)
      for (const site of [one, two]) {
        insistOnSuccess(await site.run(['lock']));
        removeTree(join(site.path, '.vbuild'));
      }
    const release = Promise.withResolvers<void>();
    [asked, released] = [Promise.withResolvers<void>(), release.promise];
    const start = (site: Project) => startProgram([vbuildBin, '--json'], { cwd: site.path, home: site.home });
    const first = start(one);
    await asked.promise;
    const second = start(two);
    await second.says('waiting-for-source');
    release.resolve();
    const fetchOf = async ({ ended }: ReturnType<typeof start>): Promise<string | undefined> =>
      insistOnSuccess(eventsOf(await ended)).events.find(
        (event) => event.type === 'stage-finished' && event.stage === 'fetch',
      )?.detail;
    assert.match((await fetchOf(first)) ?? '', /^git [0-9a-f]{12}$/);
    const taken = (await fetchOf(second)) ?? '';
    assert.ok(/^git [0-9a-f]{12} from /.test(taken) && taken.includes(one.path), taken);
    assert.equal(two.read('vendor/up'), 'up\n');
    assert.equal(two.read('Buildfile.lock'), one.read('Buildfile.lock'));
  });

test('what another process left of a tree is taken only as it was when that one had it', (t) => {
  const top = tempDir(t, 'left');
  writeTree(join(top, 'theirs'), { a: 'one\n', 'd/b': { text: 'two\n', mode: 0o755 } });
  const left = leftTree(treeDigest(join(top, 'theirs')), join(top, 'theirs'));
  const into = join(top, 'ours');
  assert.equal(takeLeftTree(left, into), join(top, 'theirs'));
  assert.equal(treeDigest(into), treeDigest(join(top, 'theirs')));
  writeTree(join(top, 'theirs'), { a: 'another one\n' });
  for (const text of [left, leftTree(digestOf('x'), join(top, 'gone')), 'no JSON', 'null', undefined]) {
    rmSync(into, { recursive: true, force: true });
    mkdirSync(into);
    assert.equal(takeLeftTree(text, into), undefined, text);
    assert.deepEqual(readdirSync(into), []);
  }
});
