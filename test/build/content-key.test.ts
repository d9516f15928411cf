/** What is in a content key and what is not; the golden key moves only by a commit that says so. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Facts, gatherFacts } from '../../src/build/facts.ts';
import { fullClosure } from '../../src/build/graph.ts';
import { workspaceOf } from '../../src/build/workspace.ts';
import type { Package, PackageOptions } from '../../src/buildfile/package.ts';
import type { Lock } from '../../src/buildfile/pins.ts';
import { make } from '../../src/compile/make.ts';
import { python } from '../../src/compile/python.ts';
import { digestOf } from '../../src/model/digest.ts';
import { tarball } from '../../src/sources/tarball.ts';
import { assertGolden } from '../support/golden.ts';
import { tempDir } from '../support/temp.ts';

const platform = 'linux-x64-glibc debian-12';
const patch = '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n';

interface Change {
  readonly zlib?: Partial<PackageOptions>;
  readonly pil?: Partial<PackageOptions>;
  readonly patch?: string;
  readonly tree?: string;
  readonly tools?: Readonly<Record<string, string>>;
  readonly platform?: string;
}

/** The keys of a package `pil` that depends on `zlib`, in a folder of its own, with one thing changed. */
function keys(t: Parameters<typeof tempDir>[0], change: Change = {}): { zlib: string; pil: string; text: string } {
  const folder = tempDir(t);
  mkdirSync(join(folder, 'patches'));
  writeFileSync(join(folder, 'patches', 'one.patch'), change.patch ?? patch);
  const zlib: Package = {
    name: 'zlib',
    version: '1.3',
    source: tarball('https://example.org/zlib-1.3.tar.gz'),
    patches: 'patches',
    recipe: make({ variables: { PREFIX: '@prefix@' } }),
    remove: ['lib/*.a'],
    ...change.zlib,
  };
  const pil: Package = {
    name: 'pil',
    version: '11.0',
    source: tarball('https://example.org/pil-11.0.tar.gz'),
    deps: [zlib],
    recipe: python(),
    ...change.pil,
  };
  const pin = { kind: 'tarball', files: [{ name: 'a.tar.gz', digest: digestOf('archive'), sizeBytes: 7 }] };
  const locked = (one: Package, tree: string) => ({ spec: one.source, pin, tree: digestOf(tree) });
  const every = new Set([...zlib.recipe.tools, ...pil.recipe.tools, ...(pil.tools ?? [])]);
  const versions = Object.fromEntries([...every].map((tool) => [tool, change.tools?.[tool] ?? `${tool} 1.0`]));
  const here = change.platform ?? platform;
  const lock: Lock = {
    sources: { 'zlib@1.3': locked(zlib, change.tree ?? 'zlib'), 'pil@11.0': locked(pil, 'pil') },
    tools: { [here]: versions },
  };
  const workspace = workspaceOf(join(folder, 'Buildfile.ts'), undefined, join(folder, 'cache'));
  const { known }: Facts = gatherFacts(fullClosure([pil]), { lock, platform: here, workspace });
  return { zlib: known.get(zlib)?.key ?? '', pil: known.get(pil)?.key ?? '', text: known.get(pil)?.keyText ?? '' };
}

test('the key text is what it was, line by line', (t) => {
  assertGolden('key/pil.txt', keys(t).text);
});

test('keys do not depend on the folder, nor on where the source comes from', (t) => {
  const one = keys(t);
  assert.match(one.pil, /^[0-9a-f]{64}$/);
  assert.deepEqual(keys(t), one);
  assert.deepEqual(keys(t, { zlib: { source: tarball(['https://mirror.example.org/z.tar.xz', 'z.tar.gz']) } }), one);
});

const changes: readonly (readonly [what: string, change: Change])[] = [
  ['the source tree', { tree: 'another' }],
  ['a byte of a patch', { patch: patch.replace('+2', '+3') }],
  ['the strip level of a patch', { zlib: { patches: [{ file: 'patches/one.patch', strip: 0 }] } }],
  ['no patch', { zlib: { patches: [] } }],
  ['a step', { zlib: { recipe: make({ variables: { PREFIX: '@prefix@' }, targets: ['shared'] }) } }],
  [
    'a variable of the environment',
    { zlib: { recipe: make({ variables: { PREFIX: '@prefix@' }, env: { CFLAGS: '-O3' } }) } },
  ],
  ['what is removed', { zlib: { remove: [] } }],
  ['stripping', { zlib: { strip: false } }],
  ['a library of the host', { zlib: { hostLibraries: ['libX11.so.6'] } }],
  ['the version of the compiler', { tools: { cc: 'gcc 13.1.0' } }],
  ['the platform', { platform: 'linux-x64-glibc debian-13' }],
];

for (const [what, change] of changes) {
  test(`${what} moves the key of its package and of what depends on it`, (t) => {
    const [before, after] = [keys(t), keys(t, change)];
    assert.notEqual(after.zlib, before.zlib);
    assert.notEqual(after.pil, before.pil);
  });
}

test('the version of python3 moves only the keys of packages that declare it', (t) => {
  const [before, after] = [keys(t), keys(t, { tools: { python3: 'cpython 3.12 cpython-312' } })];
  assert.equal(after.zlib, before.zlib);
  assert.notEqual(after.pil, before.pil);
});
