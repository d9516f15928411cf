/** `vbuild cache ls [TARGET…]`: which artifacts the caches hold. */
import { factsNow } from '../build/facts.ts';
import { fullClosure } from '../build/graph.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { messageOf, VbuildError } from '../model/error.ts';
import { columns } from '../report/table.ts';
import { shortened, size } from '../report/words.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Command, openProject, printResult } from './command.ts';
import { lowerTiers } from './lower-tiers.ts';

interface Row {
  readonly tier: string;
  readonly name: string;
  /** Known of the local disk alone, as is the size. */
  readonly version: string | null;
  readonly key: string;
  readonly signer: string;
  /** Whether the Buildfile asks for this key now. */
  readonly current: boolean;
  readonly sizeBytes: number | null;
  /** Of the disk, when it was last used; else when it was put there. ISO 8601, UTC. */
  readonly at: string;
}

export const cacheLs: Command = async (context) => {
  const { line, signal } = context;
  const project = await openProject(context);
  const { build, workspace } = project;
  const [{ heldManifests }, { artifactsFolder, manifestNamed }] = await Promise.all([
    import('../cache/disk-content.ts'),
    import('../cache/layout.ts'),
  ]);
  const isAll = line.targets.length === 0;
  const packages = isAll ? build.packages : selectTargets(build, line.targets);
  const names = new Set(packages.map(({ name }) => name));
  const { known } = factsNow(fullClosure(packages), { workspace, platform: hostPlatform() });
  const keys = new Set<string>([...known.values()].map(({ key }) => key));

  const rows: Row[] = (await heldManifests(workspace.cache)).map(({ name, version, key, signer, usedMs, body }) => ({
    tier: 'disk',
    name,
    version: version ?? null,
    key,
    signer,
    current: keys.has(key),
    sizeBytes: body?.sizeBytes ?? null,
    at: new Date(usedMs).toISOString(),
  }));
  const silent: { readonly tier: string; readonly reason: string }[] = [];
  for (const tier of await lowerTiers(context, project)) {
    if (tier.objects === undefined) {
      silent.push({ tier: tier.name, reason: 'it cannot be listed' });
      continue;
    }
    try {
      for (const one of await tier.objects.all(`${artifactsFolder}/`, signal)) {
        const place = manifestNamed(one.name);
        if (place === undefined) continue;
        const at = new Date(one.modifiedMs).toISOString();
        rows.push({ tier: tier.name, ...place, version: null, current: keys.has(place.key), sizeBytes: null, at });
      }
    } catch (error) {
      if (!(error instanceof VbuildError)) throw error;
      silent.push({ tier: tier.name, reason: error.facts['reason'] ?? messageOf(error) });
    }
  }
  const shown = rows.filter(({ name }) => isAll || names.has(name));
  for (const { tier, reason } of silent)
    context.reporter.event({
      type: 'notice',
      level: 'warning',
      code: 'cache-not-listed',
      headline: `Cache ${tier} is not listed`,
      facts: { reason },
    });
  printResult(
    context,
    () => columns(shown.map(cells)),
    () => ({ format: 1, type: 'cache-listed', artifacts: shown, silent }),
  );
  return 0;
};

const cells = ({ tier, name, version, key, signer, current, sizeBytes, at }: Row): string[] => [
  tier,
  version === null ? name : `${name}@${version}`,
  shortened(key),
  current ? 'current' : '-',
  signer,
  at.slice(0, 16).replace('T', ' '),
  sizeBytes === null ? '' : size(sizeBytes),
];
