/** The key that published artifacts are signed with: found, and held against what the Buildfile trusts. */
import type { TrustedKey } from '../cache/trust-spec.ts';
import { minisignKeyText, minisignSecretKey, type MinisignSecretKey } from '../key/minisign.ts';
import { VbuildError, messageOf } from '../model/error.ts';
import { readIfThere } from '../system/files.ts';

/** Where the secret key comes from: `VBUILD_SIGNING_KEY` and `VBUILD_SIGNING_KEY_FILE` (absolute). Its text is never shown. */
export interface SigningSource {
  readonly key: string | undefined;
  readonly file: string | undefined;
}

export interface SigningKey {
  readonly secret: MinisignSecretKey;
  /** What the Buildfile calls its holder. */
  readonly role: string;
}

/**
 * @param keys Those that the Buildfile trusts.
 * @returns Undefined where the Buildfile trusts no keys and none is given.
 * @throws {VbuildError} `signing-key`: what would be pushed, no reader with this Buildfile would accept.
 */
export function signingKey(
  { key, file }: SigningSource,
  keys: Iterable<TrustedKey> | undefined,
): SigningKey | undefined {
  const trusted = keys && [...keys];
  if (key !== undefined && file !== undefined)
    throw problem('Signing key is given twice', 'set one of VBUILD_SIGNING_KEY and VBUILD_SIGNING_KEY_FILE');
  const text = key ?? (file === undefined ? undefined : textOf(file));
  if (text === undefined) {
    if (trusted === undefined) return undefined;
    throw problem(
      'No key is given to sign artifacts with',
      'set VBUILD_SIGNING_KEY_FILE to the file of a secret key that the Buildfile trusts, or VBUILD_SIGNING_KEY to its content',
      { trusted: trusted.map(({ name }) => name).join(', ') },
    );
  }
  const secret = minisignSecretKey(text);
  const from = key === undefined ? (file ?? '') : 'VBUILD_SIGNING_KEY';
  if (secret === 'encrypted')
    throw problem('Signing key is kept under a password', 'take the password off with: minisign -C -W -s FILE', {
      from,
    });
  if (secret === undefined)
    throw problem('Signing key cannot be read', 'give a secret key as vbuild key new writes it', { from });
  const publicKey = minisignKeyText(secret.publicKey);
  const own = trusted?.find((one) => one.publicKey.trim() === publicKey);
  if (own !== undefined) return { secret, role: own.role };
  throw problem(
    'Signing key is not one that the Buildfile trusts',
    `add { name: '…', publicKey: '${publicKey}', role: '…' } to trust.keys of the Buildfile, or sign with another key`,
    { key: secret.id, trusted: trusted?.map(({ name }) => name).join(', ') ?? 'none' },
  );
}

function textOf(file: string): string {
  let text: string | undefined;
  try {
    text = readIfThere(file);
  } catch (error) {
    throw problem('Signing key cannot be read', 'give this user the right to read it', {
      from: file,
      found: messageOf(error),
    });
  }
  if (text === undefined)
    throw problem('File of the signing key is not there', 'correct VBUILD_SIGNING_KEY_FILE', { from: file });
  return text;
}

const problem = (headline: string, mend: string, facts: Readonly<Record<string, string>> = {}): VbuildError =>
  new VbuildError('signing-key', headline, { facts, mend });
