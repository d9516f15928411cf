/** Steps that see their build root under another path than the one it has on the machine. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { standardEnvironment } from '../../src/compile/environment.ts';
import { type Recipe, place } from '../../src/compile/recipe.ts';
import { runSteps } from '../../src/compile/run-steps.ts';
import { steps } from '../../src/compile/steps.ts';
import { VbuildError } from '../../src/model/error.ts';
import { temporaryFolder } from '../../src/system/files.ts';
import { findNamespace, mountPoint } from '../../src/system/namespace.ts';
import { tempDir, type WithCleanUp } from '../support/temp.ts';

const seen = join(mountPoint, 'test', 'root');
const namespace = await (async () => {
  using folder = temporaryFolder('vbuild-test');
  return await findNamespace(folder.path, seen);
})();
const skip = namespace === undefined ? 'this machine forbids mount namespaces' : false;

/** Runs a recipe in an empty tree below a folder whose own path nobody could compile in. */
async function runIn(t: WithCleanUp, recipe: Recipe): Promise<{ readonly host: string; readonly log: string }> {
  const host = join(tempDir(t), 'no $place "for" compilers');
  for (const folder of ['tree', 'prefix']) mkdirSync(join(host, folder), { recursive: true });
  assert.ok(namespace);
  await runSteps({
    steps: recipe.steps,
    environment: standardEnvironment(recipe),
    places: { root: seen, tree: `${seen}/tree`, prefix: `${seen}/prefix`, stage: `${seen}/stage` },
    binding: { namespace, host, seen },
    log: join(host, 'log'),
    emit: () => {},
    package: 'probe@1',
    signal: new AbortController().signal,
    jobs: 1,
  });
  return { host, log: readFileSync(join(host, 'log'), 'utf8') };
}

test('all paths of a step, its environment and its folder are as it sees them', { skip }, async (t) => {
  const recipe = steps([
    { group: 'prepare', run: ['env'] },
    { group: 'build', run: `pwd -P; umask; cp ../made "${place.stage}"`, in: 'sub/deep' },
    { group: 'install', run: `test -d "$HOME" && test -d "$TMPDIR" && echo both there` },
  ]);
  const withFile = steps(
    ['touch ../made ../sub-made', ...recipe.steps.map(({ run }) => run)].map((run) => ({ group: 'build', run })),
  );
  await assert.rejects(runIn(t, recipe), VbuildError);
  const { host, log } = await runIn(t, {
    ...withFile,
    steps: [{ group: 'prepare', run: ['touch', `${place.tree}/sub/made`], in: 'sub' }, ...recipe.steps],
  });
  const output = log.split('\n').filter((line) => !line.startsWith('#'));
  assert.ok(!output.join('\n').includes(host));
  assert.ok(output.includes(`${seen}/tree/sub/deep`));
  assert.ok(output.includes('0022'));
  assert.ok(output.includes('both there'));
  assert.ok(output.includes(`HOME=${seen}/home`));
  assert.ok(!output.some((line) => /^(OLD)?PWD=/.test(line)));
  assert.deepEqual(readdirSync(join(host, 'stage')), ['made']);
});

test('a link that a step made with a path that it sees leads there', { skip }, async (t) => {
  const { host } = await runIn(
    t,
    steps([
      { group: 'prepare', run: ['ln', '-s', `${place.root}/elsewhere`, 'link'] },
      { group: 'prepare', run: ['ln', '-s', 'link', 'second'] },
      { group: 'build', run: ['touch', 'made'], in: 'second/deeper' },
    ]),
  );
  assert.ok(existsSync(join(host, 'elsewhere/deeper/made')));
});

test('a link cannot lead a step out of its root, whether it leads somewhere or nowhere', { skip }, async (t) => {
  const outside = tempDir(t);
  for (const target of [outside, join(outside, 'gone'), '../../beside', `${seen}/../beside`, 'link']) {
    const recipe = steps([
      { group: 'prepare', run: ['ln', '-s', target, 'link'] },
      { group: 'build', run: ['touch', 'made'], in: 'link/deeper' },
    ]);
    await assert.rejects(
      runIn(t, recipe),
      (error) => error instanceof VbuildError && error.message === 'A step would run outside the work folder',
      target,
    );
  }
  assert.deepEqual(readdirSync(outside), []);
});
