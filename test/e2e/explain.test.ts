/** Plans, and explanations of what was and would be done, on a small project. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Explanation, Influence, MissExplanation } from '../../src/model/explanation.ts';
import type { Plan } from '../../src/model/plan.ts';
import { acquireLock } from '../../src/system/lock.ts';
import { checkIn } from '../support/check-in.ts';
import { type EventsOf, insistOnSuccess } from '../support/events.ts';
import { fileServer } from '../support/http-server.ts';
import { cloneOf, leafPatch, packages, type Project, project, projectAt } from '../support/project.ts';
import { skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { startProgram, vbuildBin } from '../support/vbuild.ts';

/** The one JSON document that a command prints. */
async function told<Document>(
  site: Project,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Document & { readonly format: number }> {
  const { stdout } = insistOnSuccess(await site.run([...args, '--json'], { env }));
  const document = JSON.parse(stdout) as Document & { readonly format: number };
  assert.equal(document.format, 1);
  return document;
}

/** What a command prints for people. */
const said = async (site: Project, args: readonly string[]): Promise<string> =>
  insistOnSuccess(await site.run(args)).stdout;

/** Everything below these folders with its content and times, and nothing of what reading alone changes. */
function marksOf(...tops: readonly string[]): string[] {
  return tops.flatMap((top) =>
    readdirSync(top, { recursive: true, withFileTypes: true })
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        const { mtimeMs, ctimeMs, mode } = lstatSync(path);
        const content = entry.isFile()
          ? createHash('sha256').update(readFileSync(path)).digest('hex')
          : entry.isSymbolicLink()
            ? readlinkSync(path)
            : '';
        return `${path} ${mtimeMs} ${ctimeMs} ${mode} ${content}`;
      })
      // Where Node keeps compiled code, whatever the command.
      .filter((mark) => !/\/\.cache\/vbuild\/compiled[/ ]/.test(mark))
      .sort(),
  );
}

/** What a plan promises of a run, in the words of the run's own events. */
function promises({ packages: planned, install }: Plan): object {
  const ready = planned.flatMap(({ package: id, outcome }) => (outcome === 'fresh' ? [] : [`${id} ${outcome}`]));
  return {
    ready: ready.sort(),
    fresh: planned.filter(({ outcome }) => outcome === 'fresh').length,
    stages: planned
      .flatMap(({ package: id, stages }) => stages.map(({ stage, reasons }) => ({ id, stage, reasons })))
      .map((one) => JSON.stringify(one))
      .sort(),
    tiers: planned.flatMap(({ package: id, tier }) => (tier === undefined ? [] : [`${id} ${tier}`])).sort(),
    install: install?.reasons ?? null,
  };
}

const isRestored = (id: string, { events }: EventsOf): boolean =>
  events.some((event) => event.type === 'package-finished' && event.package === id && event.outcome === 'restored');

function deeds({ events, outcomes }: EventsOf): object {
  const of = (type: string): EventsOf['events'] => events.filter((event) => event.type === type);
  const started = of('stage-started');
  const ready = of('package-finished');
  const restored = new Set(ready.filter(({ outcome }) => outcome === 'restored').map((event) => event.package));
  return {
    ready: ready.map(({ package: id, outcome }) => `${id} ${outcome}`).sort(),
    fresh: outcomes?.fresh,
    stages: started
      .filter(({ stage }) => stage !== 'install')
      .map(({ package: id, stage, reasons }) => JSON.stringify({ id, stage, reasons }))
      .sort(),
    tiers: of('cache-looked-up')
      .filter(({ answer, package: id }) => answer === 'hit' && restored.has(id))
      .map(({ package: id, tier }) => `${id} ${tier}`)
      .sort(),
    install: started.find(({ stage }) => stage === 'install')?.reasons ?? null,
  };
}

const buildfileEdits = ['', '-DONE', '-DTWO'] as const;

/** Everything that may come between two runs. Each leaves the project buildable. */
const edits: Readonly<Record<string, (site: Project, n: number) => void>> = {
  patch: (site, n) => site.write({ 'patches/leaf/value.patch': leafPatch((n % 3) + 2) }),
  flags(site, n) {
    const flags = buildfileEdits[n % 3] ?? '';
    const text = site.read('Buildfile.ts').replace(/const options = .*/, () => {
      const env = flags === '' ? '' : `, env: { MINE: '${flags}' }`;
      return `const options = { variables: { PREFIX: place.prefix }${env} };`;
    });
    site.write({ 'Buildfile.ts': text });
  },
  'a stamp lost': (site, n) =>
    rmSync(join(site.path, '.vbuild/Buildfile/stamps', folder(n), stamp(n)), { force: true }),
  'a tree lost': (site, n) =>
    rmSync(join(site.path, '.vbuild/Buildfile/trees', folder(n), n % 2 ? 'source' : 'patched'), forced),
  'a tree spoilt'(site, n) {
    const place = join(site.path, '.vbuild/Buildfile/trees', folder(n), n % 2 ? 'source' : 'patched');
    if (lstatSync(place, { throwIfNoEntry: false })) writeFileSync(join(place, 'intruder'), 'x');
  },
  'the work folder lost': (site) => rmSync(join(site.path, '.vbuild'), forced),
  'an artifact lost': (site, n) => rmSync(join(cache(site), 'v1/artifacts', folder(n).split('_')[0] ?? ''), forced),
  'a body spoilt'(site, n) {
    const blobs = join(cache(site), 'v1/blobs/sha256');
    const files = readdirSync(blobs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const one = files[n % files.length];
    if (one !== undefined) writeFileSync(join(one.parentPath, one.name), 'spoilt');
  },
  'the prefix lost': (site) => rmSync(join(site.path, 'vendor'), forced),
  nothing: () => {},
};
const forced = { recursive: true, force: true } as const;
const folder = (n: number): string => (packages[n % packages.length] ?? '').replace('@', '_');
const stamp = (n: number): string => ['fetch', 'patch', 'compile', 'pack'][n % 4] ?? '';
const cache = ({ home }: Project): string => join(home, '.cache/vbuild');

const ways: readonly (readonly string[])[] = [
  [],
  ['app'],
  ['lone'],
  ['--no-cache'],
  ['--no-install'],
  ['branch', '--keep'],
  ['--frozen'],
];

test('after any edits, a plan is what a run then does, to the reason, and making it changes nothing', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build());
  const turn = fc.record({
    edits: fc.array(fc.tuple(fc.constantFrom(...Object.keys(edits)), fc.nat(59)), { minLength: 1, maxLength: 3 }),
    way: fc.constantFrom(...ways),
  });
  let turns = 0;
  await fc.assert(
    fc.asyncProperty(turn, async ({ edits: made, way }) => {
      for (const [name, n] of made) edits[name]?.(site, n);
      const args = way.filter((word) => word !== '--keep');
      const before = marksOf(site.path, site.home);
      const plan = await told<Plan>(site, ['plan', ...args]);
      const after = new Set(marksOf(site.path, site.home));
      const gone = before.filter((mark) => !after.delete(mark));
      assert.deepEqual({ gone, come: [...after] }, { gone: [], come: [] }, 'a plan changed something');
      const run = insistOnSuccess(await site.build(way));
      // What comes out equal spares what rests on it, as the plan says that it may.
      const wasSpared = plan.packages.some(({ package: id, unlessEqual }) => unlessEqual && isRestored(id, run));
      if (!wasSpared) assert.deepEqual(promises(plan), deeds(run), JSON.stringify({ made, way }));
      turns += 1;
    }),
    // A failing turn leaves the project as it is, so that making it smaller would tell nothing.
    { numRuns: 10, endOnFailure: true },
  );
  assert.equal(turns, 10);
});

test('a plan asks buckets, says what they would give, and takes nothing', { skip: skipWithoutS3 }, async (t) => {
  const server = await startS3Server();
  t.after(() => server.close());
  const bucket = await server.bucket({ who: 'reader', may: 'list and get' });
  const site = project(t);
  site.edit('Buildfile.ts', 'make, place, tarball', 'make, place, s3, tarball');
  const spec = JSON.stringify({ bucket, endpoint: server.endpoint });
  site.edit('Buildfile.ts', 'defaults: [app, lone]', `defaults: [app, lone], cache: [s3(${spec})]`);
  checkIn(site.path);
  insistOnSuccess(await site.build(['--push'], { env: server.owner }));

  const clone = cloneOf(site, `${site.path}-clone`, `${site.home}-clone`);
  await clone.run(['--version']);
  const offline = await told<Plan>(clone, ['plan', '--offline']);
  assert.deepEqual(new Set(offline.packages.map(({ outcome }) => outcome)), new Set(['built']));
  const { answers } = await told<MissExplanation>(clone, ['why', 'app', '--cache'], server.reader);
  assert.deepEqual(
    answers.map(({ tier, answer }) => [tier.split(':')[0], answer]),
    [
      ['disk', 'absent'],
      ['s3', 'hit'],
    ],
  );
  const { stdout } = insistOnSuccess(await clone.run(['status', 'gen', '--cache'], { env: server.reader }));
  assert.match(stdout, new RegExp(`^gen@0\\.1 .* not on disk, in s3://${bucket} +not installed `));
  const before = marksOf(clone.path, clone.home);
  const plan = await told<Plan>(clone, ['plan'], server.reader);
  const after = new Set(marksOf(clone.path, clone.home));
  assert.deepEqual([before.filter((mark) => !after.delete(mark)), [...after]], [[], []]);
  assert.ok(
    plan.transferBytes > 1000 && plan.packages.every((one) => (one.transferBytes ?? 0) > 0),
    `${plan.transferBytes}`,
  );
  assert.deepEqual(promises(plan), deeds(insistOnSuccess(await clone.build([], { env: server.reader }))));

  const nearest = async (): Promise<unknown[]> => {
    const missed = await told<MissExplanation>(clone, ['why', 'app', '--cache'], server.reader);
    return [missed.relatives, missed.nearest?.tier, missed.nearest?.roots[0]?.package, missed.notListed];
  };
  clone.write({ 'patches/leaf/value.patch': leafPatch(3) });
  assert.deepEqual(await nearest(), [1, 'disk', 'leaf@1.0', []]);
  rmSync(cache(clone), forced);
  assert.deepEqual(await nearest(), [1, `s3://${bucket}`, 'leaf@1.0', []]);
  const { url } = await fileServer(t, clone.home);
  clone.edit('Buildfile.ts', `s3(${spec})`, `httpCache('${url}')`);
  clone.edit('Buildfile.ts', 's3, tarball', 'httpCache, tarball');
  assert.deepEqual(await nearest(), [0, undefined, undefined, [url]]);

  await server.close();
  const alone = cloneOf(site, `${site.path}-alone`, `${site.home}-alone`);
  const { packages: planned } = await told<Plan>(alone, ['plan', 'lone'], server.reader);
  assert.deepEqual(
    planned.map(({ outcome, missed }) => [outcome, missed?.answer, missed?.reason?.startsWith('s3://')]),
    [['built', 'unreachable', true]],
  );
});

test('vbuild plan', async (t) => {
  const site = project(t);
  await t.test('says of what has no pin that nothing more is known', async () => {
    const plan = await told<Plan>(site, ['plan']);
    assert.deepEqual(new Set(plan.packages.map(({ outcome }) => outcome)), new Set(['open']));
    assert.match(await said(site, ['plan', 'lone']), /^lone@1\.0 +open +the lock file has no pin for its source/);
  });
  insistOnSuccess(await site.build());
  await t.test('has nothing to say when there is nothing to do, as a run', async () => {
    assert.equal(await said(site, ['plan']), 'app and lone are fresh in vendor: nothing to do\n');
    assert.equal(await said(site, ['-n']), 'app and lone are fresh in vendor: nothing to do\n');
  });
  site.write({ 'patches/leaf/value.patch': leafPatch(3) });
  await t.test('names stages, reasons, the time they took before, and the critical path', async () => {
    const text = await said(site, ['plan']);
    assert.match(text, /^leaf@1\.0 +built +about \d+\.\d s, no cache has it\n  patch, compile, pack: patch\.001: /);
    assert.match(text, /\nbranch@2\.0 +built .*\n  compile, pack: dependency\.leaf: /);
    assert.match(text, /\nlone@1\.0 +fresh\n/);
    assert.match(text, /\n3 to build and 2 fresh, about \d+\.\d s with \d+ jobs?\n/);
    assert.match(text, /\ncritical path: leaf@1\.0 → branch@2\.0 → app@1\.0\n$/);
    assert.deepEqual((await told<Plan>(site, ['plan'])).guessed, []);
  });
  await t.test('ends as the run would where that ends before any package', async () => {
    rmSync(join(site.path, 'Buildfile.lock'));
    for (const args of [['plan', '--frozen'], ['-n', '--frozen'], ['--frozen']]) {
      const { exitStatus, stderr } = await site.run(args);
      assert.deepEqual([exitStatus, / no pin/.test(stderr)], [2, true], stderr);
    }
    assert.equal(lstatSync(join(site.path, 'Buildfile.lock'), { throwIfNoEntry: false }), undefined);
  });
});

test('vbuild why', async (t) => {
  const site = project(t);
  await t.test('says of a package without a pin that it has no key', async () => {
    assert.match(
      await said(site, ['why', 'lone']),
      /^lone@1\.0 has no content key yet: lone@1\.0 has no pin; vbuild lock/,
    );
  });
  insistOnSuccess(await site.build());
  await t.test('says fresh when nothing differs, and why it was built the last time', async () => {
    const text = await said(site, ['why', 'app']);
    assert.match(text, /^app@1\.0 is fresh: nothing differs, it is installed in generation 1 of vendor\n/);
    assert.match(text, /\nlast built .* ago in .*: never run here\n  caches then: disk absent\n$/);
    assert.match(
      await said(site, ['why', 'gen']),
      /^gen@0\.1 is fresh: nothing differs; it is not installed in vendor\n/,
    );
  });

  site.write({ 'patches/leaf/value.patch': leafPatch(3) });
  await t.test('shows a patch that differs to the byte, at the package where it began', async () => {
    const why = await told<Explanation>(site, ['why', 'app']);
    assert.equal(why.state, 'stale');
    const [root, ...others] = why.roots;
    assert.deepEqual([root?.package, root?.through, others], ['leaf@1.0', ['branch@2.0'], []]);
    const [change, ...more] = root?.changes ?? [];
    assert.ok(change?.kind === 'patch' && change.content.first !== undefined && more.length === 0);
    const [before, now] = [leafPatch(2), leafPatch(3)];
    const byte = Buffer.from(before).findIndex((value, at) => value !== Buffer.from(now)[at]) + 1;
    assert.deepEqual(
      [change.what, change.place, change.content.file, change.content.first],
      ['changed', 1, 'patches/leaf/value.patch', { line: before.slice(0, byte).split('\n').length, byte }],
    );
    const text = await said(site, ['why', 'app']);
    assert.match(text, /\n  leaf@1\.0, through branch@2\.0\n    patch 1, patches\/leaf\/value\.patch, changed: /);
    assert.match(text, /\n +-\+int leaf_value\(void\) \{ return 2; \}\n +\+\+int leaf_value\(void\) \{ return 3; \}\n/);
  });

  insistOnSuccess(await site.build());
  await t.test('still knows afterwards what made the last run build it', async () => {
    const { state, lastRun } = await told<Explanation>(site, ['why', 'app']);
    assert.equal(state, 'fresh');
    assert.deepEqual(
      lastRun?.roots.map((root) => [root.package, root.changes.map(({ kind }) => kind)]),
      [['leaf@1.0', ['patch']]],
    );
    assert.match(
      await said(site, ['why', 'branch']),
      /\nlast built .*, because of\n  leaf@1\.0\n    patch 1, .* changed/,
    );
  });

  await t.test('explains a package that was left behind by what its dependency went through meanwhile', async () => {
    site.write({ 'patches/leaf/value.patch': leafPatch(4) });
    insistOnSuccess(await site.build(['leaf', '--no-install']));
    const { roots } = await told<Explanation>(site, ['why', 'app']);
    const [change] = roots[0]?.changes ?? [];
    assert.ok(roots.length === 1 && change?.kind === 'patch');
    assert.match(change.content.diff ?? '', /return 3;[^]*return 4;/);
    insistOnSuccess(await site.build());
  });

  await t.test('shows a step and a variable by the words that differ', async () => {
    site.edit(
      'Buildfile.ts',
      "gen-0.1.tar.gz'),\n  recipe: make(options)",
      "gen-0.1.tar.gz'),\n  recipe: make({ ...options, targets: ['gen', '-s'], env: { WORDS: 'one two' } })",
    );
    insistOnSuccess(await site.build());
    site.edit('Buildfile.ts', "'one two'", "'one three'");
    site.edit('Buildfile.ts', "'gen', '-s'", "'gen', '--silent'");
    const { roots } = await told<Explanation>(site, ['why', 'app']);
    const changes = roots.flatMap((root) => root.changes).filter((change) => change.kind === 'value');
    assert.deepEqual(
      changes.map(({ input, words }) => [
        input,
        words?.filter((piece) => piece.in !== 'both').map((piece) => piece.text),
      ]),
      [
        ['step.001.build', ['-s', '--silent']],
        ['env.WORDS', ['two', 'three']],
      ].map(([input, pieces]) => [input, pieces]),
    );
    assert.match(
      await said(site, ['why', 'app']),
      /  gen@0\.1\n    step 1, build: make .*\[--s-\]\{\+--silent\+\} PREFIX=@prefix@\n    variable WORDS: one \[-two-\]\{\+three\+\}\n/,
    );
    insistOnSuccess(await site.build());
  });

  await t.test('with --cache, compares with the nearest artifact on the disk', async () => {
    site.write({ 'patches/leaf/value.patch': leafPatch(5) });
    const missed = await told<MissExplanation>(site, ['why', 'app', '--cache']);
    assert.deepEqual(missed.answers, [{ tier: 'disk', answer: 'absent' }]);
    assert.deepEqual(
      missed.nearest?.roots.map((root) => [root.package, root.through]),
      [['leaf@1.0', ['branch@2.0']]],
    );
    assert.equal((missed.nearest?.fields ?? 0) - (missed.nearest?.equal ?? 0), 1);
    const hit = await told<MissExplanation>(site, ['why', 'lone', '--cache']);
    assert.deepEqual([hit.answers, hit.relatives], [[{ tier: 'disk', answer: 'hit' }], 0]);
  });

  await t.test('keeps what it knew through a run that fails, and says that it failed', async () => {
    site.write({ 'patches/leaf/value.patch': leafPatch(6).replace('return 1;', 'return 99;') });
    assert.equal((await site.build()).exitStatus, 1);
    const why = await told<Explanation>(site, ['why', 'leaf']);
    assert.deepEqual(
      [why.state, why.failure?.error?.code, why.failure?.error?.stage],
      ['stale', 'patch-rejected', 'patch'],
    );
    assert.equal(why.roots[0]?.changes[0]?.kind, 'patch');
    assert.match(await said(site, ['why', 'leaf']), /\nlast run failed .* ago in stage patch: /);
    const { packages: planned } = await told<Plan>(site, ['plan', 'leaf']);
    assert.deepEqual(
      planned[0]?.stages.map(({ stage, reasons }) => [stage, ...reasons.map(({ input, now }) => now ?? input)])[0],
      [
        'patch',
        'failed the last time',
        why.roots[0]?.changes[0]?.kind === 'patch' && why.roots[0].changes[0].content.now,
      ],
    );
  });

  await t.test('does not take for never made ready what the prefix has', async () => {
    const alone = projectAt(site.path, join(site.home, 'other'));
    const { stdout } = insistOnSuccess(await alone.run(['why', 'leaf', '--work', 'elsewhere']));
    assert.match(stdout, /^leaf@1\.0 is stale: generation \d+ of vendor has it with another key, and nothing tells /);
  });

  await t.test('says which packages a file decides', async () => {
    const decided = async (file: string): Promise<readonly Influence[]> =>
      (await told<{ readonly packages: readonly Influence[] }>(site, ['why', file])).packages;
    assert.deepEqual(await decided('patches/leaf/series'), [
      { package: 'leaf@1.0', as: 'series', reaches: ['branch@2.0', 'app@1.0'] },
    ]);
    assert.deepEqual(await decided('upstream/gen-0.1.tar.gz'), [
      { package: 'gen@0.1', as: 'source', reaches: ['app@1.0'] },
    ]);
    assert.equal((await decided('Buildfile.ts')).length, 5);
    assert.equal((await decided('Buildfile.lock')).length, 5);
    assert.deepEqual(await decided('patches/leaf/none.patch'), []);
    assert.equal(await said(site, ['why', './none']), './none is not there; if it were, it would decide no package\n');
    assert.equal((await site.run(['why', 'laef'])).exitStatus, 2);
  });
});

test('vbuild why and status say why a prefix is stale', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build(['lone', '--prefix', 'v2']));
  await t.test('in which what was made ready for another one differs, to the byte', async () => {
    site.edit('Buildfile.ts', 'const options = {', "const options = { env: { MINE: 'other' },");
    insistOnSuccess(await site.build(['lone']));
    const { state, base, roots, install } = await told<Explanation>(site, ['why', 'lone', '--prefix', 'v2']);
    const plan = await told<Plan>(site, ['plan', 'lone', '--prefix', 'v2']);
    assert.deepEqual([state, base?.from, install], ['fresh', 'prefix', plan.install]);
    assert.equal(install?.reasons.length, 1);
    assert.deepEqual(
      roots[0]?.changes.map((change) => change.kind === 'value' && change.input),
      ['env.MINE'],
    );
    const text = await said(site, ['why', 'lone', '--prefix', 'v2']);
    assert.match(
      text,
      /^lone@1\.0 is made ready, but it differs from what is installed in v2\n  lone@1\.0\n    variable MINE is new: other\n/,
    );
    assert.match(text, /\nv2 is stale, it gets a new generation:\n  lone@1\.0: \w{12}… → \w{12}…\n/);
    assert.match(
      await said(site, ['status', 'lone', '--prefix', 'v2']),
      /\nv2 is stale, it gets a new generation: lone@1\.0: \w{12}… → \w{12}…\n$/,
    );
  });
  await t.test('that was installed when the Buildfile trusted others', async () => {
    const publicKey = `RWQ${'A'.repeat(53)}`;
    const trust = JSON.stringify({ keys: [{ name: 'builder', publicKey, role: 'ci' }], require: { builder: 'ci' } });
    site.edit('Buildfile.ts', 'defaults: [app, lone]', `defaults: [app, lone], trust: ${trust}`);
    const text = await said(site, ['why', 'lone']);
    assert.match(text, /^lone@1\.0 is fresh: nothing differs, it is installed in generation 1 of vendor\n/);
    assert.match(
      text,
      /\nvendor is stale, it gets a new generation:\n  trusted key builder is new\n  trusted builder is new\n/,
    );
  });
});

test('vbuild why shows what changed in a folder of the project, file by file', async (t) => {
  const site = project(t, {
    'own/run.sh': { text: '#!/bin/sh\necho one\n', mode: 0o755 },
    'own/note': 'kept\n',
    'Own.ts': `import { defineBuild, definePackage, directory, place, steps } from 'vbuild';
const own = definePackage('own', {
  version: '1',
  source: directory('own'),
  recipe: steps([{ group: 'install', run: ['install', '-D', 'run.sh', \`\${place.stage}\${place.prefix}/bin/own\`] }]),
});
export default defineBuild({ packages: [own] });
`,
  });
  symlinkSync('note', join(site.path, 'own/link'));
  insistOnSuccess(await site.build(['-f', 'Own.ts']));
  site.write({ 'own/run.sh': { text: '#!/bin/sh\necho two\n', mode: 0o755 }, 'own/more': 'new\n' });
  chmodSync(join(site.path, 'own/note'), 0o755);
  rmSync(join(site.path, 'own/link'));
  symlinkSync('run.sh', join(site.path, 'own/link'));
  mkdirSync(join(site.path, 'own/empty'));
  const { roots } = await told<Explanation>(site, ['why', 'own', '-f', 'Own.ts']);
  const [change] = roots[0]?.changes ?? [];
  assert.ok(change?.kind === 'source');
  assert.deepEqual(
    change.files?.map(({ file, first, before, now }) => [file, first, before !== undefined, now !== undefined]),
    [
      ['own/empty', undefined, false, false],
      ['own/link', undefined, false, false],
      ['own/more', undefined, false, true],
      ['own/note', undefined, true, true],
      ['own/run.sh', { line: 2, byte: 16 }, true, true],
    ],
  );
  for (let n = 10; n < 30; n += 1) site.write({ [`own/x-${n}`]: '' });
  const text = await said(site, ['why', 'own', '-f', 'Own.ts']);
  assert.match(text, /\n +own\/empty is new: empty folder\n +own\/link changed: link to note → link to run\.sh\n/);
  assert.match(
    text,
    /\n +own\/note changed: file → executable file\n +own\/run\.sh changed: \w+… → \w+…, first in line 2 /,
  );
  assert.match(text, /\n +own\/x-24 is new\n +and 5 more\n/);
});

test('vbuild status says of each package where it stands', async (t) => {
  const site = project(t);
  interface Status {
    readonly generation: number | null;
    readonly packages: readonly Readonly<Record<string, unknown>>[];
  }
  const stands = async (): Promise<unknown[]> =>
    (await told<Status>(site, ['status'])).packages.map((one) => [
      one['package'],
      one['onDisk'],
      one['installed'],
      one['failed'],
    ]);
  assert.match(
    await said(site, ['status', 'lone']),
    /^lone@1\.0 +not pinned +- +no key +not on disk +not installed +never compiled here\n$/,
  );
  insistOnSuccess(await site.build());
  const everywhere = [
    ['leaf@1.0', true, 'yes', false],
    ['branch@2.0', true, 'yes', false],
    ['gen@0.1', true, 'no', false],
    ['app@1.0', true, 'yes', false],
    ['lone@1.0', true, 'yes', false],
  ];
  assert.deepEqual(await stands(), everywhere);
  site.write({ 'patches/leaf/value.patch': leafPatch(3) });
  assert.deepEqual((await stands()).slice(0, 2), [
    ['leaf@1.0', false, 'other', false],
    ['branch@2.0', false, 'other', false],
  ]);
  assert.match(
    await said(site, ['status', 'leaf']),
    /^leaf@1\.0 +pin \w{12}… +1 patch +key \w{12}… +not on disk +in generation 1 with another key +compiled in /,
  );
  rmSync(join(site.path, 'Buildfile.lock'));
  assert.match(
    await said(site, ['status', 'leaf']),
    /^leaf@1\.0 .* no key +not on disk +in generation 1 +compiled in /,
  );
});

test('vbuild log prints the last compilation, or a part of it, and keeps five', async (t) => {
  const site = project(t);
  assert.equal((await site.run(['log', 'lone'])).exitStatus, 3);
  for (let n = 0; n < 7; n += 1) {
    edits['flags']?.(site, n);
    insistOnSuccess(await site.build(['leaf', '--no-cache', '--no-install']));
  }
  assert.deepEqual(readdirSync(join(site.path, '.vbuild/Buildfile/logs/leaf_1.0')).sort(), [
    '3.log',
    '4.log',
    '5.log',
    '6.log',
    '7.log',
  ]);
  const whole = await said(site, ['log', 'leaf']);
  assert.match(whole, /# step 1 of 2, build\n[^]*# step 2 of 2, install\n/);
  const part = await said(site, ['log', 'leaf', 'install']);
  assert.match(part, /^# step 2 of 2, install\n/);
  assert.ok(whole.endsWith(part));
  assert.equal(await said(site, ['log', 'leaf', '--follow']), whole);
  const wrong = await site.run(['log', 'leaf', 'instal']);
  assert.match(wrong.stderr, /did you mean "install"\?/);
});

test('vbuild log says of the stages without steps what they did, also in a run that failed', async (t) => {
  const site = project(t);
  assert.equal((await site.run(['log', 'leaf', 'fetch'])).exitStatus, 3);
  site.write({ 'patches/leaf/value.patch': leafPatch(2).replace('-1,2 +1,2', '-4,2 +4,2') });
  insistOnSuccess(await site.build(['leaf']));
  assert.match(
    await said(site, ['log', 'leaf', 'fetch']),
    /^fetch of leaf@1\.0 took \d+\.\d s \(tarball leaf-1\.0\.tar\.gz\), in a run .*\n {2}because never run here\n {2}leaf-1\.0\.tar\.gz {2}sha256 [0-9a-f]{64}\n$/,
  );
  assert.match(
    await said(site, ['log', 'leaf', 'patch']),
    /^patch of leaf@1\.0 took .* \(1 patch\), .*\n.*\n {2}patches\/leaf\/value\.patch {2}leaf\.c {2}away from its stated lines: leaf\.c:1 \(-3\)\n$/,
  );
  assert.match(await said(site, ['log', 'leaf', 'pack']), /^pack of leaf@1\.0 took .* \(3 files, \d+ KiB\)/);
  site.write({ 'patches/leaf/value.patch': leafPatch(2, 9) });
  assert.equal((await site.run(['leaf'])).exitStatus, 1);
  assert.match(
    await said(site, ['log', 'leaf', 'patch']),
    /^patch of leaf@1\.0 failed: Patch does not apply, in a run .*\n {2}because patch\.001: /,
  );
  assert.match(await said(site, ['log', 'leaf', 'pack']), /^pack of leaf@1\.0 took /);

  site.write({ 'patches/leaf/value.patch': leafPatch(2).replace('return 2;', 'return nothing;') });
  assert.equal((await site.run(['leaf'])).exitStatus, 1);
  const missing = await site.run(['log', 'leaf', 'install']);
  assert.deepEqual([missing.exitStatus, missing.stdout], [3, '']);
  assert.match(missing.stderr, /^error: Step was not reached\n[^]*it ends in step 1 of 2, build\n/);
  const whole = await site.run(['log', 'leaf']);
  site.edit('Buildfile.ts', 'upstream/leaf-1.0.tar.gz', 'upstream/gone.tar.gz');
  assert.equal((await site.run(['leaf'])).exitStatus, 1);
  assert.match(
    await said(site, ['log', 'leaf', 'fetch']),
    /^fetch of leaf@1\.0 failed: Archive is not there, in a run /,
  );
  assert.match(whole.stderr, /^note: Log of a compilation of leaf@1\.0, written .* ago, failed: A step failed\n$/);
});

test('vbuild log --follow waits for the log of the run that is under way, and ends with that run', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build(['lone', '--no-install']));
  const state = join(site.path, '.vbuild/Buildfile');
  const log = join(state, 'logs/lone_1.0/2.log');
  const follow = async (meanwhile: () => void): Promise<string> => {
    // Long after the log of the build above, as the clock of files has it.
    await sleep(20);
    const run = await acquireLock(join(state, 'lock'));
    const following = startProgram([vbuildBin, 'log', 'lone', '--follow'], { cwd: site.path, home: site.home });
    let stderr = '';
    const waits = new Promise<void>((heard) => {
      following.child.stderr?.on('data', (text) => ((stderr += String(text)).includes('waiting for it') ? heard() : 0));
    });
    await Promise.race([waits, following.ended]);
    meanwhile();
    await run[Symbol.asyncDispose]();
    return insistOnSuccess(await following.ended).stdout;
  };
  const printed = await follow(() => {
    rmSync(join(state, 'stamps/lone_1.0/compile'));
    writeFileSync(log, 'begun\nended\n');
  });
  assert.equal(printed, 'begun\nended\n');
  assert.equal(await follow(() => {}), printed, 'the last one, of a run that does not compile it');
});

test('vbuild log --follow shows a compilation while it runs, and ends with it', async (t) => {
  const site = project(t);
  site.edit(
    'Buildfile.ts',
    "lone-1.0.tar.gz'),\n  recipe: make(options)",
    "lone-1.0.tar.gz'),\n  recipe: make({ ...options, before: ['echo begun; sleep 3; echo ended'] })",
  );
  const building = site.build(['lone']);
  const ended = building.then(() => 'ended');
  const log = join(site.path, '.vbuild/Buildfile/logs/lone_1.0/1.log');
  const hasBegun = (): boolean =>
    lstatSync(log, { throwIfNoEntry: false }) !== undefined && readFileSync(log, 'utf8').includes('begun\n');
  while (!hasBegun() && (await Promise.race([ended, sleep(50)])) !== 'ended');
  const followed = await said(site, ['log', 'lone', '--follow']);
  insistOnSuccess(await building);
  assert.match(followed, /\nended\n/);
  assert.equal(followed, readFileSync(log, 'utf8'));
});
