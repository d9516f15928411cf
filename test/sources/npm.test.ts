import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { VbuildError } from '../../src/model/error.ts';
import { npm, npmKind, type NpmSpec } from '../../src/sources/npm.ts';
import { exists, walk } from '../../src/system/files.ts';
import { npmRegistry } from '../support/npm-registry.ts';
import { tempDir } from '../support/temp.ts';
import { fetchTarget, sourceContext, twoContexts, upstreamTarball } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

async function setting(t: TestContext, token?: string) {
  const top = tempDir(t);
  const registry = await npmRegistry(t, token);
  registry.configure(top);
  const tarballOf = (text: string): Buffer => {
    const manifest = {
      name: 'up',
      version: '1.0.0',
      scripts: { prepack: `touch ${top}/ran`, install: `touch ${top}/ran` },
    };
    return readFileSync(
      upstreamTarball(join(top, text), { 'index.js': text, 'package.json': JSON.stringify(manifest) }),
    );
  };
  const tarball = tarballOf('one');
  registry.publish([{ name: 'up', version: '1.0.0', tarball }]);
  return { top, registry, tarball, tarballOf, context: sourceContext(top) };
}

const spec = npm('up', '1.0.0');
const rows: readonly (readonly [title: string, spec: NpmSpec, problem: RegExp | undefined])[] = [
  ['a package', npm('left-pad', '1.3.0'), undefined],
  ['a package of a scope, in a pre-release', npm('@types/node', '1.0.0-rc.1+x'), undefined],
  ['an option in place of a name', npm('--registry', '1.0.0'), /name must/],
  ['a folder in place of a name', npm('../up', '1.0.0'), /name must/],
  ['a URL in place of a name', npm('https://example.org/x', '1.0.0'), /name must/],
  ['a range', npm('up', '^1.0.0'), /exact version/],
  ['a tag', npm('up', 'latest'), /exact version/],
  ['a place in place of a version', npm('up', 'file:../x'), /exact version/],
];

for (const [title, row, problem] of rows)
  test(`npm() ${problem ? 'refuses' : 'accepts'} ${title}`, () => {
    const found = npmKind.problems(row);
    if (problem === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('; '), problem);
  });

test('npm() fetches once what two projects want at the same time', async (t) => {
  const { context, top, registry } = await setting(t);
  const [one, two] = await Promise.all(twoContexts(top, context).map((each) => npmKind.resolve(spec, each)));
  assert.deepEqual(one, two);
  assert.equal(registry.seen.filter(({ path }) => path.endsWith('.tgz')).length, 1);
});

test('npm() pins version, integrity and digest, takes the top folder away, and runs no script', async (t) => {
  const { context, top, tarball } = await setting(t);
  const pin = await npmKind.resolve(spec, context);
  assert.deepEqual(pin.files, [{ name: 'up-1.0.0.tgz', digest: digestOf(tarball), sizeBytes: tarball.length }]);
  assert.equal(pin.version, '1.0.0');
  assert.match(String(pin['integrity']), /^sha512-[A-Za-z0-9+/]{86}==$/);
  const target = fetchTarget(top);
  await npmKind.fetch(spec, pin, target, context);
  assert.deepEqual(names(target.tree), ['index.js', 'package.json']);
  assert.equal(exists(join(top, 'ran')), false);
});

test('npm() takes a package that the registry states a SHA-1 of only', async (t) => {
  const { context, registry, tarball } = await setting(t);
  registry.publish([{ name: 'up', version: '1.0.0', tarball, integrity: null }]);
  assert.match(String((await npmKind.resolve(spec, context))['integrity']), /^sha1-/);
});

test('npm() refuses bytes that are not those that the registry states', async (t) => {
  const { context, registry, tarball } = await setting(t);
  registry.publish([{ name: 'up', version: '1.0.0', tarball, integrity: `sha512-${'A'.repeat(86)}==` }]);
  await assert.rejects(npmKind.resolve(spec, context), { code: 'pin-mismatch' });
});

test('npm() refuses another tarball under the pinned version, and names both', async (t) => {
  const { context, registry, tarballOf, top } = await setting(t);
  const pin = await npmKind.resolve(spec, context);
  registry.publish([{ name: 'up', version: '1.0.0', tarball: tarballOf('two') }]);
  await assert.rejects(
    npmKind.fetch(spec, pin, fetchTarget(top), sourceContext(join(top, 'other'), { buildfileFolder: top })),
    (error: VbuildError) => {
      assert.equal(error.code, 'pin-mismatch');
      assert.equal(error.facts['expected'], pin['integrity']);
      assert.match(error.facts['found'] ?? '', /^sha512-/);
      return true;
    },
  );
});

test('npm() names a package and a version that the registry does not have', async (t) => {
  const { context } = await setting(t);
  for (const absent of [npm('up', '9.9.9'), npm('nix', '1.0.0')])
    await assert.rejects(npmKind.resolve(absent, context), (error: VbuildError) => {
      assert.equal(error.code, 'source-missing');
      assert.equal(error.facts['package'], `${absent.name}@${absent.version}`);
      return true;
    });
});

test('npm() logs in as npm’s own configuration says, and says how where it does not', async (t) => {
  const { context, registry, top } = await setting(t, 'tok3n');
  await assert.rejects(npmKind.resolve(spec, context), (error: VbuildError) => {
    assert.equal(error.code, 'npm-failed');
    assert.match(error.mend, /npm login/);
    return true;
  });
  registry.configure(top, 'tok3n');
  assert.equal((await npmKind.resolve(spec, context)).version, '1.0.0');
});

test('npm() names the package that has npm where there is none', async (t) => {
  const { context, top } = await setting(t);
  await assert.rejects(npmKind.resolve(spec, { ...context, environment: { PATH: top } }), (error: VbuildError) => {
    assert.equal(error.code, 'tool-missing');
    assert.match(error.mend, /apt-get install npm/);
    return true;
  });
});

test('npm() brings a real package from the registry that this machine is set up for', async (t) => {
  const top = tempDir(t);
  const context = sourceContext(top, { environment: process.env });
  const real = npm('is-number', '7.0.0');
  const pin = await npmKind.resolve(real, context);
  const target = fetchTarget(top);
  await npmKind.fetch(real, pin, target, context);
  const said = execFileSync(process.execPath, ['--print', `require(${JSON.stringify(target.tree)})('12')`], {
    encoding: 'utf8',
  });
  assert.equal(said.trim(), 'true');
});
