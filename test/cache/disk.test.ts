/** The cache on disk: what is damaged is set aside, and neither crowds nor crashes leave half an artifact. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { unsigned } from '../../src/artifact/sealed.ts';
import { diskCache } from '../../src/cache/disk.ts';
import { blobObject, manifestObject } from '../../src/cache/layout.ts';
import type { ContentKey } from '../../src/model/digest.ts';
import { tempDir } from '../support/temp.ts';
import { filesBelow, hit, never, push, sample } from './sample.ts';

const writer = (cache: string, work: string, count: number) =>
  spawn(process.execPath, [join(import.meta.dirname, 'disk-writer.ts'), cache, work, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

test('has() tells what is there without reading it', async (t) => {
  const disk = diskCache(join(tempDir(t), 'cache'));
  const { manifest, file } = sample(tempDir(t), 'a');
  assert.equal(disk.has('zlib', manifest.key), false);
  await push(manifest, file, disk, never);
  assert.equal(disk.has('zlib', manifest.key), true);
  assert.equal(disk.has('png', manifest.key), false);
});

test('a damaged manifest is rejected once, set aside, and absent from then on', async (t) => {
  const disk = diskCache(tempDir(t));
  const { manifest, file } = sample(tempDir(t), 'a');
  await push(manifest, file, disk, never);
  writeFileSync(join(disk.folder, manifestObject('zlib', manifest.key)), '{"format":1');
  assert.equal((await disk.lookUp('zlib', manifest.key, never)).outcome, 'rejected');
  assert.deepEqual(await disk.lookUp('zlib', manifest.key, never), { outcome: 'absent' });
  const [aside = assert.fail(), ...more] = readdirSync(join(disk.folder, 'v1/quarantine'));
  assert.deepEqual(more, []);
  assert.equal(readFileSync(join(disk.folder, 'v1/quarantine', aside), 'utf8'), '{"format":1');
});

test('a manifest whose body is gone or has another size is rejected', async (t) => {
  const disk = diskCache(tempDir(t));
  for (const harm of [(path: string) => rmSync(path), (path: string) => truncateSync(path, 10)]) {
    const { manifest, file } = sample(tempDir(t), 'a');
    await push(manifest, file, disk, never);
    harm(disk.blobs.pathOf(manifest.body.digest));
    assert.equal((await disk.lookUp('zlib', manifest.key, never)).outcome, 'rejected');
    assert.equal(disk.has('zlib', manifest.key), false);
  }
});

test('a push replaces what cannot be used', async (t) => {
  const disk = diskCache(tempDir(t));
  const { manifest, file, bytes } = sample(tempDir(t), 'a');
  await push(manifest, file, disk, never);
  writeFileSync(join(disk.folder, manifestObject('zlib', manifest.key)), 'garbage');
  writeFileSync(disk.blobs.pathOf(manifest.body.digest), 'garbage');
  await push(manifest, file, disk, never);
  assert.deepEqual(await disk.lookUp('zlib', manifest.key, never), hit(manifest));
  assert.deepEqual(readFileSync(disk.blobs.pathOf(manifest.body.digest)), bytes);
});

test('a manifest is not put before its body', async (t) => {
  const disk = diskCache(tempDir(t));
  const { manifest } = sample(tempDir(t), 'a');
  await assert.rejects(disk.putManifest(unsigned(manifest), never), /must be put before/);
  assert.deepEqual(filesBelow(disk.folder), []);
});

test('a file that is not what its digest says is not taken in', async (t) => {
  const disk = diskCache(tempDir(t));
  const [one, other] = [sample(tempDir(t), 'a'), sample(tempDir(t), 'b')];
  await assert.rejects(disk.putBlob(one.manifest.body.digest, other.file, never));
  assert.deepEqual(filesBelow(disk.folder), []);
});

test('a folder that cannot be written is trouble with the disk, and one that cannot be read is unreachable', async (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'v1'), 'a file where a folder should be');
  const disk = diskCache(folder);
  const { manifest, file } = sample(tempDir(t), 'a');
  assert.equal((await disk.lookUp('zlib', manifest.key, never)).outcome, 'unreachable');
  await assert.rejects(push(manifest, file, disk, never), { code: 'disk-trouble' });
});

test('four processes that put the same keys at once leave each of them whole, and nothing besides', async (t) => {
  const [cache, work] = [tempDir(t), tempDir(t)];
  const statuses = await Promise.all(
    Array.from({ length: 4 }, async () =>
      once(
        writer(cache, work, 6).on('spawn', () => {}),
        'exit',
      ),
    ),
  );
  assert.deepEqual(
    statuses,
    Array.from({ length: 4 }, () => [0, null]),
  );
  const disk = diskCache(cache);
  const keys = readdirSync(join(cache, 'v1/artifacts/zlib')) as ContentKey[];
  assert.equal(keys.length, 6);
  for (const key of keys) {
    const answer = await disk.lookUp('zlib', key, never);
    assert.equal(answer.outcome, 'hit');
    assert.ok(await disk.blobs.find(answer.manifest.body.digest));
  }
  assert.deepEqual(
    filesBelow(cache).filter((path) => path.endsWith('.tmp') || path.includes('quarantine')),
    [],
  );
});

test('a writer killed at any moment leaves no manifest without its whole body', async (t) => {
  for (const lines of [1, 2, 4, 7]) {
    const [cache, work] = [tempDir(t), tempDir(t)];
    const child = writer(cache, work, 1_000);
    const ended = once(child, 'exit');
    let seen = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString().split('\n').length - 1;
      if (seen >= lines) child.kill('SIGKILL');
    });
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    const disk = diskCache(cache);
    const keys = (readdirSync(join(cache, 'v1/artifacts/zlib')) as ContentKey[]).filter((key) => disk.has('zlib', key));
    assert.ok(keys.length >= lines);
    for (const key of keys) {
      const answer = await disk.lookUp('zlib', key, never);
      assert.equal(answer.outcome, 'hit');
      assert.ok(await disk.blobs.find(answer.manifest.body.digest));
    }
  }
});

test('a body can be read while its manifest is replaced or set aside by another process', async (t) => {
  const disk = diskCache(tempDir(t));
  const { manifest, file, bytes } = sample(tempDir(t), 'a');
  await push(manifest, file, disk, never);
  const into = join(tempDir(t), 'body');
  disk.setAside({ name: 'zlib', key: manifest.key }, 'unsigned');
  disk.setAside({ name: 'zlib', key: manifest.key }, 'unsigned');
  assert.deepEqual(await disk.fetchBlob(manifest.body, into, never), { outcome: 'done' });
  assert.deepEqual(readFileSync(into), bytes);
  assert.ok(existsSync(join(disk.folder, blobObject(manifest.body.digest))));
});
