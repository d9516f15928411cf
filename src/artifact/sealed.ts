/** Manifests as they are stored: the exact bytes, and whose they are; only as these bytes is a signature good for them. */
import { minisign, minisignSignature, type MinisignSecretKey, type MinisignSignature } from '../key/minisign.ts';
import { messageOf } from '../model/error.ts';
import { type Standing, standIn } from './equal.ts';
import { LARGEST_MANIFEST, serialiseManifest } from './manifest-text.ts';
import type { Manifest } from './manifest.ts';
import { LOCAL, type Signer, UNSIGNED } from './signer.ts';

export interface SealedManifest {
  readonly manifest: Manifest;
  readonly signer: Signer;
  /** Of the object as it is stored, signature included. */
  readonly bytes: Uint8Array;
}

/** A manifest as it is, without a signature. @param signer `UNSIGNED` or `LOCAL`. */
export const unsigned = (manifest: Manifest, signer: Signer = UNSIGNED): SealedManifest => ({
  manifest,
  signer,
  bytes: Buffer.from(serialiseManifest(manifest)),
});

/** A manifest with a signature of a key. */
export function signed(manifest: Manifest, key: MinisignSecretKey): SealedManifest {
  const { name, version } = manifest.package;
  const bytes = sealedText(serialiseManifest(manifest), key, `vbuild ${name}@${version} ${manifest.key}`);
  return { manifest, signer: key.id, bytes };
}

/** Any text with a signature of a key. @param comment One line, signed along. */
export function sealedText(payload: string, key: MinisignSecretKey, comment: string): Uint8Array {
  return objectBytes({ format: 1, payload, signature: minisign(key, Buffer.from(payload), comment) });
}

/**
 * An artifact as one that stands in for another. Nobody but the signer can sign what that one's manifest would be: so it keeps the bytes
 * that are signed, beside what takes the place of something in them. Such an object is for the own disk, and never published.
 */
export function standingIn(sealed: SealedManifest, standing: Standing): SealedManifest {
  const { signer, bytes } = sealed;
  if (sealed.manifest.key === standing.key) return sealed;
  const manifest = standIn(sealed.manifest, standing);
  if (signer === UNSIGNED || signer === LOCAL) return unsigned(manifest, signer);
  const { payload, signature } = JSON.parse(Buffer.from(bytes).toString()) as SignedObject;
  return { manifest, signer, bytes: objectBytes({ format: 1, payload, signature, standing }) };
}

/** What was signed, of one that stands in for another and cannot be published as that; undefined for any other. */
export function original({ signer, bytes }: SealedManifest): SealedManifest | undefined {
  if (signer === UNSIGNED || signer === LOCAL) return undefined;
  const { standing, ...object } = JSON.parse(Buffer.from(bytes).toString()) as SignedObject;
  return standing === undefined
    ? undefined
    : {
        manifest: JSON.parse(object.payload) as Manifest,
        signer,
        bytes: objectBytes(object),
      };
}

/** A signed manifest as it is stored. */
interface SignedObject {
  readonly format: 1;
  readonly payload: string;
  readonly signature: string;
  readonly standing?: Standing;
}

const objectBytes = (object: SignedObject): Uint8Array => Buffer.from(`${JSON.stringify(object, undefined, 1)}\n`);

/** Who has signed a sealed text, as it claims itself; `UNSIGNED` for a text that is not sealed. */
export function claimedSigner(bytes: Uint8Array): Signer {
  try {
    const { signature } = JSON.parse(Buffer.from(bytes).toString()) as { readonly signature?: unknown };
    return (typeof signature === 'string' ? minisignSignature(signature)?.keyId : undefined) ?? UNSIGNED;
  } catch {
    return UNSIGNED;
  }
}

export interface Opened {
  /** The exact bytes of the manifest. */
  readonly payload: Uint8Array;
  readonly signature: MinisignSignature | undefined;
  /** What it stands in for, see `standingIn`; not looked into either. */
  readonly standing?: unknown;
}

/**
 * Takes an object apart that anybody may have written; neither payload nor signature is looked into.
 *
 * @returns Or what is wrong with it, as one clause.
 */
export function openSealed(bytes: Uint8Array, signer: Signer): Opened | { readonly rejected: string } {
  if (signer === UNSIGNED || signer === LOCAL) return { payload: bytes, signature: undefined };
  if (bytes.length > LARGEST_MANIFEST)
    return { rejected: `the signed manifest has ${bytes.length} bytes, more than ${LARGEST_MANIFEST}` };
  let data: Partial<Record<keyof SignedObject, unknown>> | null;
  try {
    data = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as typeof data;
  } catch (error) {
    return { rejected: `the signed manifest is not JSON: ${messageOf(error)}` };
  }
  if (data?.format !== 1 || typeof data.payload !== 'string' || typeof data.signature !== 'string')
    return { rejected: 'the signed manifest does not hold a payload and a signature' };
  const signature = minisignSignature(data.signature);
  if (signature === undefined) return { rejected: 'its signature is not one of minisign' };
  const { payload, standing } = data;
  return { payload: Buffer.from(payload), signature, ...(standing !== undefined && { standing }) };
}
