import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  currentGeneration,
  generationsFolder,
  generationsOf,
  placeOf,
  recordsOf,
  switchTo,
} from '../../src/install/generations.ts';
import { handChanges } from '../../src/install/installed-files.ts';
import { install, type InstallRequest, KEPT_GENERATIONS, rollBack } from '../../src/install/install.ts';
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
      const members = [member(folder.path, 'one', { a: String(round) })];
      const { number } = await install({ prefix, members, notes, graceMs: 0 });
      assert.equal(number, round);
      assert.equal(readFileSync(join(prefix, 'a'), 'utf8'), String(round));
    }
    const kept = readdirSync(generationsFolder(prefix)).filter((name) => /^\d+$/.test(name));
    assert.deepEqual(kept, ['4', '5', '6', '7']);
    assert.deepEqual(
      readdirSync(generationsFolder(prefix)).sort(),
      [...kept, ...kept.flatMap((name) => [`${name}.files`, `${name}.json`]), 'lock'].sort(),
    );
    const { number } = await install({
      prefix,
      members: [member(folder.path, 'one', { a: 'last' })],
      notes,
      keep: 2,
      graceMs: 0,
    });
    assert.deepEqual(
      generationsOf(prefix).map((one) => one.number),
      [number - 1, number],
    );
  });

  test('install() leaves alone for a minute what readers may have resolved, and for good what a process runs from', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const next = (text: string, graceMs?: number) =>
      install({
        prefix,
        members: [member(folder.path, 'one', { a: text })],
        notes,
        keep: 1,
        ...(graceMs !== undefined && { graceMs }),
      });
    const numbers = (): number[] => generationsOf(prefix).map(({ number }) => number);
    await next('1');
    const user = spawn('sleep', ['600'], { cwd: join(generationsFolder(prefix), '1'), stdio: 'ignore' });
    await once(user, 'spawn');
    try {
      await next('2');
      await next('3');
      assert.deepEqual(numbers(), [1, 2, 3]);
      // What the new one replaces stays as well, to roll back to.
      await next('4', 0);
      assert.deepEqual(numbers(), [1, 3, 4]);
    } finally {
      user.kill();
      await once(user, 'exit');
    }
    await next('5', 0);
    assert.deepEqual(numbers(), [4, 5]);
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
    const torn = member(folder.path, 'one', { a: 'a', b: 'b', c: 'c' });
    rmSync(join(torn.tree, 'c'));
    await assert.rejects(
      install({ prefix, members: [torn], notes }),
      (error) => (error as NodeJS.ErrnoException).code === 'ENOENT',
    );
    assert.equal(readFileSync(join(prefix, 'b'), 'utf8'), 'b');
    assert.deepEqual(readdirSync(generationsFolder(prefix)).sort(), ['1', '1.files', '1.json', 'lock']);
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

  test('a record or a list that hands have spoilt counts as lost, and the next installation writes another one', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const members = [member(folder.path, 'one', { a: '1' })];
    const { recordFile, path } = await install({ prefix, members, notes });
    const spoilt = [
      '{"format":1,"packages":null,"notes":null}',
      '{"format":1,"packages":{"one":null},"notes":{}}',
      '{"format":1,"packages":{"one":{"version":"1","key":"x"}},"notes":{}}',
      '{"format":1,"packages":{},"notes":{"targets":5}}',
      '{"format":1,"packages":[],"notes":{}}',
    ];
    for (const text of spoilt) {
      writeFileSync(recordFile, text);
      assert.equal(currentGeneration(prefix)?.record, undefined, text);
    }
    for (const text of ['{"format":1,"files":[null]}', '{"format":1,"files":[{"path":5,"package":"one@1"}]}']) {
      writeFileSync(`${path}.files`, text);
      assert.equal(handChanges(currentGeneration(prefix) ?? assert.fail()), undefined, text);
    }
    const next = await install({ prefix, members, notes });
    assert.deepEqual([currentGeneration(prefix)?.record, handChanges(next)], [next.record, []]);
  });

  test('a reader that resolves the link once per read sees one whole generation through a thousand switches', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const files = (round: number) =>
      Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`lib/${at}`, `round ${round}`]));
    const next = (round: number) => install({ prefix, members: [member(folder.path, 'one', files(round))], notes });
    await next(0);
    await next(1);
    const program = `import { readFileSync, realpathSync } from 'node:fs';
let looks = 0; const seen = new Set();
process.on('SIGTERM', () => { process.stdout.write(JSON.stringify([looks, seen.size])); process.exit(0); });
(function look() {
  const top = realpathSync(${JSON.stringify(prefix)});
  const texts = new Set(Array.from({ length: 40 }, (_, at) => readFileSync(top + '/lib/' + at, 'utf8')));
  if (texts.size !== 1) throw new Error('mixed: ' + [...texts]);
  for (const text of texts) seen.add(text);
  if ((looks += 1) === 1) process.stdout.write('go');
  setImmediate(look);
})();`;
    const reader = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(reader, 'exit');
    const output: string[] = [];
    reader.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    while (output.length === 0 && reader.exitCode === null) await new Promise((done) => setTimeout(done, 5));
    for (let round = 2; round <= 1000; round += 1) {
      // Most go to and fro between what is there; some bring what is new, and remove what is old.
      if (round % 50 === 0) await next(round);
      else switchTo(prefix, generationsOf(prefix).at(round % 2 === 0 ? -1 : -2)?.number ?? 0);
    }
    reader.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    const [looks = 0, kinds = 0] = JSON.parse(output.join('').slice(2)) as number[];
    assert.ok(looks > 1 && kinds > 1, `${looks} looks, ${kinds} kinds`);
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
    const module = new URL('../../src/install/install.ts', import.meta.url).href;
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

  test('install() shares files of equal bytes with other prefixes, and never spreads what was changed by hand', async () => {
    using folder = temporaryFolder('vbuild-test');
    const [one, two, three] = ['one', 'two', 'three'].map((name) => join(folder.path, name, 'vendor')) as [
      string,
      string,
      string,
    ];
    const content = { 'lib/same': 'the same everywhere', 'lib/place': '/@vbuild-prefix@' };
    const into = (prefix: string, files: Readonly<Record<string, string>>, peers: readonly string[]) =>
      install({ prefix, members: [member(`${prefix}.artifacts`, 'x', files)], notes, peers });
    const blocks = (prefix: string): bigint => statSync(join(prefix, 'lib/same'), { bigint: true }).ino;
    await into(one, content, []);
    await into(two, { ...content, 'lib/other': 'another package version' }, [one]);
    const probe = join(folder.path, 'probe');
    const hasReflinks = spawnSync('cp', ['--reflink=always', join(one, 'lib/same'), probe]).status === 0;
    assert.equal(blocks(one) === blocks(two), !hasReflinks);
    assert.equal(readFileSync(join(two, 'lib/place'), 'utf8'), two);

    chmodSync(join(one, 'lib/same'), 0o644);
    writeFileSync(join(one, 'lib/same'), 'changed by somebody');
    chmodSync(join(one, 'lib/same'), 0o444);
    await into(three, content, [one, two]);
    assert.equal(readFileSync(join(three, 'lib/same'), 'utf8'), content['lib/same']);
    const found = currentGeneration(one);
    assert.deepEqual(found && handChanges(found), [{ path: 'lib/same', what: 'changed', package: 'x@1.0' }]);
  });

  test('install() asks nothing of other prefixes where nobody can look', async () => {
    using folder = temporaryFolder('vbuild-test');
    symlinkSync('circle', join(folder.path, 'circle'));
    const peers = [join(folder.path, 'circle/vendor'), join(folder.path, 'x'.repeat(250))];
    await install({
      prefix: join(folder.path, 'vendor'),
      members: [member(folder.path, 'one', { a: '1' })],
      notes,
      peers,
    });
    assert.deepEqual(peers.map(recordsOf), [[], []]);
  });

  test('what was changed by hand is told when it is replaced, and that generation stays whatever else goes', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const told: unknown[] = [];
    const next = (text: string) =>
      install({
        prefix,
        members: [member(folder.path, 'one', { a: 'a', b: text, 'lib/m.py': 'm' })],
        notes,
        keep: 1,
        graceMs: 0,
        onHandChanges: ({ number }, changes) => told.push([number, changes]),
      });
    const { path } = await next('1');
    mkdirSync(join(path, 'lib/__pycache__'));
    writeFileSync(join(path, 'lib/__pycache__/m.cpython-311.pyc'), 'what Python itself writes');
    await next('2');
    assert.deepEqual(told, []);
    const second = currentGeneration(prefix) ?? assert.fail();
    rmSync(join(second.path, 'a'));
    writeFileSync(join(second.path, 'c'), 'new');
    // A file of its own, as it may be a hard link that the first generation has as well.
    rmSync(join(second.path, 'lib/m.py'));
    writeFileSync(join(second.path, 'lib/m.py'), 'm');
    chmodSync(join(second.path, 'lib/m.py'), 0o777);
    for (const text of ['3', '4', '5']) await next(text);
    const changes = [
      { path: 'a', what: 'missing', package: 'one@1.0' },
      { path: 'c', what: 'added' },
      { path: 'lib/m.py', what: 'mode changed', package: 'one@1.0' },
    ];
    assert.deepEqual(told, [[2, changes]]);
    assert.deepEqual(
      generationsOf(prefix).map(({ number }) => number),
      [2, 4, 5],
    );
    assert.equal(readFileSync(join(second.path, 'c'), 'utf8'), 'new');
  });

  test('what was changed by hand is told when it is rolled back from, or at the latest before it would be removed, and stays', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const told: unknown[] = [];
    const onHandChanges: NonNullable<InstallRequest['onHandChanges']> = ({ number }, changes) =>
      told.push([number, ...changes.map(({ path, what }) => `${path} ${what}`)]);
    const next = (text: string) => {
      const members = [member(folder.path, 'one', { a: text })];
      return install({ prefix, members, notes, keep: 1, graceMs: 0, onHandChanges });
    };
    const edit = (path: string): void => {
      chmodSync(join(path, 'a'), 0o644);
      writeFileSync(join(path, 'a'), `fixed in ${path}`);
      chmodSync(join(path, 'a'), 0o444);
    };
    await next('1');
    const second = await next('2');
    edit(second.path);
    await rollBack(prefix, undefined, { onHandChanges });
    assert.deepEqual(told, [[2, 'a changed']]);
    const third = await next('3');
    await next('4');
    // Nobody looks at it now: it was left as it had been installed.
    edit(third.path);
    for (const text of ['5', '6']) await next(text);
    assert.deepEqual(told, [
      [2, 'a changed'],
      [3, 'a changed'],
    ]);
    assert.deepEqual(
      generationsOf(prefix).map(({ number, record }) => [number, record?.notes['kept']]),
      [
        [2, 'changed by hand'],
        [3, 'changed by hand'],
        [5, undefined],
        [6, undefined],
      ],
    );
    for (const { path } of [second, third]) assert.equal(readFileSync(join(path, 'a'), 'utf8'), `fixed in ${path}`);
  });

  test('rollBack() goes to what the current generation replaced, one further each time, and never back to what was left', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    const next = (text: string) => install({ prefix, members: [member(folder.path, 'one', { a: text })], notes });
    const shown = (): string => readFileSync(join(prefix, 'a'), 'utf8');
    await assert.rejects(rollBack(prefix, undefined), { code: 'not-ready' });
    assert.ok(!existsSync(generationsFolder(prefix)));
    await next('1');
    await assert.rejects(rollBack(prefix, undefined), { code: 'not-ready' });
    for (const text of ['2', '3']) await next(text);
    assert.deepEqual((await rollBack(prefix, undefined)).before, 3);
    assert.equal(shown(), '2');
    await rollBack(prefix, undefined);
    assert.equal(shown(), '1');
    // 4 replaces 1: one back from it is 1, not the newer ones that were given up.
    await next('4');
    await rollBack(prefix, undefined);
    assert.equal(shown(), '1');
    await rollBack(prefix, 3);
    assert.equal(shown(), '3');
    await assert.rejects(rollBack(prefix, 7), { code: 'not-ready', facts: { expected: '7', found: '1, 2, 4' } });
    assert.equal(shown(), '3');
    // Without the link nobody knows what was current: one has to be named.
    rmSync(prefix);
    await assert.rejects(rollBack(prefix, undefined), { code: 'not-ready', mend: /^name one of these with --to/ });
    await rollBack(prefix, 2);
    assert.equal(shown(), '2');
  });

  test('rollBack() refuses a generation whose texts name another place', async () => {
    using folder = temporaryFolder('vbuild-test');
    const prefix = join(folder.path, 'vendor');
    for (const place of [join(realpathSync(folder.path), 'elsewhere/vendor'), placeOf(prefix)])
      await install({ prefix, members: [member(folder.path, 'one', { a: place })], notes: { ...notes, place } });
    await assert.rejects(rollBack(prefix, undefined), { code: 'install-refused' });
    assert.equal(readFileSync(join(prefix, 'a'), 'utf8'), placeOf(prefix));
  });
});
