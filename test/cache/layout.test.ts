/** Names in a cache, the folder of the one on disk, and the mistakes that a bucket's description can hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, blobObject, cacheFolder, manifestObject } from '../../src/cache/layout.ts';
import { s3, s3Problems } from '../../src/cache/s3-spec.ts';
import { type ContentKey, digestOf } from '../../src/model/digest.ts';
import { blobStore } from '../../src/system/blob-store.ts';

const digest = digestOf('x');
const key = digest as string as ContentKey;

test('objects are named by package, key and digest', () => {
  assert.equal(manifestObject('libjpeg-turbo', key), `v1/artifacts/libjpeg-turbo/${digest}/unsigned.json`);
  assert.equal(blobObject(digest), `v1/blobs/sha256/2d/${digest}`);
  assert.equal(below('team', 'v1/x'), 'team/v1/x');
  assert.equal(below(undefined, 'v1/x'), 'v1/x');
});

test('a blob has the same name in a bucket and on disk', () => {
  assert.equal(`/cache/${blobObject(digest)}`, blobStore('/cache/v1/blobs').pathOf(digest));
});

test('a name that would leave its folder is never made into an object name', () => {
  for (const name of ['', '.', '..', '../x', 'a/b', '.hidden', 'a\\b', 'a\nb'])
    assert.throws(() => manifestObject(name, key), Error, name);
});

const folders: readonly { readonly env: Readonly<Record<string, string>>; readonly expected: string | undefined }[] = [
  { env: { VBUILD_CACHE: '/v', XDG_CACHE_HOME: '/x', HOME: '/h' }, expected: '/v' },
  { env: { XDG_CACHE_HOME: '/x', HOME: '/h' }, expected: '/x/vbuild' },
  { env: { XDG_CACHE_HOME: 'relative', HOME: '/h' }, expected: '/h/.cache/vbuild' },
  { env: { VBUILD_CACHE: '', XDG_CACHE_HOME: '', HOME: '/h' }, expected: '/h/.cache/vbuild' },
  { env: { VBUILD_CACHE: 'relative', HOME: '/h' }, expected: undefined },
  { env: {}, expected: undefined },
];
for (const { env, expected } of folders) {
  test(`cacheFolder(${JSON.stringify(env)}) is ${expected ?? 'an error'}`, () => {
    if (expected === undefined) assert.throws(() => cacheFolder(env), { code: 'usage' });
    else assert.equal(cacheFolder(env), expected);
  });
}

const good: readonly unknown[] = [
  s3({ bucket: 'vendor' }),
  s3({
    bucket: 'my.vendor-1',
    prefix: 'a/b c/ü',
    region: 'eu-central-1',
    endpoint: 'https://s3.example.org:9000/base',
  }),
  s3({ bucket: 'vendor', endpoint: 'http://127.0.0.1:9000' }),
];
for (const spec of good)
  test(`s3Problems() finds nothing in ${JSON.stringify(spec)}`, () => assert.deepEqual(s3Problems(spec), []));

const bad: readonly { readonly spec: unknown; readonly names: readonly string[] }[] = [
  { spec: undefined, names: ['a cache tier'] },
  { spec: 'vendor', names: ['a cache tier'] },
  { spec: { kind: 's3' }, names: ['bucket'] },
  { spec: { kind: 's3', bucket: 'Vendor' }, names: ['bucket'] },
  { spec: { kind: 's3', bucket: 'ab' }, names: ['bucket'] },
  { spec: { kind: 's3', bucket: 'a..b' }, names: ['bucket'] },
  { spec: { kind: 's3', bucket: '192.168.0.1' }, names: ['bucket'] },
  { spec: { kind: 's3', bucket: 'vendor/team' }, names: ['bucket'] },
  { spec: { kind: 's3', bucket: 'vendor', prefix: '/team' }, names: ['prefix'] },
  { spec: { kind: 's3', bucket: 'vendor', prefix: 'team/' }, names: ['prefix'] },
  { spec: { kind: 's3', bucket: 'vendor', prefix: '' }, names: ['prefix'] },
  { spec: { kind: 's3', bucket: 'vendor', prefix: 'a/../b' }, names: ['prefix'] },
  { spec: { kind: 's3', bucket: 'vendor', prefix: 'x'.repeat(513) }, names: ['prefix'] },
  { spec: { kind: 's3', bucket: 'vendor', prefix: 7 }, names: ['prefix'] },
  { spec: { kind: 's3', bucket: 'vendor', region: '' }, names: ['region'] },
  { spec: { kind: 's3', bucket: 'vendor', endpoint: 's3.example.org' }, names: ['endpoint'] },
  { spec: { kind: 's3', bucket: 'vendor', endpoint: 'ftp://s3.example.org' }, names: ['endpoint'] },
  { spec: { kind: 's3', bucket: 'vendor', endpoint: 'https://me:secret@s3.example.org' }, names: ['endpoint'] },
  { spec: { kind: 's3', bucket: 'vendor', endpoint: 'https://s3.example.org?x=1' }, names: ['endpoint'] },
  { spec: { kind: 'disk', buckett: 'vendor' }, names: ['a cache tier', 'bucket', 'buckett'] },
];
for (const { spec, names } of bad) {
  test(`s3Problems() names what is wrong in ${JSON.stringify(spec)?.slice(0, 80)}`, () => {
    const found = s3Problems(spec);
    assert.equal(found.length, names.length, found.join('; '));
    for (const [at, name] of names.entries()) assert.ok(found[at]?.startsWith(`${name} `), found[at]);
  });
}
