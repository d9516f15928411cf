/** A bucket as a cache tier: every trouble becomes an answer, and a bucket out of reach is waited for once per run. */
import type { ContentKey } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { fileStat } from '../system/files.ts';
import type { Bucket, PutOutcome } from '../system/s3.ts';
import type { Answer, CacheTier, Lack } from './cache.ts';
import { below, blobObject, manifestObject } from './layout.ts';
import { type Patience, TooSlow, defaultPatience, persist } from './patience.ts';
import type { S3Spec } from './s3-spec.ts';
import { type S3Trouble, faultOf, s3Trouble } from './s3-trouble.ts';

type Trouble = S3Trouble | { readonly outcome: 'rejected'; readonly reason: string; readonly mend: string };
type Asked<T> = { readonly outcome: 'done'; readonly value: T } | Trouble;
type Purpose = 'read' | 'write';
type Waits = { readonly tryMs?: number; readonly allMs?: number };

/**
 * The S3 client is loaded and credentials are sought at the first request. For as long as the tier object lives, a bucket
 * that proved to be out of reach is not asked again: every further answer is `unreachable` at once, with the same reason.
 *
 * @param env The environment, for keys, region and proxies; profiles and the like are found by the client itself.
 */
export function s3Cache(
  spec: S3Spec,
  env: Readonly<Record<string, string | undefined>>,
  patience: Patience = defaultPatience,
): CacheTier {
  const name = `s3://${below(spec.bucket, spec.prefix ?? '').replace(/\/$/, '')}`;
  const within = (object: string): string => below(spec.prefix, object);
  const { pausesMs, smallMs } = patience;
  let opening: Promise<Bucket> | undefined;
  let anonymous = false;
  let givenUp: Trouble | undefined;
  let conditional = true;

  const open = async (signal: AbortSignal): Promise<Bucket> => {
    opening ??= import('../system/s3.ts').then(({ openBucket }) => openBucket({ ...spec, env, ...patience }));
    const bucket = await Promise.race([opening, aborted(signal)]);
    ({ anonymous } = bucket);
    return bucket;
  };
  const judge = (thrown: unknown, purpose: Purpose = 'read'): Trouble => {
    const fault = faultOf(thrown);
    if (fault.name !== 'Damaged') return s3Trouble(fault, { purpose, anonymous });
    return { outcome: 'rejected', reason: fault.message, mend: 'remove the object' };
  };
  // Damage is tried a second time only: mostly it is in the store and stays.
  const passing = (thrown: unknown, tried: number): boolean => {
    const trouble = judge(thrown);
    return trouble.outcome === 'rejected' ? tried === 0 : trouble.outcome === 'unreachable' && trouble.passing;
  };

  async function ask<T>(
    request: (bucket: Bucket, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    waits: Waits,
    purpose: Purpose = 'read',
  ): Promise<Asked<T>> {
    signal.throwIfAborted();
    if (givenUp) return givenUp;
    try {
      const work = async (once: AbortSignal): Promise<T> => request(await open(once), once);
      return { outcome: 'done', value: await persist(work, { signal, pausesMs, passing, ...waits }) };
    } catch (error) {
      signal.throwIfAborted();
      throwIfLocal(error);
      const trouble = judge(error, purpose);
      if (trouble.outcome === 'unreachable' && trouble.everywhere) givenUp = trouble;
      return trouble;
    }
  }

  async function lookUp(packageName: string, key: ContentKey, signal: AbortSignal): Promise<Answer> {
    const { LARGEST_MANIFEST, judgeManifest } = await import('./judge.ts');
    const asked = await ask(
      (bucket, once) => bucket.getSmall(within(manifestObject(packageName, key)), LARGEST_MANIFEST, once),
      signal,
      { allMs: smallMs },
    );
    return asked.outcome === 'done' ? judgeManifest(asked.value, packageName, key) : answer(asked);
  }

  const failed = (object: string, { reason, mend }: { readonly reason: string; readonly mend: string }): VbuildError =>
    new VbuildError('upload-failed', 'Upload to a cache failed', {
      facts: { object: `s3://${spec.bucket}/${object}`, reason },
      mend,
    });

  /** @throws {VbuildError} `upload-failed` */
  async function insist<T>(
    object: string,
    request: (bucket: Bucket, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    waits: Waits,
  ): Promise<T> {
    const asked = await ask(request, signal, waits, 'write');
    if (asked.outcome === 'done') return asked.value;
    throw failed(
      object,
      'reason' in asked
        ? asked
        : { reason: 'the server says that the key is absent', mend: 'check the endpoint and the bucket' },
    );
  }

  /** Create-only. A server that knows no conditions is asked whether the object is there, and then given it without one. */
  async function put(
    object: string,
    request: (bucket: Bucket, replace: boolean, signal: AbortSignal) => Promise<PutOutcome>,
    signal: AbortSignal,
    waits: Waits,
    isThere: () => Promise<boolean>,
  ): Promise<'written' | 'there'> {
    if (conditional) {
      const outcome = await insist(object, (bucket, once) => request(bucket, false, once), signal, waits);
      if (outcome !== 'unconditional') return outcome;
      conditional = false;
    }
    if (await isThere()) return 'there';
    const outcome = await insist(object, (bucket, once) => request(bucket, true, once), signal, waits);
    if (outcome === 'written') return outcome;
    throw failed(object, {
      reason: 'the server does not take it, with and without a condition',
      mend: 'check the endpoint',
    });
  }

  const small = { allMs: smallMs };
  return {
    name,
    writable: true,
    lookUp,
    async fetchBlob(blob, into, signal, progress) {
      const object = within(blobObject(blob.digest));
      const asked = await ask(
        (bucket, once) => bucket.getFile(object, into, { ...blob, signal: once, watch: paceOf(patience, progress) }),
        signal,
        {},
      );
      return asked.outcome === 'done' ? { outcome: 'done' } : answer(asked);
    },
    async putBlob(digest, file, signal) {
      const object = within(blobObject(digest));
      const sizeBytes = fileStat(file)?.sizeBytes;
      if (sizeBytes === undefined) throw new Error(`there is no file ${file} to upload`);
      // Asked first, because a refused upload would still send every byte.
      const found = await insist(object, (bucket, once) => bucket.sizeOf(object, once), signal, small);
      if (found === sizeBytes) return;
      if (found !== undefined)
        throw failed(object, {
          reason: `an object of ${found} bytes is there, this one has ${sizeBytes}`,
          mend: 'remove the object',
        });
      const waits = { tryMs: patience.bodyMs + Math.ceil((sizeBytes / patience.slowestBytes) * 1000) };
      const send = (bucket: Bucket, replace: boolean, once: AbortSignal): Promise<PutOutcome> =>
        bucket.putFile(object, file, { digest, replace, signal: once });
      await put(object, send, signal, waits, async () => false);
    },
    async putManifest(manifest, signal) {
      const { key, body } = manifest;
      const packageName = manifest.package.name;
      const object = within(manifestObject(packageName, key));
      const { serialiseManifest } = await import('./judge.ts');
      const bytes = Buffer.from(serialiseManifest(manifest));
      const isThere = async (): Promise<boolean> => (await lookUp(packageName, key, signal)).outcome !== 'absent';
      const send = (bucket: Bucket, replace: boolean, once: AbortSignal): Promise<PutOutcome> =>
        bucket.putSmall(object, bytes, { replace, signal: once });
      if ((await put(object, send, signal, small, isThere)) === 'written') return;
      // Ours, whose answer was lost, or another build of the same key: either will do, if it is whole.
      const found = await lookUp(packageName, key, signal);
      const mend = 'remove the object, then push again';
      if (found.outcome === 'absent')
        throw failed(object, { reason: 'it was removed at the same time', mend: 'push again' });
      if (found.outcome !== 'hit')
        throw failed(object, { reason: `what is there cannot be used: ${found.reason}`, mend });
      if (found.manifest.body.digest === body.digest) return;
      const theirs = within(blobObject(found.manifest.body.digest));
      const sizeBytes = await insist(theirs, (bucket, once) => bucket.sizeOf(theirs, once), signal, small);
      if (sizeBytes !== found.manifest.body.sizeBytes)
        throw failed(object, { reason: `the manifest that is there names a body that is not: ${theirs}`, mend });
    },
  };
}

const answer = (trouble: Trouble): Lack =>
  trouble.outcome === 'absent' ? { outcome: 'absent' } : { outcome: trouble.outcome, reason: trouble.reason };

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, refuse) => {
    signal.addEventListener('abort', () => refuse(signal.reason as Error), { once: true });
  });

/** Stops a body that trickles: silence is what the connection's own timer sees, a byte now and then is not. */
function paceOf(
  { bodyMs, slowestBytes }: Patience,
  progress: ((doneBytes: number) => void) | undefined,
): (doneBytes: number) => void {
  const startedMs = performance.now();
  return (doneBytes) => {
    const takenMs = performance.now() - startedMs;
    if (takenMs > bodyMs && doneBytes < (takenMs / 1000) * slowestBytes)
      throw new TooSlow(`${doneBytes} bytes in ${Math.round(takenMs)} ms`);
    progress?.(doneBytes);
  };
}

/** A full or read-only disk here is not the bucket's fault. */
function throwIfLocal(thrown: unknown): void {
  const { code = '', syscall } = thrown as NodeJS.ErrnoException;
  // A place that is taken or has no folder is the caller's mistake.
  if (syscall === 'open' && ['EEXIST', 'ENOENT', 'ENOTDIR'].includes(code)) throw thrown;
  if (!['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EACCES', 'EMFILE'].includes(code) || syscall === 'connect') return;
  throw new VbuildError('disk-trouble', 'File could not be written or read', {
    facts: { found: (thrown as Error).message },
    mend: 'make room, or give the user the right to use the folder',
    cause: thrown,
  });
}
