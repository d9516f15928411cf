/** Downloads one object named by an `s3:` URL, by the door to the S3 client: hashed, landed whole, tried again where that may help. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../model/digest.ts';
import { messageOf, VbuildError } from '../model/error.ts';
import { Damaged } from './objects.ts';
import { openBucket, statusOf } from './s3.ts';

interface ObjectRequest {
  /** `s3://BUCKET/KEY`. Region, endpoint and credentials come from the environment and the profile, as for every AWS tool. */
  readonly url: string;
  /** Absolute path of a file that is not there yet. */
  readonly into: string;
  /** Insisted on when given. */
  readonly digest?: Digest;
  /** Insisted on when given. */
  readonly sizeBytes?: number;
  readonly offline: boolean;
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly progress: (doneBytes: number, totalBytes: number | undefined) => void;
}

/** Before the second try and the third. */
const pausesMs = [500, 2_000];

/** @throws {VbuildError} `source-missing`, `pin-mismatch`, `download-failed`; the signal's reason when it is aborted. */
export async function downloadObject(
  request: ObjectRequest,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  const { url, into, digest, sizeBytes, offline, signal, environment, progress } = request;
  if (offline) throw failed(url, 'vbuild runs offline', 'run once without --offline');
  const { hostname, pathname } = new URL(url);
  const bucket = await openBucket({ bucket: hostname, env: environment, connectMs: 10_000, idleMs: 30_000 });
  for (let tries = 0; ; tries += 1) {
    try {
      return await bucket.getFile(decodeURIComponent(pathname.slice(1)), into, {
        ...(digest !== undefined && { digest }),
        ...(sizeBytes !== undefined && { sizeBytes }),
        signal,
        watch: (doneBytes) => progress(doneBytes, sizeBytes),
      });
    } catch (error) {
      signal.throwIfAborted();
      const trouble = inWords(url, error, bucket.anonymous);
      const pauseMs = pausesMs[tries];
      if (!trouble.passing || pauseMs === undefined) throw trouble.error;
      await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function inWords(url: string, error: unknown, anonymous: boolean): { error: VbuildError; passing: boolean } {
  if (error instanceof VbuildError) return { error, passing: false };
  if (error instanceof Damaged)
    return {
      error: new VbuildError('pin-mismatch', 'Downloaded file is not the one that was pinned', {
        facts: { url, found: error.message },
        mend: 'find out why it changed; if the change is meant, pin it anew with vbuild update',
        cause: error,
      }),
      passing: false,
    };
  const { name } = error as { name?: string };
  const status = statusOf(error);
  if (name === 'NoSuchKey' || name === 'NoSuchBucket')
    return {
      error: new VbuildError('source-missing', 'Bucket does not have the file', {
        facts: { url, answer: name },
        mend: 'correct the URL, or name a mirror as a second one',
      }),
      passing: false,
    };
  const answer = status === undefined ? messageOf(error) : `the server answered ${status} ${name ?? ''}`.trim();
  const mend =
    status === 403
      ? `${anonymous ? 'give credentials' : 'give these credentials s3:GetObject'}: see AWS_ACCESS_KEY_ID and AWS_PROFILE`
      : 'check the network, the region and AWS_ENDPOINT_URL_S3, or name a mirror as a second URL';
  return {
    error: failed(url, answer, mend, error),
    passing: status === undefined || status === 429 || status >= 500,
  };
}

const failed = (url: string, reason: string, mend: string, cause?: unknown): VbuildError =>
  new VbuildError('download-failed', 'Download failed', { facts: { url, reason }, mend, cause });
