/** Whether the bytes that lie where a manifest should be are acceptable as the one that was asked for; pure. Loaded at need, since checking needs a library. */
import { equalKeyOf, type Standing, standIn } from '../artifact/equal.ts';
import { type ParsedManifest, parseManifest, serialiseManifest } from '../artifact/manifest-text.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { openSealed, type SealedManifest } from '../artifact/sealed.ts';
import type { Signer } from '../artifact/signer.ts';
import type { Digest } from '../model/digest.ts';
import type { Asked } from './layout.ts';
import { signatureRefusal, statementRefusal, type Trust } from './trust.ts';

export { LARGEST_MANIFEST } from '../artifact/manifest-text.ts';

/** Where the bytes lay: what they must be the manifest of, and whose. */
export type Place = Asked & {
  readonly signer: Signer;
  /** Whether it is on the own disk, where one may stand in for another. */
  readonly own?: boolean;
};

export type Judgement =
  | ({ readonly outcome: 'hit' } & SealedManifest)
  /** `damaged`: nobody could use it; otherwise it is only against the policy, or has another tree than is wanted. */
  | { readonly outcome: 'rejected'; readonly reason: string; readonly damaged: boolean };

/** @param trust Without one, a signature counts for nothing. */
export function judgeManifest(bytes: Uint8Array, place: Place, trust: Trust | undefined): Judgement {
  const { name, signer } = place;
  const damaged = (reason: string): Judgement => ({ outcome: 'rejected', reason, damaged: true });
  const opened = openSealed(bytes, signer);
  if ('rejected' in opened) return damaged(opened.rejected);
  const unproven = trust && signatureRefusal(opened, signer, trust);
  if (unproven !== undefined) return damaged(unproven);
  const parsed = parseManifest(opened.payload);
  if ('rejected' in parsed) return damaged(parsed.rejected);
  const standing = standingManifest(parsed.manifest, opened.standing, place);
  if ('rejected' in standing) return damaged(standing.rejected);
  const { manifest } = standing;
  if (manifest.package.name !== name) return damaged(`it is the manifest of package ${manifest.package.name}`);
  if ('key' in place && manifest.key !== place.key) return damaged(`it is the manifest of key ${manifest.key}`);
  if ('equal' in place && equalKeyOf(manifest) !== place.equal)
    return damaged('it was made of something else than its place says');
  const refused = trust && statementRefusal(parsed.manifest, signer, trust);
  const unwanted = refused ?? otherTree(manifest.tree, place.tree);
  return unwanted === undefined
    ? { outcome: 'hit', manifest, signer, bytes }
    : { outcome: 'rejected', reason: unwanted, damaged: false };
}

const otherTree = (found: Digest, wanted: Digest | undefined): string | undefined =>
  wanted === undefined || found === wanted
    ? undefined
    : `another build of this key, with tree ${found} in place of ${wanted}`;

/** The manifest that one stands in for; it must have been made of the same. */
function standingManifest(manifest: Manifest, standing: unknown, { own = false }: Place): ParsedManifest {
  if (standing === undefined) return { manifest };
  if (!own) return { rejected: 'it stands in for another artifact, which nobody has signed' };
  const claimed = standIn(manifest, (standing ?? {}) as Standing);
  const parsed = parseManifest(Buffer.from(serialiseManifest(claimed)));
  if ('rejected' in parsed) return parsed;
  const equal = equalKeyOf(manifest);
  return equal !== undefined && equalKeyOf(parsed.manifest) === equal
    ? parsed
    : { rejected: 'it stands in for an artifact that is made of something else' };
}
