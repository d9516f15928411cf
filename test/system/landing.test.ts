/** Files that land whole or not at all. */
import assert from 'node:assert/strict';
import { createReadStream, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import { copyHashed, writeHashed, writeOnce } from '../../src/system/landing.ts';
import { tempDir } from '../support/temp.ts';

test('writeOnce() writes what is not there, with its folder, and leaves what is', (t) => {
  const path = join(tempDir(t), 'a/b/c');
  assert.equal(writeOnce(path, 'first'), true);
  assert.equal(writeOnce(path, 'second'), false);
  assert.equal(readFileSync(path, 'utf8'), 'first');
  assert.deepEqual(readdirSync(join(path, '..')), ['c']);
});

test('copyHashed() copies the bytes and tells their digest', async (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'from'), 'bytes');
  assert.equal(await copyHashed(join(folder, 'from'), join(folder, 'to')), digestOf('bytes'));
  assert.equal(readFileSync(join(folder, 'to'), 'utf8'), 'bytes');
});

test('writeHashed() never touches a file that is there', async (t) => {
  const path = join(tempDir(t), 'taken');
  writeFileSync(path, 'mine');
  await assert.rejects(writeHashed(Readable.from([Buffer.from('yours')]), path), { code: 'EEXIST' });
  assert.equal(readFileSync(path, 'utf8'), 'mine');
});

test('writeHashed() leaves nothing when its stream fails, when its watcher stops it, or when it is cut off at once', async (t) => {
  const path = join(tempDir(t), 'into');
  const broken = new Error('broken');
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from('some');
      throw broken;
    })(),
  );
  await assert.rejects(writeHashed(failing, path), broken);
  assert.equal(existsSync(path), false);
  const stop = (): void => {
    throw broken;
  };
  await assert.rejects(writeHashed(createReadStream(import.meta.filename), path, stop), broken);
  assert.equal(existsSync(path), false);
  const cut = new Readable({ read() {} });
  const writing = writeHashed(cut, path);
  cut.destroy(broken);
  await assert.rejects(writing, broken);
  assert.equal(existsSync(path), false);
});
