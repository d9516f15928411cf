import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBuildfile } from '../../src/buildfile/load.ts';
import { validate } from '../../src/buildfile/validate.ts';
import { init } from '../../src/commands/init.ts';
import { type WithCleanUp, tempDir, writeTree } from '../support/temp.ts';
import { checkout } from '../support/vbuild.ts';

/** A folder in which `init` has been run, and what tsc says there. */
function initialised(t: WithCleanUp, before: Record<string, string> = {}) {
  const folder = tempDir(t, 'init');
  writeTree(folder, before);
  const path = join(folder, 'Buildfile.ts');
  return {
    folder,
    path,
    outcomes: init(path).map(({ file, outcome }) => `${file} ${outcome}`),
    read: (file: string): string => readFileSync(join(folder, file), 'utf8'),
    tsc: (): string =>
      spawnSync(join(checkout, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder, encoding: 'utf8' }).stdout,
  };
}

test('init() writes a Buildfile that loads, and that tsc checks without node_modules', async (t) => {
  const { folder, path, outcomes, read, tsc } = initialised(t);
  assert.deepEqual(outcomes, [
    'Buildfile.ts written',
    '.vbuild/typings/vbuild.d.ts written',
    'tsconfig.json written',
    '.gitignore written',
  ]);
  assert.equal(tsc(), '');
  const { packages } = validate((await loadBuildfile(path)).definition);
  assert.deepEqual(
    packages.map(({ name }) => name),
    ['lcms2'],
  );
  assert.equal(read('.gitignore'), '/.vbuild/\n/vendor\n/.*.generations/\n');

  writeTree(folder, {
    'Buildfile.ts': read('Buildfile.ts').replace('configure:', 'configur:').replace('[lcms]', '[lcsm]'),
  });
  const found = tsc();
  assert.match(found, /'configur' does not exist in type 'AutotoolsOptions'/);
  assert.match(found, /Cannot find name 'lcsm'/);
});

test('init() run again changes nothing', (t) => {
  const { path, read } = initialised(t);
  const before = read('Buildfile.ts');
  assert.deepEqual(init(path), [
    { file: 'Buildfile.ts', outcome: 'kept' },
    { file: '.vbuild/typings/vbuild.d.ts', outcome: 'current' },
    { file: 'tsconfig.json', outcome: 'kept' },
    { file: '.gitignore', outcome: 'current' },
  ]);
  assert.equal(read('Buildfile.ts'), before);
});

test('init() leaves the files of the user alone, adds to .gitignore, and says how to complete a tsconfig.json', (t) => {
  const mine = { 'Buildfile.ts': '// mine', 'tsconfig.json': '{}', '.gitignore': 'build\n/vendor' };
  const { path, outcomes, read } = initialised(t, { ...mine, '.vbuild/typings/vbuild.d.ts': '// of an older vbuild' });
  assert.deepEqual(outcomes, [
    'Buildfile.ts kept',
    '.vbuild/typings/vbuild.d.ts written',
    'tsconfig.json kept',
    '.gitignore extended',
  ]);
  assert.deepEqual(
    [read('Buildfile.ts'), read('tsconfig.json'), read('.gitignore')],
    ['// mine', '{}', 'build\n/vendor\n/.vbuild/\n/.*.generations/\n'],
  );
  assert.match(init(path)[2]?.hint ?? '', /"paths": \{ "vbuild": \["\.\/\.vbuild\/typings\/vbuild\.d\.ts"\] \}/);
});

test('init() can write a Buildfile of another name, in a folder that is not there yet', (t) => {
  const path = join(tempDir(t), 'deep/Buildfile.web.ts');
  assert.deepEqual(init(path).map(({ file, outcome }) => [file, outcome])[0], ['Buildfile.web.ts', 'written']);
  assert.match(readFileSync(join(path, '../tsconfig.json'), 'utf8'), /"files": \["Buildfile\.web\.ts"\]/);
});
