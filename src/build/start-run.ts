/** Sets up what the parts of a run share: the caches of this user and of the Buildfile, each answer of theirs emitted. */
import type { CacheTier } from '../cache/cache.ts';
import { diskCache } from '../cache/disk.ts';
import { layeredCache } from '../cache/layered.ts';
import { s3Cache } from '../cache/s3.ts';
import type { ContentKey } from '../model/digest.ts';
import type { BuildRequest } from './request.ts';
import type { Run } from './run.ts';

type Needed = Pick<BuildRequest, 'build' | 'workspace' | 'platform' | 'options' | 'environment' | 'emit' | 'signal'>;

/** `tiers` are those below the disk; offline there are none. */
export function startRun({ build, workspace, platform, options, environment, emit, signal }: Needed): {
  run: Run;
  tiers: readonly CacheTier[];
} {
  const labels = new Map<ContentKey, string>();
  const disk = diskCache(workspace.cache);
  const tiers = options.offline ? [] : build.cache.map((spec) => s3Cache(spec, environment));
  const cache = layeredCache(disk, options.noCache ? [] : tiers, ({ tier, name, key, answer }) =>
    emit({
      type: 'cache-looked-up',
      package: labels.get(key) ?? name,
      key,
      tier,
      answer: answer.outcome,
      ...('reason' in answer && { reason: answer.reason }),
    }),
  );
  return { run: { workspace, platform, options, disk, cache, labels, environment, emit, signal }, tiers };
}
