/** The content keys of a closure that is pinned already: for commands that look at caches and pin nothing. */
import { type Package, packageId } from '../buildfile/package.ts';
import { VbuildError } from '../model/error.ts';
import { type Facts, factsNow } from './facts.ts';
import type { Workspace } from './workspace.ts';

/** The advice where pins of a platform are missing: there, or wherever the caches can tell. */
export const lockFor = (platform: string): string =>
  `run vbuild lock --platform '${platform}' and commit the lock file`;

/**
 * @param packages Closed under both kinds of dependencies, each after its own.
 * @throws {VbuildError} `unpinned`
 */
export function keyedFacts(
  packages: readonly Package[],
  { workspace, platform }: { readonly workspace: Workspace; readonly platform: string },
): Facts {
  const facts = factsNow(packages, { workspace, platform });
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
  return facts;
}
