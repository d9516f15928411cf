/** The policies that docs/cache.md shows, put to a real server: they allow what they are for, and no more. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DeleteObjectCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import type { CacheTier } from '../../src/cache/cache.ts';
import { manifestObject } from '../../src/cache/layout.ts';
import { push as pushSealed } from '../../src/cache/push.ts';
import { s3Cache } from '../../src/cache/s3.ts';
import { s3 } from '../../src/cache/s3-spec.ts';
import type { ContentKey } from '../../src/model/digest.ts';
import { codeBlocks, readPage } from '../support/docs.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { tempDir } from '../support/temp.ts';
import { newKey, sealedBy, trusting } from './keys.ts';
import { never, push, sample } from './sample.ts';

interface Policy {
  readonly Version: string;
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
}

const policies = codeBlocks(readPage('docs/cache.md')).flatMap(({ info, text }) => {
  const data: unknown = info === 'json' ? JSON.parse(text) : undefined;
  return typeof data === 'object' && data !== null && 'Statement' in data ? [text] : [];
});
const [writers, ownPlace, readers, everybody] = policies;
const unknownKey = 'f'.repeat(64) as ContentKey;

describe('the policies of docs/cache.md', { skip: skipWithoutS3 }, () => {
  let server: S3Server;
  before(async () => {
    server = await startS3Server();
  });
  after(() => server.close());

  /** A bucket under a policy; one for users is given to the user that has no other right. */
  async function bucketWith(
    text: string | undefined,
    change: (text: string) => string = (same) => same,
  ): Promise<string> {
    const Bucket = await server.bucket();
    const { Version, Statement } = JSON.parse(
      change(text ?? assert.fail()).replaceAll('shop-vendor', Bucket),
    ) as Policy;
    const Principal = { AWS: ['arn:aws:iam:::user/reader'] };
    const policy = { Version, Statement: Statement.map((one) => ({ Principal, ...one })) };
    await server.client.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(policy) }));
    return Bucket;
  }
  const tierOf = (bucket: string, env: Readonly<Record<string, string>> = server.reader): CacheTier =>
    s3Cache(s3({ bucket, endpoint: server.endpoint }), env);
  async function insistOnReading(bucket: string, tier: CacheTier): Promise<void> {
    const { manifest, file } = sample(tempDir({ after }), 'there');
    await push(manifest, file, tierOf(bucket, server.owner), never);
    assert.equal((await tier.lookUp('zlib', manifest.key, never)).outcome, 'hit');
    assert.deepEqual(await tier.lookUp('zlib', unknownKey, never), { outcome: 'absent' });
    assert.equal((await tier.fetchBlob(manifest.body, `${tempDir({ after })}/body`, never)).outcome, 'done');
  }

  test('there are four', () => assert.equal(policies.length, 4));

  test('that for CI writers lets them push big and small, and delete nothing', async (t) => {
    const bucket = await bucketWith(writers);
    const { manifest, file } = sample(tempDir(t), 'a', { sizeBytes: 36 * 1024 * 1024 });
    await push(manifest, file, tierOf(bucket), never);
    await insistOnReading(bucket, tierOf(bucket));
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = server.reader;
    const client = new S3Client({
      endpoint: server.endpoint,
      forcePathStyle: true,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
    });
    const removal = new DeleteObjectCommand({ Bucket: bucket, Key: manifestObject('zlib', manifest.key) });
    await assert.rejects(client.send(removal), { name: 'AccessDenied' });
    client.destroy();
  });

  test("that for a writer's own place lets it sign, and put nothing in the place of another", async (t) => {
    const [ci, pr] = [newKey('ci'), newKey('pr')];
    const bucket = await bucketWith(ownPlace, (text) => text.replace(/[0-9A-F]{16}(?=\.json)/, ci.id));
    const tier = s3Cache(s3({ bucket, endpoint: server.endpoint }), server.reader, { trust: trusting([ci, pr]) });
    const { manifest, file } = sample(tempDir(t), 'a');
    await pushSealed({ sealed: sealedBy(manifest, ci), bodyFile: file }, tier, never);
    const found = await tier.lookUp('zlib', manifest.key, never);
    assert.equal(found.outcome === 'hit' && found.signer, ci.id);
    await assert.rejects(pushSealed({ sealed: sealedBy(manifest, pr), bodyFile: file }, tier, never), {
      code: 'upload-failed',
    });
    await assert.rejects(push(manifest, file, tier, never), { code: 'upload-failed' });
  });

  test('that for production servers lets them read, and nothing else', async (t) => {
    const bucket = await bucketWith(readers);
    await insistOnReading(bucket, tierOf(bucket));
    const { manifest, file } = sample(tempDir(t), 'a');
    await assert.rejects(push(manifest, file, tierOf(bucket), never), { code: 'upload-failed' });
  });

  test('that for everybody lets them read without credentials', async (t) => {
    // The chain of the SDK looks at the process itself.
    const saved = { ...process.env };
    t.after(() => void (process.env = saved));
    process.env = {
      PATH: saved['PATH'],
      TMPDIR: saved['TMPDIR'],
      HOME: tempDir(t),
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
    };
    const bucket = await bucketWith(everybody);
    await insistOnReading(bucket, tierOf(bucket, {}));
  });
});
