import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { VbuildError } from '../../src/model/error.ts';
import { generated, generatedKind, type GeneratedOptions } from '../../src/sources/generated.ts';
import { namesIn, walk } from '../../src/system/files.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, sourceContext } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

function setting(t: TestContext, environment: Readonly<Record<string, string>> = {}) {
  const top = tempDir(t);
  return { top, context: sourceContext(top, { environment: { PATH: '/nowhere', ...environment } }) };
}

const rows: readonly (readonly [title: string, options: unknown, problem: RegExp | undefined])[] = [
  ['a line for the shell', { steps: ['echo x >a'] }, undefined],
  [
    'everything',
    { steps: [['touch', 'a']], tools: ['jq'], env: { A: 'b' }, pass: ['TOKEN'], tree: 'a'.repeat(64) },
    undefined,
  ],
  ['no steps', { steps: [] }, /steps must/],
  ['a step without words', { steps: [[]] }, /steps must/],
  ['steps that are no list', { steps: 'echo' }, /steps must/],
  ['a tool with a path', { steps: ['x'], tools: ['/bin/jq'] }, /tools must/],
  ['a variable that is no string', { steps: ['x'], env: { A: 1 } }, /env must/],
  ['a variable that cannot be one', { steps: ['x'], pass: ['A=B'] }, /pass must/],
  ['a short digest', { steps: ['x'], tree: 'abc' }, /tree must/],
];

for (const [title, options, problem] of rows)
  test(`generated() ${problem ? 'refuses' : 'accepts'} ${title}`, () => {
    const found = generatedKind.problems(generated(options as GeneratedOptions));
    if (problem === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('; '), problem);
  });

test('generated() runs its steps in an empty folder, and takes what they leave', async (t) => {
  const { context, top } = setting(t);
  const spec = generated({ steps: ['test -z "$(ls -A)"; mkdir d; printf x >d/run', ['chmod', '0711', 'd/run']] });
  const pin = await generatedKind.resolve(spec, context);
  const target = fetchTarget(top);
  await generatedKind.fetch(spec, pin, target, { ...context, offline: true });
  assert.deepEqual(
    walk(target.tree).map(({ path, mode }) => `${path} ${mode.toString(8)}`),
    ['d 755', 'd/run 755'],
  );
  assert.deepEqual(
    namesIn(context.state).filter((name) => !name.endsWith('.tar.zst')),
    [],
  );
});

test('generated() shows its steps the proxies, what is declared and what is passed on, and nothing else of the user’s', async (t) => {
  const { context, top } = setting(t, { HTTPS_PROXY: 'http://proxy', TOKEN: 't', SECRET: 's', LANG: 'de_DE.UTF-8' });
  const spec = generated({ steps: ['env >seen; pwd >where'], env: { MINE: '1' }, pass: ['TOKEN', 'ABSENT'] });
  const target = fetchTarget(top);
  await generatedKind.fetch(spec, await generatedKind.resolve(spec, context), target, context);
  const seen = new Map(
    readFileSync(join(target.tree, 'seen'), 'utf8')
      .trim()
      .split('\n')
      .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  for (const own of ['PWD', 'SHLVL', '_', 'OLDPWD']) seen.delete(own);
  assert.deepEqual([...seen.keys()].sort(), [
    'BUILDFILE_FOLDER',
    'HOME',
    'HTTPS_PROXY',
    'LC_ALL',
    'MINE',
    'PATH',
    'TERM',
    'TMPDIR',
    'TOKEN',
    'TZ',
  ]);
  assert.equal(seen.get('BUILDFILE_FOLDER'), top);
});

test('generated() refuses a tree that is not the pinned one, and names both', async (t) => {
  const { context, top } = setting(t);
  const steps = ['cat "$BUILDFILE_FOLDER/input" >out'];
  writeTree(top, { input: 'one' });
  const spec = generated({ steps });
  const pin = await generatedKind.resolve(spec, context);
  writeTree(top, { input: 'two' });
  const elsewhere = sourceContext(join(top, 'elsewhere'), { buildfileFolder: top });
  await assert.rejects(generatedKind.fetch(spec, pin, fetchTarget(top), elsewhere), (error: VbuildError) => {
    assert.equal(error.code, 'pin-mismatch');
    assert.equal(error.facts['expected'], `SHA-256 ${String(pin['tree'])}`);
    assert.match(error.facts['found'] ?? '', /^SHA-256 [0-9a-f]{64}$/);
    return true;
  });
  const insisting = generated({ steps, tree: String(pin['tree']) });
  await assert.rejects(generatedKind.resolve(insisting, elsewhere), { code: 'pin-mismatch' });
  writeTree(top, { input: 'one' });
  assert.deepEqual(await generatedKind.resolve(insisting, elsewhere), pin);
});

test('generated() runs nothing again while the tree that was made is here', async (t) => {
  const { context, top } = setting(t);
  const spec = generated({ steps: ['echo x >>"$BUILDFILE_FOLDER/ran"; echo a >a'] });
  const pin = await generatedKind.resolve(spec, context);
  for (const name of ['one', 'two']) await generatedKind.fetch(spec, pin, fetchTarget(top, name), context);
  assert.equal(readFileSync(join(top, 'ran'), 'utf8'), 'x\n');
});

for (const [title, options, code, fact] of [
  ['a step that fails', { steps: ['echo one', 'echo here >&2; false; echo never'] }, 'step-failed', /here/],
  ['a pipe that fails inside', { steps: ['false | cat'] }, 'step-failed', /false \| cat/],
  ['a program that is not there', { steps: ['x'], tools: ['sh', 'no-such-tool'] }, 'tool-missing', /no-such-tool/],
  ['a link out of the tree', { steps: ['ln -s /etc out'] }, 'archive-refused', /leads out/],
  ['a named pipe', { steps: ['mkfifo pipe'] }, 'archive-refused', /named pipe/],
  ['a name that is not UTF-8', { steps: ["touch $'d\\344'"] }, 'archive-refused', /not UTF-8/],
] as const)
  test(`generated() names ${title}`, async (t) => {
    const { context } = setting(t);
    await assert.rejects(generatedKind.resolve(generated(options), context), (error: VbuildError) => {
      assert.equal(error.code, code);
      assert.match(JSON.stringify(error.facts), fact);
      return true;
    });
    assert.deepEqual(names(context.state), []);
  });
