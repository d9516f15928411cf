/** Where a compilation lies, now and after it has ended. */
import { join } from 'node:path';
import { type BuildRoot, canonicalRoot, hostOf } from '../artifact/build-root.ts';
import { type BuildPlaces, onHost } from '../artifact/places.ts';
import { VbuildError } from '../model/error.ts';
import { readStamp } from '../stamps/stamp.ts';
import { exists, moveIntoPlace, namesIn, temporaryFolder } from '../system/files.ts';
import { findNamespace } from '../system/namespace.ts';
import { bootId } from '../system/platform.ts';
import type { Run } from './run.ts';
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

/** The places of a compilation whose tree is still there, finished or not. */
export function keptPlaces({ build }: Pick<PackagePlaces, 'build'>): ReturnType<typeof buildPlaces> | undefined {
  const name = namesIn(build).find((one) => one === 'root' || /^_+$/.test(one));
  if (name === undefined) return undefined;
  const at = buildPlaces({ seen: name === 'root' ? canonicalRoot : join(build, name), host: join(build, name) });
  return exists(onHost(at, at.tree)) ? at : undefined;
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

/**
 * `VBUILD_PADDED=1` does without, as on a machine that forbids namespaces: for tests that both ways give the same artifacts.
 *
 * @throws {VbuildError} `unsupported-host` where steps must be locked in and cannot be.
 */
export async function namespaceFor({
  workspace,
  environment,
  options,
}: Pick<Run, 'workspace' | 'environment' | 'options'>): ReturnType<typeof findNamespace> {
  // One of its own: nothing is mounted below it, which a user may not bind along.
  using folder = temporaryFolder('namespace', workspace.state);
  const padded = environment['VBUILD_PADDED'] === '1';
  const namespace = padded ? undefined : await findNamespace(folder.path, canonicalRoot, options.sandbox !== 'off');
  if (options.sandbox === 'require' && namespace?.sealed !== true) {
    throw new VbuildError('unsupported-host', 'Steps cannot be locked in on this machine', {
      facts: {
        expected: 'namespaces for mounts, processes and the network, made with unshare',
        found: 'they are refused',
      },
      mend: 'let this user make namespaces, or leave out --sandbox=require',
    });
  }
  return namespace;
}
