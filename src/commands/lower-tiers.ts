/** The caches of the Buildfile that a command which only looks may ask. */
import type { CacheTier } from '../cache/cache.ts';
import type { CommandContext, Project } from './command.ts';

/** In the order of the Buildfile; none under `--offline`. */
export async function lowerTiers(
  { line, env }: CommandContext,
  { build, workspace }: Project,
): Promise<readonly CacheTier[]> {
  if (line.options.offline || build.cache.length === 0) return [];
  const [{ tierOf }, { trustIn }] = await Promise.all([import('../cache/tiers.ts'), import('../build/disk.ts')]);
  const at = { folder: workspace.folder, environment: env, trust: trustIn(build) };
  return build.cache.map((spec) => tierOf(spec, at));
}
