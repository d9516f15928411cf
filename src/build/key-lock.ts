/** One vbuild at a time makes an artifact or brings a source: others that share the cache wait for it, and take what it left. */
import { join } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { acquireLock, type Lock } from '../system/lock.ts';
import type { PackageFacts } from './facts.ts';
import type { Lease } from './job-runner.ts';
import type { Run } from './run.ts';

const nothing: Lock = { leave: () => {}, [Symbol.asyncDispose]: async () => {} };

/** What is told while another vbuild has the lock, and what is done then. */
interface Waiting {
  readonly code: string;
  readonly headline: string;
  /** `name@version` */
  readonly package: string;
  readonly onWait?: () => void;
  /** Where the cache lies on a file system without locks. */
  readonly onNoLocks?: (trouble: VbuildError) => void;
}

/** Takes a lock in the cache folder; it goes with this process, however that ends. @returns A lock that locks nothing where there are none. */
export async function lockInCache(name: string, run: Run, waiting: Waiting): Promise<Lock> {
  const { code, headline, package: id, onWait, onNoLocks } = waiting;
  try {
    return await acquireLock(join(run.disk.folder, 'v1/locks', name), {
      signal: run.signal,
      removed: true,
      onWait(holder) {
        onWait?.();
        // Another package of this run may have the same source.
        if (holder?.pid === process.pid) return;
        run.emit({
          type: 'notice',
          level: 'info',
          code,
          headline,
          package: id,
          ...(holder && { facts: { process: String(holder.pid), since: holder.since } }),
        });
      },
    });
  } catch (thrown) {
    if (!(thrown instanceof VbuildError) || thrown.code !== 'disk-trouble') throw thrown;
    onNoLocks?.(thrown);
    return nothing;
  }
}

/**
 * Takes the lock of a content key.
 *
 * @param lease Given up while another one has the lock.
 * @returns A lock that locks nothing where the cache lies on a file system without locks, which is told: then both build.
 */
export async function lockKey(
  { id, key, package: { name } }: PackageFacts,
  run: Run,
  lease: Lease,
): Promise<AsyncDisposable> {
  const lock = await lockInCache(`${name}.${key}`, run, {
    code: 'waiting-for-package',
    headline: 'Another vbuild makes this package, waiting for it',
    package: id,
    onWait: () => lease.give(),
    onNoLocks: ({ facts }) =>
      run.emit({
        type: 'notice',
        level: 'warning',
        code: 'cache-without-locks',
        headline: 'Folder of the cache has no locks: runs side by side may make one package twice',
        package: id,
        facts,
      }),
  });
  await lease.take(run.signal);
  return lock;
}
