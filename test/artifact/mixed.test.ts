/** Sets of artifacts that were not made with one another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { mixedAmong } from '../../src/artifact/mixed.ts';
import { digestOf } from '../../src/model/digest.ts';
import { sample } from '../cache/sample.ts';
import { tempDir } from '../support/temp.ts';

const [one, other] = [digestOf('one build'), digestOf('another build')];

/** png over zlib, each with the tree that is given. */
function set(folder: string, built: typeof one, beside: typeof one): Manifest[] {
  const zlib = { ...sample(folder, 'z').manifest, tree: beside };
  const png = sample(folder, 'p', { name: 'png' }).manifest;
  const dependency = { name: 'zlib', version: zlib.package.version, key: zlib.key, tree: built };
  return [zlib, { ...png, dependencies: [dependency] }];
}

test('mixedAmong() names a package that was compiled against another build of what is beside it', (t) => {
  assert.deepEqual(mixedAmong(set(tempDir(t), one, other)), [
    { package: 'png@1.3.1', dependency: 'zlib@1.3.1', expected: one, found: other },
  ]);
});

test('mixedAmong() has nothing to say of packages that were made together, or alone', (t) => {
  const [zlib = assert.fail(), png = assert.fail()] = set(tempDir(t), one, one);
  assert.deepEqual(mixedAmong([zlib, png]), []);
  assert.deepEqual(mixedAmong([png]), []);
});
