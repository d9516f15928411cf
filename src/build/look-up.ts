/** Finds out which packages need not be built because a cache has their artifacts. What is done about that is the caller's. */
import type { Package } from '../buildfile/package.ts';
import type { FetchedArtifact, LayeredCache } from '../cache/layered.ts';
import { type Host, thisHost, unfitReasons } from '../install/host.ts';
import type { ContentKey } from '../model/digest.ts';
import type { Outcome } from '../model/event.ts';
import type { Missed } from '../model/plan.ts';
import { writeStamp } from '../stamps/stamp.ts';
import type { Artifacts } from './artifacts.ts';
import { removeBuild } from './build-places.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { runClosure, visibleTo } from './graph.ts';
import type { Wanted } from './roots.ts';
import type { Run } from './run.ts';
import { stageInputs } from './stages.ts';
import { isStamped } from './verdicts.ts';

type Artifact = Extract<FetchedArtifact, { outcome: 'done' }>;

/** An artifact that a cache has, and whether this project had it already. */
export interface Found extends Pick<Artifact, 'manifest' | 'tier'> {
  readonly outcome: 'fresh' | 'restored';
  readonly durationMs: number;
}

/** What a run does and a plan leaves out. */
export interface LookUpEffects {
  /** Brings an artifact to the disk, or only tells whether that could be done. */
  readonly get: LayeredCache['fetchArtifact'];
  /** Called for each artifact that was found. */
  readonly keep: (facts: PackageFacts, found: Found) => void;
}

export interface LookUps {
  /** What must be built, each after its dependencies, and why; what only they need for compiling has been looked for as well. */
  readonly missing: ReadonlyMap<Package, Missed>;
  readonly found: ReadonlyMap<Package, Found>;
  /** What has no key yet, each after its dependencies. */
  readonly open: readonly Package[];
}

/** How many artifacts are looked for and brought at once. */
const parallel = 8;

export async function findArtifacts(want: Wanted, facts: Facts, effects: LookUpEffects, run: Run): Promise<LookUps> {
  const seen = new Set<Package>();
  const missing = new Map<Package, Missed>();
  const found = new Map<Package, Found>();
  const open = new Set<Package>();
  let host: Host | undefined;
  let wave = [...want.packages];
  while (wave.length > 0) {
    const queue = wave.filter((one) => !seen.has(one));
    for (const one of queue) seen.add(one);
    const keyed = queue.flatMap((one) => facts.known.get(one) ?? []);
    if (!run.options.noCache)
      await run.cache.foresee(
        keyed.map(({ package: { name }, key }) => ({ name, key })),
        run.signal,
      );
    const workers = Array.from({ length: parallel }, async () => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        run.signal.throwIfAborted();
        const known = facts.known.get(one);
        if (known === undefined) {
          open.add(one);
          continue;
        }
        host ??= thisHost();
        const answer = await find(known, host, effects.get, run);
        if ('answer' in answer) missing.set(one, answer);
        else {
          found.set(one, answer);
          effects.keep(known, answer);
        }
      }
    });
    await Promise.all(workers);
    // What is to be built needs more than what is to be installed.
    wave = [...new Set([...missing.keys(), ...open].flatMap((one) => visibleTo(one)))].filter((one) => !seen.has(one));
  }
  const order = runClosure([...seen]);
  return {
    missing: new Map(order.flatMap((one) => (missing.has(one) ? [[one, missing.get(one) as Missed]] : []))),
    found,
    open: order.filter((one) => open.has(one)),
  };
}

async function find(
  facts: PackageFacts,
  host: Host,
  get: LayeredCache['fetchArtifact'],
  run: Run,
): Promise<Found | Missed> {
  const { package: one, id, key } = facts;
  const startedMs = performance.now();
  const stamped = isStamped(facts, run.disk.has(one.name, key));
  if (run.options.noCache && !stamped) return { answer: 'not-asked' };
  run.labels.set(key, id);
  const fetched = await get(one.name, key, run.signal, (doneBytes, totalBytes) =>
    run.emit({ type: 'transfer', package: id, what: 'artifact', doneBytes, totalBytes }),
  );
  if (fetched.outcome !== 'done') {
    const { outcome: answer } = fetched;
    return 'reason' in fetched ? { answer, reason: fetched.reason } : { answer };
  }
  const { manifest, tier } = fetched;
  const unfit = unfitReasons(manifest, host).join('; ');
  if (unfit !== '') {
    run.emit({ type: 'cache-looked-up', package: id, key, tier, answer: 'rejected', reason: unfit });
    return { answer: 'rejected', reason: `${tier}: ${unfit}` };
  }
  const outcome = stamped ? 'fresh' : 'restored';
  return { outcome, manifest, tier, durationMs: Math.round(performance.now() - startedMs) };
}

/** Puts what was found to the artifacts of a run, and stamps what was not this project's before. */
export function keeper(artifacts: Artifacts, outcomes: Map<string, Outcome>, run: Run): LookUpEffects['keep'] {
  const restored = new Set<ContentKey>();
  return (facts, { outcome, manifest, tier, durationMs }) => {
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
    run.emit({ type: 'package-finished', package: id, outcome, durationMs });
  };
}
