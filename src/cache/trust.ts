/** Whose artifacts are accepted, and what must be said of them: what follows from a Buildfile's trust for a manifest (pure). */
import type { Manifest } from '../artifact/manifest.ts';
import type { Opened, SealedManifest } from '../artifact/sealed.ts';
import { type Signer, UNSIGNED } from '../artifact/signer.ts';
import { minisignHolds, minisignKey, type MinisignKey, minisignSigned } from '../key/minisign.ts';
import type { TrustedKey, TrustOptions, TrustRequirement } from './trust-spec.ts';

/** Trust made ready for use. */
export interface Trust {
  /** By key id. */
  readonly keys: ReadonlyMap<Signer, TrustedKey & { readonly key: MinisignKey }>;
  readonly require: TrustRequirement;
}

/** @param options Checked before. */
export function trustOf({ keys, require = {} }: TrustOptions): Trust {
  const known = keys.map((one) => {
    const key = minisignKey(one.publicKey);
    if (key === undefined) throw new Error(`the public key ${one.name} passed validation and is none`);
    return [key.id, { ...one, key }] as const;
  });
  return { keys: new Map(known), require };
}

/**
 * What a publisher insists on for what lies in the place of its own manifest: to be as acceptable as that one. Where its own is against
 * the policy, as that of a pull request may be, a good signature will do.
 */
export const noWorseThan = ({ manifest, signer }: SealedManifest, trust: Trust | undefined): Trust | undefined =>
  trust && statementRefusal(manifest, signer, trust) !== undefined ? { ...trust, require: {} } : trust;

/** Whose manifests can be acceptable, in the order in which they are asked for. */
export const signersFor = (trust: Trust | undefined): readonly Signer[] =>
  trust === undefined ? [UNSIGNED] : [...trust.keys.keys()];

/** Why manifests of these signers, and of nobody else, are no use; the names of the keys are not known here. */
export const strangers = (signers: readonly Signer[]): string => {
  const others = signers.filter((signer) => signer !== UNSIGNED);
  const by = others.length === 0 ? [] : [`signed by ${others.join(', ')}, which the Buildfile does not trust`];
  return [...(others.length < signers.length ? ['not signed'] : []), ...by].join(', or ');
};

/** Why the signature of an object is not accepted, as one clause; undefined when it is. Nothing of the payload is looked into. */
export function signatureRefusal({ payload, signature }: Opened, signer: Signer, trust: Trust): string | undefined {
  const trusted = trust.keys.get(signer);
  if (trusted === undefined) return `it is ${strangers([signer])}`;
  if (signature?.keyId !== signer) return `it lies in the place of key ${signer} and is signed by ${signature?.keyId}`;
  return minisignHolds(trusted.key, signature, minisignSigned(signature, payload))
    ? undefined
    : `its signature by ${trusted.name} (${signer}) does not hold`;
}

/** Why a manifest with a good signature does not do, as one clause; undefined when it does. */
export function statementRefusal({ statement }: Manifest, signer: Signer, trust: Trust): string | undefined {
  const { name, role } = trust.keys.get(signer) ?? {};
  const { builder, ref } = trust.require;
  const { revision } = statement ?? {};
  if (statement?.builder !== role)
    return `it says that ${statement?.builder ?? 'nobody'} built it, and its key ${name} is for ${role}`;
  if (builder !== undefined && role !== builder) return `it was built by ${role}, and the policy wants ${builder}`;
  if (ref === undefined) return undefined;
  if (revision === undefined) return `it says no revision of the Buildfile, and the policy wants ${ref}`;
  if (revision.ref !== ref)
    return `it was built from ${revision.ref ?? `commit ${revision.commit} on no branch`}, and the policy wants ${ref}`;
  return revision.clean ? undefined : `it was built from ${ref} with modified files`;
}
