/** A build as a program of a shell: it makes the same without vbuild, in dash and in bash, and shellcheck finds nothing in it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import { debianMirror } from '../support/debian-mirror.ts';
import { makeRepository } from '../support/git-server.ts';
import { appSays, leafPatch, type Project, project } from '../support/project.ts';
import { tempDir } from '../support/temp.ts';
import { type Ended, runProgram } from '../support/vbuild.ts';

/** Writes the program beside the Buildfile. */
async function eject(site: Project, ...args: readonly string[]): Promise<string> {
  insistOnSuccess(await site.run(['lock']));
  const { stdout } = insistOnSuccess(await site.run(['eject', ...args]));
  site.write({ 'build.sh': stdout });
  return join(site.path, 'build.sh');
}

/** Runs it where neither vbuild nor Node is on the PATH. */
const runWith = (
  site: Project,
  shell: string,
  prefix: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> =>
  runProgram([shell, join(site.path, 'build.sh'), prefix], {
    cwd: site.home,
    home: site.home,
    env: { PATH: '/usr/bin:/bin', ...env },
  });

for (const shell of ['dash', 'bash'] as const) {
  test(`run by ${shell}, the program makes what vbuild makes, from the same sources and patches`, async (t) => {
    const site = project(t);
    execFileSync('shellcheck', [await eject(site)], { stdio: 'pipe' });
    const { stdout } = insistOnSuccess(await runWith(site, shell, join(site.path, 'own')));
    assert.match(stdout, /^== leaf\n[\s\S]*== app\n[\s\S]*^ready in .*\/own: .*app@1\.0.*$/m);
    assert.equal(await site.output('bin/app', join(site.path, 'own')), appSays);
    assert.equal(await site.output('bin/lone', join(site.path, 'own')), 'alone\n');
  });
}

test('an archive or a patch that is not the one it was made for ends the program, and so does a step that fails', async (t) => {
  const site = project(t);
  await eject(site, 'leaf');
  site.write({ 'patches/leaf/value.patch': leafPatch(3) });
  const patched = await runWith(site, 'sh', 'own');
  assert.equal(patched.exitStatus, 1);
  assert.match(patched.stderr, /error: .*value\.patch is not the patch that this was made for/);
  site.write({ 'patches/leaf/value.patch': leafPatch(2), 'upstream/leaf-1.0.tar.gz': 'other' });
  const fetched = await runWith(site, 'sh', 'fresh');
  assert.equal(fetched.exitStatus, 1);
  assert.match(fetched.stderr, /error: .*leaf-1\.0\.tar\.gz is not the pinned archive/);
  assert.ok(!existsSync(join(site.home, 'fresh/lib')));
});

test('sources from git and folders, shell lines with places, variables, folders and removed files come out as they are meant', async (t) => {
  const site = project(t);
  const commit = makeRepository(join(site.path, 'upstream/repository'), { 'sub/word': 'from git\n', other: '' });
  site.write({
    'own/word': 'from here\n',
    'own/.git/config': 'not a source',
    'Buildfile.ts': `import { defineBuild, definePackage, directory, git, place, steps } from 'vbuild';
const one = definePackage('one', {
  version: '1',
  source: git('upstream/repository', { rev: '${commit}', subdir: 'sub' }),
  remove: ['share/**/*.tmp', 'share/one/gone'],
  recipe: steps([
    { group: 'build', run: 'printf "%s\\\\n" "$SAID" >said; test "$PWD" = @root@/build', in: '../build' },
    { group: 'install', run: 'd=@stage@@prefix@/share/one; mkdir -p "$d/deep" "$d/gone"; cp word ../build/said "$d"; touch "$d/x.tmp" "$d/deep/y.tmp" "$d/gone/z"' },
  ], { env: { SAID: 'a $b "c" @jobs' } }),
});
const two = definePackage('two', {
  version: '1',
  source: directory('own'),
  deps: [one],
  recipe: steps([
    { group: 'build', run: ['sh', '-c', 'test ! -e .git\\ncat word "$1" >both', 'sh', place.prefix + '/share/one/word'] },
    { group: 'install', run: ['install', '-D', '-m', '644', 'both', place.stage + place.prefix + '/share/two'] },
  ]),
});
export default defineBuild({ packages: [one, two], defaults: [two] });
`,
  });
  execFileSync('shellcheck', [await eject(site)], { stdio: 'pipe' });
  insistOnSuccess(await runWith(site, 'dash', 'own'));
  const prefix = join(site.home, 'own');
  assert.equal(readFileSync(join(prefix, 'share/two'), 'utf8'), 'from here\nfrom git\n');
  assert.equal(readFileSync(join(prefix, 'share/one/said'), 'utf8'), 'a $b "c" @jobs\n');
  for (const gone of ['x.tmp', 'deep/y.tmp', 'gone']) assert.ok(!existsSync(join(prefix, 'share/one', gone)), gone);
  const { stdout } = insistOnSuccess(await site.run(['eject', 'one', '--json']));
  const { packages, program } = JSON.parse(stdout) as { packages: string[]; program: string };
  assert.deepEqual(packages, ['one@1']);
  assert.match(program, /^#!\/bin\/sh\n/);
});

test('a source package of Debian comes from the repositories that apt knows', async (t) => {
  const site = project(t);
  const state = tempDir(t);
  for (const folder of ['lists', 'archives']) mkdirSync(join(state, folder, 'partial'), { recursive: true });
  const configuration = `Dir::State::lists "${state}/lists"; Dir::Cache "${state}"; APT::Sandbox::User "root";`;
  const mirror = await debianMirror(t, { configuration });
  mirror.publish([
    {
      name: 'word',
      version: '1.0-1',
      files: {
        '1.0.orig.tar.gz': { 'word-1.0/word': 'upstream\n' },
        '1.0-1.debian.tar.gz': {
          'debian/patches/series': 'theirs.patch\n',
          'debian/patches/theirs.patch': '--- a/word\n+++ b/word\n@@ -1 +1 @@\n-upstream\n+debian\n',
        },
      },
    },
  ]);
  site.write({
    'Buildfile.ts': `import { debian, defineBuild, definePackage, place, steps } from 'vbuild';
const word = definePackage('word', {
  version: '1.0',
  source: debian('word', { patches: true }),
  recipe: steps([
    { group: 'build', run: ['cp', 'word', 'built'] },
    { group: 'install', run: ['install', '-D', '-m', '644', 'built', place.stage + place.prefix + '/share/word'] },
  ]),
});
export default defineBuild({ packages: [word], defaults: [word] });
`,
  });
  insistOnSuccess(await site.run(['lock'], { env: mirror.environment }));
  const { stdout } = insistOnSuccess(await site.run(['eject']));
  site.write({ 'build.sh': stdout });
  execFileSync('shellcheck', [join(site.path, 'build.sh')], { stdio: 'pipe' });
  // As on any machine with packages of its own.
  const updated = await runProgram(['apt-get', 'update'], {
    cwd: site.home,
    home: site.home,
    env: { PATH: '/usr/bin:/bin', ...mirror.environment },
  });
  insistOnSuccess(updated);
  insistOnSuccess(await runWith(site, 'dash', 'own', mirror.environment));
  assert.equal(readFileSync(join(site.home, 'own/share/word'), 'utf8'), 'debian\n');
});

test('without pins nothing is ejected, and a source that no plain program brings is named', async (t) => {
  const site = project(t);
  const unpinned = await site.run(['eject', 'lone']);
  assert.equal(unpinned.exitStatus, 2);
  assert.match(unpinned.stderr, /vbuild lock lone/);
});
