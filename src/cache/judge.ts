/** Whether the bytes that lie where a manifest should be are acceptable as the one that was asked for; pure. Loaded at need, since checking needs a library. */
import { parseManifest } from '../artifact/manifest-text.ts';
import { openSealed, type SealedManifest } from '../artifact/sealed.ts';
import type { Signer } from '../artifact/signer.ts';
import type { ContentKey } from '../model/digest.ts';
import { signatureRefusal, statementRefusal, type Trust } from './trust.ts';

export { LARGEST_MANIFEST } from '../artifact/manifest-text.ts';

/** Where the bytes lay: what they must be the manifest of, and whose. */
export interface Place {
  readonly name: string;
  readonly key: ContentKey;
  readonly signer: Signer;
}

export type Judgement =
  | ({ readonly outcome: 'hit' } & SealedManifest)
  /** `damaged`: nobody could use it; otherwise it is only against the policy. */
  | { readonly outcome: 'rejected'; readonly reason: string; readonly damaged: boolean };

/** @param trust Without one, a signature counts for nothing. */
export function judgeManifest(bytes: Uint8Array, { name, key, signer }: Place, trust: Trust | undefined): Judgement {
  const damaged = (reason: string): Judgement => ({ outcome: 'rejected', reason, damaged: true });
  const opened = openSealed(bytes, signer);
  if ('rejected' in opened) return damaged(opened.rejected);
  const unproven = trust && signatureRefusal(opened, signer, trust);
  if (unproven !== undefined) return damaged(unproven);
  const parsed = parseManifest(opened.payload);
  if ('rejected' in parsed) return damaged(parsed.rejected);
  const { manifest } = parsed;
  if (manifest.package.name !== name) return damaged(`it is the manifest of package ${manifest.package.name}`);
  if (manifest.key !== key) return damaged(`it is the manifest of key ${manifest.key}`);
  const refused = trust && statementRefusal(manifest, signer, trust);
  return refused === undefined
    ? { outcome: 'hit', manifest, signer, bytes }
    : { outcome: 'rejected', reason: refused, damaged: false };
}
