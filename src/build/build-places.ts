/** Where a compilation lies, now and after it has ended. */
import { join } from 'node:path';
import { type BuildRoot, hostOf } from '../artifact/build-root.ts';
import { type BuildPlaces, onHost } from '../artifact/places.ts';
import { readStamp } from '../stamps/stamp.ts';
import { exists, moveIntoPlace, temporaryFolder } from '../system/files.ts';
import { bootId } from '../system/platform.ts';
import type { PackagePlaces, Workspace } from './workspace.ts';

/** The places of one compilation. */
export function buildPlaces({ seen: root, host }: BuildRoot): BuildPlaces & { readonly tree: string } {
  return { root, host, prefix: join(root, 'prefix'), stage: join(root, 'stage'), tree: join(root, 'tree') };
}

/** The places of a compilation that was finished, perhaps by another run that had another way to work. */
export function earlierPlaces(places: Pick<PackagePlaces, 'stamps' | 'build'>): BuildPlaces | undefined {
  const seen = readStamp(places.stamps, 'compile')?.results['root'];
  return seen === undefined ? undefined : buildPlaces({ seen, host: hostOf(places.build, seen) });
}

/**
 * Whether what the last compilation installed into its stage is still there. It is packed at once and never flushed, so that it is worth
 * nothing after another start of the machine.
 */
export function isStaged(places: Pick<PackagePlaces, 'stamps' | 'build'>): boolean {
  const earlier = earlierPlaces(places);
  const boot = readStamp(places.stamps, 'compile')?.results['boot'];
  return earlier !== undefined && boot === bootId() && exists(onHost(earlier, earlier.stage));
}

/** Removes what a compilation left; by one rename first, because half a stage that a kill leaves would be taken for a whole one. */
export function removeBuild({ build }: Pick<PackagePlaces, 'build'>, { state }: Workspace): void {
  if (!exists(build)) return;
  using gone = temporaryFolder('gone', state);
  moveIntoPlace(build, join(gone.path, 'build'));
}
