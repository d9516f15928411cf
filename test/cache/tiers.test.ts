/** Folders and web servers as cache tiers in trouble, tiers before one another, and what look-ups cost. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CacheTier, Wanted } from '../../src/cache/cache.ts';
import { directoryTier } from '../../src/cache/directory.ts';
import { directoryCache } from '../../src/cache/directory-spec.ts';
import { diskCache } from '../../src/cache/disk.ts';
import { httpTier } from '../../src/cache/http.ts';
import { httpCache } from '../../src/cache/http-spec.ts';
import { layeredCache } from '../../src/cache/layered.ts';
import { blobObject, manifestObject } from '../../src/cache/layout.ts';
import { type Patience, defaultPatience } from '../../src/cache/patience.ts';
import { pushSource } from '../../src/cache/push.ts';
import { s3Cache } from '../../src/cache/s3.ts';
import { s3 } from '../../src/cache/s3-spec.ts';
import { digestOf, type ContentKey, type Digest } from '../../src/model/digest.ts';
import { type Answer as HttpAnswer, fileServer, httpServer } from '../support/http-server.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { type WithCleanUp, tempDir } from '../support/temp.ts';
import { runProgram } from '../support/vbuild.ts';
import { newKey, sealedBy, trusting } from './keys.ts';
import { filesBelow, never, push, sample } from './sample.ts';

const hurried: Patience = { ...defaultPatience, idleMs: 300, smallMs: 1_500, pausesMs: [10] };
const folderTier = (path: string): CacheTier => directoryTier(directoryCache(path), '/', { patience: hurried });
const key = 'f'.repeat(64) as ContentKey;

describe('a folder as a cache tier', () => {
  test('is relative to the Buildfile, and bears its path as its name', async (t) => {
    const folder = tempDir(t);
    mkdirSync(join(folder, 'shared'));
    const tier = directoryTier(directoryCache('shared'), folder);
    const { manifest, file } = sample(tempDir(t), 'a');
    await push(manifest, file, tier, never);
    assert.equal(tier.name, join(folder, 'shared'));
    assert.equal(filesBelow(join(folder, 'shared')).length, 2);
  });

  test('that is not there is unreachable, never absent or made', async (t) => {
    const folder = join(tempDir(t), 'not-mounted');
    const tier = folderTier(folder);
    const answer = { outcome: 'unreachable', reason: 'the folder is not there' };
    assert.deepEqual(await tier.lookUp('zlib', key, never), answer);
    const { manifest, file } = sample(tempDir(t), 'a');
    assert.deepEqual(await folderTier(folder).fetchBlob(manifest.body, join(tempDir(t), 'body'), never), answer);
    await assert.rejects(push(manifest, file, folderTier(folder), never), { code: 'upload-failed' });
    assert.equal(await tier.fillable?.(never), false);
    assert.deepEqual(readdirSync(join(folder, '..')), []);
  });

  test('is filled from the tier behind it, signature and all', async (t) => {
    const [near, far, ci] = [tempDir(t), tempDir(t), newKey('ci')];
    const trust = trusting([ci]);
    const { manifest, file } = sample(tempDir(t), 'a');
    const sealed = sealedBy(manifest, ci);
    const behind = directoryTier(directoryCache(far), '/', { trust });
    await behind.putBlob(manifest.body.digest, file, never);
    await behind.putManifest(sealed, never);
    const tier = directoryTier(directoryCache(near), '/', { trust });
    const fetched = await layeredCache(diskCache(tempDir(t), trust), [tier, behind]).fetchArtifact(
      'zlib',
      manifest.key,
      never,
    );
    assert.equal(fetched.outcome === 'done' && fetched.tier, far);
    assert.deepEqual(filesBelow(near), filesBelow(far));
    assert.deepEqual(await directoryTier(directoryCache(near), '/', { trust }).lookUp('zlib', manifest.key, never), {
      outcome: 'hit',
      ...sealed,
    });
  });

  test('that cannot be filled is told once, and everything is fetched all the same', async (t) => {
    const [near, far] = [tempDir(t), folderTier(tempDir(t))];
    const samples = ['a', 'b', 'c'].map((seed) => sample(tempDir(t), seed));
    for (const { manifest, file } of samples) await push(manifest, file, far, never);
    writeFileSync(join(near, 'v1'), 'a file where a folder should be');
    const told: string[] = [];
    const cache = layeredCache(diskCache(tempDir(t)), [folderTier(near), far], undefined, (tier) => told.push(tier));
    for (const { manifest } of samples)
      assert.equal((await cache.fetchArtifact('zlib', manifest.key, never)).outcome, 'done');
    assert.deepEqual(told, [near]);
  });

  test('leaves nothing half-written in sight: what is being written is no object', async (t) => {
    const folder = tempDir(t);
    const { manifest, file } = sample(tempDir(t), 'a');
    await push(manifest, file, folderTier(folder), never);
    assert.deepEqual(filesBelow(folder), [manifestObject('zlib', manifest.key), blobObject(manifest.body.digest)]);
    const { openFolder } = await import('../../src/system/folder-objects.ts');
    writeFileSync(join(folder, 'v1/.x.tmp'), 'half');
    const { objects } = (await openFolder(folder, hurried).list?.('v1/', { signal: never })) ?? assert.fail();
    assert.deepEqual(
      objects.map(({ name }) => name),
      filesBelow(folder).filter((name) => !name.includes('/.')),
    );
  });

  test('with something else where a file should be is not read, for that might never end', async (t) => {
    const folder = tempDir(t);
    const { manifest, file } = sample(tempDir(t), 'a');
    await push(manifest, file, folderTier(folder), never);
    for (const object of [manifestObject('zlib', manifest.key), blobObject(manifest.body.digest)]) {
      rmSync(join(folder, object));
      execFileSync('mkfifo', [join(folder, object)]);
    }
    const rejected = { outcome: 'rejected', reason: 'it is not a file' };
    assert.deepEqual(await folderTier(folder).lookUp('zlib', manifest.key, never), rejected);
    assert.deepEqual(await folderTier(folder).fetchBlob(manifest.body, join(tempDir(t), 'body'), never), rejected);
  });

  test('that never answers does not keep the process from ending, with its status', async (t) => {
    const folder = tempDir(t);
    // As a file on a server that is gone: whoever opens it waits for good.
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const stuck = join(import.meta.dirname, '../../src/system/stuck.ts');
    const program = `
      import { readFile } from 'node:fs/promises';
      import { leaveIfStuck, noteStuck } from ${JSON.stringify(stuck)};
      void readFile('pipe');
      setTimeout(() => {
        noteStuck();
        process.stdout.write('said before');
        leaveIfStuck(5);
      }, 100);`;
    const argv = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
    const ended = await runProgram(argv, { cwd: folder, home: tempDir(t), timeoutMs: 60_000 });
    assert.deepEqual([ended.exitStatus, ended.stdout, ended.stderr], [5, 'said before', '']);
  });

  test('renews a body that was there for long before a manifest names it', async (t) => {
    const folder = tempDir(t);
    const { manifest, file } = sample(tempDir(t), 'a');
    const tier = folderTier(folder);
    await tier.putBlob(manifest.body.digest, file, never);
    assert.equal(await tier.putBlob(manifest.body.digest, file, never), 'there');
    const old = new Date(Date.now() - 40 * 24 * 3_600_000);
    utimesSync(join(folder, blobObject(manifest.body.digest)), old, old);
    assert.equal(await tier.putBlob(manifest.body.digest, file, never), 'renewed');
    assert.equal(await tier.putBlob(manifest.body.digest, file, never), 'there');
  });
});

describe('a web server as a cache tier', () => {
  const page: HttpAnswer = (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>log in</html>');
  const status =
    (code: number): HttpAnswer =>
    (_, response) =>
      void response.writeHead(code).end();
  const troubles: readonly (readonly [name: string, answer: HttpAnswer, outcome: string, requests: number])[] = [
    ['404', status(404), 'absent', 1],
    ['410', status(410), 'absent', 1],
    ['403', status(403), 'unreachable', 1],
    ['500', status(500), 'unreachable', 2],
    ['503', status(503), 'unreachable', 2],
    ['a log-in page', page, 'unreachable', 1],
    ['silence', () => {}, 'unreachable', 2],
    [
      'silence in mid-body',
      (_, response) => void response.writeHead(200, { 'content-length': 100 }).write('{'),
      'unreachable',
      2,
    ],
    ['a reset', (request) => void request.socket.destroy(), 'unreachable', 2],
    ["somebody else's JSON", (_, response) => void response.writeHead(200).end('{"hello":1}'), 'rejected', 1],
  ];
  for (const [name, answer, outcome, requests] of troubles) {
    test(`makes ${name} ${outcome}`, async (t) => {
      const { url, seen } = await httpServer(t, answer);
      const tier = httpTier(httpCache(url), {}, { patience: hurried });
      assert.equal((await tier.lookUp('zlib', key, never)).outcome, outcome);
      assert.equal(seen.length, requests);
      const into = join(tempDir(t), 'body');
      const { manifest } = sample(tempDir(t), 'a');
      assert.notEqual((await tier.fetchBlob(manifest.body, into, never)).outcome, 'done');
      assert.deepEqual(readdirSync(join(into, '..')), []);
    });
  }

  test('is not asked again in the run once it is out of reach', async (t) => {
    const { url, seen } = await httpServer(t, status(500));
    const tier = httpTier(httpCache(url), {}, { patience: hurried });
    for (let at = 0; at < 5; at += 1) assert.equal((await tier.lookUp('zlib', key, never)).outcome, 'unreachable');
    assert.equal(seen.length, 2);
  });

  test('is asked over one connection, goes through a proxy, and is never written to', async (t) => {
    const folder = tempDir(t);
    const { manifest, file } = sample(tempDir(t), 'a');
    await push(manifest, file, folderTier(folder), never);
    const { url, seen } = await fileServer(t, folder);
    const tier = httpTier(httpCache(`${url}/`), { http_proxy: url });
    assert.deepEqual([tier.name, tier.writable, tier.fillable], [url, false, undefined]);
    await tier.lookUp('zlib', manifest.key, never);
    await tier.fetchBlob(manifest.body, join(tempDir(t), 'body'), never);
    assert.deepEqual(
      seen.map(({ path }) => path),
      [`${url}/${manifestObject('zlib', manifest.key)}`, `${url}/${blobObject(manifest.body.digest)}`],
    );
  });
});

describe('what look-ups cost', { skip: skipWithoutS3 }, () => {
  let server: S3Server;
  before(async () => {
    server = await startS3Server();
  });
  after(() => server.close());

  async function filled(t: WithCleanUp, count: number) {
    const bucket = await server.bucket();
    const tier = s3Cache(s3({ bucket, endpoint: server.endpoint, prefix: 'deep/down' }), server.owner);
    const samples = Array.from({ length: count }, (_, at) => sample(tempDir(t), String(at), { name: `p${at % 3}` }));
    await Promise.all(samples.map(({ manifest, file }) => push(manifest, file, tier, never)));
    const fresh = (): CacheTier =>
      s3Cache(s3({ bucket, endpoint: server.endpoint, prefix: 'deep/down' }), server.owner);
    return { samples, fresh };
  }
  const strangers = (count: number): Wanted[] =>
    Array.from({ length: count }, (_, at) => ({
      name: `p${at % 4}`,
      key: digestOf(`none ${at}`) as string as ContentKey,
    }));

  test('a restore makes two requests per artifact, and counts their bytes', async (t) => {
    const { samples, fresh } = await filled(t, 4);
    const tier = fresh();
    const cache = layeredCache(diskCache(tempDir(t)), [tier]);
    for (const { manifest } of samples)
      assert.equal((await cache.fetchArtifact(manifest.package.name, manifest.key, never)).outcome, 'done');
    const traffic = tier.traffic?.() ?? assert.fail();
    assert.equal(traffic.requests, 8);
    assert.ok(traffic.receivedBytes > 4 * 3000 && traffic.receivedBytes < 8 * 3000, String(traffic.receivedBytes));
    assert.equal(traffic.sentBytes, 0);
  });

  test('a push of something new makes three requests after its look-up', async (t) => {
    const { fresh } = await filled(t, 0);
    const tier = fresh();
    const { manifest, file } = sample(tempDir(t), 'new');
    await tier.lookUp('zlib', manifest.key, never);
    await push(manifest, file, tier, never);
    assert.deepEqual(tier.traffic?.().requests, 4);
    assert.ok((tier.traffic?.().sentBytes ?? 0) > 3000);
  });

  test('a push of a source makes two requests for an archive, and four for a packed tree', async (t) => {
    const { fresh } = await filled(t, 0);
    const [archive, packed] = ['archive', 'packed'].map((name) => {
      const file = join(tempDir(t), name);
      writeFileSync(file, name);
      return { digest: digestOf(name), file, sizeBytes: name.length };
    }) as [{ digest: Digest; file: string; sizeBytes: number }, { digest: Digest; file: string; sizeBytes: number }];
    const tier = fresh();
    await pushSource({ archives: [archive] }, tier, never);
    assert.equal(tier.traffic?.().requests, 2);
    await pushSource({ archives: [], tree: { digest: digestOf('tree'), pack: async () => packed } }, tier, never);
    assert.equal(tier.traffic?.().requests, 2 + 4);
  });

  test('two thousand look-ups of which few are hits take a list and those few', async (t) => {
    const { samples, fresh } = await filled(t, 6);
    const tier = fresh();
    const wanted = [
      ...strangers(2000),
      ...samples.map(({ manifest }) => ({ name: manifest.package.name, key: manifest.key })),
    ];
    await tier.foresee?.(wanted, never);
    assert.equal(tier.traffic?.().requests, 1);
    const answers = await Promise.all(wanted.map(({ name, key: one }) => tier.lookUp(name, one, never)));
    assert.equal(answers.filter(({ outcome }) => outcome === 'hit').length, 6);
    assert.equal(answers.filter(({ outcome }) => outcome === 'absent').length, 2000);
    assert.equal(tier.traffic?.().requests, 7);
  });

  test('a few look-ups are asked one by one', async (t) => {
    const { samples, fresh } = await filled(t, 3);
    const tier = fresh();
    await tier.foresee?.(
      samples.map(({ manifest }) => ({ name: manifest.package.name, key: manifest.key })),
      never,
    );
    assert.equal(tier.traffic?.().requests, 0);
  });
});

test('foreseeing gives up when the list has become as dear as the look-ups', async () => {
  const { foreseen } = await import('../../src/cache/foresight.ts');
  const wanted: Wanted[] = Array.from({ length: 100 }, (_, at) => ({
    name: 'zlib',
    key: digestOf(String(at)) as string as ContentKey,
  }));
  let pages = 0;
  const crowded = async (from: string) => {
    pages += 1;
    const objects = Array.from({ length: 3 }, (_, at) => ({
      name: `${from}/${at}.json`,
      sizeBytes: 1,
      modifiedMs: 0,
    }));
    return {
      outcome: 'done',
      value: { objects: [...objects, { name: `${from}~`, sizeBytes: 1, modifiedMs: 0 }], more: true },
    };
  };
  const known = await foreseen(wanted, 1, '', crowded);
  assert.equal(pages, 10);
  assert.equal(known.size, 10);
  assert.ok([...known.values()].every((signers) => signers.join() === '0,1,2'));
  const silent = await foreseen(wanted, 1, '', async () => ({ outcome: 'unreachable' }));
  assert.equal(silent.size, 0);
});

test('a web server that hands out a whole folder of artifacts serves a run', async (t) => {
  const folder = tempDir(t);
  const samples = Array.from({ length: 12 }, (_, at) => sample(tempDir(t), String(at)));
  for (const { manifest, file } of samples) await push(manifest, file, folderTier(folder), never);
  const { url } = await fileServer(t, folder);
  const tier = httpTier(httpCache(url), {});
  const cache = layeredCache(diskCache(tempDir(t)), [tier]);
  const fetched = await Promise.all(samples.map(({ manifest }) => cache.fetchArtifact('zlib', manifest.key, never)));
  assert.ok(fetched.every(({ outcome }) => outcome === 'done'));
  assert.equal(tier.traffic?.().requests, 24);
  rmSync(folder, { recursive: true });
});
