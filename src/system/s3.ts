/** Objects in an S3 bucket, the only door to the S3 client: whole objects in and out, integrity checked by us on both ways. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { digestOf } from '../model/digest.ts';
import { fileStat } from './files.ts';
import { agentsFor } from './http.ts';
import { landObject } from './landing.ts';
import { putInParts, partBytes } from './s3-parts.ts';
import { collected, Damaged, NotFromStore, type PutOutcome, type Traffic, type WritableObjects } from './objects.ts';

export interface BucketPlace {
  readonly bucket: string;
  /** From the environment or the profile when not given; us-east-1 where they are silent too. */
  readonly region?: string;
  /** URL of an S3-compatible server; `AWS_ENDPOINT_URL_S3` or AWS when not given. */
  readonly endpoint?: string;
  /** Where the bucket stands in URLs; in the path with an endpoint, before the host's name without one, when not given. */
  readonly addressing?: 'path' | 'host';
  /** Keys, region and proxies are taken from here; profiles and the other sources of the SDK's credential chain from the machine. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a connection may take, in milliseconds. */
  readonly connectMs: number;
  /** How long a connection may be silent, in milliseconds. */
  readonly idleMs: number;
}

/** Names are object keys. Errors are as the SDK has them; nothing is retried but a request refused for a wrong clock. */
export interface Bucket extends WritableObjects {
  /** No credentials were found, so requests are not signed. */
  readonly anonymous: boolean;
}

/** Our own digest of a small object, kept as its metadata: stores differ too much in what they check and return. */
const digestLabel = 'sha256';

export async function openBucket(place: BucketPlace): Promise<Bucket> {
  const { client, anonymous } = await connect(place);
  const Bucket = place.bucket;
  const traffic: Traffic = { requests: 0, receivedBytes: 0, sentBytes: 0 };
  // Behind the client's own retry, so that every try counts.
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers = {} } = args.request as { headers?: Record<string, string> };
      traffic.requests += 1;
      traffic.sentBytes += Number(headers['content-length'] ?? 0);
      return next(args);
    },
    { step: 'deserialize', priority: 'low', name: 'countTraffic' },
  );

  async function get(
    name: string,
    signal: AbortSignal,
  ): Promise<{ body: Readable; announcedBytes: number | undefined; label: string | undefined }> {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: name }), { abortSignal: signal });
    const body = answer.Body as Readable;
    // A body that breaks before anyone reads it must not end the process; its reader sees the error all the same.
    body.on('error', () => {});
    if (answer.ContentType?.startsWith('text/html')) {
      body.destroy();
      throw new NotFromStore(`a web page instead of ${name}`);
    }
    return { body, announcedBytes: answer.ContentLength, label: answer.Metadata?.[digestLabel] };
  }

  return {
    anonymous,
    traffic,
    async getSmall(name, limitBytes, signal) {
      const { body, label } = await get(name, signal);
      const bytes = await collected(body as AsyncIterable<Buffer>, limitBytes, traffic);
      if (label !== undefined && digestOf(bytes) !== label)
        throw new Damaged(`its SHA-256 is ${digestOf(bytes)}, its label says ${label}`);
      return bytes;
    },
    async getFile(name, into, { signal, ...checks }) {
      const { body, announcedBytes } = await get(name, signal);
      let counted = 0;
      const watch = (doneBytes: number): void => {
        traffic.receivedBytes += doneBytes - counted;
        counted = doneBytes;
        checks.watch(doneBytes);
      };
      try {
        return await landObject(body, into, announcedBytes, { ...checks, watch });
      } finally {
        body.destroy();
      }
    },
    async stat(name, signal) {
      try {
        const { ContentLength, LastModified } = await client.send(new HeadObjectCommand({ Bucket, Key: name }), {
          abortSignal: signal,
        });
        return { sizeBytes: ContentLength ?? 0, modifiedMs: LastModified?.getTime() ?? 0 };
      } catch (error) {
        // An answer to HEAD has no body that would tell an absent key from an absent bucket or right.
        const status = statusOf(error);
        if (status === 403 || status === 404) return undefined;
        // Nor from what else may be wrong, such as a token that has expired: asked for a byte, the server says it.
        if (status === 400)
          await client.send(new GetObjectCommand({ Bucket, Key: name, Range: 'bytes=0-0' }), { abortSignal: signal });
        throw error;
      }
    },
    async list(prefix, { after, most, signal }) {
      const command = new ListObjectsV2Command({
        Bucket,
        Prefix: prefix,
        ...(after !== undefined && { StartAfter: after }),
        ...(most !== undefined && { MaxKeys: most }),
      });
      const { Name, Contents = [], IsTruncated } = await client.send(command, { abortSignal: signal });
      // The client takes any page for an empty list.
      if (Name === undefined) throw new NotFromStore(`no list of ${prefix}`);
      const objects = Contents.map(({ Key = '', Size = 0, LastModified }) => ({
        name: Key,
        sizeBytes: Size,
        modifiedMs: LastModified?.getTime() ?? 0,
      }));
      return { objects, more: IsTruncated === true };
    },
    async renew(name, signal) {
      const command = new CopyObjectCommand({
        Bucket,
        Key: name,
        CopySource: `${Bucket}/${encodeURIComponent(name)}`,
        // A copy onto itself must change something.
        MetadataDirective: 'REPLACE',
        ContentType: 'application/octet-stream',
      });
      await client.send(command, { abortSignal: signal });
    },
    async remove(name, signal) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: name }), { abortSignal: signal });
    },
    async dropUnfinished(prefix, beforeMs, signal) {
      const listed = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix }), {
        abortSignal: signal,
      });
      const old = (listed.Uploads ?? []).filter(({ Initiated }) => (Initiated?.getTime() ?? beforeMs) < beforeMs);
      for (const { Key, UploadId } of old)
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: signal });
      return old.length;
    },
    putSmall(name, bytes, { replace, signal }) {
      const digest = digestOf(bytes);
      const command = new PutObjectCommand({
        Bucket,
        Key: name,
        Body: bytes,
        ContentType: 'application/json',
        Metadata: { [digestLabel]: digest },
        ...createOnly(replace),
      });
      return outcome(client.send(command, { abortSignal: signal }));
    },
    async putFile(name, file, { digest, replace, signal }) {
      const sizeBytes = fileStat(file)?.sizeBytes ?? 0;
      const target = { Bucket, Key: name };
      const condition = createOnly(replace);
      if (sizeBytes > 2 * partBytes)
        return outcome(putInParts(client, { target, file, sizeBytes, digest, condition, signal }));
      const params = { ...target, ...condition, ContentType: 'application/octet-stream' };
      const Body = createReadStream(file).on('error', () => {});
      const command = new PutObjectCommand({ ...params, Body, ContentLength: sizeBytes });
      // A stream would go out with an unsigned payload; signed, every server must compare what arrives with this digest.
      command.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = digest;
          return next(args);
        },
        { step: 'build', name: 'knownPayloadDigest' },
      );
      try {
        return await outcome(client.send(command, { abortSignal: signal }));
      } finally {
        Body.destroy();
      }
    },
  };
}

const createOnly = (replace: boolean): { readonly IfNoneMatch?: '*' } => (replace ? {} : { IfNoneMatch: '*' });

/** The status of the server's answer; undefined for what is none. */
export const statusOf = (error: unknown): number | undefined =>
  (error as { readonly $metadata?: { readonly httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;

/** 412 may also follow on a first attempt of ours that succeeded while its answer was lost. */
async function outcome(sending: Promise<unknown>): Promise<PutOutcome> {
  try {
    await sending;
    return 'written';
  } catch (error) {
    const status = statusOf(error);
    if (status === 412) return 'there';
    if (status === 501) return 'unconditional';
    throw error;
  }
}

/**
 * Credentials: the keys in `env`, else the SDK's chain (profile, single sign-on, container, machine role), else none: a bucket
 * that everybody may read needs no account. A profile that is named goes before the keys, as in every AWS tool.
 */
export async function connect(place: BucketPlace): Promise<{ readonly client: S3Client; readonly anonymous: boolean }> {
  const { env } = place;
  const region = place.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  const endpoint = place.endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const agents = agentsFor(env, { keepAlive: true, maxSockets: 64 });
  const silent = (): void => {};
  const settings: S3ClientConfig = {
    ...(endpoint && { endpoint }),
    forcePathStyle: (place.addressing ?? (endpoint ? 'path' : 'host')) === 'path',
    // Trailing checksums are refused by older stores, and stored as part of the object by some.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Waiting for "100 Continue" opens a new connection for each bigger PUT.
    expectContinueHeader: false,
    // Retries are the caller's; the second attempt is for a wrong clock, which the client sets right by itself.
    maxAttempts: 2,
    followRegionRedirects: true,
    // Without one the client writes to the console.
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    requestHandler: {
      httpAgent: agents.http,
      ...(endpoint?.startsWith('http:') !== true && { httpsAgent: agents.https }),
      connectionTimeout: place.connectMs,
      // Inactivity only: a slow transfer that moves goes on.
      socketTimeout: place.idleMs,
    },
  };
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  const given =
    accessKeyId && secretAccessKey && !env['AWS_PROFILE']
      ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }
      : {};
  const probe = new S3Client({ ...settings, ...given, ...(region && { region }) });
  const known = { region: await probe.config.region().catch(() => 'us-east-1'), credentials: probe.config.credentials };
  try {
    await known.credentials();
    return { client: new S3Client({ ...settings, ...known }), anonymous: false };
  } catch (error) {
    if ((error as Error).name !== 'CredentialsProviderError') throw error;
    // Explicit empty keys: without them the client looks for some again before it asks this signer.
    const unsigned = {
      credentials: { accessKeyId: '', secretAccessKey: '' },
      signer: { sign: async <T>(request: T) => request },
    };
    return { client: new S3Client({ ...settings, ...known, ...unsigned }), anonymous: true };
  }
}
