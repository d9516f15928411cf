/** Archives that lie in a bucket. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test, type TestContext } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { VbuildError } from '../../src/model/error.ts';
import { tarball, tarballKind } from '../../src/sources/tarball.ts';
import { walk } from '../../src/system/files.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { tempDir } from '../support/temp.ts';
import { fetchTarget, sourceContext, upstreamTarball } from '../support/upstream.ts';

const skip = skipWithoutS3;
let server: S3Server;
before(async () => {
  if (skip === false) server = await startS3Server();
});
after(async () => {
  if (skip === false) await server.close();
});

async function setting(t: TestContext) {
  const top = tempDir(t);
  const bytes = readFileSync(upstreamTarball(top, { 'a.c': 'a' }));
  const bucket = await server.bucket({ who: 'reader', may: 'get' });
  await server.put(bucket, 'dl/up 1+0.tar.gz', bytes);
  const environment = { AWS_ENDPOINT_URL_S3: server.endpoint, HOME: top };
  const as = (who: Readonly<Record<string, string>>) => ({
    ...sourceContext(top),
    environment: { ...environment, ...who },
  });
  return { top, bytes, bucket, url: `s3://${bucket}/dl/up%201%2B0.tar.gz`, as, context: as(server.reader) };
}

test('tarball() brings an archive from a bucket, with the rights that the environment gives', { skip }, async (t) => {
  const { top, bytes, url, context } = await setting(t);
  const spec = tarball(url);
  assert.deepEqual(tarballKind.problems(spec), []);
  const pin = await tarballKind.resolve(spec, context);
  assert.equal(pin.files?.[0]?.digest, digestOf(bytes));
  const target = fetchTarget(top);
  await tarballKind.fetch(spec, pin, target, { ...context, offline: true });
  assert.deepEqual(
    walk(target.tree).map(({ path }) => path),
    ['a.c'],
  );
  const last = context.events.at(-1);
  assert.ok(last?.type === 'transfer' && last.doneBytes === bytes.length);
});

test('tarball() tells an object that is not there, rights that are missing, and other bytes apart', {
  skip,
}, async (t) => {
  const { url, as, context } = await setting(t);
  const outcome = async (spec: ReturnType<typeof tarball>, who = context): Promise<string> =>
    tarballKind.resolve(spec, who).then(
      () => 'done',
      (error: VbuildError) => `${error.code} ${error.facts['reason'] ?? ''}`.trim(),
    );
  assert.equal(await outcome(tarball(url, { sha256: digestOf('other') })), 'pin-mismatch');
  assert.equal(await outcome(tarball(url.replace('1%2B0', 'gone')), as(server.owner)), 'source-missing');
  assert.match(await outcome(tarball(url), as({})), /^download-failed the server answered 403/);
  assert.equal(await outcome(tarball(url), { ...context, offline: true }), 'download-failed vbuild runs offline');
  assert.equal(await outcome(tarball([url.replace('1%2B0', 'gone'), url])), 'done');
});

test('tarball() refuses the URL of a bucket without an object', () => {
  assert.match(tarballKind.problems(tarball('s3://bucket')).join(), /does not name a bucket and an object/);
});
