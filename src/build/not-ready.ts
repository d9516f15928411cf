/** The errors for artifacts that cannot be had, or not for this host, where building is not allowed. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { FetchedArtifact } from '../cache/layered.ts';
import { VbuildError } from '../model/error.ts';
import { nameOf } from '../model/package-id.ts';
import type { Missed } from '../model/plan.ts';

/** @param asked What was asked for: `name@version`, its key, and for a release its tree. */
export function notReady(
  { id, key, tree }: { readonly id: string; readonly key: string; readonly tree?: string },
  { answer, reason, misfit }: Missed,
): VbuildError {
  if (misfit === 'prefix')
    return new VbuildError('unfit-host', 'Artifact cannot work in this prefix', {
      where: { package: id },
      facts: { found: reason ?? 'it does not fit' },
      mend: 'choose another prefix with --prefix; what is built here would not fit it either',
    });
  if (answer === 'unfit')
    return new VbuildError('unfit-host', 'Artifact does not fit this host', {
      where: { package: id },
      facts: { found: reason ?? 'it does not fit' },
      mend: 'install what is missing here, or build it on this platform and push it with --push',
    });
  return new VbuildError('not-ready', 'No cache has the artifact', {
    where: { package: id },
    facts: { key, ...(answer !== 'absent' && reason !== undefined && { found: reason }) },
    mend:
      tree === undefined
        ? `build it where compilers are and push it with --push; if that was done, vbuild why ${nameOf(id)} --cache says what differs`
        : 'push it again from where it was built, name another cache with --from, or take another release',
  });
}

/** For what works on one package, and makes no pins. */
export const notPinned = (one: Package): VbuildError =>
  new VbuildError('unpinned', 'Package or something that it needs has no pin', {
    where: { package: packageId(one) },
    mend: `pin it with vbuild lock ${one.name}`,
  });

/** What a look-up that found nothing says, as a plan and its readers have it. */
export const missedBy = ({ outcome, ...why }: Exclude<FetchedArtifact, { outcome: 'done' }>): Missed => ({
  answer: outcome,
  ...why,
});
