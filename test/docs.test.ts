import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { stageInputs } from '../src/build/stages.ts';
import { definePackage } from '../src/buildfile/package.ts';
import { commandTable, type OptionRow, optionTable } from '../src/commands/command-table.ts';
import { helpPage } from '../src/commands/help.ts';
import { parseCommandLine } from '../src/commands/options.ts';
import { python } from '../src/compile/python.ts';
import type { ContentKey, Digest } from '../src/model/digest.ts';
import { debian } from '../src/sources/debian.ts';
import { toolNames } from '../src/compile/tools.ts';
import {
  type CodeBlock,
  codeBlocks,
  codesByStatus,
  exportedNames,
  inlineCode,
  pages,
  prose,
  readPage,
  shellCommands,
  withMadeParts,
} from './support/docs.ts';
import { tempDir, writeTree } from './support/temp.ts';
import { checkout, runVbuild } from './support/vbuild.ts';
import { typingsPath } from './types/typings.ts';

const blocks = pages.flatMap((page) => codeBlocks(readPage(page)).map((block) => ({ page, ...block })));
const whole = blocks.filter(({ info }) => info === 'ts');
const fragments = blocks.filter(({ info }) => info === 'ts fragment');
const place = ({ page, line }: CodeBlock & { readonly page: string }): string => `${page}:${line}`;

/** As `vbuild init` writes it, so that what is shown works for who starts with that. */
const compilerOptions = {
  target: 'esnext',
  module: 'preserve',
  moduleDetection: 'force',
  types: [],
  noEmit: true,
  strict: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  exactOptionalPropertyTypes: true,
  paths: { vbuild: [typingsPath] },
};

/** What tsc says about these files in a folder without node_modules. */
function compile(folder: string, files: Readonly<Record<string, string>>, options: object): string {
  writeTree(folder, {
    ...files,
    'tsconfig.json': JSON.stringify({ compilerOptions: { ...compilerOptions, ...options } }),
  });
  const { stdout } = spawnSync(join(checkout, 'node_modules/.bin/tsc'), ['-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  });
  return stdout;
}

test('every Buildfile that the documentation shows is right for tsc, with the typings that init writes', (t) => {
  assert.ok(whole.length >= 3);
  const files = Object.fromEntries(whole.map((block, at) => [`block${at}.ts`, `// ${place(block)}\n${block.text}`]));
  assert.equal(compile(tempDir(t, 'docs'), files, { noUnusedLocals: true }), '');
});

test('every piece of a Buildfile that the documentation shows is right for tsc', (t) => {
  assert.ok(fragments.length >= 5);
  const head = `import { ${exportedNames('value').join(', ')} } from 'vbuild';
import type { Package } from 'vbuild';
declare const zlib: Package;
{
`;
  const files = Object.fromEntries(
    // A constant in a piece may bear the name of something above it.
    fragments.map((block, at) => [`piece${at}.ts`, `// ${place(block)}\n${head}${block.text}}\n`]),
  );
  assert.equal(compile(tempDir(t, 'docs'), files, {}), '');
});

test('vbuild loads every Buildfile that the documentation shows, and the example', async (t) => {
  const folder = tempDir(t, 'docs');
  const names = whole.map((block, at) => ({ file: join(folder, `Buildfile.${at}.ts`), from: place(block) }));
  writeTree(folder, Object.fromEntries(whole.map(({ text }, at) => [`Buildfile.${at}.ts`, text])));
  for (const { file, from } of [...names, { file: join(checkout, 'Buildfile.example.ts'), from: 'the example' }]) {
    const { exitStatus, stdout, stderr } = await runVbuild(['list', '-f', file], {
      cwd: folder,
      home: join(folder, 'home'),
    });
    assert.equal(exitStatus, 0, `${from}: ${stderr}`);
    assert.match(stdout, /^\S+ +\S+ +\S/);
  }
});

test('the first Buildfile of the README has ten lines', () => {
  const [first] = whole;
  assert.equal(first?.page, 'README.md');
  assert.equal(first.text.trimEnd().split('\n').length, 10);
});

/** Every command of vbuild's that the documentation shows, as its arguments. */
const commandLines = pages.flatMap((page) => {
  const markdown = readPage(page);
  const shell = codeBlocks(markdown).flatMap(({ info, text }) => (info === 'sh' ? shellCommands(text) : []));
  const inline = inlineCode(markdown).flatMap((code) => (/\bvbuild /.test(code) ? shellCommands(code) : []));
  return [...shell, ...inline].flatMap(([program, ...args]) => (program === 'vbuild' ? [{ page, args }] : []));
});

test('every command line of vbuild in the documentation is one that it takes', () => {
  assert.ok(commandLines.length >= 20);
  const names: readonly string[] = commandTable.map(({ name }) => name);
  for (const { page, args } of commandLines) {
    // In running text a command may be called by its name alone.
    if (names.includes(args.join(' '))) continue;
    assert.doesNotThrow(() => parseCommandLine(args), `${page}: vbuild ${args.join(' ')}`);
  }
});

test('the README has the one line that does everything, and then a program that uses it', () => {
  const lines = codeBlocks(readPage('README.md')).flatMap(({ info, text }) => (info === 'sh' ? text.split('\n') : []));
  const main = lines.find((line) => line.startsWith('npm ci && npx vbuild pil -f Buildfile.example.ts'));
  assert.match(main ?? '', / --install-tools$/);
  const use = lines.find((line) => line.startsWith('npx vbuild exec -f Buildfile.example.ts -- python3 -c "'));
  assert.match(use ?? '', /from PIL import Image, features/);
});

test('every option that the README names is one of vbuild', () => {
  const known = new Set(
    optionTable.flatMap(({ name, short }: OptionRow) => [`--${name}`, ...(short ? [`-${short}`] : [])]),
  );
  const named = inlineCode(readPage('README.md')).filter((code) => /^--?[a-z][a-z-]*$/.test(code));
  assert.ok(named.length > 5);
  assert.deepEqual(
    named.filter((option) => !known.has(option)),
    [],
  );
});

test('the changelog names every command', () => {
  const named = new Set(inlineCode(readPage('CHANGELOG.md')).map((code) => code.replace(/^vbuild /, '')));
  assert.deepEqual(
    commandTable.map(({ name }) => name).filter((name) => !named.has(name)),
    [],
  );
});

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

test('every link in the documentation leads somewhere', () => {
  for (const page of [...pages, 'CHANGELOG.md']) {
    for (const [, target = ''] of prose(readPage(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : posix.join(dirname(page), path);
      assert.ok(existsSync(join(checkout, file)), `${page}: ${target}`);
      if (anchor === undefined) continue;
      const anchors = [...prose(readPage(file)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
      assert.ok(anchors.includes(anchor), `${page}: ${target}`);
    }
  }
});

test('the exit statuses in the README are those of the help page', () => {
  const [section = ''] = /^## Exit status\n[\s\S]*?(?=^## )/m.exec(readPage('README.md')) ?? [];
  const shown = [...section.matchAll(/^\| (\d+) +\|/gm)].map(([, status]) => status);
  const [helped = ''] = /^EXIT STATUS\n[\s\S]*?(?=^FILES)/m.exec(helpPage()) ?? [];
  assert.ok(codesByStatus().size >= 6);
  assert.deepEqual(
    shown,
    [...helped.matchAll(/^ {2}(\d+) /gm)].map(([, status]) => status),
  );
});

test('the parts of the documentation that are made from the sources are up to date; else run: node test/support/docs.ts', () => {
  for (const page of pages) assert.equal(readPage(page), withMadeParts(readPage(page)), page);
});

test('the reference has a chapter for every function that a Buildfile can import, and a table for every interface of options', () => {
  const text = readPage('docs/buildfile.md');
  const headings = [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
  const chapters = new Map([
    ['definePackage', 'Packages'],
    ['defineBuild', 'The build'],
    ['place', 'Places'],
  ]);
  for (const name of exportedNames('value')) assert.ok(headings.includes(chapters.get(name) ?? name), name);
  const tables = [...text.matchAll(/^<!-- made: options (\w+)/gm)].map(([, name]) => name);
  for (const name of exportedNames('type').filter((one) => /Options$|^(PatchEntry|S3Spec|Step)$/.test(one)))
    assert.ok(tables.includes(name), name);
});

test('the key text in the README has the fields that the table of stages gives to such a package', () => {
  const pil = definePackage('pil', {
    version: '9.4.0',
    source: debian('pillow'),
    recipe: python({ setupCfg: { build_ext: {} } }),
  });
  const digest = 'digest' as Digest;
  const inputs = stageInputs(
    {
      package: pil,
      source: { spec: pil.source, pin: { kind: 'debian' }, tree: digest, series: digest },
      patches: [{ input: { name: '', value: digest }, strip: 1 }],
      dependencies: [{ name: 'zlib', key: 'key' as string as ContentKey }],
      tools: Object.fromEntries(toolNames.map((tool) => [tool, '1'])),
      platform: 'linux',
    },
    'pack',
  );
  // The one step that makes ready has no number here, since there is nothing to set.
  const unnumbered = (name: string): string => name.replace(/^step\.\d+/, 'step');
  const known = new Set(inputs.map(({ name }) => unnumbered(name)));
  const [block] = codeBlocks(readPage('README.md')).filter(({ info }) => info === 'json');
  const names = (block?.text ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as [string, string])[0]);
  assert.ok(names.length >= 10);
  assert.deepEqual(names, [...names].sort());
  assert.deepEqual(
    names.filter((name) => !known.has(unnumbered(name))),
    [],
  );
});

test('make reads the Makefile that docs/from-make.md begins with, and its Buildfile has a package for each of its libraries', (t) => {
  const folder = tempDir(t, 'docs');
  const [makefile] = blocks.filter(({ info }) => info === 'make');
  writeTree(folder, { Makefile: makefile?.text ?? '' });
  assert.equal(execFileSync('make', ['-n', 'clean'], { cwd: folder, encoding: 'utf8' }), 'rm -rf build stamp\n');
  const archives = [...(makefile?.text ?? '').matchAll(/^[A-Z]+ +?= ([\w-]+-\d[\d.]+)$/gm)].map(([, name]) => name);
  const [buildfile] = whole.filter(({ page }) => page === 'docs/from-make.md');
  assert.deepEqual(
    [...(buildfile?.text ?? '').matchAll(/archive\('(.*)'\)/g)].map(([, name]) => name),
    archives,
  );
  assert.equal(archives.length, 4);
});
