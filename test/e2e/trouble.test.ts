/** Disks that are full, read-only or gone, and clocks that jump: each is told for what it is, and nothing is wrong afterwards. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { eventsOf, type EventsOf, insistOnSuccess } from '../support/events.ts';
import { otherUser, skipUnlessRoot } from '../support/other-user.ts';
import { type Project, projectAt } from '../support/project.ts';
import { tempDir } from '../support/temp.ts';
import { resultOf, said, tinyChain, type TinyPackage, tinyProject, writeTiny } from '../support/tiny.ts';
import { runProgram, startProgram, vbuildBin } from '../support/vbuild.ts';

// Steps wait for files of a test here, and write into some, which would be hidden from them.
process.env['VBUILD_SANDBOX'] = 'off';

const text = (count: number): string => 'x'.repeat(count);
const large: readonly TinyPackage[] = tinyChain.map((one) => ({ ...one, said: `${one.said} ${text(20_000)}` }));

/**
 * A run of vbuild in a mount namespace in which a small tmpfs lies at a path, and then another one after the tmpfs was made large.
 * What lies below the path before is hidden.
 */
async function runTwice(
  site: Project,
  path: string,
  limits: string,
): Promise<readonly [small: EventsOf, large: EventsOf]> {
  const root = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const script = `mount -t tmpfs -o ${limits} small "$1" && cd "$2" || exit 99
"$3" --json; echo "status $?"; mount -o remount,rw,size=64m,nr_inodes=100k small "$1"; "$3" --json; echo "status $?"
[ -z "$4" ] || cp -a vendor/. .vendor.generations "$4"`;
  mkdirSync(path, { recursive: true });
  const argv = ['unshare', ...root, '--mount', '--', 'sh', '-c', script, 'sh', path, site.path, vbuildBin];
  const { stdout, stderr } = await runProgram(argv, { cwd: '/', home: site.home });
  const [small = '', smallStatus = '', second = '', status = ''] = stdout.split(/status (\d+)\n/);
  const ended = { signal: undefined, stderr };
  return [
    eventsOf({ ...ended, stdout: small, exitStatus: Number(smallStatus) }),
    eventsOf({ ...ended, stdout: second, exitStatus: Number(status) }),
  ];
}

const troubles: readonly {
  readonly what: string;
  readonly path: (site: Project) => string;
  readonly limits: string;
}[] = [
  { what: 'work folder on a full disk', path: ({ path }) => join(path, '.vbuild'), limits: 'size=40k' },
  {
    what: 'work folder on a disk that fills up while steps run',
    path: ({ path }) => join(path, '.vbuild'),
    limits: 'size=260k',
  },
  {
    what: 'work folder on a disk without inodes',
    path: ({ path }) => join(path, '.vbuild'),
    limits: 'size=64m,nr_inodes=24',
  },
  { what: 'cache on a full disk', path: ({ home }) => join(home, '.cache'), limits: 'size=24k' },
  { what: 'cache on a disk without inodes', path: ({ home }) => join(home, '.cache'), limits: 'size=64m,nr_inodes=12' },
  { what: 'work folder on a read-only disk', path: ({ path }) => join(path, '.vbuild'), limits: 'ro,size=64m' },
  { what: 'cache on a read-only disk', path: ({ home }) => join(home, '.cache'), limits: 'ro,size=64m' },
  { what: 'generations on a full disk', path: ({ path }) => join(path, '.vendor.generations'), limits: 'size=16k' },
];

/** Errors that say so and, where it is known, what could not be written there, by us or by the tools of a step. */
const tellsOfDisk = ({ errors }: EventsOf, path: string): boolean =>
  errors.length > 0 &&
  errors.every(({ code, headline, facts, where: { file = path } }) =>
    code === 'disk-trouble'
      ? /^(Disk is full|File system is read-only|Cache on disk cannot be written)$/.test(headline) &&
        file.startsWith(path)
      : code === 'step-failed' && /No space left/.test(JSON.stringify(facts)),
  );

for (const { what, path, limits } of troubles) {
  test(`${what}: the run says so and ends with status 1, the next one with more room completes it`, async (t) => {
    const site = tinyProject(tempDir(t), large);
    const [small, second] = await runTwice(site, path(site), limits);
    assert.equal(small.exitStatus, 1, small.stdout + small.stderr);
    assert.ok(tellsOfDisk(small, path(site)), JSON.stringify(small.errors));
    assert.ok(!small.stdout.includes('bug in vbuild'));
    insistOnSuccess(second);
  });
}

test('folders of another user are told by name, for the work folder, the cache and the prefix', {
  skip: skipUnlessRoot,
}, async (t) => {
  const user = otherUser(t);
  const site = tinyProject(user.folder, tinyChain);
  mkdirSync(site.home);
  user.give(user.folder);
  const cases = [
    ['work folder', ['--work', '/root/vbuild']],
    ['cache', ['--cache-dir', '/etc/vbuild']],
    ['prefix', ['--prefix', '/usr/vendor']],
  ] as const;
  for (const [what, args] of cases) {
    const run = eventsOf(await user.run([...args, '--json'], { cwd: site.path, home: site.home }));
    assert.equal(run.exitStatus, 1, `${what}: ${run.stdout}${run.stderr}`);
    assert.deepEqual([...new Set(run.errors.map(({ code }) => code))], ['disk-trouble'], what);
    for (const error of run.errors) assert.ok(error.where.file?.startsWith(dirname(args[1])), JSON.stringify(error));
  }
  insistOnSuccess(await user.run([], { cwd: site.path, home: site.home }));
  assert.match(said(site, 'three'), /trois/);
});

/** A step of `two` that removes something of its own run; and a project with it. */
const sabotaged = (site: Project, path: string): void => {
  writeTiny(site.path, tinyChain);
  const buildfile = site.read('Buildfile.ts');
  const at = buildfile.indexOf("{ group: 'build'", buildfile.indexOf('const two'));
  site.write({
    'Buildfile.ts': `${buildfile.slice(0, at)}{ group: 'prepare', run: 'rm -rf ${path}' },${buildfile.slice(at)}`,
  });
};

for (const folder of ['.vbuild', '.vbuild/Buildfile/build', '.vbuild/Buildfile/run', '.vbuild/Buildfile/stamps']) {
  test(`${folder} vanishes in the middle of a run: nothing is wrong with this run or else with the next one`, async (t) => {
    const site = tinyProject(tempDir(t), tinyChain);
    insistOnSuccess(await site.run([]));
    const expected = resultOf(site);
    rmSync(join(site.home, '.cache'), { recursive: true });
    rmSync(join(site.path, '.vbuild'), { recursive: true });
    sabotaged(site, join(site.path, folder));
    const run = eventsOf(await site.run(['--json']));
    if (run.exitStatus !== 0) {
      assert.equal(run.exitStatus, 1, run.stderr);
      for (const { code } of run.errors) assert.ok(['disk-trouble', 'step-failed'].includes(code), run.stderr);
    }
    writeTiny(site.path, tinyChain);
    insistOnSuccess(await site.run([]));
    assert.deepEqual(resultOf(site).installed, expected.installed);
  });
}

test('a clock that jumps back by a year, and files from the future, make nothing stale and nothing fresh', async (t) => {
  const site = tinyProject(tempDir(t), tinyChain);
  const clock = join(site.home, 'clock.mjs');
  site.write({
    '../home/clock.mjs':
      'const now = Date.now; const back = Number(process.env.CLOCK_BACK_MS); Date.now = () => now() - back;\n',
  });
  const aYear = 365 * 86_400_000;
  const env = { NODE_OPTIONS: `--import ${clock}`, CLOCK_BACK_MS: String(-aYear) };
  const line = join(site.path, 'sources/one/line');
  const patch = join(site.path, 'patches/one/line.patch');
  utimesSync(patch, 900_000_000, 900_000_000);
  const build = async (more: Readonly<Record<string, string>> = {}): Promise<EventsOf> =>
    insistOnSuccess(await site.build([], { env: { ...env, ...more } }));
  assert.deepEqual((await build()).outcomes, { fresh: 0, restored: 0, built: 3 });
  const now = { CLOCK_BACK_MS: '0' };
  assert.deepEqual((await build(now)).stages, []);
  for (const seconds of [Date.now() / 1000 + aYear / 1000, 1_000_000_000]) {
    for (const file of [line, patch, join(site.path, 'Buildfile.ts')]) utimesSync(file, seconds, seconds);
    assert.deepEqual((await build(now)).stages, []);
  }
  // Equally long, and as old as it was when it was built.
  site.write({ 'patches/one/line.patch': site.read('patches/one/line.patch').replace('premier', 'dernier') });
  utimesSync(patch, 900_000_000, 900_000_000);
  assert.deepEqual((await build(now)).outcomes, { fresh: 0, restored: 0, built: 3 });
  assert.match(said(site, 'one'), /dernier/);
});

/** Runs as on a network file system without a lock service, for the files that a pattern of the shell matches: there is none to be had here. */
async function runWithoutLocks(site: Project, files: string): Promise<EventsOf> {
  const program = `#!/bin/sh
case $(readlink /proc/$$/fd/3) in
  ${files}) echo "flock: No locks available" >&2; exit 71;;
esac
exec /usr/bin/flock "$@"
`;
  site.write({ '../home/tools/flock': { text: program, mode: 0o755 } });
  return eventsOf(await site.run(['--json'], { env: { PATH: `${join(site.home, 'tools')}:/usr/bin:/bin` } }));
}

test('a work folder without locks is told', async (t) => {
  const run = await runWithoutLocks(tinyProject(tempDir(t), tinyChain), '*/.vbuild/*');
  assert.deepEqual([run.exitStatus, run.errors.map(({ code }) => code)], [1, ['disk-trouble']], run.stderr);
});

test('a cache folder without locks is told, and all of it is built', async (t) => {
  const site = tinyProject(tempDir(t), tinyChain);
  const run = insistOnSuccess(await runWithoutLocks(site, '*/.cache/*'));
  assert.deepEqual([...new Set(run.warnings.map(({ code }) => code))], ['cache-without-locks']);
  assert.match(said(site, 'three'), /trois/);
  assert.deepEqual(insistOnSuccess(await site.build()).stages, []);
});

test('what a killed run left in the cache goes when nobody can need it any more', async (t) => {
  const site = tinyProject(tempDir(t), tinyChain);
  insistOnSuccess(await site.run([]));
  const blobs = join(site.home, '.cache/vbuild/v1/blobs');
  const left = (name: string, ageSeconds: number): void => {
    site.write({ [`../home/.cache/vbuild/v1/blobs/${name}`]: 'half' });
    const at = Date.now() / 1000 - ageSeconds;
    utimesSync(join(blobs, name), at, at);
  };
  const dead = '4194303';
  left(`.incoming.${dead}.a1.tmp`, 7200);
  left(`.incoming.${dead}.a2.tmp`, -7200);
  left(`.incoming.${dead}.a3.tmp`, 60);
  left(`.incoming.${process.pid}.a4.tmp`, 7200);
  writeTiny(
    site.path,
    tinyChain.map((one) => ({ ...one, word: 'other' })),
  );
  insistOnSuccess(await site.run([]));
  assert.deepEqual(
    readdirSync(blobs).filter((name) => name.endsWith('.tmp')),
    [`.incoming.${dead}.a3.tmp`, `.incoming.${process.pid}.a4.tmp`].sort(),
  );
});

test('twenty runs at once, on two projects with one cache, make each package once', async (t) => {
  const top = tempDir(t);
  const home = join(top, 'home');
  const sites = ['a', 'b'].map((name) => {
    mkdirSync(join(top, name));
    const { path } = tinyProject(join(top, name), tinyChain);
    return projectAt(path, home);
  });
  const runs = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const site = sites[at % 2] as Project;
      return insistOnSuccess(await site.build());
    }),
  );
  const compiled = runs.flatMap(({ stages }) => stages.filter((stage) => stage.endsWith('compile'))).sort();
  assert.deepEqual(compiled, ['one@1 compile', 'three@1 compile', 'two@1 compile']);
  assert.equal(
    runs.reduce((sum, { installs }) => sum + installs, 0),
    2,
  );
  assert.deepEqual(...(sites.map((site) => resultOf(site).installed) as [unknown, unknown]));
  assert.deepEqual(readdirSync(join(home, '.cache/vbuild/v1/locks')), []);
});

test('who makes a package that another one needs is named, and when it is killed the other one makes it', async (t) => {
  const top = tempDir(t);
  const home = join(top, 'home');
  const hold = join(top, 'hold');
  const held = tinyChain.map((one) =>
    one.name === 'one' ? { ...one, said: `$(while [ -e ${hold} ]; do sleep 0.05; done)` } : one,
  );
  const sites = ['a', 'b'].map((name) => {
    mkdirSync(join(top, name));
    return projectAt(tinyProject(join(top, name), held).path, home);
  });
  const [first, second] = sites as [Project, Project];
  first.write({ '../../hold': '' });
  const start = ({ path }: Project): ReturnType<typeof startProgram> =>
    startProgram([vbuildBin, '--json'], { cwd: path, home });
  const maker = start(first);
  await maker.says('"group":"build"');
  const waiter = start(second);
  await waiter.says('waiting-for-package');
  maker.child.kill('SIGKILL');
  rmSync(hold);
  const run = insistOnSuccess(eventsOf(await waiter.ended));
  const told = run.events.find(({ code }) => code === 'waiting-for-package');
  assert.equal(told?.facts?.['process'], String(maker.child.pid));
  assert.deepEqual(run.outcomes, { fresh: 0, restored: 0, built: 3 });
});

test('a current folder that is gone is told in words, whatever was asked for', async (t) => {
  const top = tempDir(t);
  const gone = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"';
  for (const args of [['list'], ['rollback', '--prefix', '/srv/none'], []]) {
    const argv = ['sh', '-c', gone, 'sh', vbuildBin, ...args, '--json'];
    const { exitStatus, errors } = eventsOf(await runProgram(argv, { cwd: top, home: top }));
    assert.deepEqual([exitStatus, errors[0]?.code, errors[0]?.headline], [2, 'usage', 'Current folder is gone']);
  }
});
