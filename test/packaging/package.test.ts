/** The package that `npm pack` makes: its content, what the checkers of packages say about it, and that it works where npm installs it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { codeBlocks, readPage } from '../support/docs.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { checkout } from '../support/vbuild.ts';
import { tryOut } from './try-out.ts';

const folder = tempDir({ after }, 'package');
const npm = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const [packed] = JSON.parse(npm(checkout, 'pack', '--json', '--pack-destination', folder)) as {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}[];
const archive = join(folder, packed?.filename ?? '');
const bytes = new Uint8Array(readFileSync(archive));

test('it holds the compiled sources, the command, the declarations and the documentation, and nothing else', () => {
  const compiled = globSync('**/*.ts', { cwd: join(checkout, 'src') }).map(
    (path) => `dist/${path.replace(/ts$/, 'js')}`,
  );
  const others = [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin/start.mjs',
    'bin/vbuild',
    'package.json',
    'typings/vbuild.d.ts',
  ];
  const pages = globSync(['{deploy,docs}/**/*.*', 'schemas/*.json'], { cwd: checkout });
  assert.deepEqual(packed?.files.map(({ path }) => path).sort(), [...compiled, ...others, ...pages].sort());
});

test('publint has nothing to say about it', async () => {
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  assert.equal(pkg?.['name'], 'vbuild');
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  );
});

test('every way to resolve it that knows ES modules finds declarations that fit what is run', async () => {
  const analysis = await checkPackage(createPackageFromTarballData(bytes));
  assert.ok(analysis.types);
  const own = analysis.problems.filter(
    (problem) => !('resolutionKind' in problem && /^node10$|^node16-cjs$/.test(problem.resolutionKind)),
  );
  assert.deepEqual(own, []);
});

test('npm installs it, and there it works', async (t) => {
  const project = join(folder, 'project');
  writeTree(project, { 'package.json': '{ "private": true, "type": "module" }' });
  npm(project, 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', archive);
  await tryOut(t, join(project, 'node_modules/.bin/vbuild'));

  await t.test('tsc checks a Buildfile against it', () => {
    const found = (text: string): string => {
      writeTree(project, { 'Buildfile.ts': text });
      const options = ['--strict', '--noEmit', '--module', 'nodenext', '--types', '', '--allowImportingTsExtensions'];
      try {
        return execFileSync(join(checkout, 'node_modules/.bin/tsc'), ['--ignoreConfig', ...options, 'Buildfile.ts'], {
          cwd: project,
          encoding: 'utf8',
        });
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    const text = codeBlocks(readPage('README.md')).find(({ info }) => info === 'ts')?.text ?? '';
    assert.equal(found(text), '');
    assert.match(found(text.replace('deps: [zlib', 'deps: [zlip')), /error TS2304: Cannot find name 'zlip'/);
    assert.match(found(text.replace('deps:', 'depps:')), /'depps' does not exist in type 'PackageOptions'/);
  });
});
