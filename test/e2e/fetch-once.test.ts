/** Two processes that want one archive fetch it once, though they work on two projects. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { httpServer, serve } from '../support/http-server.ts';
import { projectAt } from '../support/project.ts';
import { tempDir } from '../support/temp.ts';
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
