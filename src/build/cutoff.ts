/**
 * Early cutoff: where the trees of all that a package would be compiled against are known, an artifact that was made of the same to the
 * byte stands in for it. Keys decide what is asked for first; this is asked only where no cache has the key.
 */
import { type Dependencies, movedBetween, ownFields, restsOn, type Standing } from '../artifact/equal.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import { equalsOnDisk } from '../cache/relatives.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { directDependencies, runClosure, visibleTo } from './graph.ts';
import { inParallel } from './in-parallel.ts';
import type { Found, LookUpEffects } from './look-up.ts';
import { arrival, type Run } from './run.ts';

/** Finds the artifact of a package that is there, by its manifest. */
type ManifestOf = (one: Package) => Manifest;

/** What the manifests of a package's dependencies are to its own. */
export function dependenciesOf(one: Package, manifestOf: ManifestOf): Dependencies {
  const closure = runClosure(one.deps ?? []);
  return {
    dependencies: (one.deps ?? []).map(manifestOf),
    closure: closure.map(manifestOf),
    buildOnly: visibleTo(one)
      .filter((other) => !closure.includes(other))
      .map(manifestOf),
  };
}

/**
 * Looks for an artifact that was made of the same as this package would be.
 *
 * @param manifestOf Of everything that is visible to the package.
 * @param bring      Whether it is brought, or it is only told whether that could be done.
 * @returns Undefined where there is none, or none that fits the host.
 */
export async function findEqual(
  facts: PackageFacts,
  manifestOf: ManifestOf,
  bring: boolean,
  run: Run,
): Promise<Found | undefined> {
  const { package: one, id, key, keyText } = facts;
  const { dependencies, against } = restsOn(dependenciesOf(one, manifestOf));
  if (run.options.noCache || against === undefined) return undefined;
  const startedMs = performance.now();
  const standing: Standing = { key, keyText, dependencies, against };
  const fetched = bring
    ? await run.cache.fetchEqual(one.name, standing, run.signal, arrival(id, run))
    : await run.cache.foreseeEqual(one.name, standing, run.signal);
  if (fetched.outcome !== 'done') return undefined;
  const { manifest, tier, madeFrom } = fetched;
  const moved = new Set(movedBetween(madeFrom, keyText));
  const equal = directDependencies(one).flatMap((other) => (moved.has(other.name) ? [packageId(other)] : []));
  return { outcome: 'restored', manifest, tier, equal, durationMs: Math.round(performance.now() - startedMs) };
}

/** How far the look-ups of a run have come. */
interface LookedUp {
  readonly missing: Map<Package, unknown>;
  readonly found: Map<Package, Found>;
  /** Manifests of what could be brought and was not, since only compiling would need it. */
  readonly glimpsed: ReadonlyMap<Package, Manifest>;
  /** What equal artifacts were looked for of. */
  readonly tried: Set<Package>;
}

/** Finds equal artifacts of what is missing and whose dependencies are all there, each after those: moves them to what was found. */
export async function cutOff(
  { missing, found, glimpsed, tried }: LookedUp,
  facts: Facts,
  { effects, run }: { readonly effects: LookUpEffects; readonly run: Run },
): Promise<void> {
  const manifests = (one: Package): Manifest | undefined => found.get(one)?.manifest ?? glimpsed.get(one);
  for (;;) {
    const ready = [...missing.keys()].filter(
      (one) => !tried.has(one) && visibleTo(one).every((other) => manifests(other) !== undefined),
    );
    if (ready.length === 0) return;
    await inParallel(ready, async (one) => {
      tried.add(one);
      const known = facts.known.get(one);
      if (known === undefined) return;
      const manifestOf: ManifestOf = (other) => manifests(other) as Manifest;
      const answer = await findEqual(known, manifestOf, effects.keep !== undefined, run);
      if (answer === undefined) return;
      missing.delete(one);
      found.set(one, answer);
      effects.keep?.(known, answer);
    });
  }
}

/** Whether the disk has an artifact that would stand in for this one, if its dependencies came out as that one's were. */
export async function mayBeEqual({ package: one, keyText }: PackageFacts, run: Run): Promise<boolean> {
  if (run.options.noCache || visibleTo(one).length === 0) return false;
  const own = JSON.stringify(ownFields(keyText));
  const names = visibleTo(one).map(({ name }) => name);
  return (await equalsOnDisk(run.disk, one.name)).some(
    ({ keyText: text, against = [] }) =>
      JSON.stringify(ownFields(text)) === own &&
      against.length === names.length &&
      against.every(({ name }) => names.includes(name)),
  );
}
