/** Uploads beside the builds: an artifact leaves as soon as it is packed, its manifest after those of its dependencies. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { CacheTier } from '../cache/cache.ts';
import { push } from '../cache/push.ts';
import { VbuildError } from '../model/error.ts';
import type { Artifacts } from './artifacts.ts';
import { directDependencies } from './graph.ts';
import type { Run } from './run.ts';

export interface Pushes {
  /** Starts the uploads of a package whose artifact is known; returns at once. */
  add(one: Package): void;
  /** Waits for all of them. @returns What failed; it has been emitted. */
  done(): Promise<readonly VbuildError[]>;
}

/** @param tiers Those to fill; none when no push was asked for. */
export function startPushes(tiers: readonly CacheTier[], artifacts: Artifacts, run: Run): Pushes {
  const failures: VbuildError[] = [];
  const under = new Map<string, Promise<boolean>>();
  async function send(one: Package, tier: CacheTier): Promise<boolean> {
    const dependencies = await Promise.all(
      directDependencies(one).map((other) => under.get(`${tier.name} ${packageId(other)}`) ?? Promise.resolve(true)),
    );
    if (dependencies.includes(false)) return false;
    const manifest = await artifacts.manifest(one);
    try {
      await push(manifest, run.disk.blobs.pathOf(manifest.body.digest), tier, run.signal);
      run.emit({ type: 'pushed', package: packageId(one), tier: tier.name, sizeBytes: manifest.body.sizeBytes });
      return true;
    } catch (thrown) {
      if (run.signal.aborted) return false;
      if (!(thrown instanceof VbuildError)) throw thrown;
      const error = thrown.at({ package: packageId(one) });
      run.emit({ type: 'package-failed', package: packageId(one), error });
      failures.push(error);
      return false;
    }
  }
  return {
    add(one) {
      for (const tier of tiers) under.set(`${tier.name} ${packageId(one)}`, send(one, tier));
    },
    async done() {
      await Promise.all(under.values());
      return failures;
    },
  };
}
