import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir, writeTree } from '../support/temp.ts';
import { checkout } from '../support/vbuild.ts';
import { typings, typingsPath } from './typings.ts';

test('typings/vbuild.d.ts is what the sources say; else run: node test/types/typings.ts', () => {
  assert.equal(readFileSync(typingsPath, 'utf8'), typings());
});

/** The imports and packages that every case begins with; `pil` and its options stand on lines of their own. */
const head = `import { autotools, cmake, debian, defineBuild, definePackage, git, make, meson, place, python, s3, steps, tarball } from 'vbuild';
import type { Package } from 'vbuild';
const zlib: Package = definePackage('zlib', { version: '1.3', source: debian('zlib'), recipe: autotools() });
export const used = [autotools, cmake, git, make, meson, place, python, s3, steps, tarball, defineBuild, zlib];
`;
const pil = (options: string): string =>
  `export default definePackage('pil', { version: '11', source: debian('pillow'), recipe: python(), ${options} });\n`;

const cases: Readonly<Record<string, readonly [text: string, expected: RegExp | undefined]>> = {
  'everything right': [
    `${pil(`deps: [zlib], buildDeps: [], tools: ['nasm'], patches: ['a.patch', { file: 'b.patch', strip: 0 }], remove: ['share/doc/**'], strip: false`)}export const build = defineBuild({ packages: [zlib], defaults: [zlib], cache: [s3({ bucket: 'vendor' })] });\n`,
    undefined,
  ],
  'a misspelt dependency': [pil('deps: [zlip]'), /error TS2304: Cannot find name 'zlip'/],
  'a dependency by its name': [
    pil(`deps: ['zlib']`),
    /error TS2322: Type 'string' is not assignable to type 'Package'/,
  ],
  'a misspelt option': [
    pil(`patchs: 'patches/pil'`),
    /error TS2561: .*'patchs' does not exist in type 'PackageOptions'\. Did you mean to write 'patches'\?/,
  ],
  'a misspelt option of a recipe': [
    `export default autotools({ configur: [] });\n`,
    /'configur' does not exist in type 'AutotoolsOptions'/,
  ],
  'an unknown tool': [pil(`tools: ['nasn']`), /error TS2322: Type '"nasn"' is not assignable to type 'ToolName'/],
  'an unknown tool of a recipe': [
    `export default cmake({ tools: ['nasn'] });\n`,
    /'"nasn"' is not assignable to type 'ToolName'/,
  ],
  'a source that is missing': [
    `export default definePackage('pil', { version: '11', recipe: python() });\n`,
    /Property 'source' is missing/,
  ],
  'a source that is a text': [
    `export default definePackage('pil', { version: '11', source: 'pillow', recipe: python() });\n`,
    /Type 'string' is not assignable to type 'SourceSpec'/,
  ],
  'a git source without a rev': [
    `export default git('https://example.org/a.git');\n`,
    /Expected 2 arguments, but got 1/,
  ],
  'a recipe that is not called': [
    `export default definePackage('pil', { version: '11', source: debian('pillow'), recipe: python });\n`,
    /is missing the following properties from type 'Recipe'|not assignable to type 'Recipe'/,
  ],
  'a step of an unknown group': [
    `export default steps([{ group: 'compile', run: ['make'] }]);\n`,
    /Type '"compile"' is not assignable to type 'StepGroup'/,
  ],
  'a package that uses itself': [
    `const own: Package = definePackage('own', { version: '1', source: debian('a'), recipe: make(), deps: [own] });\nexport default own;\n`,
    /used before its declaration|used before being assigned/,
  ],
  'a default by its name': [
    `export default defineBuild({ packages: [zlib], defaults: ['zlib'] });\n`,
    /Type 'string' is not assignable to type 'Package'/,
  ],
  'a misspelt place': [`export default place.prefxi;\n`, /Property 'prefxi' does not exist.*Did you mean 'prefix'\?/],
};

/** What tsc says about each case, in a folder that has no node_modules above it, by the name of the case. */
function findings(folder: string): Map<string, string> {
  const files = Object.entries(cases).map(([name, [text]], at) => ({ name, file: `case${at}.ts`, text: head + text }));
  const compilerOptions = {
    target: 'esnext',
    module: 'preserve',
    moduleDetection: 'force',
    types: [],
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    paths: { vbuild: [typingsPath] },
  };
  writeTree(folder, {
    'tsconfig.json': JSON.stringify({ compilerOptions }),
    ...Object.fromEntries(files.map(({ file, text }) => [file, text])),
  });
  const { stdout } = spawnSync(join(checkout, 'node_modules/.bin/tsc'), ['-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.doesNotMatch(stdout, /^(?!case|\s)./m);
  return new Map(
    files.map(({ name, file }) => [
      name,
      stdout
        .split(/\n(?=\S)/)
        .filter((line) => line.startsWith(`${file}(`))
        .join('\n'),
    ]),
  );
}

test('tsc finds mistakes in a Buildfile from the typings alone, in a folder without node_modules', (t) => {
  const found = findings(tempDir(t, 'types'));
  for (const [name, [, expected]] of Object.entries(cases)) {
    const said = found.get(name) ?? '';
    if (expected === undefined) assert.equal(said, '', name);
    else assert.match(said, expected, name);
  }
});
