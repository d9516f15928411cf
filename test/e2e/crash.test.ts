/** What hands, signals and other runs can do to a build: it is noticed or waited for, and nothing half-done is taken for a result. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventsOf, type EventsOf, insistOnSuccess } from '../support/events.ts';
import {
  allStages,
  appSays,
  cloneOf,
  type Installed,
  leafPatch,
  packages,
  type Project,
  project,
  projectAt,
  stagesFrom,
} from '../support/project.ts';
import { type Started, startProgram, vbuildBin } from '../support/vbuild.ts';

// Steps wait for files of a test here, and write into some, which would be hidden from them.
process.env['VBUILD_SANDBOX'] = 'off';

const start = (site: Project, args: readonly string[] = []): Started =>
  startProgram([vbuildBin, ...args, '--json'], { cwd: site.path, home: site.home });

/** Makes leaf's compilation wait for as long as a file is there, outside of everything that is digested but its name. @returns the file. */
function holdLeaf(site: Project): string {
  const hold = join(site.path, 'hold');
  writeFileSync(hold, '');
  const wait = `while [ -e '${hold}' ]; do sleep 0.05; done`;
  site.edit(
    'Buildfile.ts',
    "patches: 'patches/leaf',\n  recipe: make(options),",
    `patches: 'patches/leaf',\n  recipe: make({ ...options, before: [${JSON.stringify(wait)}] }),`,
  );
  return hold;
}

/** Processes that have a word in their command line or environment. */
function processesWith(word: string): string[] {
  return readdirSync('/proc').filter((id) => {
    try {
      return (
        /^\d+$/.test(id) &&
        ['cmdline', 'environ'].some((file) => readFileSync(`/proc/${id}/${file}`, 'utf8').includes(word))
      );
    } catch {
      return false;
    }
  });
}

async function untilNoneWith(word: string): Promise<void> {
  for (const end = Date.now() + 30_000; processesWith(word).length > 0; await sleep(50))
    assert.ok(Date.now() < end, `still running: ${processesWith(word).join(' ')}`);
}

async function untilSomeWith(word: string): Promise<void> {
  for (const end = Date.now() + 60_000; processesWith(word).length === 0; await sleep(50))
    assert.ok(Date.now() < end, `never ran: ${word}`);
}

/** Everything below a folder, locks and logs aside. */
const filesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String).sort() : [];

const compiles = (runs: readonly EventsOf[]): string[] =>
  runs.flatMap(({ stages }) => stages.filter((stage) => stage.endsWith(' compile'))).sort();

test('a tree that was edited by hand is noticed and made anew, never compiled', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build());
  const tree = join(site.path, '.vbuild/Buildfile/trees/leaf_1.0');
  const spoil = (which: string): void => {
    const file = join(tree, which, 'leaf.c');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/return \d/, 'return 9'));
  };

  await t.test('the pristine one', async () => {
    spoil('source');
    site.write({ 'patches/leaf/value.patch': leafPatch(3) });
    const run = insistOnSuccess(await site.build());
    assert.deepEqual(run.stages, [...allStages('leaf@1.0'), ...stagesFrom('compile', 'branch@2.0', 'app@1.0')].sort());
    assert.deepEqual(run.reasons('leaf@1.0', 'fetch'), ['output']);
    assert.equal(await site.output('bin/app'), 'branch 30 generated\n');
  });
  await t.test('the patched one', async () => {
    spoil('patched');
    site.edit(
      'Buildfile.ts',
      "patches: 'patches/leaf',\n  recipe: make(options),",
      "patches: 'patches/leaf',\n  recipe: make({ ...options, env: { A: 'B' } }),",
    );
    const run = insistOnSuccess(await site.build());
    // It comes out equal, which spares what rests on it.
    assert.deepEqual(run.stages, stagesFrom('patch', 'leaf@1.0'));
    assert.deepEqual(run.reasons('leaf@1.0', 'patch'), ['output']);
    assert.equal(await site.output('bin/app'), 'branch 30 generated\n');
  });
  await t.test('a body in the cache: it is refused, and its package built from source', async () => {
    const blobs = join(site.home, '.cache/vbuild/v1/blobs/sha256');
    for (const file of readdirSync(blobs, { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name);
      if (!file.isFile()) continue;
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      rmSync(path);
      writeFileSync(path, bytes);
    }
    rmSync(join(site.path, '.vbuild'), { recursive: true });
    rmSync(join(site.path, 'vendor'));
    const run = insistOnSuccess(await site.build());
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 0, built: 5 });
    assert.ok(run.events.some(({ type, answer }) => type === 'cache-looked-up' && answer === 'rejected'));
    assert.equal(await site.output('bin/app'), 'branch 30 generated\n');
  });
});

/** What a build of the same project gives that nobody disturbed, by its trees: keys are equal where the projects lie at one path. */
async function undisturbed(site: Project): Promise<Installed> {
  const other = projectAt(site.path, `${site.home}-undisturbed`);
  const prefix = `${site.path}-undisturbed/vendor`;
  insistOnSuccess(await other.build(['--prefix', prefix, '--work', `${site.path}-undisturbed/work`]));
  return other.installed(prefix);
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`a run that ${signal} interrupts ends with status ${status} and nothing half-done; the next one completes it`, async (t) => {
    const site = project(t);
    const hold = holdLeaf(site);
    const { child, says, ended } = start(site);
    await says('"package":"leaf@1.0","group":"prepare"');
    child.kill(signal);
    const run = eventsOf(await ended);
    assert.equal(run.exitStatus, status, run.stderr);
    assert.deepEqual(run.errors, []);
    assert.equal(run.events.at(-1)?.type, 'run-finished');
    assert.deepEqual(processesWith(hold), []);
    assert.ok(!existsSync(join(site.path, 'vendor')));
    assert.deepEqual(filesIn(join(site.path, '.vbuild/Buildfile/run')), []);
    assert.deepEqual(filesIn(join(site.path, '.vbuild/Buildfile/stamps/leaf_1.0')), [
      'compile.aside',
      'fetch',
      'patch',
    ]);

    rmSync(hold);
    const next = insistOnSuccess(await site.build());
    const compiled = next.events.find((one) => one.package === 'leaf@1.0' && one.stage === 'compile');
    assert.deepEqual(compiled?.reasons, [{ input: 'stamp', now: 'was cut off the last time' }]);
    assert.ok(
      next.stages.includes('leaf@1.0 compile') && !next.stages.includes('leaf@1.0 patch'),
      next.stages.join(', '),
    );
    assert.equal(await site.output('bin/app'), appSays);
    assert.deepEqual(site.installed(), await undisturbed(site));
  });
}

test('an interrupt is told in words, while compiling and while waiting for another run', async (t) => {
  const site = project(t);
  const hold = holdLeaf(site);
  const first = startProgram([vbuildBin], { cwd: site.path, home: site.home });
  await untilSomeWith(`e '${hold}`);
  const second = start(site);
  await second.says('"code":"waiting-for-lock"');
  second.child.kill('SIGINT');
  const waited = eventsOf(await second.ended);
  assert.deepEqual([waited.exitStatus, waited.errors.map(({ code }) => code)], [130, ['interrupted']], waited.stderr);
  assert.match(waited.stderr, /^error: Interrupted\n {2}mend +run vbuild again/);
  first.child.kill('SIGINT');
  const { exitStatus, stderr } = await first.ended;
  assert.equal(exitStatus, 130);
  assert.match(stderr, /\ninterrupted after [\d.]+ s.*\n$/);
  rmSync(hold);
});

test('after a kill -9 in the middle of compiling, the next run gives what an undisturbed one gives', async (t) => {
  const site = project(t);
  const hold = holdLeaf(site);
  const { child, says, ended } = start(site);
  await says('"package":"leaf@1.0","group":"prepare"');
  child.kill('SIGKILL');
  assert.equal((await ended).signal, 'SIGKILL');
  rmSync(hold);
  await untilNoneWith(hold);

  const next = insistOnSuccess(await site.build());
  assert.ok(next.stages.includes('leaf@1.0 compile'), next.stages.join(', '));
  assert.equal(await site.output('bin/app'), appSays);
  assert.deepEqual(site.installed(), await undisturbed(site));
  assert.deepEqual(filesIn(join(site.path, '.vbuild/Buildfile/run')), []);
});

test('several runs on one project at once all succeed, and each package is compiled once', async (t) => {
  const site = project(t);
  const hold = holdLeaf(site);
  const first = start(site);
  await first.says('"package":"leaf@1.0","group":"prepare"');
  const second = start(site);
  await second.says('"code":"waiting-for-lock"');
  const others = [start(site), start(site), start(site)];
  rmSync(hold);
  const runs = await Promise.all(
    [first, second, ...others].map(async ({ ended }) => insistOnSuccess(eventsOf(await ended))),
  );
  assert.deepEqual(compiles(runs), packages.map((id) => `${id} compile`).sort());
  assert.equal(
    runs.reduce((sum, { installs }) => sum + installs, 0),
    1,
  );
  assert.equal(await site.output('bin/app'), appSays);
});

test('several clones with one cache and one prefix at once all succeed, and the prefix is whole', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.run(['lock']));
  const prefix = `${site.path}-shared/vendor`;
  const clones = Array.from({ length: 5 }, (_, at) => cloneOf(site, `${site.path}-${at}`));
  const runs = await Promise.all(clones.map(async (clone) => insistOnSuccess(await clone.build(['--prefix', prefix]))));
  assert.equal(await site.output('bin/app', prefix), appSays);
  const alone = insistOnSuccess(await site.build(['--no-build']));
  assert.deepEqual(alone.outcomes, { fresh: 0, restored: 4, built: 0 });
  assert.deepEqual(site.installed(prefix), site.installed());
  for (const run of runs) assert.deepEqual(run.warnings, []);
});
