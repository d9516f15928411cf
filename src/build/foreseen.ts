/** What the caches would give of what is asked for, by its key or as one that was made of the same; nothing is brought or written. */
import type { Manifest } from '../artifact/manifest.ts';
import { packageId } from '../buildfile/package.ts';
import { throwAll } from '../model/error.ts';
import type { Missed } from '../model/plan.ts';
import type { Facts } from './facts.ts';
import { inParallel } from './in-parallel.ts';
import { missedBy, notReady } from './not-ready.ts';
import type { Asked } from './released.ts';
import type { Run } from './run.ts';

/** `isEqual`: what is there was made of the same to the byte, and would stand in for it; the manifest is as it would be then. */
export type Foreseen = { readonly manifest: Manifest; readonly tier: string; readonly isEqual: boolean } | Missed;

/**
 * What a run that must not build would find.
 *
 * @param facts Of all that these rest on: without them, only keys are asked for, and what each is known to stand for.
 * @returns An answer for each.
 */
export async function foreseen(
  asked: readonly Asked[],
  run: Run,
  facts?: Facts,
): Promise<ReadonlyMap<Asked, Foreseen>> {
  for (const { id, key } of asked) run.labels.set(key, id);
  await run.cache.foresee(asked, run.signal);
  const answers = new Map(await inParallel(asked, async (one) => [one, await byItself(one, run)] as const));
  const lacking = asked.filter((one) => 'answer' in (answers.get(one) ?? {}));
  if (facts !== undefined && lacking.length > 0)
    for (const [one, answer] of await byTrees(lacking, facts, run)) answers.set(one, answer);
  return answers;
}

/** What is to be brought, as its manifest says. */
export type Ready = Exclude<Foreseen, Missed> & { readonly one: Asked };

/** The same, in the order in which they are asked for. @throws {VbuildError | VbuildErrors} `not-ready` for each that would not be found. */
export async function allForeseen(asked: readonly Asked[], run: Run, facts?: Facts): Promise<Ready[]> {
  const answers = [...(await foreseen(asked, run, facts))];
  throwAll(answers.flatMap(([one, found]) => ('answer' in found ? [notReady(one, found)] : [])));
  return answers.flatMap(([one, found]) => ('answer' in found ? [] : [{ one, ...found }]));
}

async function byItself({ name, key, standing }: Asked, { cache, signal }: Run): Promise<Foreseen> {
  const found = await cache.foreseeArtifact(name, key, signal);
  if (found.outcome === 'done') return { manifest: found.manifest, tier: found.tier, isEqual: false };
  const equal = standing === undefined ? found : await cache.foreseeEqual(name, standing, signal);
  if (equal.outcome === 'done') return { manifest: equal.manifest, tier: equal.tier, isEqual: true };
  return missedBy(equal.outcome === 'absent' ? found : equal);
}

/** Those of which there is an equal one. Loaded at need: mostly the keys say it all. */
async function byTrees(lacking: readonly Asked[], facts: Facts, run: Run): Promise<[Asked, Foreseen][]> {
  const { findArtifacts } = await import('./look-up.ts');
  const byId = new Map(lacking.map((one) => [one.id, one]));
  const packages = [...facts.known.keys()].filter((one) => byId.has(packageId(one)));
  const { found } = await findArtifacts({ packages }, facts, { keep: undefined }, run);
  return [...found].flatMap(([one, { manifest, tier, equal }]): [Asked, Foreseen][] => {
    const asked = byId.get(packageId(one));
    return asked === undefined ? [] : [[asked, { manifest, tier, isEqual: equal !== undefined }]];
  });
}
