/** Keys and signed manifests for the tests of trust. */
import type { Manifest, Statement } from '../../src/artifact/manifest.ts';
import { type SealedManifest, signed } from '../../src/artifact/sealed.ts';
import { type Trust, trustOf } from '../../src/cache/trust.ts';
import type { TrustedKey, TrustRequirement } from '../../src/cache/trust-spec.ts';
import { minisignKeyText, minisignSecretKey, type MinisignSecretKey, newMinisignKey } from '../../src/key/minisign.ts';
import { digestOf } from '../../src/model/digest.ts';

export interface TestKey extends TrustedKey {
  readonly secret: MinisignSecretKey;
  readonly id: string;
}

export function newKey(name: string, role = name): TestKey {
  const secret = minisignSecretKey(newMinisignKey().secretFile);
  if (secret === undefined || secret === 'encrypted') throw new Error('a new key cannot be read');
  return { name, role, publicKey: minisignKeyText(secret.publicKey), secret, id: secret.id };
}

export const trusting = (keys: readonly TrustedKey[], require: TrustRequirement = {}): Trust =>
  trustOf({ keys, require });

export const commit = 'c'.repeat(40);

/** A manifest with the statement of a key's holder, signed by it. */
export function sealedBy(manifest: Manifest, key: TestKey, statement: Partial<Statement> = {}): SealedManifest {
  const source = { pin: { kind: 'tarball' }, tree: digestOf('source') };
  const revision = { commit, clean: true, ref: 'main' };
  return signed({ ...manifest, statement: { builder: key.role, source, revision, ...statement } }, key.secret);
}
