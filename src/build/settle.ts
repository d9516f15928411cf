/** From targets to what must be built: pins, keys, caches, tools, in this order. A run does it all, a plan only looks. */
import { type Package, packageId } from '../buildfile/package.ts';
import { type Lock, readLock } from '../buildfile/pins.ts';
import { currentGeneration } from '../install/generations.ts';
import { VbuildErrors } from '../model/error.ts';
import type { Emit } from '../model/event.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Facts, gatherFacts } from './facts.ts';
import { fullClosure } from './graph.ts';
import { findArtifacts, type LookUpEffects, type LookUps } from './look-up.ts';
import { notReady } from './not-ready.ts';
import { pinTools } from './pinning.ts';
import type { BuildRequest } from './request.ts';
import { type Wanted, wanted } from './roots.ts';
import type { Run } from './run.ts';
import type { StageFacts } from './stages.ts';

/** What the prefix is to hold after this run; says so when it held something that this Buildfile no longer has. @throws {VbuildError} */
export function wantedBy({ targets, build, prefix, options }: BuildRequest, emit: Emit): Wanted {
  const want = wanted(targets, build.packages, options.noInstall ? undefined : currentGeneration(prefix)?.record);
  for (const id of want.dropped) {
    emit({
      type: 'notice',
      level: 'warning',
      code: 'root-dropped',
      headline: 'This Buildfile no longer has a package of the prefix',
      package: id,
    });
  }
  return want;
}

/** What a run does and a plan leaves out. */
interface Effects extends LookUpEffects {
  /** Keeps pins that were made or moved. */
  readonly save: (lock: Lock) => void;
  /** Pins sources that have no pin; what it leaves out stays open. @throws {VbuildError} when that is not allowed */
  readonly pin: (unpinned: readonly Package[], lock: Lock) => Promise<Lock>;
  /** Makes other facts of those of each package, for a plan of what is not so. */
  readonly assume?: ((facts: StageFacts) => StageFacts) | undefined;
  /** Called before each round of look-ups; there is a second one when the version of a tool has moved its pin, and with it the keys. */
  readonly begin: (facts: Facts) => void;
}

export interface Settled extends LookUps {
  readonly facts: Facts;
}

/**
 * Pins what has no pin, computes the keys, asks the caches, and checks the tools for what is left to build. Another version of a tool
 * moves its pin and with it the keys, so that the caches are asked once more.
 *
 * @throws {VbuildError | VbuildErrors} for what stops a run before any package: pins, tools, and with `noBuild` what no cache has.
 */
export async function settle(want: Wanted, effects: Effects, run: Run): Promise<Settled> {
  const { workspace, platform } = run;
  const packages = fullClosure(want.packages);
  let lock = readLock(workspace.lockFile);
  const gather = (): Facts => gatherFacts(packages, { lock, platform, workspace, assume: effects.assume });
  const save = (changed: Lock): void => {
    if (changed !== lock) effects.save(changed);
    lock = changed;
  };
  let facts = gather();
  let toolsSeen = false;
  if (facts.unpinnedTools.length + facts.unpinned.length > 0) {
    toolsSeen = facts.unpinnedTools.length > 0;
    save(await pinTools(toolsSeen ? packages : [], facts.unpinned, lock, run));
    save(await effects.pin(facts.unpinned, lock));
  }
  for (;;) {
    facts = gather();
    effects.begin(facts);
    const lookUps = await findArtifacts(want, facts, effects, run);
    const missing = [...lookUps.missing.keys()];
    // Nothing is compiled for another platform than this host's, nor what would fit the prefix no better than what there is.
    const mayBuild = !run.options.noBuild && platform === hostPlatform();
    const lost = [...lookUps.missing].filter(([, { misfit }]) => !mayBuild || misfit === 'prefix');
    if (lost.length > 0)
      throw new VbuildErrors(
        lost.map(([one, missed]) =>
          notReady({ id: packageId(one), key: facts.known.get(one)?.key ?? 'unknown' }, missed),
        ),
      );
    if (missing.length === 0 || toolsSeen) return { ...lookUps, facts };
    const before = lock;
    save(await pinTools(missing, missing, lock, run));
    toolsSeen = true;
    if (lock === before) return { ...lookUps, facts };
  }
}
