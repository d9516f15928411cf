/** What the releases of a tier reach: while one is there, servers may install by it. */
import { parseRelease } from '../artifact/release.ts';
import { openSealed } from '../artifact/sealed.ts';
import type { CacheTier } from '../cache/cache.ts';
import { releaseNamed, releasesFolder } from '../cache/layout.ts';
import { parseKeyText } from '../key/fields.ts';
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { archivesIn, artifactName, type Reached } from './sweep-tier.ts';

/**
 * Adds to what is reached by other means. Whose signature a release bears does not matter here: what is kept for nothing does no harm.
 *
 * @returns Also the names of the releases.
 * @throws {VbuildError} `cache-trouble` for a release that cannot be read: nobody could tell what to keep for it.
 */
export async function withReleases(
  tier: CacheTier,
  before: Reached,
  signal: AbortSignal,
): Promise<{ readonly reached: Reached; readonly releases: readonly string[] }> {
  const listed = (await tier.objects?.all(`${releasesFolder}/`, signal)) ?? [];
  const places = listed.flatMap((object) => releaseNamed(object.name) ?? []);
  const artifacts = new Map(before.artifacts);
  const archives = new Set(before.archives);
  const trees = new Set(before.trees);
  for (const { name, signer } of places) {
    const answer = await tier.releases?.get(name, signer, signal);
    // One that was dropped meanwhile needs nothing any more.
    if (answer === undefined || answer.outcome === 'absent') continue;
    const opened = answer.outcome === 'done' ? openSealed(answer.bytes, signer) : { rejected: answer.reason };
    const parsed = 'rejected' in opened ? opened : parseRelease(opened.payload);
    if ('rejected' in parsed)
      throw new VbuildError('cache-trouble', 'Release in the cache cannot be read', {
        facts: { cache: tier.name, release: name, found: parsed.rejected },
        mend: `try again, or remove it with: vbuild release drop ${name}`,
      });
    for (const one of parsed.release.packages) {
      artifacts.set(artifactName(one.name, one.key), one.keyText);
      const tree = parseKeyText(one.keyText).find(([field]) => field === 'source.tree')?.[1];
      if (tree !== undefined) trees.add(tree as Digest);
      for (const digest of archivesIn(one.pin)) archives.add(digest);
    }
  }
  return { reached: { artifacts, archives, trees }, releases: [...new Set(places.map(({ name }) => name))] };
}
