/** Finds out which packages need not be built because a cache has their artifacts. What is done about that is the caller's. */
import type { Manifest } from '../artifact/manifest.ts';
import type { Package } from '../buildfile/package.ts';
import type { FetchedArtifact } from '../cache/layered.ts';
import type { ContentKey } from '../model/digest.ts';
import type { Outcome } from '../model/event.ts';
import type { Missed } from '../model/plan.ts';
import { writeStamp } from '../stamps/stamp.ts';
import type { Artifacts } from './artifacts.ts';
import { removeBuild } from './build-places.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { cutOff } from './cutoff.ts';
import { fullClosure, visibleTo } from './graph.ts';
import { inParallel } from './in-parallel.ts';
import { missedBy } from './not-ready.ts';
import type { Wanted } from './roots.ts';
import { arrival, foresee, type Run } from './run.ts';
import { stageInputs } from './stages.ts';
import { isStamped } from './verdicts.ts';

type Artifact = Extract<FetchedArtifact, { outcome: 'done' }>;

/** An artifact that a cache has, and whether this project had it already. */
export interface Found extends Pick<Artifact, 'manifest' | 'tier'> {
  readonly outcome: 'fresh' | 'restored';
  readonly durationMs: number;
  /** Dependencies that came out equal although their keys moved, so that an artifact of another key will do; `name@version`. */
  readonly equal?: readonly string[];
}

/** What a run does and a plan leaves out. */
export interface LookUpEffects {
  /** Called for each artifact that was found and brought to the disk; undefined: nothing is brought, and it is told what could be. */
  readonly keep: ((facts: PackageFacts, found: Found) => void) | undefined;
}

export interface LookUps {
  /** What must be built, each after its dependencies, and why; what only they need for compiling has been looked for as well. */
  readonly missing: ReadonlyMap<Package, Missed>;
  readonly found: ReadonlyMap<Package, Found>;
  /** What has no key yet, each after its dependencies. */
  readonly open: readonly Package[];
}

export async function findArtifacts(
  want: Pick<Wanted, 'packages'>,
  facts: Facts,
  effects: LookUpEffects,
  run: Run,
): Promise<LookUps> {
  const missing = new Map<Package, Missed>();
  const found = new Map<Package, Found>();
  const open = new Set<Package>();
  // What only compiling needs, and lies in a tier below the disk: its manifest says enough until it is certain that there is anything to compile.
  const glimpsed = new Map<Package, Manifest>();
  const tried = new Set<Package>();
  const isNew = (one: Package): boolean => !missing.has(one) && !found.has(one) && !open.has(one);
  const lookFor = async (packages: readonly Package[], bring: boolean): Promise<void> => {
    const known = packages.flatMap((one) => facts.known.get(one) ?? []);
    for (const one of packages) if (!facts.known.has(one)) open.add(one);
    if (!run.options.noCache) await foresee(known, run);
    await inParallel(known, async (one) => {
      run.signal.throwIfAborted();
      run.labels.set(one.key, one.id);
      const glimpse =
        bring || run.options.noCache ? undefined : await run.cache.glimpse(one.package.name, one.key, run.signal);
      if (glimpse !== undefined) {
        glimpsed.set(one.package, glimpse);
        return;
      }
      const answer = await find(one, effects.keep !== undefined, run);
      if ('answer' in answer) missing.set(one.package, answer);
      else {
        found.set(one.package, answer);
        effects.keep?.(one, answer);
      }
    });
  };
  const compiledAgainst = (): Package[] => [
    ...new Set([...missing.keys(), ...open].flatMap((one) => visibleTo(one)).filter(isNew)),
  ];
  await lookFor(want.packages, true);
  for (;;) {
    // What is to be built needs more than what is to be installed.
    for (let wave = compiledAgainst(); wave.some((one) => !glimpsed.has(one)); wave = compiledAgainst())
      await lookFor(
        wave.filter((one) => !glimpsed.has(one)),
        false,
      );
    await cutOff({ missing, found, glimpsed, tried }, facts, { effects, run });
    const needed = compiledAgainst();
    if (needed.length === 0) break;
    await lookFor(needed, true);
  }
  const order = fullClosure(want.packages);
  return {
    missing: new Map(order.flatMap((one) => (missing.has(one) ? [[one, missing.get(one) as Missed]] : []))),
    found,
    open: order.filter((one) => open.has(one)),
  };
}

async function find(facts: PackageFacts, bring: boolean, run: Run): Promise<Found | Missed> {
  const { package: one, id, key } = facts;
  const startedMs = performance.now();
  const stamped = isStamped(facts, run.disk.has(one.name, key));
  if (run.options.noCache && !stamped) return { answer: 'not-asked' };
  run.labels.set(key, id);
  const fetched = bring
    ? await run.cache.fetchArtifact(one.name, key, run.signal, arrival(id, run))
    : await run.cache.foreseeArtifact(one.name, key, run.signal);
  if (fetched.outcome !== 'done') return missedBy(fetched);
  const { manifest, tier } = fetched;
  const outcome = stamped ? 'fresh' : 'restored';
  return { outcome, manifest, tier, durationMs: Math.round(performance.now() - startedMs) };
}

/** Puts what was found to the artifacts of a run, and stamps what was not this project's before. */
export function keeper(
  artifacts: Artifacts,
  outcomes: Map<string, Outcome>,
  run: Run,
): NonNullable<LookUpEffects['keep']> {
  const restored = new Set<ContentKey>();
  return (facts, { outcome, manifest, tier, durationMs, equal = [] }) => {
    const { package: one, id, key, places } = facts;
    artifacts.add(one, manifest);
    // In a second round of look-ups, what the first one brought is there.
    outcomes.set(id, restored.has(key) ? 'restored' : outcome);
    if (outcome === 'fresh') return;
    restored.add(key);
    // A run that failed or was killed may have left one, which nobody needs any more.
    if (!run.options.keep) removeBuild(places, run.workspace);
    const { tree, body } = manifest;
    writeStamp(places.stamps, {
      stage: 'pack',
      package: id,
      endedAtMs: Date.now(),
      durationMs,
      inputs: stageInputs(facts, 'pack'),
      results: { tree, body: body.digest, from: tier },
    });
    run.emit({
      type: 'package-finished',
      package: id,
      outcome,
      durationMs,
      sizeBytes: body.sizeBytes,
      ...(equal.length > 0 && { equal }),
    });
  };
}
