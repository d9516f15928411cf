/** What a further run does: nothing while nothing changed, and exactly what a change asks for. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import { runAndListLoads } from '../support/loads.ts';
import {
  allStages,
  appSays,
  cloneOf,
  leafPatch,
  packages,
  type Project,
  project,
  projectAt,
  stagesFrom,
} from '../support/project.ts';

/** Gives every file of the project's own (not what vbuild made) this time, in seconds since 1970. */
function touchInputs({ path }: Project, seconds: number): void {
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!/\/(\.vbuild|vendor|\.vendor\.generations)(\/|$)/.test(file)) utimesSync(file, seconds, seconds);
  }
}

async function assertNothingToDo(site: Project): Promise<void> {
  const run = insistOnSuccess(await site.build());
  assert.deepEqual(
    run.events.map(({ type }) => type),
    ['run-started', 'run-finished'],
    run.stdout,
  );
  assert.deepEqual(run.outcomes, { fresh: 4, restored: 0, built: 0 });
}

test('a first run builds and installs; what follows takes no stage while nothing but times changes', async (t) => {
  const site = project(t);
  const first = insistOnSuccess(await site.build());
  assert.deepEqual(first.stages, allStages(...packages));
  assert.equal(first.installs, 1);
  assert.deepEqual(first.outcomes, { fresh: 0, restored: 0, built: 5 });
  assert.equal(await site.output('bin/app'), appSays);
  assert.equal(await site.output('bin/lone'), 'alone\n');

  await t.test('a second run takes no stage and says so', async () => {
    await assertNothingToDo(site);
    const { exitStatus, stdout, stderr } = await site.run([]);
    assert.deepEqual([exitStatus, stdout], [0, '']);
    assert.match(stderr, /^app and lone are fresh in vendor: nothing to do\n$/);
  });
  await t.test('it loads nothing that builds, and no package at all', async () => {
    const { packages: loaded, sources } = await runAndListLoads(['--json'], { cwd: site.path, home: site.home });
    assert.ok(sources.includes('build/request.ts'), sources.join(' '));
    assert.deepEqual(loaded, []);
    assert.deepEqual(
      sources.filter((path) =>
        /executor|-stage|patches\/apply|run-steps|system\/(archive|download|process|git|s3|http|lock)\.ts/.test(path),
      ),
      [],
    );
  });
  await t.test('nor does a run after a touch of every file, forwards or backwards', async () => {
    touchInputs(site, Date.now() / 1000 + 100);
    await assertNothingToDo(site);
    touchInputs(site, 1_000_000_000);
    await assertNothingToDo(site);
  });
  await t.test('a fresh copy with other times has its own prefix restored, and then nothing to do', async () => {
    const copy = cloneOf(site, `${site.path}-copy`);
    touchInputs(copy, 1_500_000_000);
    const run = insistOnSuccess(await copy.build());
    assert.deepEqual(run.stages, []);
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 4, built: 0 });
    await assertNothingToDo(copy);
  });
  await t.test('a project that moved with everything in it has its prefix told where it lies now', async () => {
    const moved = projectAt(`${site.path}-moved`, site.home);
    cpSync(site.path, moved.path, { recursive: true, verbatimSymlinks: true });
    const run = insistOnSuccess(await moved.build());
    assert.deepEqual([run.stages, run.installs], [[], 1]);
    assert.equal(moved.read('vendor/share/app/prefix'), `${moved.path}/vendor\n`);
    await assertNothingToDo(moved);
  });
  await t.test('a prefix that was removed, or lost its record, comes back without a stage', async () => {
    rmSync(join(site.path, '.vendor.generations/1.json'));
    const lost = insistOnSuccess(await site.build());
    assert.deepEqual([lost.stages, lost.installs], [[], 1]);
    rmSync(join(site.path, 'vendor'));
    const removed = insistOnSuccess(await site.build());
    assert.deepEqual([removed.stages, removed.installs], [[], 1]);
    assert.equal(await site.output('bin/app'), appSays);
  });
});

interface Change {
  readonly what: string;
  readonly make: (site: Project) => void;
  /** Those that run. */
  readonly stages: readonly string[];
  /** An input that is given as the reason, of the first package and stage that run. */
  readonly because: readonly [id: string, stage: string, input: string];
  /** What `bin/app` prints then. */
  readonly says: string;
}

const afterLeaf = stagesFrom('compile', 'branch@2.0', 'app@1.0');
const leafFromPatch = [...stagesFrom('patch', 'leaf@1.0'), ...afterLeaf].sort();

/** Each is made on top of those before it. */
const changes: readonly Change[] = [
  {
    what: 'a patch with other content, equally long and older than everything',
    make(site) {
      site.write({ 'patches/leaf/value.patch': leafPatch(3) });
      utimesSync(join(site.path, 'patches/leaf/value.patch'), 900_000_000, 900_000_000);
    },
    stages: leafFromPatch,
    because: ['leaf@1.0', 'patch', 'patch.001'],
    says: 'branch 30 generated\n',
  },
  {
    what: 'a patch added to the series',
    make: (site) =>
      site.write({
        'patches/leaf/series': 'value.patch\nmore.patch\n',
        'patches/leaf/more.patch': leafPatch(4, 3),
      }),
    stages: leafFromPatch,
    because: ['leaf@1.0', 'patch', 'patch.002'],
    says: 'branch 40 generated\n',
  },
  {
    what: 'a patch dropped from the series, its file left where it is',
    make: (site) => site.write({ 'patches/leaf/series': 'more.patch\n', 'patches/leaf/more.patch': leafPatch(5) }),
    stages: leafFromPatch,
    because: ['leaf@1.0', 'patch', 'patch.002'],
    says: 'branch 50 generated\n',
  },
  {
    what: 'other leading path parts to drop from a patch',
    make: (site) =>
      site.write({
        'patches/leaf/series': 'more.patch -p2\n',
        'patches/leaf/more.patch': leafPatch(6, 1, 'old/leaf.c'),
      }),
    stages: leafFromPatch,
    because: ['leaf@1.0', 'patch', 'patch.001.strip'],
    says: 'branch 60 generated\n',
  },
  {
    what: 'the same patch with the usual strip, so that it hits another file',
    make: (site) => site.write({ 'patches/leaf/series': 'more.patch\n' }),
    stages: leafFromPatch,
    because: ['leaf@1.0', 'patch', 'patch.001.strip'],
    says: 'branch 10 generated\n',
  },
  {
    what: 'another step in a recipe',
    make: (site) =>
      site.edit(
        'Buildfile.ts',
        "'upstream/branch-2.0.tar.gz'),\n  deps: [leaf],\n  recipe: make(options),",
        "'upstream/branch-2.0.tar.gz'),\n  deps: [leaf],\n  recipe: make({ ...options, before: [['sed', '-i', 's/10/100/', 'branch.c']] }),",
      ),
    stages: stagesFrom('compile', 'branch@2.0', 'app@1.0'),
    because: ['branch@2.0', 'compile', 'step.001.prepare'],
    says: 'branch 100 generated\n',
  },
  {
    what: 'another environment of the steps',
    make: (site) =>
      site.edit(
        'Buildfile.ts',
        'buildDeps: [gen],\n  recipe: make(options),',
        'buildDeps: [gen],\n  recipe: make({ ...options, env: { LANGUAGE: "en" } }),',
      ),
    stages: stagesFrom('compile', 'app@1.0'),
    because: ['app@1.0', 'compile', 'env.LANGUAGE'],
    says: 'branch 100 generated\n',
  },
  {
    what: 'a file that is left out of an artifact',
    make: (site) =>
      site.edit(
        'Buildfile.ts',
        "source: tarball('upstream/lone-1.0.tar.gz'),",
        "source: tarball('upstream/lone-1.0.tar.gz'),\n  remove: ['share/**'],",
      ),
    stages: stagesFrom('compile', 'lone@1.0'),
    because: ['lone@1.0', 'pack', 'remove.001'],
    says: 'branch 100 generated\n',
  },
  {
    what: 'a build dependency that makes the same as before, which spares what rests on it',
    make: (site) =>
      site.edit(
        'Buildfile.ts',
        "source: tarball('upstream/gen-0.1.tar.gz'),\n  recipe: make(options),",
        "source: tarball('upstream/gen-0.1.tar.gz'),\n  recipe: make({ ...options, env: { A: 'B' } }),",
      ),
    stages: stagesFrom('compile', 'gen@0.1'),
    because: ['gen@0.1', 'compile', 'env.A'],
    says: 'branch 100 generated\n',
  },
];

test('a change reruns exactly what rests on it, and the result is that of a build from nothing', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build());
  for (const change of changes) {
    await t.test(change.what, async () => {
      change.make(site);
      const run = insistOnSuccess(await site.build());
      assert.deepEqual(run.stages, change.stages);
      const [id, stage, input] = change.because;
      assert.ok(run.reasons(id, stage).includes(input), `${run.reasons(id, stage).join(' ')} lacks ${input}`);
      assert.equal(await site.output('bin/app'), change.says);
      await assertNothingToDo(site);
    });
  }
  await t.test('what was undone comes back from the cache', async () => {
    site.write({ 'patches/leaf/series': 'more.patch -p2\n' });
    // Never built in this combination: branch and app have changed since.
    assert.deepEqual(insistOnSuccess(await site.build()).stages, stagesFrom('compile', 'branch@2.0', 'app@1.0'));
    site.write({ 'patches/leaf/series': 'more.patch\n' });
    const run = insistOnSuccess(await site.build());
    assert.deepEqual(run.stages, []);
    assert.deepEqual(run.outcomes, { fresh: 1, restored: 3, built: 0 });
  });
  await t.test('the trees and keys are those of a build from nothing', async () => {
    const clean = cloneOf(site, `${site.path}-clean`, `${site.home}-clean`);
    insistOnSuccess(await clean.build());
    assert.deepEqual(clean.installed(), site.installed());
  });
});
