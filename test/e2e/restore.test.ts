/** What was built once is never compiled again: not for another prefix, not for a clone, not for another user. */
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { otherUser, skipUnlessRoot } from '../support/other-user.ts';
import { appSays, cloneOf, forget, type Project, project, projectAt } from '../support/project.ts';
import { tempDir } from '../support/temp.ts';
import { runProgram } from '../support/vbuild.ts';

test('with work folder and prefix gone, all comes back from the cache and nothing is compiled', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build());
  const before = site.installed();
  forget(site);
  const run = insistOnSuccess(await site.build());
  assert.deepEqual(run.stages, []);
  assert.deepEqual(run.outcomes, { fresh: 0, restored: 4, built: 0 });
  assert.deepEqual(
    run.events.filter(({ type }) => type === 'step-started'),
    [],
  );
  assert.equal(await site.output('bin/app'), appSays);
  assert.deepEqual(site.installed(), before);

  const top = tempDir(t, 'p');
  const prefixes = [
    ['a short path', join(top, 'p')],
    ['a path longer than the one where it was compiled', join(top, 'long'.repeat(30), 'long'.repeat(30))],
    ['a path with blanks and letters of no ASCII', join(top, 'Präfix für uns')],
  ] as const;
  for (const [what, prefix] of prefixes) {
    await t.test(`it works in ${what}, without a compiler`, async () => {
      forget(site);
      const restored = insistOnSuccess(await site.build(['--prefix', prefix, '--no-build']));
      assert.deepEqual([restored.stages, restored.installs], [[], 1]);
      assert.equal(await site.output('bin/app', prefix), appSays);
      const place = await runProgram(['cat', join(prefix, 'share/app/prefix')], { cwd: '/', home: site.home });
      assert.equal(place.stdout, `${prefix}\n`);
      const flags = await site.run(['exec', '--prefix', prefix, '--', 'pkg-config', '--variable=prefix', 'leaf']);
      assert.deepEqual([flags.stdout.replaceAll('\\', ''), flags.exitStatus], [`${prefix}\n`, 0], flags.stderr);
    });
  }
});

test('keys and trees are equal for a clone elsewhere, under another user, umask, zone, locale, -j and cache', {
  skip: skipUnlessRoot,
}, async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build(['-j1'], { env: { TZ: 'UTC', LC_ALL: 'C' } }));
  const user = otherUser(t);
  const clone = cloneOf(site, join(user.folder, 'ein Ort', 'much-further-down/clone'), join(user.folder, 'Heim'));
  user.give(user.folder);
  const options = {
    cwd: clone.path,
    home: clone.home,
    umask: '077',
    env: {
      TZ: 'Asia/Tokyo',
      LC_ALL: 'C.UTF-8',
      LANG: 'de_DE.UTF-8',
      USER: 'nobody',
      CFLAGS: '-O0',
      CC: 'false',
      MAKEFLAGS: '-n',
    },
  };
  const work = join(user.folder, 'w');
  const run = insistOnSuccess(
    eventsOf(
      await user.run(['--json', '-j3', '--frozen', '--work', work, '--cache-dir', join(user.folder, 'cache')], options),
    ),
  );
  assert.deepEqual(run.outcomes, { fresh: 0, restored: 0, built: 5 });
  assert.equal(await clone.output('bin/app'), appSays);
  assert.deepEqual(clone.installed(), site.installed());

  const keys = async (ended: ReturnType<Project['run']>): Promise<unknown> => {
    const { packages } = JSON.parse(insistOnSuccess(await ended).stdout) as {
      packages: { package: string; contentKey: string }[];
    };
    return packages.map(({ package: id, contentKey }) => [id, contentKey]);
  };
  const shown = await keys(site.run(['show', 'leaf', 'branch', 'gen', 'app', 'lone', '--json']));
  assert.deepEqual(await keys(user.run(['show', 'leaf', 'branch', 'gen', 'app', 'lone', '--json'], options)), shown);
  assert.match(JSON.stringify(shown), /\["app@1\.0","[0-9a-f]{64}"\]/);
});

test('two sites of one user share what either of them built, through links to their folders as well', async (t) => {
  const one = project(t);
  insistOnSuccess(await one.build());
  const other = cloneOf(one, `${one.path}-two`);
  const run = insistOnSuccess(await other.build(['--no-build']));
  assert.deepEqual(run.outcomes, { fresh: 0, restored: 4, built: 0 });
  symlinkSync(other.path, `${other.path}-link`);
  const linked = insistOnSuccess(await projectAt(`${other.path}-link`, one.home).build());
  assert.deepEqual([linked.stages, linked.installs], [[], 0]);
});
