/** The shape of the code, held as data: who may import whom, where each outside package and each part of the machine comes in. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { checkout } from './support/vbuild.ts';

/** Every import points to a row further down; members of one row never import one another. */
const rows: readonly (readonly string[])[] = [
  ['cli', 'index'],
  ['commands'],
  ['report', 'build'],
  ['buildfile'],
  ['sources', 'patches', 'compile', 'cache', 'stamps', 'install'],
  ['prefix'],
  ['artifact'],
  ['key', 'system'],
  ['model'],
];

/** The only files that may import a package; a folder ends with `/`. A package that is not here may not be imported. */
const doors: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['system/s3.ts', 'system/s3-parts.ts', 'system/s3-rights.ts'],
  diff: ['patches/'],
  execa: ['system/process.ts'],
  'fast-glob': ['system/files.ts', 'system/glob.ts'],
  'simple-git': ['system/git.ts'],
  tar: ['system/archive.ts', 'system/tar-stream.ts'],
  valibot: ['artifact/checked.ts', 'artifact/manifest-text.ts', 'artifact/release.ts', 'buildfile/'],
  yauzl: ['system/zip.ts'],
};

/** Where the outside world comes in. */
const outside = /^node:(fs|fs\/promises|child_process|net|http|https|http2|tls|dns|dgram|cluster|worker_threads)$/;

/** Words that only some files may say, comments aside. */
const words: readonly (readonly [word: RegExp, files: readonly string[], why: string])[] = [
  [/\bconsole\s*\./, [], 'words for people go through report/'],
  [
    /\bprocess\.(env|argv)\b/,
    ['cli.ts', 'system/environment-reads.ts', 'system/other-caller.ts'],
    'only the entry point reads the environment and the arguments',
  ],
  [/\bprocess\.(exit|exitCode)\b/, ['cli.ts', 'commands/main.ts'], 'only the entry point ends the process'],
  [/\bprocess\.(stdout|stderr|stdin)\b/, ['cli.ts'], 'streams are handed down from the entry point'],
  [/\bfetch\(['"`]/, ['system/'], 'the network is reached in system/'],
  [/\blocaleCompare\b/, [], 'the locale of the machine must decide nothing'],
];

const longest = 300;

interface SourceFile {
  /** Relative to `src`. */
  readonly path: string;
  readonly text: string;
  /** The lines with those blanked that are comments. */
  readonly code: readonly string[];
}

const files: readonly SourceFile[] = globSync('**/*.ts', { cwd: join(checkout, 'src') })
  .sort()
  .map((path) => {
    const text = readFileSync(join(checkout, 'src', path), 'utf8');
    return { path, text, code: text.split('\n').map((line) => (/^\s*(\/\/|\/\*|\*)/.test(line) ? '' : line)) };
  });

test('there are source files to look at', () => {
  assert.ok(files.length > 20, `${files.length} files`);
});

test('every import points down: to a lower row, or into its own folder', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file).flatMap(({ line, specifier }) => {
      if (!specifier.startsWith('.')) return [];
      const target = posix.normalize(posix.join(posix.dirname(file.path), specifier));
      const [from, to] = [folderOf(file.path), folderOf(target)];
      if (target.startsWith('..')) return [`src/${file.path}:${line} leaves src: ${specifier}`];
      if (from === to || rowOf(from) < rowOf(to)) return [];
      return [`src/${file.path}:${line} ${from} may not import ${to}: ${specifier}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

test('every folder of src has its row', () => {
  const homeless = new Set(files.map(({ path }) => folderOf(path)).filter((folder) => rowOf(folder) < 0));
  assert.deepEqual([...homeless], []);
});

test('every relative import names its file with the extension', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file).flatMap(({ line, specifier }) =>
      specifier.startsWith('.') && !specifier.endsWith('.ts') ? [`src/${file.path}:${line} ${specifier}`] : [],
    ),
  );
  assert.deepEqual(wrong, []);
});

test('every package has one door, and the machine is reached in system/ only', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file).flatMap(({ line, specifier }) => {
      if (specifier.startsWith('.') || specifier === 'vbuild') return [];
      if (specifier.startsWith('node:')) {
        return outside.test(specifier) && !within(file.path, ['system/'])
          ? [`src/${file.path}:${line} imports ${specifier} outside system/`]
          : [];
      }
      const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
      const allowed = doors[name];
      if (allowed === undefined) return [`src/${file.path}:${line} imports ${name}, which has no door`];
      return within(file.path, allowed)
        ? []
        : [`src/${file.path}:${line} imports ${name}, whose door is ${allowed.join(' or ')}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

test('every dependency of package.json has a door, and every door a dependency', () => {
  const { dependencies } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { dependencies: object };
  assert.deepEqual(Object.keys(doors).sort(), Object.keys(dependencies).sort());
});

for (const [word, allowed, why] of words) {
  test(`${word.source} stands in ${allowed.join(', ') || 'no file'} of src: ${why}`, () => {
    const wrong = files.flatMap((file) =>
      within(file.path, allowed)
        ? []
        : file.code.flatMap((line, index) => (word.test(line) ? [`src/${file.path}:${index + 1} ${line.trim()}`] : [])),
    );
    assert.deepEqual(wrong, []);
  });
}

test('every source file opens with a sentence that says what it is for', () => {
  const wrong = files.filter(({ text }) => !/^\/\*\*\s+\S/.test(text)).map(({ path }) => `src/${path}`);
  assert.deepEqual(wrong, []);
});

test(`no source file is longer than ${longest} lines`, () => {
  const wrong = files
    .filter(({ code }) => code.length - 1 > longest)
    .map(({ path, code }) => `src/${path}: ${code.length - 1} lines`);
  assert.deepEqual(wrong, []);
});

test('no file mentions the machine it was written on', () => {
  const wrong = globSync(['{src,test,bench,bin,deploy,docs,packaging,.ci}/**/*', '*.md', '*.ts'], {
    cwd: checkout,
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) =>
      new RegExp(['(?<![\\w.])/wo', 'rk/|\\.\\./sha', 'red/'].join('')).test(readFileSync(path, 'latin1')),
    );
  assert.deepEqual(wrong, []);
});

interface Import {
  /** 1-based. */
  readonly line: number;
  readonly specifier: string;
}

/** Static, type and dynamic imports, and re-exports; found by their text, which comments cannot fake. */
function importsOf({ code }: SourceFile): readonly Import[] {
  const text = code.join('\n');
  const forms =
    /(?:^|[\n;])\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(forms)].map((match) => ({
    line: text.slice(0, match.index + match[0].length).split('\n').length,
    specifier: match[1] ?? match[2] ?? match[3] ?? '',
  }));
}

/** The folder of a path below `src`; for a file in `src` itself its own name. */
function folderOf(path: string): string {
  const [first = '', ...below] = path.split('/');
  return below.length > 0 ? first : first.replace(/\.ts$/, '');
}

function rowOf(folder: string): number {
  return rows.findIndex((row) => row.includes(folder));
}

function within(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}
