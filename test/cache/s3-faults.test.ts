/** A bucket behind a line that misbehaves: each trouble has its answer, takes bounded time, and nothing wrong ever lands. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CacheTier } from '../../src/cache/cache.ts';
import { blobObject, manifestObject } from '../../src/cache/layout.ts';
import type { Patience } from '../../src/cache/patience.ts';
import { s3Cache } from '../../src/cache/s3.ts';
import { s3 } from '../../src/cache/s3-spec.ts';
import { VbuildError } from '../../src/model/error.ts';
import { type Fault, type FaultProxy, type Rule, faultProxy, s3Error } from '../support/fault-proxy.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { type WithCleanUp, tempDir } from '../support/temp.ts';
import { hit, never, push, sample, type Sample } from './sample.ts';

/** Short enough that a table of dead lines takes seconds; a healthy answer takes some milliseconds. */
const hurried: Patience = {
  connectMs: 2_000,
  idleMs: 2_000,
  smallMs: 8_000,
  bodyMs: 3_000,
  slowestBytes: 1_000,
  pausesMs: [10, 20],
  slowMs: 60_000,
  slowLookUps: 5,
};
const page = '<!DOCTYPE html><html><body>Please log in</body></html>';

let server: S3Server;
before(async () => {
  if (skipWithoutS3 === false) server = await startS3Server();
});
after(() => server?.close());

interface Line {
  readonly proxy: FaultProxy;
  readonly bucket: string;
  readonly pushed: Sample;
  /** A tier as a new run has it, behind the proxy. */
  readonly tier: () => CacheTier;
}

async function line(t: WithCleanUp): Promise<Line> {
  const [proxy, bucket] = await Promise.all([faultProxy(server.endpoint), server.bucket()]);
  t.after(() => proxy.close());
  const pushed = sample(tempDir(t), 'pushed', { sizeBytes: 200_000 });
  await push(pushed.manifest, pushed.file, s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner), never);
  return {
    proxy,
    bucket,
    pushed,
    tier: () => s3Cache(s3({ bucket, endpoint: proxy.url }), server.owner, { patience: hurried }),
  };
}

const answered = (status: number, body: string, type = 'application/xml'): Fault => ({
  kind: 'answer',
  status,
  body,
  headers: { 'content-type': type },
});
const onBlobs = (fault: Fault, method = 'GET'): Rule => ({
  fault,
  when: (asked, url) => asked === method && url.includes('/blobs/'),
});
const onManifests = (fault: Fault, method = 'GET'): Rule => ({
  fault,
  when: (asked, url) => asked === method && url.includes('/artifacts/'),
});

/** `reading`: the answer when it happens each time. `passing`: whether it is tried again, so that one occurrence goes unnoticed. */
const faults: readonly {
  readonly name: string;
  readonly fault: Fault;
  readonly reading: 'unreachable' | 'rejected' | 'absent';
  readonly passing: boolean;
}[] = [
  { name: 'a connection that is refused', fault: { kind: 'refuse' }, reading: 'unreachable', passing: true },
  { name: 'a server that never answers', fault: { kind: 'hang' }, reading: 'unreachable', passing: true },
  { name: 'a reset in mid-body', fault: { kind: 'reset', at: 100 }, reading: 'unreachable', passing: true },
  { name: 'silence in mid-body', fault: { kind: 'stall', at: 100 }, reading: 'unreachable', passing: true },
  { name: 'a byte now and then', fault: { kind: 'trickle', everyMs: 100 }, reading: 'unreachable', passing: false },
  { name: 'a body cut short in good order', fault: { kind: 'short', at: 100 }, reading: 'rejected', passing: true },
  { name: 'a flipped bit', fault: { kind: 'flip', at: 50 }, reading: 'rejected', passing: true },
  { name: '503 SlowDown', fault: answered(503, s3Error('SlowDown')), reading: 'unreachable', passing: true },
  { name: '503 with a page', fault: answered(503, page, 'text/html'), reading: 'unreachable', passing: true },
  { name: '500 InternalError', fault: answered(500, s3Error('InternalError')), reading: 'unreachable', passing: true },
  { name: '404 with a page', fault: answered(404, page, 'text/html'), reading: 'unreachable', passing: false },
  { name: '404 without a body', fault: answered(404, ''), reading: 'unreachable', passing: false },
  { name: '404 NoSuchBucket', fault: answered(404, s3Error('NoSuchBucket')), reading: 'unreachable', passing: false },
  { name: '404 NoSuchKey', fault: answered(404, s3Error('NoSuchKey')), reading: 'absent', passing: false },
  { name: '403 AccessDenied', fault: answered(403, s3Error('AccessDenied')), reading: 'unreachable', passing: false },
  { name: '403 with a page', fault: answered(403, page, 'text/html'), reading: 'unreachable', passing: false },
  { name: '407 of a proxy', fault: answered(407, 'no', 'text/plain'), reading: 'unreachable', passing: false },
  {
    name: 'a log-in page with status 200',
    fault: answered(200, page, 'text/html; charset=utf-8'),
    reading: 'unreachable',
    passing: false,
  },
];

describe('a bucket behind a bad line', { skip: skipWithoutS3, concurrency: 4, timeout: 120_000 }, () => {
  for (const { name, fault, reading, passing } of faults) {
    test(`${name} makes a look-up ${reading}`, async (t) => {
      const { proxy, pushed, tier } = await line(t);
      proxy.misbehave({ fault });
      assert.equal((await tier().lookUp('zlib', pushed.manifest.key, never)).outcome, reading);
    });

    test(`${name} makes a body ${reading}, and nothing of it is left`, async (t) => {
      const { proxy, pushed, tier } = await line(t);
      proxy.misbehave({ fault });
      const into = join(tempDir(t), 'body');
      assert.equal((await tier().fetchBlob(pushed.manifest.body, into, never)).outcome, reading);
      assert.equal(existsSync(into), false);
    });

    if (passing) {
      test(`${name} goes unnoticed when it happens once`, async (t) => {
        const { proxy, pushed, tier } = await line(t);
        proxy.misbehave({ ...onManifests(fault), times: 1 }, { ...onBlobs(fault), times: 1 });
        const [bucket, into] = [tier(), join(tempDir(t), 'body')];
        assert.deepEqual(await bucket.lookUp('zlib', pushed.manifest.key, never), hit(pushed.manifest));
        assert.deepEqual(await bucket.fetchBlob(pushed.manifest.body, into, never), { outcome: 'done' });
        assert.deepEqual(readFileSync(into), pushed.bytes);
      });
    }
  }

  test('a bucket out of reach is not asked again in the run', async (t) => {
    const { proxy, pushed, tier } = await line(t);
    proxy.misbehave({ fault: { kind: 'refuse' } });
    const bucket = tier();
    const first = await bucket.lookUp('zlib', pushed.manifest.key, never);
    const asked = proxy.log.length;
    assert.deepEqual(await bucket.lookUp('png', pushed.manifest.key, never), first);
    assert.deepEqual(await bucket.fetchBlob(pushed.manifest.body, join(tempDir(t), 'body'), never), first);
    await assert.rejects(push(pushed.manifest, pushed.file, bucket, never), { code: 'upload-failed' });
    assert.equal(proxy.log.length, asked);
  });

  test('a bucket whose every answer takes long is not asked on and on', async (t) => {
    const { proxy, pushed, bucket } = await line(t);
    const tier = s3Cache(s3({ bucket, endpoint: proxy.url }), server.owner, {
      patience: { ...hurried, slowMs: 150, slowLookUps: 3 },
    });
    const lookUp = async (name: string) => (await tier.lookUp(name, pushed.manifest.key, never)).outcome;
    const slow: Rule = { fault: { kind: 'delay', ms: 300 } };
    proxy.misbehave({ ...slow, times: 2 });
    assert.deepEqual([await lookUp('zlib'), await lookUp('a'), await lookUp('zlib')], ['hit', 'absent', 'hit']);
    proxy.misbehave({ ...slow, times: 3 });
    assert.deepEqual([await lookUp('a'), await lookUp('b'), await lookUp('c')], ['absent', 'absent', 'absent']);
    const asked = proxy.log.length;
    assert.deepEqual(await tier.lookUp('zlib', pushed.manifest.key, never), {
      outcome: 'unreachable',
      reason: '3 answers one after the other took longer than 150 ms',
    });
    assert.equal(proxy.log.length, asked);
  });

  test('one object that may not be read does not close the bucket for the others', async (t) => {
    const { proxy, pushed, tier } = await line(t);
    proxy.misbehave({ fault: answered(403, s3Error('AccessDenied')), times: 1 });
    const bucket = tier();
    assert.equal((await bucket.lookUp('zlib', pushed.manifest.key, never)).outcome, 'unreachable');
    assert.equal((await bucket.lookUp('zlib', pushed.manifest.key, never)).outcome, 'hit');
  });

  test('nothing listening at the endpoint is unreachable', async (t) => {
    const { proxy, pushed, tier } = await line(t);
    await proxy.close();
    assert.deepEqual(await tier().lookUp('zlib', pushed.manifest.key, never), {
      outcome: 'unreachable',
      reason: 'nothing listens there',
    });
  });

  test('a transfer ends at once when the user interrupts it', async (t) => {
    const { proxy, pushed, bucket } = await line(t);
    proxy.misbehave(onBlobs({ kind: 'stall', at: 1_000 }));
    const [into, why, controller] = [join(tempDir(t), 'body'), new Error('interrupted'), new AbortController()];
    const patient = s3Cache(s3({ bucket, endpoint: proxy.url }), server.owner);
    const fetching = patient.fetchBlob(pushed.manifest.body, into, controller.signal, () => controller.abort(why));
    await assert.rejects(fetching, why);
    assert.equal(existsSync(into), false);
  });

  test('a body that is longer than its manifest says is not read to its end', async (t) => {
    const { proxy, pushed, tier } = await line(t);
    proxy.misbehave(onBlobs({ kind: 'trickle', everyMs: 100 }));
    const into = join(tempDir(t), 'body');
    const { digest } = pushed.manifest.body;
    assert.equal((await tier().fetchBlob({ digest, sizeBytes: 5 }, into, never)).outcome, 'rejected');
    assert.equal(existsSync(into), false);
  });
});

describe('a push over a bad line', { skip: skipWithoutS3, concurrency: 4, timeout: 120_000 }, () => {
  const once: readonly { readonly name: string; readonly rule: Rule }[] = [
    { name: 'an upload that was damaged on the way', rule: onBlobs({ kind: 'flip-upload', at: 500 }, 'PUT') },
    { name: 'a manifest that was damaged on the way', rule: onManifests({ kind: 'flip-upload', at: 50 }, 'PUT') },
    { name: 'a lost answer to the body', rule: onBlobs({ kind: 'lose-answer' }, 'PUT') },
    { name: 'a lost answer to the manifest', rule: onManifests({ kind: 'lose-answer' }, 'PUT') },
    { name: 'a reset connection', rule: onBlobs({ kind: 'refuse' }, 'PUT') },
    { name: 'a server that is silent', rule: onBlobs({ kind: 'hang-upload' }, 'PUT') },
    { name: '503 SlowDown', rule: onBlobs(answered(503, s3Error('SlowDown')), 'PUT') },
    {
      name: '409 ConditionalRequestConflict',
      rule: onManifests(answered(409, s3Error('ConditionalRequestConflict')), 'PUT'),
    },
    { name: 'a server without conditional writes', rule: onBlobs(answered(501, s3Error('NotImplemented')), 'PUT') },
    {
      name: 'a server without conditional writes for manifests',
      rule: onManifests(answered(501, s3Error('NotImplemented')), 'PUT'),
    },
  ];
  for (const { name, rule } of once) {
    test(`${name} does not keep it from being complete and right`, async (t) => {
      const { proxy, bucket, tier } = await line(t);
      const { manifest, file, bytes } = sample(tempDir(t), 'new', { sizeBytes: 50_000 });
      proxy.misbehave({ ...rule, times: 1 });
      await push(manifest, file, tier(), never);
      assert.deepEqual(await server.get(bucket, blobObject(manifest.body.digest)), bytes);
      assert.deepEqual(await tier().lookUp('zlib', manifest.key, never), hit(manifest));
    });
  }

  const always: readonly { readonly name: string; readonly rule: Rule; readonly reason?: RegExp }[] = [
    { name: 'uploads that are damaged each time', rule: onBlobs({ kind: 'flip-upload', at: 500 }, 'PUT') },
    { name: 'a server that never takes the body', rule: onBlobs({ kind: 'hang-upload' }, 'PUT') },
    { name: 'a bucket over its quota', rule: onBlobs(answered(403, s3Error('QuotaExceeded')), 'PUT') },
    { name: 'a log-in page', rule: { fault: answered(200, page, 'text/html') } },
    {
      name: 'a session that has expired',
      rule: { fault: answered(400, s3Error('ExpiredToken')) },
      reason: /session token has expired/,
    },
  ];
  for (const { name, rule, reason = /./ } of always) {
    test(`${name} makes it fail, and neither body nor manifest is there`, async (t) => {
      const { proxy, bucket, tier } = await line(t);
      const { manifest, file } = sample(tempDir(t), 'new', { sizeBytes: 50_000 });
      const held = await server.list(bucket);
      proxy.misbehave(rule);
      await assert.rejects(push(manifest, file, tier(), never), (error: unknown) => {
        assert.ok(error instanceof VbuildError);
        assert.equal(error.code, 'upload-failed');
        assert.match(error.facts['reason'] ?? '', reason);
        assert.equal(error.facts['object'], `s3://${bucket}/${blobObject(manifest.body.digest)}`);
        return true;
      });
      assert.deepEqual(await server.list(bucket), held);
    });
  }

  test('a manifest that cannot be put leaves its body without one', async (t) => {
    const { proxy, bucket, tier } = await line(t);
    const { manifest, file } = sample(tempDir(t), 'new');
    proxy.misbehave(onManifests({ kind: 'hang' }, 'PUT'));
    await assert.rejects(push(manifest, file, tier(), never), { code: 'upload-failed' });
    const objects = await server.list(bucket);
    assert.ok(objects.includes(blobObject(manifest.body.digest)));
    assert.ok(!objects.includes(manifestObject('zlib', manifest.key)));
  });
});
