/** Finds out which packages need not be built: their artifacts are brought from the caches to the disk. */
import { type Package, packageId } from '../buildfile/package.ts';
import { type Host, thisHost, unfitReasons } from '../install/host.ts';
import type { Outcome } from '../model/event.ts';
import { staleness } from '../stamps/staleness.ts';
import { fieldsOf, readStamp, writeStamp } from '../stamps/stamp.ts';
import type { Artifacts } from './artifacts.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { runClosure, visibleTo } from './graph.ts';
import type { Wanted } from './roots.ts';
import type { Run } from './run.ts';
import { stageInputs } from './stages.ts';

export interface LookUpRequest {
  readonly want: Wanted;
  readonly facts: Facts;
  /** Gets every artifact that was found. */
  readonly artifacts: Artifacts;
  /** Gets how every found package came to be ready. */
  readonly outcomes: Map<string, Outcome>;
  readonly run: Run;
}

/** How many artifacts are looked for and brought at once. */
const parallel = 8;

/** @returns What must be built, each after its dependencies; what only they need for compiling has been looked for as well. */
export async function findArtifacts({ want, facts, artifacts, outcomes, run }: LookUpRequest): Promise<Package[]> {
  const seen = new Set<Package>();
  const missing = new Set<Package>();
  let host: Host | undefined;
  let wave = [...want.packages];
  while (wave.length > 0) {
    const queue = wave.filter((one) => !seen.has(one));
    for (const one of queue) seen.add(one);
    const workers = Array.from({ length: parallel }, async () => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        run.signal.throwIfAborted();
        const known = facts.known.get(one);
        if (known === undefined) throw new Error(`${packageId(one)} has no key`);
        host ??= thisHost();
        const outcome = await find(known, host, artifacts, run);
        if (outcome === undefined) missing.add(one);
        else outcomes.set(packageId(one), outcome);
      }
    });
    await Promise.all(workers);
    // What is to be built needs more than what is to be installed.
    wave = [...new Set([...missing].flatMap((one) => visibleTo(one)))].filter((one) => !seen.has(one));
  }
  return runClosureOrder([...seen], missing);
}

const runClosureOrder = (all: readonly Package[], missing: ReadonlySet<Package>): Package[] =>
  runClosure(all).filter((one) => missing.has(one));

async function find(facts: PackageFacts, host: Host, artifacts: Artifacts, run: Run): Promise<Outcome | undefined> {
  const { package: one, id, key, places } = facts;
  const startedMs = performance.now();
  const inputs = stageInputs(facts, 'pack');
  const stamped = staleness(readStamp(places.stamps, 'pack'), fieldsOf(inputs), run.disk.has(one.name, key)).fresh;
  if (run.options.noCache && !stamped) return undefined;
  run.labels.set(key, id);
  const fetched = await run.cache.fetchArtifact(one.name, key, run.signal, (doneBytes, totalBytes) =>
    run.emit({ type: 'transfer', package: id, what: 'artifact', doneBytes, totalBytes }),
  );
  if (fetched.outcome !== 'done') return undefined;
  const unfit = unfitReasons(fetched.manifest, host);
  if (unfit.length > 0) {
    run.emit({
      type: 'cache-looked-up',
      package: id,
      key,
      tier: fetched.tier,
      answer: 'rejected',
      reason: unfit.join('; '),
    });
    return undefined;
  }
  artifacts.add(one, fetched.manifest);
  const outcome = stamped ? 'fresh' : 'restored';
  if (!stamped) {
    const { tree, body } = fetched.manifest;
    const durationMs = Math.round(performance.now() - startedMs);
    writeStamp(places.stamps, {
      stage: 'pack',
      package: id,
      endedAtMs: Date.now(),
      durationMs,
      inputs,
      results: { tree, body: body.digest, from: fetched.tier },
    });
    run.emit({ type: 'package-finished', package: id, outcome, durationMs });
  }
  return outcome;
}
