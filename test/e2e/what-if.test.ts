/** Plans of what is not so: each says what the plan says, and a run does, once it is so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../src/model/plan.ts';
import { insistOnSuccess } from '../support/events.ts';
import { leafPatch, type Project, project } from '../support/project.ts';

const planOf = async (site: Project, ...args: readonly string[]): Promise<Plan> =>
  JSON.parse(insistOnSuccess(await site.run(['plan', ...args, '--json'])).stdout) as Plan;

/** What would become of each package, and for which inputs, without what they would be. */
const shapeOf = ({ packages }: Plan): Record<string, string> =>
  Object.fromEntries(
    packages.map(({ package: id, outcome, stages }) => [
      id,
      [outcome, ...stages.map(({ stage, reasons }) => `${stage}(${reasons.map(({ input }) => input).join()})`)].join(
        ' ',
      ),
    ]),
  );

const keysOf = ({ packages }: Plan): (readonly (string | undefined)[])[] =>
  packages.map(({ package: id, key }) => [id, key]);

test('a plan of what is not so says what the plan says once it is so', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build());

  await t.test('a file that changed, and then does', async () => {
    const assumed = await planOf(site, '--touch', 'patches/leaf/value.patch');
    assert.deepEqual(assumed.assumed, ['patches/leaf/value.patch changed']);
    assert.equal(shapeOf(assumed)['leaf@1.0'], 'built patch(patch.001) compile(patch.001) pack(patch.001)');
    assert.equal(shapeOf(assumed)['lone@1.0'], 'fresh');
    assert.deepEqual(shapeOf(await planOf(site)), {
      'app@1.0': 'fresh',
      'branch@2.0': 'fresh',
      'leaf@1.0': 'fresh',
      'lone@1.0': 'fresh',
    });
    site.write({ 'patches/leaf/value.patch': leafPatch(3) });
    const real = await planOf(site);
    assert.deepEqual(shapeOf(assumed), shapeOf(real));
    assert.deepEqual([assumed.criticalPath, assumed.expectedMs], [real.criticalPath, real.expectedMs]);
    site.write({ 'patches/leaf/value.patch': leafPatch(2) });
  });

  await t.test('a variable, to the very keys', async () => {
    const assumed = await planOf(site, '--set', 'lone.env.MINE=-DONE');
    const before = site.read('Buildfile.ts');
    site.edit(
      'Buildfile.ts',
      "lone-1.0.tar.gz'),\n  recipe: make(options)",
      "lone-1.0.tar.gz'),\n  recipe: make({ ...options, env: { MINE: '-DONE' } })",
    );
    const real = await planOf(site);
    assert.deepEqual(keysOf(assumed), keysOf(real));
    assert.deepEqual(shapeOf(assumed), shapeOf(real));
    insistOnSuccess(await site.build());
    site.write({ 'Buildfile.ts': before });
    insistOnSuccess(await site.build());
    // The artifact is in the cache now, and its key is known beforehand.
    assert.equal(shapeOf(await planOf(site, '--set', 'lone.env.MINE=-DONE'))['lone@1.0'], 'restored');
  });

  await t.test('a version, a source and a tool reach all that rests on them', async () => {
    const built = async (...args: readonly string[]): Promise<string[]> =>
      (await planOf(site, ...args)).packages
        .flatMap(({ package: id, outcome }) => (outcome === 'built' ? [id] : []))
        .sort();
    assert.deepEqual(await built('--set', 'leaf.version=9'), ['app@1.0', 'branch@2.0', 'leaf@1.0']);
    assert.deepEqual(await built('--touch', 'patches/leaf'), ['app@1.0', 'branch@2.0', 'leaf@1.0']);
    assert.deepEqual(await built('--touch', 'gen,lone'), ['app@1.0', 'gen@0.1', 'lone@1.0']);
    assert.deepEqual(await built('--touch', 'gen', '--touch', 'lone'), ['app@1.0', 'gen@0.1', 'lone@1.0']);
    const sets = ['--set', 'gen.version=9', '--set', 'lone.env.MINE=x', '--set', 'lone.version=9'];
    assert.deepEqual(await built(...sets), ['app@1.0', 'gen@0.1', 'lone@1.0']);
    assert.deepEqual(await built('--set', 'tool.cc=gcc 99.1.0'), [
      'app@1.0',
      'branch@2.0',
      'gen@0.1',
      'leaf@1.0',
      'lone@1.0',
    ]);
    const { stdout } = insistOnSuccess(await site.run(['plan', 'app', '--set', 'leaf.version=9']));
    assert.match(stdout, /^if leaf had version 9, and with it another source:$/m);
    assert.match(stdout, /^ {2}fetch, patch: source\.tree: [0-9a-f]{12}… → another$/m);
  });

  for (const [words, status, headline] of [
    [['--touch', 'Buildfile.ts'], 2, 'What the Buildfile decides depends on what is changed in it'],
    [['--touch', 'README'], 2, 'Nothing rests on what is to be touched'],
    [['--set', 'leaf.colour=red'], 2, 'What is to be set is not understood'],
    [['--set', 'nobody.version=1'], 2, 'What is to be set is not understood'],
    [['--set', 'leaf.version='], 2, 'What is to be set is not understood'],
  ] as const) {
    await t.test(`${words.join(' ')} is refused`, async () => {
      const { exitStatus, stderr } = await site.run(['plan', ...words]);
      assert.deepEqual([exitStatus, stderr.split('\n')[0]], [status, `error: ${headline}`]);
    });
  }
});
