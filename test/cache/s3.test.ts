/** A bucket as a cache tier, against a real server: rights, places, sizes, and pushers that die. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { unsigned } from '../../src/artifact/sealed.ts';
import { blobObject, manifestObject } from '../../src/cache/layout.ts';
import { defaultPatience } from '../../src/cache/patience.ts';
import { s3Cache } from '../../src/cache/s3.ts';
import { s3 } from '../../src/cache/s3-spec.ts';
import type { ContentKey } from '../../src/model/digest.ts';
import { rightsIn } from '../../src/system/s3-rights.ts';
import { type Fault, faultProxy } from '../support/fault-proxy.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { tempDir } from '../support/temp.ts';
import { hit, never, push, sample } from './sample.ts';

/** Of nothing. */
const unknownKey = 'f'.repeat(64) as ContentKey;

let server: S3Server;
before(async () => {
  if (skipWithoutS3 === false) server = await startS3Server();
});
after(() => server?.close());

describe('s3Cache()', { skip: skipWithoutS3 }, () => {
  test('keeps to its prefix', async (t) => {
    const bucket = await server.bucket();
    const { manifest, file } = sample(tempDir(t), 'a');
    const tier = s3Cache(s3({ bucket, prefix: 'team/vendor', endpoint: server.endpoint }), server.owner);
    await push(manifest, file, tier, never);
    assert.equal(tier.name, `s3://${bucket}/team/vendor`);
    assert.deepEqual(await server.list(bucket), [
      `team/vendor/${manifestObject('zlib', manifest.key)}`,
      `team/vendor/${blobObject(manifest.body.digest)}`,
    ]);
    assert.deepEqual(
      await s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner).lookUp('zlib', manifest.key, never),
      { outcome: 'absent' },
    );
  });

  test('finds the endpoint and the region in the environment', async () => {
    const bucket = await server.bucket();
    const { AWS_REGION: region = '', ...keys } = server.owner;
    const env = { ...keys, AWS_DEFAULT_REGION: region, AWS_ENDPOINT_URL_S3: server.endpoint };
    assert.deepEqual(await s3Cache(s3({ bucket }), env).lookUp('zlib', unknownKey, never), { outcome: 'absent' });
  });

  test('what credentials may do is found out without leaving anything behind', async () => {
    const rights = async (
      bucket: string,
      env: Readonly<Record<string, string>>,
      prefix = '',
    ): Promise<readonly (boolean | undefined)[]> => {
      const place = { bucket, endpoint: server.endpoint, env, ...defaultPatience };
      const { list, read, write, aheadMs } = await rightsIn(place, prefix, never);
      assert.ok(Math.abs(aheadMs ?? Number.NaN) < 60_000, `${aheadMs} ms ahead of a server on this machine`);
      return [list, read, write];
    };
    const both = await server.bucket({ who: 'reader', may: 'list and get' });
    assert.deepEqual(await rights(both, server.owner, 'team/'), [true, true, true]);
    assert.deepEqual(await rights(both, server.reader, 'team/'), [true, true, false]);
    assert.deepEqual(await server.list(both), []);
    await server.put(both, 'v1/x', 'x');
    assert.deepEqual(await rights(both, server.reader), [true, true, false]);
    const none = await server.bucket();
    assert.deepEqual(await rights(none, server.reader), [false, undefined, false]);
    assert.deepEqual([await server.list(both), await server.list(none)], [['v1/x'], []]);
    await assert.rejects(rights('no-such-bucket', server.owner), { name: 'NoSuchBucket' });
  });

  test('goes through the proxy that the environment names', async (t) => {
    const proxy = await faultProxy(server.endpoint);
    t.after(() => proxy.close());
    const tier = s3Cache(s3({ bucket: await server.bucket(), endpoint: server.endpoint }), {
      ...server.owner,
      HTTP_PROXY: proxy.url,
    });
    await tier.lookUp('zlib', unknownKey, never);
    assert.equal(proxy.log.length, 1);
  });

  for (const [addressing, url] of [
    ['path', /^GET http:\/\/s3\.example\.org\/vendor\/v1\//],
    ['host', /^GET http:\/\/vendor\.s3\.example\.org\/v1\//],
  ] as const) {
    test(`puts the bucket into the ${addressing} of its URLs`, async (t) => {
      const proxy = await faultProxy(server.endpoint);
      t.after(() => proxy.close());
      const spec = s3({ bucket: 'vendor', endpoint: 'http://s3.example.org', addressing });
      await s3Cache(spec, { ...server.owner, HTTP_PROXY: proxy.url }).lookUp('zlib', unknownKey, never);
      assert.match(proxy.log[0] ?? '', url);
    });
  }

  test('carries a body that needs several parts', async (t) => {
    const bucket = await server.bucket();
    const { manifest, file, bytes } = sample(tempDir(t), 'a', { sizeBytes: 36 * 1024 * 1024 + 5 });
    const proxy = await faultProxy(server.endpoint);
    t.after(() => proxy.close());
    const tier = s3Cache(s3({ bucket, endpoint: proxy.url }), server.owner);
    await push(manifest, file, tier, never);
    assert.ok(proxy.log.some((line) => line.includes('partNumber=3')));
    const into = join(tempDir(t), 'body');
    assert.deepEqual(await tier.fetchBlob(manifest.body, into, never), { outcome: 'done' });
    assert.ok(readFileSync(into).equals(bytes));
  });

  const strangers = [
    {
      name: 'a bucket that does not exist',
      spec: { bucket: 'no-such-bucket' },
      env: {},
      reason: 'the bucket does not exist',
    },
    {
      name: 'a wrong secret key',
      spec: {},
      env: { AWS_SECRET_ACCESS_KEY: 'wrong' },
      reason: 'the secret key is wrong',
    },
    {
      name: 'an unknown access key',
      spec: {},
      env: { AWS_ACCESS_KEY_ID: 'NOBODY' },
      reason: 'the access key is unknown there',
    },
    {
      name: 'an endpoint without TLS that is asked with it',
      spec: { endpoint: 'https:' },
      env: {},
      reason: 'no TLS is spoken there',
    },
  ];
  for (const { name, spec, env, reason } of strangers) {
    test(`${name} is unreachable, never absent`, async (t) => {
      const endpoint = 'endpoint' in spec ? server.endpoint.replace('http:', 'https:') : server.endpoint;
      const tier = s3Cache(s3({ bucket: await server.bucket(), ...spec, endpoint }), { ...server.owner, ...env });
      assert.deepEqual(await tier.lookUp('zlib', unknownKey, never), { outcome: 'unreachable', reason });
      const { manifest, file } = sample(tempDir(t), 'a');
      await assert.rejects(push(manifest, file, tier, never), { code: 'upload-failed' });
    });
  }

  test('with the right to read and list, reads, tells absent, and never writes', async (t) => {
    const bucket = await server.bucket({ who: 'reader', may: 'list and get' });
    const spec = s3({ bucket, endpoint: server.endpoint });
    const [pushed, other] = [sample(tempDir(t), 'a'), sample(tempDir(t), 'b')];
    await push(pushed.manifest, pushed.file, s3Cache(spec, server.owner), never);
    const held = await server.list(bucket);
    const tier = s3Cache(spec, server.reader);
    assert.deepEqual(await tier.lookUp('zlib', pushed.manifest.key, never), hit(pushed.manifest));
    assert.deepEqual(await tier.lookUp('zlib', other.manifest.key, never), { outcome: 'absent' });
    await assert.rejects(push(other.manifest, other.file, tier, never), { code: 'upload-failed', exitStatus: 5 });
    await assert.rejects(tier.putManifest(unsigned(pushed.manifest), never), { code: 'upload-failed' });
    assert.deepEqual(await server.list(bucket), held);
  });

  test('without the right to list, reads what is there and names s3:ListBucket for what is not', async (t) => {
    const bucket = await server.bucket({ who: 'reader', may: 'get' });
    const spec = s3({ bucket, endpoint: server.endpoint });
    const { manifest, file } = sample(tempDir(t), 'a');
    await push(manifest, file, s3Cache(spec, server.owner), never);
    const tier = s3Cache(spec, server.reader);
    const answer = await tier.lookUp('zlib', unknownKey, never);
    assert.equal(answer.outcome, 'unreachable');
    assert.match(answer.reason, /s3:ListBucket/);
    assert.equal((await tier.lookUp('zlib', manifest.key, never)).outcome, 'hit');
  });

  test('reads a public bucket without credentials, and says of a private one that there were none', async (t) => {
    // The chain of the SDK looks at the process itself.
    const hidden = {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
      HOME: tempDir(t),
    };
    const saved = { ...process.env };
    t.after(() => void (process.env = saved));
    process.env = { PATH: saved['PATH'], ...hidden };
    const [open, closed] = await Promise.all([
      server.bucket({ who: 'everybody', may: 'list and get' }),
      server.bucket(),
    ]);
    const { manifest, file } = sample(tempDir(t), 'a');
    await push(manifest, file, s3Cache(s3({ bucket: open, endpoint: server.endpoint }), server.owner), never);
    const tier = s3Cache(s3({ bucket: open, endpoint: server.endpoint }), {});
    assert.deepEqual(await tier.lookUp('zlib', manifest.key, never), hit(manifest));
    assert.deepEqual(await tier.lookUp('zlib', unknownKey, never), { outcome: 'absent' });
    const answer = await s3Cache(s3({ bucket: closed, endpoint: server.endpoint }), {}).lookUp(
      'zlib',
      unknownKey,
      never,
    );
    assert.equal(answer.outcome, 'unreachable');
    assert.match(answer.reason, /no credentials were found/);
  });

  test('refuses to push onto a manifest that cannot be used, and leaves it', async (t) => {
    const bucket = await server.bucket();
    const { manifest, file } = sample(tempDir(t), 'a');
    const object = manifestObject('zlib', manifest.key);
    await server.put(bucket, object, '{"format":1}');
    const tier = s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner);
    await assert.rejects(
      push(manifest, file, tier, never),
      (error: { code: string; facts: Record<string, string> }) => {
        assert.equal(error.code, 'upload-failed');
        assert.equal(error.facts['object'], `s3://${bucket}/${object}`);
        return true;
      },
    );
    assert.equal((await server.get(bucket, object)).toString(), '{"format":1}');
  });

  test('refuses to push onto a manifest whose body was lost, and brings back the body when it is the same', async (t) => {
    const bucket = await server.bucket();
    const [first, second] = [sample(tempDir(t), 'a'), sample(tempDir(t), 'a')];
    const tier = s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner);
    await push(first.manifest, first.file, tier, never);
    await server.remove(bucket, blobObject(first.manifest.body.digest));
    await assert.rejects(push(second.manifest, second.file, tier, never), { code: 'upload-failed' });
    await push(first.manifest, first.file, tier, never);
    assert.deepEqual(await server.get(bucket, blobObject(first.manifest.body.digest)), first.bytes);
    await push(second.manifest, second.file, tier, never);
  });

  test('refuses to push where an object of another size bears the name of the body', async (t) => {
    const bucket = await server.bucket();
    const { manifest, file } = sample(tempDir(t), 'a');
    await server.put(bucket, blobObject(manifest.body.digest), 'not it');
    await assert.rejects(
      push(manifest, file, s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner), never),
      { code: 'upload-failed' },
    );
    assert.deepEqual(await server.list(bucket), [blobObject(manifest.body.digest)]);
  });

  test('refuses to push where somebody was quicker with an object of another size', async (t) => {
    const [proxy, bucket] = await Promise.all([faultProxy(server.endpoint), server.bucket()]);
    t.after(() => proxy.close());
    const { manifest, file } = sample(tempDir(t), 'a');
    await server.put(bucket, blobObject(manifest.body.digest), 'not it');
    // It is there from the moment on at which the pusher has seen that it is not.
    proxy.misbehave({
      fault: { kind: 'answer', status: 404, body: '' },
      when: (method) => method === 'HEAD',
      times: 1,
    });
    const pushing = push(manifest, file, s3Cache(s3({ bucket, endpoint: proxy.url }), server.owner), never);
    await assert.rejects(pushing, { code: 'upload-failed', mend: /push --repair/ });
    assert.deepEqual(await server.list(bucket), [blobObject(manifest.body.digest)]);
  });

  const deaths: readonly { readonly at: string; readonly fault: Fault; readonly sees: string }[] = [
    { at: 'while the body goes up', fault: { kind: 'hang-upload' }, sees: '/blobs/' },
    { at: 'before it hears that the body is there', fault: { kind: 'hang' }, sees: '/blobs/' },
    { at: 'while the manifest goes up', fault: { kind: 'hang-upload' }, sees: '/artifacts/' },
  ];
  for (const { at, fault, sees } of deaths) {
    test(`a pusher killed ${at} leaves no manifest, and the next push is complete`, async (t) => {
      const [proxy, bucket] = await Promise.all([faultProxy(server.endpoint), server.bucket()]);
      t.after(() => proxy.close());
      const { manifest, file } = sample(tempDir(t), 'a', { sizeBytes: 500_000 });
      const there = (method: string, url: string): boolean => method === 'PUT' && url.includes(sees);
      proxy.misbehave({ fault, when: there });
      const arrival = proxy.arrival(there);
      const spec = JSON.stringify(s3({ bucket, endpoint: proxy.url }));
      const pusher = spawn(
        process.execPath,
        [join(import.meta.dirname, 'pusher.ts'), spec, JSON.stringify(manifest), file],
        { env: { PATH: process.env['PATH'], ...server.owner }, stdio: ['ignore', 'ignore', 'inherit'] },
      );
      const ended = once(pusher, 'exit');
      await Promise.race([arrival, ended]);
      pusher.kill('SIGKILL');
      assert.deepEqual(await ended, [null, 'SIGKILL']);
      assert.deepEqual(
        (await server.list(bucket)).filter((object) => object.includes('/artifacts/')),
        [],
      );
      const tier = s3Cache(s3({ bucket, endpoint: server.endpoint }), server.owner);
      await push(manifest, file, tier, never);
      assert.deepEqual(await tier.lookUp('zlib', manifest.key, never), hit(manifest));
    });
  }
});

test('neither the S3 client nor the validator of manifests is loaded before a tier is asked', async () => {
  const source = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const { s3Cache } = await import('./src/cache/s3.ts');
    const { diskCache } = await import('./src/cache/disk.ts');
    s3Cache({ kind: 's3', bucket: 'abc' }, {});
    diskCache('/nowhere').has('zlib', 'a'.repeat(64));
    process.stdout.write(loaded.filter((url) => url.includes('node_modules')).join());`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.equal(printed, '');
});
