/** The content keys of a closure that is pinned already: for commands that look at caches and pin nothing. */
import { type Package, packageId } from '../buildfile/package.ts';
import { type Lock, readLock } from '../buildfile/pins.ts';
import { VbuildError } from '../model/error.ts';
import { type Facts, gatherFacts, type PackageFacts } from './facts.ts';
import type { Workspace } from './workspace.ts';

export interface KeyedFacts extends Facts {
  /** Of any of the packages. */
  of(one: Package): PackageFacts;
}

/** The advice where pins of a platform are missing: there, or wherever the caches can tell. */
export const lockFor = (platform: string): string =>
  `run vbuild lock --platform '${platform}' and commit the lock file`;

/**
 * @param packages Closed under both kinds of dependencies, each after its own.
 * @param lock     What is pinned; as in the workspace's lock file when not given.
 * @throws {VbuildError} `unpinned`
 */
export function keyedFacts(
  packages: readonly Package[],
  { workspace, platform }: { readonly workspace: Workspace; readonly platform: string },
  lock: Lock = readLock(workspace.lockFile),
): KeyedFacts {
  const facts = gatherFacts(packages, { lock, platform, workspace });
  const { unpinned, unpinnedTools } = facts;
  if (unpinned.length + unpinnedTools.length > 0) {
    throw new VbuildError('unpinned', 'Without pins there are no content keys', {
      where: { file: workspace.lockFile },
      facts: {
        platform,
        ...(unpinned.length > 0 && { sources: unpinned.map(packageId).join(', ') }),
        ...(unpinnedTools.length > 0 && { tools: unpinnedTools.join(', ') }),
      },
      mend: `take the lock file of the machine that built them, or ${lockFor(platform)}`,
    });
  }
  return {
    ...facts,
    of(one) {
      const known = facts.known.get(one);
      if (known === undefined) throw new Error(`${packageId(one)} has no key`);
      return known;
    },
  };
}
