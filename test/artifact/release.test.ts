/** Releases are read as if they came from an enemy. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRelease, type Release, type ReleasedPackage, releaseText } from '../../src/artifact/release.ts';
import { contentKey, keyText } from '../../src/key/fields.ts';
import { digestOf } from '../../src/model/digest.ts';

function released(name: string, version = '1'): ReleasedPackage {
  const text = keyText([
    ['package.name', name],
    ['package.version', version],
  ]);
  return {
    name,
    version,
    key: contentKey(text),
    keyText: text,
    tree: digestOf('tree'),
    body: { digest: digestOf('body'), sizeBytes: 1, unpackedBytes: 2 },
    pin: { kind: 'tarball' },
    patches: [],
  };
}

const leaf = released('leaf');
const { name, version, key, tree } = leaf;
const branch: ReleasedPackage = {
  ...released('branch'),
  standing: { dependencies: [{ name, version, key, tree }], against: [{ name, tree, reachesPrefix: true }] },
};
const sample: Release = {
  format: 1,
  name: 'shop-1',
  createdAt: '2026-01-02T03:04:05.000Z',
  platform: 'linux-x64-glibc debian-12',
  targets: ['branch@1'],
  cache: [{ kind: 'directory', path: '/srv/cache' }],
  packages: [leaf, branch],
};

const rejection = (data: unknown): string => {
  const parsed = parseRelease(Buffer.from(JSON.stringify(data)));
  return 'rejected' in parsed ? parsed.rejected : assert.fail('it was taken');
};

test('parseRelease() gives back what releaseText() wrote', () => {
  assert.deepEqual(parseRelease(Buffer.from(releaseText(sample))), { release: sample });
});

describe('parseRelease() rejects', () => {
  const having = (packages: readonly unknown[]) => ({ ...sample, packages });
  const text = 'not the fields of a key';
  const rows: readonly [title: string, data: unknown, reason: RegExp][] = [
    ['what is no object', null, /received null/],
    ['another format', { ...sample, format: 2 }, /at format/],
    ['an unknown field', { ...sample, extra: 1 }, /extra/],
    ['a name that leads elsewhere', { ...sample, name: '../shop' }, /at name/],
    ['nothing to install', having([]), /at packages/],
    ['a package that is there twice', having([leaf, branch, leaf]), /a package is there twice/],
    ['a target that is not there', { ...sample, targets: ['lone@1'] }, /a target is not among the packages/],
    ['a target of another version', { ...sample, targets: ['branch@2'] }, /a target is not among the packages/],
    ['a key text that is none', having([{ ...leaf, keyText: text, key: digestOf(text) }, branch]), /0\.keyText/],
    ['a key of another text', having([{ ...leaf, key: branch.key }, branch]), /not the SHA-256 of the key text/],
    ['the key of another package', having([{ ...leaf, name: 'other' }, branch]), /key is that of another package/],
    ['the key of another version', having([{ ...leaf, version: '2' }, branch]), /key is that of another package/],
    [
      'a dependency that nothing was compiled against',
      having([leaf, { ...branch, standing: { ...branch.standing, dependencies: [{ ...leaf, tree: digestOf('x') }] } }]),
      /standing/,
    ],
  ];
  for (const [title, data, reason] of rows)
    test(`parseRelease() rejects ${title}`, () => assert.match(rejection(data), reason));
});
