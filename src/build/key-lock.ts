/** One vbuild at a time makes an artifact: others that share the cache wait for it, and take what it made. */
import { join } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { acquireLock } from '../system/lock.ts';
import type { PackageFacts } from './facts.ts';
import type { Lease } from './job-runner.ts';
import type { Run } from './run.ts';

const nothing: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} };

/**
 * Takes the lock of a content key in the cache folder; the lock goes with this process, however that ends.
 *
 * @param lease Given up while another one has the lock.
 * @returns A lock that locks nothing where the cache lies on a file system without locks, which is told: then both build.
 */
export async function lockKey(
  { id, key, package: { name } }: PackageFacts,
  run: Run,
  lease: Lease,
): Promise<AsyncDisposable> {
  let lock = nothing;
  try {
    lock = await acquireLock(join(run.disk.folder, 'v1/locks', `${name}.${key}`), {
      signal: run.signal,
      removed: true,
      onWait(holder) {
        lease.give();
        run.emit({
          type: 'notice',
          level: 'info',
          code: 'waiting-for-package',
          headline: 'Another vbuild makes this package, waiting for it',
          package: id,
          ...(holder && { facts: { process: String(holder.pid), since: holder.since } }),
        });
      },
    });
  } catch (thrown) {
    if (!(thrown instanceof VbuildError) || thrown.code !== 'disk-trouble') throw thrown;
    run.emit({
      type: 'notice',
      level: 'warning',
      code: 'cache-without-locks',
      headline: 'Folder of the cache has no locks: runs side by side may make one package twice',
      package: id,
      facts: thrown.facts,
    });
  }
  await lease.take(run.signal);
  return lock;
}
