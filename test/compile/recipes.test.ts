import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autotools } from '../../src/compile/autotools.ts';
import { cmake } from '../../src/compile/cmake.ts';
import { make } from '../../src/compile/make.ts';
import { meson } from '../../src/compile/meson.ts';
import { python } from '../../src/compile/python.ts';
import { type Recipe, type RecipeProblem, place } from '../../src/compile/recipe.ts';
import { recipeProblems } from '../../src/compile/recipe-problems.ts';
import { steps } from '../../src/compile/steps.ts';

const recipes: readonly Recipe[] = [
  autotools(),
  autotools({ autoreconf: true, buildDir: '../build', check: true, configure: ['--without-x'] }),
  cmake(),
  cmake({ check: true, sourceDir: 'cmake', configure: ['-DX=1'] }),
  make({ configure: ['./configure'], targets: ['shared'], variables: { PREFIX: place.prefix }, check: true }),
  meson({ check: true }),
  python(),
  python({ pure: true, configSettings: { xcb: 'disable' }, setupCfg: { build_ext: { debug: '1' } } }),
  steps([{ group: 'install', run: 'true' }]),
];
for (const recipe of recipes) {
  const text = JSON.stringify(recipe);
  const order = ['prepare', 'configure', 'build', 'check', 'install'];

  test(`${recipe.kind}() gives a recipe without mistakes, as plain data, whose steps are in order: ${recipe.steps.map(({ group }) => group).join(' ')}`, () => {
    assert.deepEqual(recipeProblems(recipe), []);
    assert.deepEqual(JSON.parse(text), recipe);
    const at = recipe.steps.map(({ group }) => order.indexOf(group));
    assert.deepEqual(
      at,
      [...at].sort((a, b) => a - b),
    );
  });

  test(`${recipe.kind}() never hands a number of jobs to make, which would leave the job server (${text.length})`, () => {
    for (const { run } of recipe.steps)
      if (run[0] === 'make') assert.ok(!run.includes('-j') && !run.includes(place.jobs));
  });
}

test('install steps go through the stage', () => {
  for (const { kind, steps: list } of recipes.slice(0, -1)) {
    assert.ok(
      list.filter(({ group }) => group === 'install').every(({ run }) => JSON.stringify(run).includes(place.stage)),
      kind,
    );
  }
});

test('the commands of before and after stand around all others', () => {
  const { steps: list } = autotools({ autoreconf: true, before: ['echo before'], after: [['echo', 'after']] });
  assert.deepEqual(list[0], { group: 'prepare', run: 'echo before' });
  assert.deepEqual(list.at(-1), { group: 'install', run: ['echo', 'after'] });
});

test('a pure Python package needs no compiler', () => {
  assert.ok(python().tools.includes('cc'));
  assert.ok(!python({ pure: true }).tools.includes('cc'));
});

const mistakes: readonly (readonly [title: string, make: () => Recipe, problems: readonly RecipeProblem[]])[] = [
  [
    'an unknown option',
    // @ts-expect-error the option is misspelt
    () => autotools({ autoreconv: true }),
    [
      {
        expected: 'options of autotools(): configure, autoreconf, buildDir, check, env, tools, before, after',
        found: 'autoreconv',
        mend: 'write autoreconf',
      },
    ],
  ],
  [
    'an option that resembles none',
    // @ts-expect-error there is no such option
    () => steps([], { wrong: 1 }),
    [{ expected: 'options of steps(): autoreconf, env, tools, before, after', found: 'wrong', mend: 'leave it out' }],
  ],
  [
    'a text in place of a list',
    // @ts-expect-error must be a list
    () => cmake({ configure: '-DX=1' }),
    [{ expected: 'option configure of cmake() to be a list of texts', found: "'-DX=1'" }],
  ],
  [
    'several mistakes at once',
    // @ts-expect-error must be true or false
    () => make({ check: 'yes', env: { A: 1 }, before: [1] }),
    [
      { expected: 'option check of make() to be true or false', found: "'yes'" },
      { expected: 'option env of make() to be texts by name', found: '{ A: 1 }' },
      {
        expected:
          'option before of make() to be a list of commands, each one a list of arguments or a text for the shell',
        found: '[ 1 ]',
      },
    ],
  ],
  [
    'a setup.cfg without sections',
    // @ts-expect-error must have sections
    () => python({ setupCfg: { xcb: '1' } }),
    [{ expected: 'option setupCfg of python() to be texts by section and name', found: "{ xcb: '1' }" }],
  ],
  [
    'something that is no object',
    // @ts-expect-error must be an object
    () => meson(['-Dx=1']),
    ['meson() takes its options as one object'],
  ],
];
for (const [title, recipe, problems] of mistakes) {
  test(`${title} is kept in the recipe until the Buildfile is checked, and nothing is thrown`, () => {
    assert.deepEqual(recipeProblems(recipe()), problems);
  });
}

const good: Recipe = {
  kind: 'steps',
  steps: [{ group: 'build', run: ['true'] }],
  env: {},
  tools: [],
  autoreconf: false,
};
const bad: readonly (readonly [title: string, recipe: unknown, problem: RegExp])[] = [
  ['no recipe at all', undefined, /^recipe must be what/],
  ['an object of another sort', { kind: 'x' }, /^recipe must have steps, env and tools/],
  ['no steps', { ...good, steps: [] }, /^recipe has no steps$/],
  [
    'an unknown group',
    { ...good, steps: [{ group: 'biuld', run: 'true' }] },
    /^step 1 is of group biuld, did you mean build$/,
  ],
  ['an empty command', { ...good, steps: [{ group: 'build', run: [] }] }, /^step 1 must run/],
  ['a command with a zero byte', { ...good, steps: [{ group: 'build', run: ['a\0b'] }] }, /^step 1 must run/],
  [
    'a folder above the root',
    { ...good, steps: [{ group: 'build', run: 'true', in: '../../x' }] },
    /^step 1 runs in "\.\.\/\.\.\/x"/,
  ],
  [
    'a folder that comes back too late',
    { ...good, steps: [{ group: 'build', run: 'true', in: '../../w/tree' }] },
    /^step 1 runs in/,
  ],
  ['an absolute folder', { ...good, steps: [{ group: 'build', run: 'true', in: '/tmp' }] }, /^step 1 runs in "\/tmp"/],
  ['a PATH of its own', { ...good, env: { PATH: '/x' } }, /^env sets PATH, which is for vbuild to set$/],
  ['variables for make', { ...good, env: { MAKEFLAGS: '-j8' } }, /^env sets MAKEFLAGS/],
  ['a variable that no shell could name', { ...good, env: { 'A B': '1' } }, /^env has a variable/],
  ['an unknown tool', { ...good, tools: ['cmaek'] }, /"found":"cmaek","mend":"write cmake"/],
  [
    'an option that no step has',
    { ...good, steps: [{ group: 'build', run: 'true', timout: 3 }] },
    /^step 1 has the option timout, did you mean timeout$/,
  ],
  [
    'python without the tool',
    { ...good, steps: [{ group: 'build', run: [place.python] }] },
    /^recipe uses @python@ but not the tool python3$/,
  ],
];
for (const [title, recipe, problem] of bad) {
  test(`recipeProblems() finds ${title}`, () => {
    const problems = recipeProblems(recipe);
    assert.equal(problems.length, 1);
    const [first] = problems;
    assert.match(typeof first === 'string' ? first : JSON.stringify(first), problem);
  });
}

test('recipeProblems() lets a step run beside the tree', () => {
  assert.deepEqual(recipeProblems({ ...good, steps: [{ group: 'build', run: 'true', in: '../build/x/..' }] }), []);
});
