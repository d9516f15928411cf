/** What is published of an artifact: sealed with a key where it was packed here, else as it came. */
import { LOCAL, UNSIGNED } from '../artifact/signer.ts';
import { original, type SealedManifest, signed, unsigned } from '../artifact/sealed.ts';
import type { Manifest, Statement } from '../artifact/manifest.ts';
import type { Trust } from '../cache/trust.ts';
import type { PackageFacts } from './facts.ts';
import type { Provenance } from './provenance.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * A key signs what was packed on this machine, and what bears a good signature of a key of the same role, so that one key can take the
 * place of another, or for one that it stands in for; it vouches for nothing else.
 *
 * @param sealed As the disk cache has it, acceptable.
 */
export function sealFor(
  sealed: SealedManifest,
  { package: one, source }: Pick<PackageFacts, 'package' | 'source'>,
  { key, trust, provenance }: { key: SigningKey | undefined; trust: Trust | undefined; provenance: Provenance },
): SealedManifest {
  const { manifest, signer } = sealed;
  const stated = (): Manifest => {
    const revision = provenance.revision(one);
    const statement: Statement = {
      ...(key && { builder: key.role }),
      source: { pin: source.pin, tree: source.tree },
      ...(revision && { revision }),
    };
    return { ...manifest, statement };
  };
  if (signer === LOCAL) return key === undefined ? unsigned(stated()) : signed(stated(), key.secret);
  const mayCountersign = key !== undefined && signer !== UNSIGNED && trust?.keys.get(signer)?.role === key.role;
  if (mayCountersign && original(sealed) !== undefined) return signed(stated(), key.secret);
  return mayCountersign && signer !== key.secret.id ? signed(manifest, key.secret) : sealed;
}
