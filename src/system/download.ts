/** Downloads one file by HTTP or HTTPS: resumed, measured, hashed, and landed by a rename when it is whole. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { fileStat, readIfThere, writeAll, writeAtomically } from './files.ts';
import { type Answered, ask, shownUrl, type Trouble, troubleMendedBy } from './http.ts';

export interface DownloadRequest {
  /** `http:` or `https:`; user and password in it are used, and never shown. */
  readonly url: string;
  /**
   * Absolute path of the file to write. What has come so far lies in `INTO.part`, beside what resuming needs in `INTO.part.json`;
   * both stay after a failure and after a crash, so a later call with the same `into` goes on from there. Nobody else may use these names meanwhile.
   */
  readonly into: string;
  /** Insisted on when given. */
  readonly digest?: Digest;
  /** Insisted on when given. */
  readonly sizeBytes?: number;
  /** `archive`: a web page is refused, as log-in pages of networks answer any URL with one. */
  readonly expect?: 'archive';
  readonly offline: boolean;
  readonly signal: AbortSignal;
  /** Where `http_proxy`, `https_proxy` and `no_proxy` are looked up; no proxy when not given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** @param totalBytes Undefined where the server does not say. */
  readonly progress?: (doneBytes: number, totalBytes: number | undefined) => void;
  /** Longest wait for the server, in milliseconds: for the head of its answer, and then each time for a kilobyte a second; 30 seconds when not given. */
  readonly stallMs?: number;
  /** Wait before the second try, in milliseconds, doubled for each one after it; half a second when not given. */
  readonly backoffMs?: number;
}

interface Downloaded {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Tries in a row that brought nothing; one that brought bytes starts the count anew, up to `mostTries` altogether. */
const triesWithoutProgress = 4;
const mostTries = 20;

/** Bytes in a second below which a server counts as stalled, as for git. */
const slowestBytes = 1000;

/** For servers that send without end where no size is known. */
const mostBytes = 32 * 2 ** 30;

/**
 * @throws {VbuildError} `source-missing` when the server says that there is no such file (404, 410), `pin-mismatch` when it is not the
 *   one insisted on, `download-failed` for everything else, also when offline; the signal's reason when it is aborted.
 */
export async function download(request: DownloadRequest): Promise<Downloaded> {
  const { url, signal, backoffMs = 500 } = request;
  if (request.offline)
    throw new VbuildError('download-failed', 'File is not here and may not be downloaded', {
      facts: { url: shownUrl(url), reason: 'vbuild runs offline' },
      mend: 'run once without --offline',
    });
  let idle = 0;
  for (let tries = 1; ; tries += 1) {
    const before = partSize(request.into);
    const trouble = await attempt(request).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
    if (!('error' in trouble)) return trouble;
    signal.throwIfAborted();
    idle = partSize(request.into) > before ? 0 : idle + 1;
    if (!trouble.passing || idle >= triesWithoutProgress || tries >= mostTries) throw told(trouble.error, request);
    await sleep(backoffMs * 2 ** Math.max(0, idle - 1), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** A file that vanished is told by what it was, so that it can be sought elsewhere. */
function told(error: VbuildError, { digest, sizeBytes }: DownloadRequest): VbuildError {
  const expected = spoken(digest, sizeBytes);
  if (error.code !== 'source-missing' || expected === '') return error;
  return error.at({}, { expected, found: `nothing, status ${error.facts['status']}` });
}

const partSize = (into: string): number => fileStat(`${into}.part`)?.sizeBytes ?? 0;

/** What `If-Range` needs to make sure that the rest belongs to the part that is here. */
interface Resumable {
  readonly url: string;
  readonly validator: string;
}

async function attempt(request: DownloadRequest): Promise<Downloaded | Trouble> {
  const { url, into, digest, sizeBytes, signal, stallMs = 30_000 } = request;
  const part = `${into}.part`;
  const note = `${into}.part.json`;
  const dropPart = (): void => [part, note].forEach((path) => rmSync(path, { force: true }));

  const validator = resumable(readIfThere(note), url);
  if (validator === undefined) dropPart();
  const have = partSize(into);
  const answered = await ask({
    url,
    headers: have > 0 && validator !== undefined ? { range: `bytes=${have}-`, 'if-range': validator } : {},
    environment: request.environment ?? {},
    signal,
    stallMs,
  });
  if ('error' in answered) {
    // 416: the part is not shorter than the file, so it is not a part of this file.
    if (answered.status !== 416) return answered;
    dropPart();
    return { ...answered, passing: true };
  }

  const { response, finalUrl } = answered;
  const resumes = response.statusCode === 206;
  if (resumes && !(response.headers['content-range'] ?? '').startsWith(`bytes ${have}-`)) {
    response.destroy();
    dropPart();
    return failure(
      url,
      `the server sent another range than bytes ${have}-: ${response.headers['content-range'] ?? 'none'}`,
      true,
    );
  }
  if (!resumes) {
    dropPart();
    noteValidator(note, url, response);
  }
  const received = await receive({ answered, part, have: resumes ? have : 0, request, stallMs });
  if ('error' in received) return received;

  if (request.expect === 'archive' && isWebPage(part)) {
    dropPart();
    return failure(url, 'a web page came instead of an archive; a log-in page of the network does that', false, {
      'came from': shownUrl(finalUrl),
    });
  }
  if (
    (digest !== undefined && received.digest !== digest) ||
    (sizeBytes !== undefined && received.sizeBytes !== sizeBytes)
  ) {
    dropPart();
    const error = mismatch(url, spoken(digest, sizeBytes), spoken(received.digest, received.sizeBytes));
    // A part from an earlier run may have been of other bytes after all: once more, from the start.
    return { error, passing: resumes };
  }
  renameSync(part, into);
  rmSync(note, { force: true });
  return received;
}

/** Appends the body to the part. */
async function receive(job: {
  answered: Answered;
  part: string;
  have: number;
  request: DownloadRequest;
  stallMs: number;
}): Promise<{ digest: Digest; sizeBytes: number } | Trouble> {
  const { part, have, request, stallMs } = job;
  const { response } = job.answered;
  const { url } = request;
  const length = response.headers['content-length'];
  const total = length === undefined ? undefined : have + Number(length);
  const hash = createHash('sha256');
  if (have > 0) for await (const bytes of createReadStream(part) as AsyncIterable<Buffer>) hash.update(bytes);

  let done = have;
  let [stalled, doneBefore] = [false, done];
  // A byte now and then must not hold a build for ever either.
  const leastBytes = Math.ceil((stallMs / 1000) * slowestBytes);
  const stall = setInterval(() => {
    stalled = done - doneBefore < leastBytes;
    doneBefore = done;
    if (stalled) response.destroy();
  }, stallMs);
  const file = openSync(part, have > 0 ? 'a' : 'w', 0o644);
  try {
    for await (const bytes of response as AsyncIterable<Buffer>) {
      hash.update(bytes);
      writeAll(file, bytes);
      done += bytes.length;
      request.progress?.(done, total);
      if (done > (request.sizeBytes ?? mostBytes)) break;
    }
    fsyncSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === 'write' || (error as NodeJS.ErrnoException).syscall === 'fsync')
      throw error;
    const reason = stalled
      ? `the server sent less than ${leastBytes} bytes in ${stallMs} ms`
      : `the connection broke (${(error as Error).message})`;
    return failure(url, reason, true, { received: `${done} of ${total ?? 'unknown'} bytes` });
  } finally {
    clearInterval(stall);
    closeSync(file);
    response.destroy();
  }
  const most = request.sizeBytes ?? mostBytes;
  if (done > most) {
    rmSync(part, { force: true });
    if (request.sizeBytes === undefined) return failure(url, `the server sent more than ${most} bytes`, false);
    return {
      error: mismatch(url, spoken(request.digest, most), `${total ?? `more than ${most}`} bytes`),
      passing: have > 0,
    };
  }
  if (total !== undefined && done < total)
    return failure(url, 'the answer ended early', true, { received: `${done} of ${total} bytes` });
  return { digest: hash.digest('hex') as Digest, sizeBytes: done };
}

function resumable(text: string | undefined, url: string): string | undefined {
  try {
    const noted = JSON.parse(text ?? 'null') as Resumable | null;
    return noted?.url === shownUrl(url) && typeof noted.validator === 'string' ? noted.validator : undefined;
  } catch {
    return undefined; // half a note is no note
  }
}

/** A strong entity tag or the date; weak tags promise nothing about bytes. */
function noteValidator(note: string, url: string, { headers }: IncomingMessage): void {
  const validator = headers.etag?.startsWith('"') ? headers.etag : headers['last-modified'];
  if (validator !== undefined)
    writeAtomically(note, JSON.stringify({ url: shownUrl(url), validator } satisfies Resumable));
}

function isWebPage(file: string): boolean {
  const opened = openSync(file, 'r');
  try {
    const head = Buffer.alloc(512);
    return /^(\xEF\xBB\xBF)?\s*(<\?xml[^>]*>\s*)?<(!doctype html|html)/i.test(
      head.subarray(0, readSync(opened, head)).toString('latin1'),
    );
  } finally {
    closeSync(opened);
  }
}

const mismatch = (url: string, expected: string, found: string): VbuildError =>
  new VbuildError('pin-mismatch', 'Downloaded file is not the one that was pinned', {
    facts: { url: shownUrl(url), expected, found },
    mend: 'find out why upstream changed it; if the change is meant, pin it anew with vbuild update',
  });

const spoken = (digest: Digest | undefined, sizeBytes: number | undefined): string =>
  [digest && `SHA-256 ${digest}`, sizeBytes === undefined ? undefined : `${sizeBytes} bytes`]
    .filter((part) => part !== undefined)
    .join(', ');

const failure = troubleMendedBy('try again later, or name a mirror as a second URL');
