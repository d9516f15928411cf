import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { currentGeneration, generationsFolder, install, KEPT_GENERATIONS } from '../../src/install/generations.ts';
import type { ManifestFile } from '../../src/artifact/manifest.ts';
import { digestOf } from '../../src/model/digest.ts';
import { VbuildError } from '../../src/model/error.ts';
import type { Member } from '../../src/prefix/assemble.ts';
import { temporaryFolder } from '../../src/system/files.ts';
import { manifestOf, put } from '../artifact/fixtures.ts';

const notes = { installedAt: '2026-01-02T03:04:05.000Z' };

/** An unpacked artifact of text files below `top`. */
function member(top: string, name: string, files: Readonly<Record<string, string>>): Member {
  const tree = join(top, 'artifacts', `${name}-${digestOf(JSON.stringify(files)).slice(0, 8)}`);
  put(tree, files);
  const listed = Object.entries(files).map(
    ([path, text]): ManifestFile => ({
      path,
      type: 'file',
      mode: 0o644,
      sizeBytes: text.length,
      digest: digestOf(text),
      ...(text.includes('/@vbuild-prefix@') && { prefix: { as: 'text' as const } }),
    }),
  );
  return { manifest: manifestOf(name, { files: listed }), tree };
}

describe('install()', () => {
  test('install() makes parent folders, a link and a record, and texts name the link', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'site ü/a/vendor');
    const one = member(folder.path, 'one', { 'lib/pkgconfig/one.txt': 'prefix=/@vbuild-prefix@' });
    assert.equal(currentGeneration(prefix), undefined);
    const generation = await install({ prefix, members: [one], notes });
    assert.equal(readFileSync(join(prefix, 'lib/pkgconfig/one.txt'), 'utf8'), `prefix=${prefix}`);
    assert.equal(readlinkSync(prefix), '.vendor.generations/1');
    assert.deepEqual(generation, currentGeneration(prefix));
    const { version, name } = one.manifest.package;
    assert.deepEqual(generation, {
      number: 1,
      path: join(folder.path, 'site ü/a/.vendor.generations/1'),
      recordFile: join(folder.path, 'site ü/a/.vendor.generations/1.json'),
      record: { format: 1, packages: { [name]: { version, key: one.manifest.key, tree: one.manifest.tree } }, notes },
    });
    assert.deepEqual(readdirSync(prefix), ['lib']);
  });

  test('install() keeps the last few generations, the current one always', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor/');
    for (let round = 1; round <= KEPT_GENERATIONS + 3; round += 1) {
      const { number } = await install({ prefix, members: [member(folder.path, 'one', { a: String(round) })], notes });
      assert.equal(number, round);
      assert.equal(readFileSync(join(prefix, 'a'), 'utf8'), String(round));
    }
    const kept = readdirSync(generationsFolder(prefix)).filter((name) => /^\d+$/.test(name));
    assert.deepEqual(kept, ['4', '5', '6', '7']);
    assert.deepEqual(
      readdirSync(generationsFolder(prefix)).sort(),
      [...kept, ...kept.map((name) => `${name}.json`), 'lock'].sort(),
    );
  });

  const taken: readonly [title: string, make: (prefix: string) => void, found: RegExp][] = [
    ['a real folder', (prefix) => (mkdirSync(prefix), writeFileSync(join(prefix, 'precious'), 'x')), /^a folder$/],
    ['a file', (prefix) => writeFileSync(prefix, 'precious'), /^a file$/],
    ["somebody else's link", (prefix) => symlinkSync('/usr', prefix), /^a link to \/usr$/],
    ['a link into other generations', (prefix) => symlinkSync('.other.generations/1', prefix), /^a link to/],
  ];
  for (const [title, make, found] of taken) {
    test(`install() refuses ${title} in the link's place, and leaves it`, async () => {
      using folder = temporaryFolder('vbuild-test');
      const prefix = join(folder.path, 'vendor');
      make(prefix);
      await assert.rejects(
        install({ prefix, members: [member(folder.path, 'one', { a: 'a' })], notes }),
        (error) =>
          error instanceof VbuildError && error.code === 'install-refused' && found.test(error.facts['found'] ?? ''),
      );
      assert.ok(!existsSync(generationsFolder(prefix)));
      if (title !== "somebody else's link") assert.throws(() => currentGeneration(prefix), VbuildError);
      if (title === 'a real folder') assert.equal(readFileSync(join(prefix, 'precious'), 'utf8'), 'x');
    });
  }

  test('install() leaves the old generation when the new one cannot be assembled', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const one = member(folder.path, 'one', { a: 'a', b: 'b' });
    await install({ prefix, members: [one], notes });
    await assert.rejects(
      install({ prefix, members: [one, member(folder.path, 'two', { a: 'other' })], notes }),
      VbuildError,
    );
    rmSync(join(one.tree, 'b'));
    await assert.rejects(
      install({ prefix, members: [one], notes }),
      (error) => (error as NodeJS.ErrnoException).code === 'ENOENT',
    );
    assert.equal(readFileSync(join(prefix, 'b'), 'utf8'), 'b');
    assert.deepEqual(readdirSync(generationsFolder(prefix)).sort(), ['1', '1.json', 'lock']);
  });

  test('install() makes a new generation where the link or its generation was lost', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const members = [member(folder.path, 'one', { a: 'a' })];
    await install({ prefix, members, notes });
    rmSync(prefix);
    assert.equal(currentGeneration(prefix), undefined);
    assert.equal((await install({ prefix, members, notes })).number, 2);
    rmSync(join(generationsFolder(prefix), '2'), { recursive: true });
    assert.equal(currentGeneration(prefix), undefined);
    assert.equal((await install({ prefix, members, notes })).number, 3);
    rmSync(generationsFolder(prefix), { recursive: true });
    assert.equal((await install({ prefix, members, notes })).number, 4);
    writeFileSync(join(generationsFolder(prefix), '4.json'), 'spoilt');
    assert.equal(currentGeneration(prefix)?.record, undefined);
  });

  test('install() switches in one step: a reader always sees one whole generation', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const files = (round: number) =>
      Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`lib/${at}`, `round ${round}`]));
    await install({ prefix, members: [member(folder.path, 'one', files(0))], notes });
    const run = { finished: false };
    let looks = 0;
    const seen = new Set<string>();
    const reader = (async () => {
      while (!run.finished) {
        const top = realpathSync(prefix);
        const texts = new Set(Array.from({ length: 40 }, (_, at) => readFileSync(join(top, `lib/${at}`), 'utf8')));
        assert.equal(texts.size, 1);
        for (const text of texts) seen.add(text);
        looks += 1;
        await new Promise((done) => setImmediate(done));
      }
    })();
    for (let round = 1; round <= 6; round += 1)
      await install({ prefix, members: [member(folder.path, 'one', files(round))], notes });
    run.finished = true;
    await reader;
    assert.ok(looks > 6 && seen.size > 1);
  });

  test('install() by several at once gives each its generation, one after the other', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const done = await Promise.all(
      [1, 2, 3].map((round) => install({ prefix, members: [member(folder.path, 'one', { a: String(round) })], notes })),
    );
    assert.deepEqual(new Set(done.map(({ number }) => number)), new Set([1, 2, 3]));
  });

  test('install() that is killed at any moment leaves the old or the new generation, whole, and the next one works', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const files = (round: string) => Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`lib/${at}`, round]));
    const [old, fresh] = [member(folder.path, 'one', files('old')), member(folder.path, 'one', files('new'))];
    await install({ prefix, members: [old], notes });
    writeFileSync(join(folder.path, 'request.json'), JSON.stringify({ prefix, members: [fresh], notes }));
    const module = new URL('../../src/install/generations.ts', import.meta.url).href;
    const program = `import { readFileSync } from 'node:fs'; const { install } = await import(${JSON.stringify(module)}); process.stdout.write('go'); await install(JSON.parse(readFileSync(${JSON.stringify(join(folder.path, 'request.json'))}, 'utf8')));`;
    let cut = 0;
    for (const delayMs of [0, 12, 24, 36, 60]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      await new Promise((done) => setTimeout(done, delayMs));
      child.kill('SIGKILL');
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      if (signal === 'SIGKILL') cut += 1;
      const texts = new Set(Array.from({ length: 300 }, (_, at) => readFileSync(join(prefix, `lib/${at}`), 'utf8')));
      assert.equal(texts.size, 1);
    }
    assert.ok(cut > 0, 'no child was killed in time');
    await install({ prefix, members: [fresh], notes });
    assert.equal(readFileSync(join(prefix, 'lib/0'), 'utf8'), 'new');
    assert.ok(readdirSync(generationsFolder(prefix)).every((name) => !name.endsWith('.tmp')));
  });
});
