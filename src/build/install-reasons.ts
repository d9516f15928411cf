/** Whether a prefix must get a new generation, and why: runs obey it, plans and checks tell it. */
import { dirname, resolve } from 'node:path';
import type { Package } from '../buildfile/package.ts';
import { currentGeneration, placeOf } from '../install/generations.ts';
import type { ContentKey } from '../model/digest.ts';
import type { Reason } from '../model/event.ts';
import { exists } from '../system/files.ts';
import type { BuildRequest } from './request.ts';
import { prefixDifferences, trustNote, type Wanted } from './roots.ts';

/** Why the prefix must get a new generation. @throws {VbuildError} `install-refused` */
export function installReasons(
  want: Wanted,
  { prefix, build }: Pick<BuildRequest, 'prefix' | 'build'>,
  keyOf: (one: Package) => ContentKey | undefined,
): readonly Reason[] {
  const current = currentGeneration(prefix);
  const reasons = prefixDifferences(
    current?.record,
    want,
    { place: placeToBe(prefix), trust: trustNote(build) },
    keyOf,
  );
  return current === undefined && reasons.length === 0 ? [{ input: 'prefix', now: 'never installed' }] : reasons;
}

/** Where a prefix lies or will lie; a folder that is made only when it is needed has no real path yet. */
export const placeToBe = (prefix: string): string =>
  exists(dirname(resolve(prefix))) ? placeOf(prefix) : resolve(prefix);
