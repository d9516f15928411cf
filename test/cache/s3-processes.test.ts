/** Many processes at one bucket, and ones that die: what can be seen is complete, and bodies in parts leave nothing behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { diskCache } from '../../src/cache/disk.ts';
import { layeredCache } from '../../src/cache/layered.ts';
import { blobFolder, manifestObject } from '../../src/cache/layout.ts';
import { s3Cache } from '../../src/cache/s3.ts';
import { s3 } from '../../src/cache/s3-spec.ts';
import { digestOf } from '../../src/model/digest.ts';
import { type FaultProxy, faultProxy, s3Error } from '../support/fault-proxy.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { tempDir, type WithCleanUp } from '../support/temp.ts';
import { filesBelow, hit, never, push, type Sample, sample } from './sample.ts';

let server: S3Server;
before(async () => {
  if (skipWithoutS3 === false) server = await startS3Server();
});
after(() => server?.close());

const start = (program: string, ...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    env: { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], ...server.owner },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
/** What a process printed, once it has ended well. */
async function said(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  assert.deepEqual(await once(child, 'close'), [0, null]);
  return text;
}
const specOf = (bucket: string, endpoint = server.endpoint): string => JSON.stringify(s3({ bucket, endpoint }));

describe('many processes at one bucket', { skip: skipWithoutS3, timeout: 240_000 }, () => {
  test('sixteen that push one key, each another build of it, leave one artifact that is whole', async (t) => {
    const [bucket, folder] = [await server.bucket(), tempDir(t)];
    const builds = Array.from({ length: 16 }, () => sample(folder, 'a', { sizeBytes: 100_000 }));
    await Promise.all(
      builds.map(({ manifest, file }) => said(start('pusher.ts', specOf(bucket), JSON.stringify(manifest), file))),
    );
    const { key } = builds[0]?.manifest ?? assert.fail();
    const object = manifestObject('zlib', key);
    assert.deepEqual(
      (await server.list(bucket)).filter((name) => name.includes('/artifacts/')),
      [object],
    );
    const tier = s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner);
    const found = await tier.lookUp('zlib', key, never);
    assert.ok(found.outcome === 'hit');
    const into = join(tempDir(t), 'body');
    assert.deepEqual(await tier.fetchBlob(found.manifest.body, into, never), { outcome: 'done' });
    assert.ok(builds.some(({ bytes }) => bytes.equals(readFileSync(into))));
  });

  test('sixteen that bring one artifact to one disk leave it there whole, and nothing besides', async (t) => {
    const [bucket, cache] = [await server.bucket(), tempDir(t)];
    const { manifest, file, bytes } = sample(tempDir(t), 'a', { sizeBytes: 300_000 });
    await push(manifest, file, s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner), never);
    const all = Array.from({ length: 16 }, () => said(start('fetcher.ts', specOf(bucket), cache, manifest.key)));
    assert.deepEqual(new Set(await Promise.all(all)), new Set(['done']));
    assert.deepEqual(filesBelow(cache), await server.list(bucket));
    const body = diskCache(cache).blobs.pathOf(manifest.body.digest);
    assert.ok(readFileSync(body).equals(bytes));
  });

  test('one that is killed in the middle of a body leaves no artifact, and the next one brings it whole', async (t) => {
    const [bucket, cache, proxy] = [await server.bucket(), tempDir(t), await faultProxy(server.endpoint)];
    t.after(() => proxy.close());
    const { manifest, file } = sample(tempDir(t), 'a', { sizeBytes: 300_000 });
    await push(manifest, file, s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner), never);
    proxy.misbehave({ fault: { kind: 'stall', at: 200_000 }, when: (_, url) => url.includes('/blobs/') });
    const arrival = proxy.arrival((_, url) => url.includes('/blobs/'));
    const fetcher = start('fetcher.ts', specOf(bucket, proxy.url), cache, manifest.key);
    const ended = once(fetcher, 'close');
    await Promise.race([arrival, ended]);
    while (filesBelow(cache).length === 0) await new Promise((passed) => setTimeout(passed, 20));
    fetcher.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.ok(
      filesBelow(cache).every((name) => name.startsWith(`${blobFolder}/.incoming.`)),
      filesBelow(cache).join(),
    );
    const disk = diskCache(cache);
    assert.deepEqual(await disk.lookUp('zlib', manifest.key, never), { outcome: 'absent' });
    const layers = layeredCache(disk, [s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner)]);
    assert.equal((await layers.fetchArtifact('zlib', manifest.key, never)).outcome, 'done');
  });
});

describe('a body in parts', { skip: skipWithoutS3, timeout: 240_000 }, () => {
  const sizeBytes = 36 * 1024 * 1024;
  const aPart = (method: string, url: string): boolean => method === 'PUT' && url.includes('partNumber=2');

  async function large(t: WithCleanUp): Promise<{ bucket: string; proxy: FaultProxy; body: Sample }> {
    const [bucket, proxy] = await Promise.all([server.bucket(), faultProxy(server.endpoint)]);
    t.after(() => proxy.close());
    return { bucket, proxy, body: sample(tempDir(t), 'a', { sizeBytes }) };
  }
  const unfinished = async (Bucket: string): Promise<number> =>
    (await server.client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0;

  test('goes on where a part failed once', async (t) => {
    const { bucket, proxy, body } = await large(t);
    proxy.misbehave({ fault: { kind: 'lose-answer' }, when: aPart, times: 1 });
    const tier = s3Cache(s3({ bucket, endpoint: proxy.url }), server.owner);
    await push(body.manifest, body.file, tier, never);
    assert.deepEqual(await tier.lookUp('zlib', body.manifest.key, never), hit(body.manifest));
    const parts = proxy.log
      .filter((line) => line.includes('partNumber='))
      .map((line) => /partNumber=\d/.exec(line)?.[0] ?? '');
    assert.deepEqual(parts.sort(), ['partNumber=1', 'partNumber=2', 'partNumber=2', 'partNumber=3']);
    assert.equal(digestOf(await server.get(bucket, (await server.list(bucket))[1] ?? '')), body.manifest.body.digest);
  });

  test('that cannot be put is given up with all its parts', async (t) => {
    const { bucket, proxy, body } = await large(t);
    proxy.misbehave({
      fault: {
        kind: 'answer',
        status: 403,
        body: s3Error('QuotaExceeded'),
        headers: { 'content-type': 'application/xml' },
      },
      when: aPart,
    });
    const tier = s3Cache(s3({ bucket, endpoint: proxy.url }), server.owner);
    await assert.rejects(push(body.manifest, body.file, tier, never), { code: 'upload-failed' });
    assert.deepEqual([await server.list(bucket), await unfinished(bucket)], [[], 0]);
  });

  test('that the user interrupts is given up with all its parts', async (t) => {
    const { bucket, proxy, body } = await large(t);
    proxy.misbehave({ fault: { kind: 'hang-upload' }, when: aPart });
    const [why, controller] = [new Error('interrupted'), new AbortController()];
    const tier = s3Cache(s3({ bucket, endpoint: proxy.url }), server.owner);
    const pushing = push(body.manifest, body.file, tier, controller.signal);
    await Promise.race([proxy.arrival(aPart), pushing]);
    controller.abort(why);
    await assert.rejects(pushing, why);
    assert.deepEqual([await server.list(bucket), await unfinished(bucket)], [[], 0]);
  });

  test('whose pusher is killed is no object, and what is left of it goes with the next sweep', async (t) => {
    const { bucket, proxy, body } = await large(t);
    proxy.misbehave({ fault: { kind: 'hang-upload' }, when: aPart });
    const arrival = proxy.arrival(aPart);
    const pusher = start('pusher.ts', specOf(bucket, proxy.url), JSON.stringify(body.manifest), body.file);
    const ended = once(pusher, 'close');
    await Promise.race([arrival, ended]);
    pusher.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.deepEqual([await server.list(bucket), await unfinished(bucket)], [[], 1]);
    const tier = s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner);
    assert.equal(await tier.objects?.dropUnfinished(Date.now() - 60_000, never), 0);
    assert.equal(await tier.objects?.dropUnfinished(Date.now() + 60_000, never), 1);
    assert.equal(await unfinished(bucket), 0);
    await push(body.manifest, body.file, tier, never);
    assert.deepEqual(await tier.lookUp('zlib', body.manifest.key, never), hit(body.manifest));
  });
});
