/** Uploads a large file to a bucket in parts, of which nothing is left when it does not come to an end. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Digest } from '../model/digest.ts';
import { Damaged } from './objects.ts';

/** Smaller parts cost more requests, larger ones more memory. */
export const partBytes = 16 * 1024 * 1024;
/** How many parts are under way at once. */
const parallel = 3;
/** For giving up what was begun, once nobody waits for it any more. */
const giveUpMs = 5_000;

interface PartsRequest {
  readonly target: { readonly Bucket: string; readonly Key: string };
  readonly file: string;
  readonly sizeBytes: number;
  /** Insisted on before the object comes to be. */
  readonly digest: Digest;
  readonly condition: { readonly IfNoneMatch?: '*' };
  readonly signal: AbortSignal;
}

/** Parts are sent from memory, so each one goes out with a signed digest. Errors are as the SDK has them, or `Damaged`. */
export async function putInParts(client: S3Client, request: PartsRequest): Promise<void> {
  const { target, condition, signal } = request;
  const begin = new CreateMultipartUploadCommand({ ...target, ContentType: 'application/octet-stream' });
  const { UploadId } = await client.send(begin, { abortSignal: signal });
  try {
    const Parts = await sendParts(client, { ...target, UploadId }, request);
    const complete = new CompleteMultipartUploadCommand({
      ...target,
      ...condition,
      UploadId,
      MultipartUpload: { Parts },
    });
    await client.send(complete, { abortSignal: signal });
  } catch (error) {
    const abort = new AbortMultipartUploadCommand({ ...target, UploadId });
    // A sweep, or a rule of the bucket, removes what cannot be given up now.
    await client.send(abort, { abortSignal: AbortSignal.timeout(giveUpMs) }).catch(() => {});
    throw error;
  }
}

interface Part {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
}

/** @returns What was sent, once none is under way any more. */
async function sendParts(
  client: S3Client,
  upload: PartsRequest['target'] & { readonly UploadId: string | undefined },
  { file, sizeBytes, digest, signal }: PartsRequest,
): Promise<Part[]> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const hash = createHash('sha256');
  // At most 10,000 parts are allowed.
  const size = Math.max(partBytes, Math.ceil(sizeBytes / 9_000));
  const sent: Promise<Part>[] = [];
  const send = async (PartNumber: number, Body: Buffer): Promise<Part> => {
    try {
      const command = new UploadPartCommand({ ...upload, PartNumber, Body });
      const { ETag } = await client.send(command, { abortSignal: either });
      return { PartNumber, ETag };
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  const handle = await open(file);
  try {
    for (let at = 0; at < sizeBytes; at += size) {
      const part = await readFully(handle, at, Math.min(size, sizeBytes - at));
      hash.update(part);
      await sent[sent.length - parallel];
      either.throwIfAborted();
      const sending = send(sent.length + 1, part);
      // Its failure is met below, perhaps while the next part is read.
      sending.catch(() => {});
      sent.push(sending);
    }
    const parts = await Promise.all(sent);
    const found = hash.digest('hex');
    if (found === digest) return parts;
    throw new Damaged(`its SHA-256 is ${found}, expected ${digest}`);
  } finally {
    await handle.close();
    // What arrives after an upload was given up would stay.
    await Promise.allSettled(sent);
  }
}

async function readFully(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) throw new Damaged(`it has only ${at + filled} bytes`);
    filled += bytesRead;
  }
  return bytes;
}
