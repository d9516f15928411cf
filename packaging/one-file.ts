/**
 * `npm run build:sea [-- FOLDER]`: makes `vbuild`, one executable file for machines without Node, and beside it the licences of all that is
 * in it; in FOLDER, `dist-sea` when not given. The program is a copy of the Node that runs this, with vbuild put into it.
 *
 * @see The Node.js manual, "Single executable applications".
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const checkout = join(import.meta.dirname, '..');
/** The mark in every Node by which it knows whether there is a program in it. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const folder = resolve(process.argv[2] ?? join(checkout, 'dist-sea'));
const work = mkdtempSync(join(tmpdir(), 'one-file-'));
try {
  const bundledFiles = await bundle(join(work, 'dist'));
  const program = embed(work);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'LICENSES'), licences(bundledFiles));
  // The file that has this name now may be running, and is not written into.
  const aside = join(folder, `.vbuild.${process.pid}`);
  copyFileSync(program, aside);
  renameSync(aside, join(folder, 'vbuild'));
} finally {
  rmSync(work, { recursive: true });
}

/**
 * Writes all code into a folder: what is loaded on its own stays a file of its own. The files lie as deep as those of the sources, because
 * some are found from others.
 *
 * @returns The files that went into it; absolute.
 */
async function bundle(into: string): Promise<readonly string[]> {
  const entries = ['cli', 'index'].map((name) => [name, join(checkout, `src/${name}.ts`)] as const);
  await using all = await rolldown({ input: Object.fromEntries(entries), platform: 'node', cwd: checkout });
  const { output } = await all.write({ dir: into, format: 'esm', chunkFileNames: 'parts/[name]-[hash].js' });
  return output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
}

/** @returns The program, in the same folder. */
function embed(inFolder: string): string {
  const [program, blob, config] = ['vbuild', 'blob', 'sea.json'].map((name) => join(inFolder, name)) as [
    string,
    string,
    string,
  ];
  const bundled = globSync('dist/**/*.js', { cwd: inFolder }).sort();
  const assets = {
    ...Object.fromEntries(bundled.map((file) => [file, join(inFolder, file)])),
    ...Object.fromEntries(['bin/start.mjs', 'typings/vbuild.d.ts'].map((file) => [file, join(checkout, file)])),
  };
  const settings = {
    main: join(import.meta.dirname, 'one-file-main.cjs'),
    output: blob,
    disableExperimentalSEAWarning: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    assets,
  };
  writeFileSync(config, JSON.stringify(settings));
  const node = (...args: readonly string[]): void => void execFileSync(process.execPath, args, { stdio: 'pipe' });
  node('--experimental-sea-config', config);
  copyFileSync(process.execPath, program);
  node(join(checkout, 'node_modules/postject/dist/cli.js'), program, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse);
  return program;
}

/** One text with the licence of vbuild, of Node, and of every package of which something was bundled. */
function licences(bundledFiles: readonly string[]): string {
  const packages = bundledFiles.flatMap((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  const tops = [checkout, dirname(dirname(process.execPath)), ...new Set(packages.sort())];
  return tops.map(licence).join('\n');
}

function licence(top: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  const texts = readdirSync(top).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const head = `${name} ${version} (${license})\n`;
  return [
    `${'='.repeat(head.length - 1)}\n${head}`,
    ...texts.map((file) => readFileSync(join(top, file), 'utf8')),
  ].join('\n');
}
