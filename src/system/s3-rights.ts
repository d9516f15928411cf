/** What the credentials for a bucket may do, asked in ways that leave nothing behind, and whether the clocks agree. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type BucketPlace, connect, statusOf } from './s3.ts';

interface BucketRights {
  /** No credentials were found, so nothing was signed. */
  readonly anonymous: boolean;
  readonly list: boolean;
  /** Undefined where only somebody who may list could tell. */
  readonly read: boolean | undefined;
  readonly write: boolean;
  /** How far the clock of this machine is ahead of the server's, in milliseconds, to the second; undefined where it does not tell. */
  readonly aheadMs: number | undefined;
}

/** @param prefix Keys begin with it. @throws the client's error for anything but a right that is lacking. */
export async function rightsIn(place: BucketPlace, prefix: string, signal: AbortSignal): Promise<BucketRights> {
  const { client, anonymous } = await connect(place);
  const clock = watchClock(client);
  const { bucket: Bucket } = place;
  const may = async (asking: Promise<unknown>, alsoAllows: readonly number[]): Promise<boolean> => {
    try {
      await asking;
      return true;
    } catch (error) {
      const status = statusOf(error);
      if (status === 403 || status === 401) return false;
      if (status !== undefined && alsoAllows.includes(status) && (error as Error).name !== 'NoSuchBucket') return true;
      throw error;
    }
  };
  const options = { abortSignal: signal };
  let some = `${prefix}v1/none`;
  const list = await may(
    client
      .send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 }), options)
      .then(({ Contents }) => (some = Contents?.[0]?.Key ?? some)),
    [],
  );
  // Where there is nothing to read, a server says so only to those who may read.
  const read = await may(
    client.send(new GetObjectCommand({ Bucket, Key: some, Range: 'bytes=0-0' }), options).then(({ Body }) => {
      (Body as { destroy?: () => void } | undefined)?.destroy?.();
    }),
    [404, 416],
  );
  // A digest that the body does not have: whoever may write is told that, and nothing is stored.
  const Key = `${prefix}v1/doctor`;
  const put = new PutObjectCommand({ Bucket, Key, Body: 'x', ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' });
  let stored = false;
  const write = await may(
    client.send(put, options).then(() => (stored = true)),
    [400],
  );
  // This server compares nothing.
  if (stored) await client.send(new DeleteObjectCommand({ Bucket, Key }), options);
  return { anonymous, list, read: read || (list ? false : undefined), write, aheadMs: clock() };
}

function watchClock(client: S3Client): () => number | undefined {
  let aheadMs: number | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers = {} } = (result.response ?? {}) as { headers?: Record<string, string> };
      const theirs = Date.parse(headers['date'] ?? '');
      if (!Number.isNaN(theirs)) aheadMs = Math.round((Date.now() - theirs) / 1000) * 1000;
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'watchClock' },
  );
  return () => aheadMs;
}
