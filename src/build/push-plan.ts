/** What a push would send, and what it would hold back; asks as it does, sends nothing. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { CacheTier } from '../cache/cache.ts';
import type { Trust } from '../cache/trust.ts';
import type { Plan } from '../model/plan.ts';
import type { Facts } from './facts.ts';
import { inParallel } from './in-parallel.ts';
import { provenanceOf } from './provenance.ts';
import { type Publishing, reasonToWithhold } from './pushes.ts';
import type { Run } from './run.ts';
import { signingKey } from './signing-key.ts';

/**
 * @param packages Those that are pushed when they are ready, each after what it needs.
 * @param tiers    Those that are filled.
 * @throws {VbuildError} `signing-key`, as the push would.
 */
export async function plannedPush(
  packages: readonly Package[],
  {
    facts,
    tiers,
    publishing,
    trust,
  }: {
    readonly facts: Facts;
    readonly tiers: readonly CacheTier[];
    readonly publishing: Publishing;
    readonly trust: Trust | undefined;
  },
  run: Run,
): Promise<Required<Pick<Plan, 'uploads' | 'withheld'>>> {
  signingKey(publishing.signing, trust?.keys.values());
  const provenance = await provenanceOf({ folder: run.workspace.folder, files: publishing.files }, facts, run);
  const withheld = new Map<Package, string>();
  for (const one of packages) {
    const reason = reasonToWithhold(one, { named: publishing.named, provenance, withheld });
    if (reason !== undefined) withheld.set(one, reason);
  }
  const pairs = packages.flatMap((one) => (withheld.has(one) ? [] : tiers.map((tier) => ({ one, tier }))));
  const uploads = await inParallel(pairs, async ({ one, tier }) => {
    const key = facts.known.get(one)?.key;
    if (key === undefined || (await tier.lookUp(one.name, key, run.signal)).outcome === 'hit') return [];
    const here = await run.disk.lookUp(one.name, key, run.signal);
    const sizeBytes = here.outcome === 'hit' ? here.manifest.body.sizeBytes : undefined;
    return [{ package: packageId(one), tier: tier.name, ...(sizeBytes !== undefined && { sizeBytes }) }];
  });
  return {
    uploads: uploads.flat(),
    withheld: [...withheld].map(([one, reason]) => ({ package: packageId(one), reason })),
  };
}
