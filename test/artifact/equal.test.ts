/** What makes two artifacts equal for those who look for one, and what becomes of a manifest that stands in for another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equalKey, movedBetween, standIn } from '../../src/artifact/equal.ts';
import { parseManifest, serialiseManifest } from '../../src/artifact/manifest-text.ts';
import type { Against } from '../../src/artifact/manifest.ts';
import { contentKey, type Field, keyText } from '../../src/key/fields.ts';
import { digestOf } from '../../src/model/digest.ts';
import { sample } from '../cache/sample.ts';
import { tempDir } from '../support/temp.ts';

const own: readonly Field[] = [
  ['package.name', 'png'],
  ['step.000.build', 'make'],
];
const text = (dependencies: Readonly<Record<string, string>>, fields = own): string =>
  keyText([...fields, ...Object.entries(dependencies).map(([name, key]): Field => [`dependency.${name}`, key])]);
const zlib: Against = { name: 'zlib', tree: digestOf('zlib'), reachesPrefix: true };
const nasm: Against = { name: 'nasm', tree: digestOf('nasm'), reachesPrefix: false };
const base = equalKey(text({ zlib: '1', nasm: '1' }), [nasm, zlib]);

const same: Readonly<Record<string, ReturnType<typeof equalKey>>> = {
  'keys of dependencies': equalKey(text({ zlib: '2', nasm: '3' }), [nasm, zlib]),
  'the order of the trees': equalKey(text({ zlib: '1', nasm: '1' }), [zlib, nasm]),
};
const other: Readonly<Record<string, ReturnType<typeof equalKey>>> = {
  'a field of its own': equalKey(text({ zlib: '1', nasm: '1' }, [...own, ['strip', 'false']]), [nasm, zlib]),
  'another value of one': equalKey(text({ zlib: '1', nasm: '1' }, [own[0] as Field, ['step.000.build', 'ninja']]), [
    nasm,
    zlib,
  ]),
  'the tree of a dependency': equalKey(text({ zlib: '1', nasm: '1' }), [nasm, { ...zlib, tree: digestOf('zlib-ng') }]),
  'the tree of one that only compiling sees': equalKey(text({ zlib: '1', nasm: '1' }), [
    { ...nasm, tree: digestOf('yasm') },
    zlib,
  ]),
  'one more that is seen by way of another': equalKey(text({ zlib: '1', nasm: '1' }), [
    nasm,
    zlib,
    { ...zlib, name: 'deflate' },
  ]),
  'one less': equalKey(text({ zlib: '1' }), [zlib]),
  'whether it is there at run time': equalKey(text({ zlib: '1', nasm: '1' }), [{ ...nasm, reachesPrefix: true }, zlib]),
  'which name has which tree': equalKey(text({ zlib: '1', nasm: '1' }), [
    { ...nasm, tree: zlib.tree },
    { ...zlib, tree: nasm.tree },
  ]),
};

for (const [name, key] of Object.entries(same))
  test(`equalKey() does not count ${name}`, () => assert.equal(key, base));
for (const [name, key] of Object.entries(other)) test(`equalKey() counts ${name}`, () => assert.notEqual(key, base));

test('equalKey() is no content key, and there is none without dependencies', () => {
  assert.notEqual(String(base), String(contentKey(text({ zlib: '1', nasm: '1' }))));
  assert.deepEqual([equalKey(text({}), []), equalKey(text({}), undefined)], [undefined, undefined]);
});

test('equalKey() is none where names clash, as in a manifest that was made up', () => {
  assert.equal(equalKey(text({ zlib: '1' }), [zlib, zlib]), undefined);
  assert.equal(equalKey(text({ zlib: '1' }, [...own, ['tree.zlib', '']]), [zlib]), undefined);
});

test('standIn() gives a whole manifest under the new key, that claims no commit', (t) => {
  const { manifest } = sample(tempDir(t), 'a');
  const source = { pin: { kind: 'tarball' }, tree: digestOf('source') };
  const stated = {
    ...manifest,
    statement: { builder: 'ci', source, revision: { commit: 'c'.repeat(40), clean: true } },
  };
  const now = text({ zlib: 'b'.repeat(64) });
  const dependencies = [{ name: 'zlib', version: '2', key: contentKey('z'), tree: zlib.tree }];
  const stands = standIn(stated, { key: contentKey(now), keyText: now, dependencies, against: [zlib] });
  assert.deepEqual([stands.body, stands.tree, stands.files], [manifest.body, manifest.tree, manifest.files]);
  assert.deepEqual(stands.statement, { builder: 'ci', source });
  assert.deepEqual(parseManifest(Buffer.from(serialiseManifest(stands))), { manifest: stands });
  const broken = { ...stands, against: [{ ...zlib, tree: digestOf('another') }] };
  assert.ok('rejected' in parseManifest(Buffer.from(serialiseManifest(broken))));
});

test('movedBetween() names the direct dependencies whose keys differ', () => {
  assert.deepEqual(movedBetween(text({ zlib: '1', nasm: '1', png: '1' }), text({ zlib: '2', nasm: '1', jpeg: '1' })), [
    'jpeg',
    'zlib',
  ]);
});
