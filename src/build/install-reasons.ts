/** Whether a prefix must get a new generation, and why: runs obey it, plans and checks tell it. */
import { dirname, resolve } from 'node:path';
import type { Package } from '../buildfile/package.ts';
import { currentGeneration, placeOf } from '../install/generations.ts';
import type { ContentKey } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Reason } from '../model/event.ts';
import { exists } from '../system/files.ts';
import { factsNow } from './facts.ts';
import { fullClosure } from './graph.ts';
import type { BuildRequest } from './request.ts';
import { prefixDifferences, trustNotes, wanted, type Wanted } from './roots.ts';

/** Why the prefix must get a new generation. @throws {VbuildError} `install-refused` */
export function installReasons(
  want: Wanted,
  { prefix, build }: Pick<BuildRequest, 'prefix' | 'build'>,
  keyOf: (one: Package) => ContentKey | undefined,
): readonly Reason[] {
  const current = currentGeneration(prefix);
  const reasons = prefixDifferences(current?.record, want, { place: placeToBe(prefix), ...trustNotes(build) }, keyOf);
  return current === undefined && reasons.length === 0 ? [{ input: 'prefix', now: 'never installed' }] : reasons;
}

/**
 * Why the prefix would get a new generation if just what was asked of it before were asked for again; nothing where nothing was.
 * What would stop such a run is told as the reason.
 */
export function standingReasons({
  build,
  prefix,
  workspace,
  platform,
}: Pick<BuildRequest, 'build' | 'prefix' | 'workspace' | 'platform'>): readonly Reason[] {
  const record = currentGeneration(prefix)?.record;
  if (record === undefined) return [];
  try {
    const want = wanted([], build.packages, record);
    const { known } = factsNow(fullClosure(want.packages), { workspace, platform });
    // What has no key yet may come out as it is installed now.
    return installReasons(want, { prefix, build }, (one) => known.get(one)?.key ?? record.packages[one.name]?.key);
  } catch (error) {
    if (!(error instanceof VbuildError)) throw error;
    return [{ input: error.message }];
  }
}

/** Where a prefix lies or will lie; a folder that is made only when it is needed has no real path yet. */
export const placeToBe = (prefix: string): string =>
  exists(dirname(resolve(prefix))) ? placeOf(prefix) : resolve(prefix);
