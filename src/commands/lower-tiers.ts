/** The caches that a command itself may ask. */
import type { CacheTier } from '../cache/cache.ts';
import type { CacheSpec } from '../cache/cache-spec.ts';
import type { TrustOptions } from '../cache/trust-spec.ts';
import type { CommandContext, Project } from './command.ts';

/** Those of the Buildfile, in its order; none under `--offline`. */
export const lowerTiers = (context: CommandContext, { build, workspace }: Project): Promise<readonly CacheTier[]> =>
  tiersOf(build.cache, workspace.folder, context, build.trust);

/** @param folder Absolute; paths of the caches are relative to it. */
export async function tiersOf(
  specs: readonly CacheSpec[],
  folder: string,
  { env, line }: CommandContext,
  trust: TrustOptions | undefined,
): Promise<readonly CacheTier[]> {
  if (line.options.offline || specs.length === 0) return [];
  const [{ tierOf }, { trustOf }] = await Promise.all([import('../cache/tiers.ts'), import('../cache/trust.ts')]);
  return specs.map((spec) => tierOf(spec, { folder, environment: env, trust: trust && trustOf(trust) }));
}
