/** The tools of a platform that this host is not, as far as artifacts tell that were built there. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { Lock } from '../buildfile/pins.ts';
import type { Manifest } from '../artifact/manifest.ts';
import type { CacheTier } from '../cache/cache.ts';
import { newestKeys, relativesOf } from '../cache/relatives.ts';
import type { ToolName } from '../compile/tools.ts';
import { parseKeyText } from '../key/fields.ts';
import { VbuildError, messageOf } from '../model/error.ts';
import { toolsOf } from './facts.ts';
import { inParallel } from './in-parallel.ts';
import type { Run } from './run.ts';

/** A tool as an artifact names it. */
interface Known {
  readonly tool: ToolName;
  readonly version: string;
  /** When that artifact was built; ISO 8601, UTC. */
  readonly at: string;
}

/**
 * Adds to a lock what the newest artifacts of a platform were built with, where the tools of these packages have no pin for it.
 *
 * @param tiers Those below the disk that may be asked.
 * @throws {VbuildError} `unpinned` when no artifact tells of a tool: then nothing is added.
 */
export async function pinKnownTools(
  packages: readonly Package[],
  lock: Lock,
  run: Run,
  tiers: readonly CacheTier[],
): Promise<Lock> {
  const { platform } = run;
  const pins = lock.tools[platform] ?? {};
  const open = new Set(packages.flatMap(toolsOf).filter((tool) => pins[tool] === undefined));
  if (open.size === 0) return lock;
  const told = await inParallel(packages, (one) => toldOf(one, { open, run, tiers }), 4);
  const newest = told.flat().sort((a, b) => (a.at < b.at ? -1 : 1));
  const found = Object.fromEntries(newest.map(({ tool, version }) => [tool, version]));
  const unknown = [...open].filter((tool) => found[tool] === undefined).sort();
  if (unknown.length > 0)
    throw new VbuildError('unpinned', 'Tools of this platform are not known here', {
      where: { file: run.workspace.lockFile },
      facts: {
        platform,
        tools: unknown.join(', '),
        'needed by': packages
          .filter((one) => toolsOf(one).some((tool) => unknown.includes(tool)))
          .map(packageId)
          .join(', '),
      },
      mend: 'run vbuild lock on a machine of this platform, or name a cache that has these packages for it',
    });
  return { ...lock, tools: { ...lock.tools, [platform]: { ...pins, ...found } } };
}

/** What the newest artifact of a package that was built there says of its tools; the disk is asked before the tiers. */
async function toldOf(
  one: Package,
  at: { readonly open: ReadonlySet<ToolName>; readonly run: Run; readonly tiers: readonly CacheTier[] },
): Promise<Known[]> {
  const tools = toolsOf(one).filter((tool) => at.open.has(tool));
  if (tools.length === 0) return [];
  for (const manifest of await relativesOf(at.run.disk, one.name)) {
    const known = knownFrom(manifest, tools, at.run.platform);
    if (known.length > 0) return known;
  }
  for (const tier of at.tiers) {
    for (const key of await keysIn(tier, one.name, at.run)) {
      const answer = await tier.lookUp(one.name, key, at.run.signal);
      const known = answer.outcome === 'hit' ? knownFrom(answer.manifest, tools, at.run.platform) : [];
      if (known.length > 0) return known;
    }
  }
  return [];
}

/** Newest first; none of a tier that cannot be listed. */
async function keysIn(tier: CacheTier, name: string, { signal, emit }: Run): Promise<Manifest['key'][]> {
  try {
    return (await newestKeys(tier, name, signal)) ?? [];
  } catch (error) {
    if (!(error instanceof VbuildError)) throw error;
    const reason = error.facts['reason'] ?? messageOf(error);
    const headline = `Cache ${tier.name} is not listed`;
    emit({ type: 'notice', level: 'warning', code: 'cache-not-listed', headline, facts: { reason } });
    return [];
  }
}

function knownFrom({ keyText, build }: Manifest, tools: readonly ToolName[], platform: string): Known[] {
  const fields = new Map(parseKeyText(keyText));
  if (fields.get('platform') !== platform) return [];
  return tools.flatMap((tool) => {
    const version = fields.get(`tool.${tool}`);
    return version === undefined ? [] : [{ tool, version, at: build.startedAt }];
  });
}
