import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { loadBuildfile } from '../../src/buildfile/load.ts';
import { checkout } from '../support/vbuild.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { buildfile, outline, problems, read } from './buildfiles.ts';

const recipe = `recipe: { kind: 'steps', steps: [{ group: 'build', run: ['true'] }], env: {}, tools: [], autoreconf: false }`;
const source = `source: { kind: 'directory', path: 'src' }`;
const head = `import { defineBuild, definePackage } from 'vbuild';\n`;
const zlib = `const zlib = definePackage('zlib', { version: '1.3.1', ${source}, ${recipe} });\n`;
const tail = `export default defineBuild({ packages: [zlib] });\n`;

test('a Buildfile needs no node_modules, and a package.json beside it does not matter', async (t) => {
  for (const packageJson of ['{}', '{"type":"commonjs"}', '{"type":"module"}', '{ this is not JSON']) {
    const { packages } = await read(buildfile(t, head + zlib + tail, { 'package.json': packageJson }));
    assert.deepEqual(
      packages.map(({ name, version }) => ({ name, version })),
      [{ name: 'zlib', version: '1.3.1' }],
    );
  }
});

test('a Buildfile can be split over files, with functions, loops, types, JSON and an await at the top level', async (t) => {
  const path = buildfile(
    t,
    `${head}import type { Package } from 'vbuild';
import versions from './versions.json' with { type: 'json' };
import { library } from './lib/library.ts';
const libraries: Package[] = [];
for (const [name, version] of Object.entries(versions)) libraries.push(library(name, version));
const { last } = await import('./lib/last.ts');
export default defineBuild({ packages: [last(libraries)] });
`,
    {
      'versions.json': '{ "zlib": "1.3.1", "png": "1.6.39" }',
      'lib/library.ts': `import { type Package, definePackage } from 'vbuild';\nexport const library = (name: string, version: string): Package => definePackage(name, { version, ${source}, ${recipe} });\n`,
      'lib/last.ts': `import { type Package, definePackage } from 'vbuild';\nexport const last = (deps: readonly Package[]) => definePackage('pil', { version: '11', deps, ${source}, ${recipe} });\n`,
    },
  );
  const { packages, defaults } = await read(path);
  assert.deepEqual(
    packages.map(({ name }) => name),
    ['zlib', 'png', 'pil'],
  );
  assert.deepEqual(
    defaults.map(({ name }) => name),
    ['pil'],
  );
  const folder = dirname(path);
  const { files } = await loadBuildfile(path);
  assert.deepEqual(files, [
    path,
    join(folder, 'versions.json'),
    join(folder, 'lib/library.ts'),
    join(folder, 'lib/last.ts'),
  ]);
});

test('a Buildfile may have Windows line ends and a byte order mark, and import plain JavaScript of both sorts', async (t) => {
  const text = `\uFEFFimport { a } from './a.mjs';\r\nimport b from './b.cjs';\r\n${head}${zlib}${tail}export { a, b };\r\n`;
  const path = buildfile(t, text, { 'a.mjs': 'export const a = 1;\n', 'b.cjs': 'module.exports = 1;\n' });
  assert.deepEqual(
    (await read(path)).packages.map(({ name }) => name),
    ['zlib'],
  );
  assert.equal((await loadBuildfile(path)).files.length, 3);
});

test('files that two Buildfiles share are listed for both', async (t) => {
  const shared = {
    'a.ts': `export { b } from './b.ts';\n`,
    'b.ts': `export const b = 1;\n`,
    'Buildfile.two.ts': `import './a.ts';\n${head}${zlib}${tail}`,
  };
  const path = buildfile(t, `import './a.ts';\n${head}${zlib}${tail}`, shared);
  const folder = dirname(path);
  const names = async (file: string) =>
    (await loadBuildfile(join(folder, file))).files.map((one) => one.slice(folder.length + 1));
  assert.deepEqual(await names('Buildfile.ts'), ['Buildfile.ts', 'a.ts', 'b.ts']);
  assert.deepEqual(await names('Buildfile.two.ts'), ['Buildfile.two.ts', 'a.ts', 'b.ts']);
});

test('a Buildfile may be a symlink: its imports are found beside the file that it points to', async (t) => {
  const path = buildfile(t, `import './a.ts';\n${head}${zlib}${tail}`, { 'a.ts': '' });
  const link = join(tempDir(t), 'Buildfile.ts');
  symlinkSync(path, link);
  assert.deepEqual((await loadBuildfile(link)).files, [path, join(dirname(path), 'a.ts')]);
});

test('what a Buildfile imports is named as it is written too, so that a link on the way can be watched', async (t) => {
  const path = buildfile(t, `import './now/a.ts';\n${head}${zlib}${tail}`, {
    'v1/a.ts': `import './b.ts';`,
    'v1/b.ts': '',
  });
  const at = (name: string): string => join(dirname(path), name);
  symlinkSync('v1', at('now'));
  const { files, names, environment } = await loadBuildfile(path);
  assert.deepEqual(files, [path, at('v1/a.ts'), at('v1/b.ts')]);
  assert.deepEqual(names, [at('now/a.ts'), at('v1/b.ts')]);
  assert.notEqual(environment, undefined);
});

test('of a Buildfile that imports a package by its name, or what reaches the machine, nobody can say what it rests on', async (t) => {
  const packaged = {
    'node_modules/words/package.json': '{ "exports": "./index.mjs" }',
    'node_modules/words/index.mjs': '',
  };
  for (const line of [`import 'words';`, `import 'node:fs';`]) {
    const path = buildfile(t, `${line}\n${head}${zlib}${tail}`, packaged);
    assert.equal((await loadBuildfile(path)).environment, undefined, line);
  }
});

const refused: readonly {
  readonly name: string;
  readonly text: string;
  readonly others?: Record<string, string>;
  readonly expected: Record<string, string>;
  readonly mend: RegExp;
}[] = [
  {
    name: 'invalid TypeScript',
    text: `${head}const a = [1, 2;\n`,
    expected: {
      message: 'Buildfile is not valid TypeScript',
      place: 'Buildfile.ts:2',
      error: "Expected ',', got ';'",
      found: 'const a = [1, 2;',
    },
    mend: /syntax/,
  },
  {
    name: 'invalid TypeScript in an imported file',
    text: `${head}import './other.ts';\n${zlib}${tail}`,
    others: { 'other.ts': '\n\nconst = 1;\n' },
    expected: { message: 'Buildfile is not valid TypeScript', place: 'other.ts:3', found: 'const = 1;' },
    mend: /syntax/,
  },
  {
    name: 'an error that the engine finds only after the types are gone',
    text: `${head}const a: number = 1;\nlet a = 2;\n`,
    expected: { message: 'Buildfile is not valid TypeScript', place: 'Buildfile.ts:3', found: 'let a = 2;' },
    mend: /syntax/,
  },
  {
    name: 'an enum',
    text: `${head}enum Kind { a }\n`,
    expected: {
      message: 'Buildfile uses TypeScript that is more than types',
      place: 'Buildfile.ts:2',
      found: 'enum Kind { a }',
    },
    mend: /union of strings/,
  },
  {
    name: 'a namespace',
    text: `namespace N { export const a = 1; }\n`,
    expected: { message: 'Buildfile uses TypeScript that is more than types', place: 'Buildfile.ts:1' },
    mend: /a file for a namespace/,
  },
  {
    name: 'a thrown error',
    text: `${head}import { fail } from './fail.ts';\nfail();\n`,
    others: { 'fail.ts': `export function fail(): void {\n  throw new RangeError('too far');\n}\n` },
    expected: {
      message: 'Buildfile threw an error',
      place: 'fail.ts:2',
      error: 'RangeError: too far',
      found: `throw new RangeError('too far');`,
    },
    mend: /line/,
  },
  {
    name: 'a SyntaxError that its own code threw',
    text: `${head}JSON.parse('{');\n`,
    expected: { message: 'Buildfile threw an error', place: 'Buildfile.ts:2' },
    mend: /line/,
  },
  {
    name: 'a package that is used before it is defined',
    text: `${head}const pil = definePackage('pil', { version: '1', deps: [zlib], ${source}, ${recipe} });\n${zlib}${tail}`,
    expected: {
      message: 'Buildfile threw an error',
      place: 'Buildfile.ts:2',
      error: `ReferenceError: Cannot access 'zlib' before initialization`,
    },
    mend: /line/,
  },
  {
    name: 'a decorator',
    text: `${head}const mark = (): void => {};\n@mark class A {}\n`,
    expected: { message: 'Buildfile is not valid TypeScript', place: 'Buildfile.ts:3', found: '@mark class A {}' },
    mend: /syntax/,
  },
  {
    name: 'a parameter property',
    text: `class A { constructor(readonly a: string) {} }\n`,
    expected: { message: 'Buildfile uses TypeScript that is more than types', place: 'Buildfile.ts:1' },
    mend: /plain field/,
  },
  {
    name: 'require() in place of import',
    text: `const { definePackage } = require('vbuild');\n`,
    expected: { message: 'Buildfile threw an error', place: 'Buildfile.ts:1' },
    mend: /line/,
  },
  {
    name: 'a thrown error whose message names a place',
    text: `\nthrow new Error(\`see \${import.meta.filename}:99\`);\n`,
    expected: { message: 'Buildfile threw an error', place: 'Buildfile.ts:2' },
    mend: /line/,
  },
  {
    name: 'TypeScript from node_modules',
    text: `import 'typed';\n`,
    others: {
      'node_modules/typed/package.json': '{ "type": "module", "exports": "./index.ts" }',
      'node_modules/typed/index.ts': 'export const a: number = 1;',
    },
    expected: { message: 'Buildfile threw an error' },
    mend: /outside of node_modules/,
  },
  {
    name: 'something thrown that is not an error',
    text: `throw 'words';\n`,
    expected: { message: 'Buildfile threw an error', place: 'Buildfile.ts:undefined', error: 'words' },
    mend: /line/,
  },
  {
    name: 'no default export',
    text: head + zlib,
    expected: {
      message: 'Buildfile does not export a build',
      expected: 'a default export, made by defineBuild()',
      found: 'none',
    },
    mend: /export default defineBuild/,
  },
  {
    name: 'a build that is exported by another name',
    text: `${head}${zlib}export const build = defineBuild({ packages: [zlib] });\n`,
    expected: { message: 'Buildfile does not export a build', found: 'the build as build' },
    mend: /export default defineBuild/,
  },
  {
    name: 'a default export that is a package',
    text: `${head}${zlib}export default zlib;\n`,
    expected: { message: 'Buildfile does not export a build', place: 'Buildfile.ts:2', found: 'a package' },
    mend: /export default defineBuild/,
  },
  {
    name: 'a default export of plain data',
    text: `export default { packages: [] };\n`,
    expected: { message: 'Buildfile does not export a build', found: 'an object with packages' },
    mend: /export default defineBuild/,
  },
  {
    name: 'a type of vbuild that is imported without type',
    text: `import {\n  definePackage, defineBuild,\n  Package } from 'vbuild';\n${zlib}${tail}`,
    expected: { message: 'A type is imported as if it were a value', place: 'Buildfile.ts:3', found: 'Package' },
    mend: /type before Package/,
  },
  {
    name: 'a type of its own that is imported without type',
    text: `${head}import { Thing } from './thing.ts';\n${zlib}${tail}`,
    others: { 'thing.ts': 'export interface Thing { a: string }\n' },
    expected: {
      message: 'A type is imported as if it were a value',
      place: 'Buildfile.ts:2',
      expected: `import { type Thing } from './thing.ts'`,
    },
    mend: /type before Thing/,
  },
  {
    name: 'a misspelt name of vbuild',
    text: `import { definePakage } from 'vbuild';\n`,
    expected: { message: 'An imported name is not exported', place: 'Buildfile.ts:1', found: 'definePakage' },
    mend: /^write definePackage$/,
  },
  {
    name: 'a misspelt name of its own',
    text: `import { libary } from './library.ts';\n`,
    others: { 'library.ts': 'export const library = 1;\n' },
    expected: { message: 'An imported name is not exported', place: 'Buildfile.ts:1', found: 'libary' },
    mend: /^write library$/,
  },
  {
    name: 'a relative import without its extension',
    text: `${head}\nimport { a } from './lib/a';\n`,
    others: { 'lib/a.ts': 'export const a = 1;\n' },
    expected: {
      message: 'Buildfile imports a file that is not there',
      place: 'Buildfile.ts:3',
      expected: 'the name of a file with its extension',
      found: '"./lib/a"',
    },
    mend: /^write "\.\/lib\/a\.ts"$/,
  },
  {
    name: 'a relative import by the name that a compiler would give the file',
    text: `import { a } from "./a.js";\n`,
    others: { 'a.ts': 'export const a = 1;\n' },
    expected: { message: 'Buildfile imports a file that is not there', place: 'Buildfile.ts:1' },
    mend: /^write "\.\/a\.ts"$/,
  },
  {
    name: 'an import of a folder',
    text: `import { a } from './lib';\n`,
    others: { 'lib/index.ts': 'export const a = 1;\n' },
    expected: { message: 'Buildfile imports a file that is not there', place: 'Buildfile.ts:1' },
    mend: /^write "\.\/lib\/index\.ts"$/,
  },
  {
    name: 'a misspelt relative import in an imported file',
    text: `import './a.ts';\n`,
    others: { 'a.ts': `\nimport './versoins.ts';\n`, 'versions.ts': '' },
    expected: {
      message: 'Buildfile imports a file that is not there',
      place: 'a.ts:2',
      expected: 'a file that exists',
    },
    mend: /^write "\.\/versions\.ts"$/,
  },
  {
    name: 'an unknown package',
    text: `import { definePackage } from 'vbiuld';\n`,
    expected: { message: 'Buildfile imports an unknown package', place: 'Buildfile.ts:1', found: '"vbiuld"' },
    mend: /^write "vbuild"$/,
  },
  {
    name: 'files that import one another in a circle',
    text: `import { a } from './a.ts';\nexport default a;\n`,
    others: {
      'a.ts': `import { b } from './b.ts';\nexport const a = [b];\n`,
      'b.ts': `import { a } from './a.ts';\nexport const b = [a];\n`,
    },
    expected: { message: 'Buildfile threw an error', place: 'b.ts:2', found: 'export const b = [a];' },
    mend: /^define a above this line; where it is imported, the two files import one another/,
  },
  {
    name: 'an import of JSON that does not say so',
    text: `${head}import versions from './versions.json';\n`,
    others: { 'versions.json': '{}' },
    expected: { message: 'Import of JSON does not say that it is JSON', place: 'Buildfile.ts:2' },
    mend: /with \{ type: 'json' \}/,
  },
];

for (const { name, text, others, expected, mend } of refused) {
  test(`a Buildfile with ${name} is refused with its place`, async (t) => {
    const found = await problems(buildfile(t, text, others));
    assert.equal(found.length, 1);
    const [problem] = found;
    assert.ok(problem);
    assert.partialDeepStrictEqual(outline(problem), { code: 'buildfile-invalid', ...expected });
    assert.match(problem.mend, mend);
  });
}

test('a Buildfile that is not there is an error that names those that are', async (t) => {
  const folder = tempDir(t);
  const missing = async (name: string) => {
    const [problem] = await problems(join(folder, name));
    assert.equal(problem?.code, 'buildfile-missing');
    return { file: problem.where.file, found: problem.facts['found'], mend: problem.mend };
  };
  const file = join(folder, 'Buildfile.ts');
  const mend = 'write a first one with: vbuild init';
  assert.deepEqual(await missing('Buildfile.ts'), { file, found: `no Buildfile in ${folder}`, mend });
  writeTree(folder, { 'Buildfile.example.ts': '', 'Buildfile.other.ts': '', 'Buildfile.lock': '' });
  assert.deepEqual(await missing('Buildfile.ts'), {
    file,
    found: 'Buildfile.example.ts, Buildfile.other.ts',
    mend: `name the one you mean: -f ${join(folder, 'Buildfile.example.ts')}`,
  });
  assert.equal((await missing('.')).file, folder);
  assert.equal(
    (await missing('patches/zlib/Buildfile.other.ts')).mend,
    `run vbuild in the folder that has one: -C ${folder}`,
  );
});

/** Loads a Buildfile in a process of its own, as the command does, with a compile cache or without. */
const loadInChild = (path: string, cache = '') => {
  const program = `
    const { loadBuildfile } = await import('${checkout}/src/buildfile/load.ts');
    try {
      const { definition } = await loadBuildfile(${JSON.stringify(path)});
      console.log(definition.packages.map(({ name, version }) => name + '@' + version).join());
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  const env = { ...process.env, ...(cache !== '' && { NODE_COMPILE_CACHE: cache }) };
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env,
  });
  return stdout.trim() || stderr;
};

test('a Buildfile that waits for ever is an error, not a silent end', (t) => {
  const path = buildfile(t, `await new Promise(() => {});\n${head}${zlib}${tail}`);
  assert.equal(loadInChild(path), 'buildfile-invalid Buildfile waits for what never comes');
});

test('with a compile cache, an edited Buildfile is read anew', (t) => {
  const path = buildfile(t, head + zlib + tail);
  const cache = join(tempDir(t), 'deep/cache');
  assert.equal(loadInChild(path, cache), 'zlib@1.3.1');
  assert.equal(loadInChild(path, cache), 'zlib@1.3.1');
  writeTree(dirname(path), { 'Buildfile.ts': (head + zlib + tail).replace('1.3.1', '1.3.2') });
  assert.equal(loadInChild(path, cache), 'zlib@1.3.2');
  assert.ok(readdirSync(cache).length > 0);
});
