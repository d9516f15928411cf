/** What a start costs: only what is needed is loaded, so that asking is as quick as an empty program. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { insistOnSuccess } from './support/events.ts';
import { runAndListLoads } from './support/loads.ts';
import { removeTree, tempDir } from './support/temp.ts';
import { tinyChain, tinyProject } from './support/tiny.ts';

const lines: readonly (readonly string[])[] = [['--help'], ['help', 'exec'], ['--version'], ['--jbos']];

for (const line of lines) {
  test(`vbuild ${line.join(' ')} loads no package and nothing that builds`, async (t) => {
    const home = join(tempDir(t), 'home');
    const { exitStatus, stderr, sources, packages } = await runAndListLoads(line, { cwd: tempDir(t), home });
    assert.equal(exitStatus, line[0] === '--jbos' ? 2 : 0, stderr);
    assert.ok(sources.includes('cli.ts'), sources.join(' '));
    assert.deepEqual(packages, []);
    assert.deepEqual(
      sources.filter((path) => /^(build|sources|patches|compile|cache|install|artifact|prefix)\//.test(path)),
      [],
    );
  });
}

test('a run with nothing to do loads no package and nothing that builds, and the next one only what remembers that', async (t) => {
  const { path, home, ...site } = tinyProject(tempDir(t), tinyChain);
  insistOnSuccess(await site.build());
  // What has just changed is not remembered.
  await sleep(2100);
  const loadsOf = async (): Promise<readonly string[]> => {
    const { exitStatus, stderr, sources, packages } = await runAndListLoads([], { cwd: path, home });
    assert.equal(exitStatus, 0);
    assert.match(stderr, /nothing to do\n$/);
    assert.deepEqual(packages, []);
    return sources;
  };
  const longWay = await loadsOf();
  assert.ok(longWay.includes('build/request.ts'), longWay.join(' '));
  assert.deepEqual(
    longWay.filter((source) =>
      /executor|-stage|patches\/apply|run-steps|system\/(archive|download|process|git|s3|http|lock)\.ts/.test(source),
    ),
    [],
  );
  assert.ok(existsSync(join(home, '.cache/vbuild/quick')));
  assert.deepEqual([...(await loadsOf())].sort(), ['cli.ts', 'model/cache-place.ts', 'system/quick.ts']);
});

test('a run that finds all in the cache loads no package but the one that judges manifests, and nothing that compiles or packs', async (t) => {
  const { path, home, ...site } = tinyProject(tempDir(t), tinyChain);
  insistOnSuccess(await site.build());
  for (const made of ['.vbuild', 'vendor', '.vendor.generations']) removeTree(join(path, made));
  const { exitStatus, stderr, sources, packages } = await runAndListLoads([], { cwd: path, home });
  assert.equal(exitStatus, 0, stderr);
  assert.match(stderr, /restored/);
  assert.deepEqual(packages, ['valibot']);
  const making = /make-packages|(patch|compile)-stage|patches\/apply|run-steps|artifact\/(pack|relocate|strip)\.ts/;
  assert.deepEqual(
    sources.filter((source) => making.test(source)),
    [],
  );
});
