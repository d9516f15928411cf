/** Upstream's signatures of archives: by OpenPGP keys of a keyring file, through gpgv, or by one minisign key. */
import { resolve } from 'node:path';
import { minisignHolds, minisignKey, minisignSignature } from '../key/minisign.ts';
import { VbuildError } from '../model/error.ts';
import { hashFile, readBytes, readIfThere, temporaryFolder, writeAtomically } from '../system/files.ts';
import { run } from '../system/process.ts';
import { lastLines } from '../system/tail.ts';
import type { SourceContext } from './source.ts';
import type { Signature } from './tarball.ts';

/** What to verify; paths are absolute. */
interface Signed {
  readonly archive: string;
  readonly signature: string;
  /** What messages call the archive. */
  readonly name: string;
}

/**
 * @returns Who signed: the fingerprint of the primary OpenPGP key, or the id of the minisign key.
 * @throws {VbuildError} `signature-refused`; `tool-missing` without gpgv, `source-missing` without the keyring.
 */
export function verified(signed: Signed, by: Signature, context: SourceContext): Promise<string> {
  return 'keyring' in by ? byOpenPgp(signed, by.keyring, context) : byMinisign(signed, by.minisignKey);
}

const refused = (
  { name }: Signed,
  facts: Readonly<Record<string, string>>,
  mend = 'compare the archive and its signature with what upstream publishes; do not use it before you know why',
): VbuildError =>
  new VbuildError('signature-refused', 'Signature of the archive does not hold', {
    where: { file: name },
    facts,
    mend,
  });

async function byMinisign(signed: Signed, text: string): Promise<string> {
  const key = minisignKey(text);
  const signature = minisignSignature(readBytes(signed.signature).toString());
  if (key === undefined) throw new Error('a minisign key passed validation that is none');
  if (signature === undefined)
    throw refused(signed, { expected: 'a signature of minisign', found: 'something else' }, 'correct signature.url');
  const expected = `a signature by the key ${key.id}`;
  if (signature.keyId !== key.id)
    throw refused(
      signed,
      { expected, found: `one by another key: ${signature.keyId}` },
      'see whether upstream has announced a new key, and only then put it into the Buildfile',
    );
  const bytes =
    signature.over === 'blake2b512' ? await hashFile(signed.archive, 'blake2b512') : readBytes(signed.archive);
  if (!minisignHolds(key, signature, bytes))
    throw refused(signed, { expected, found: 'a signature of other bytes, or one that was tampered with' });
  return key.id;
}

async function byOpenPgp(signed: Signed, keyring: string, context: SourceContext): Promise<string> {
  const file = resolve(context.buildfileFolder, keyring);
  if (readIfThere(file) === undefined)
    throw new VbuildError('source-missing', 'Keyring is not there', {
      where: { file },
      mend: 'put the public keys of upstream there, as `gpg --export` or `gpg --export --armor` writes them',
    });
  using scratch = temporaryFolder('gpgv', context.state);
  const binary = resolve(scratch.path, 'keyring.gpg');
  // gpgv reads no armour.
  writeAtomically(binary, withoutArmour(readBytes(file)));
  const finished = await run({
    argv: [
      'gpgv',
      '--homedir',
      scratch.path,
      '--keyring',
      binary,
      '--status-fd',
      '1',
      '--',
      signed.signature,
      signed.archive,
    ],
    cwd: scratch.path,
    env: { PATH: context.environment?.['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    signal: context.signal,
  });
  context.signal.throwIfAborted();
  if (finished.failure === 'ENOENT')
    throw new VbuildError('tool-missing', 'Program gpgv is not installed', {
      facts: { 'needed by': `the signature of ${signed.name}` },
      mend: 'install it with apt-get install gpgv',
    });
  const { type, key } = verdict(finished.stdout);
  const expected = `a signature by a key of ${keyring}`;
  switch (type) {
    case 'good':
      return key;
    case 'bad':
      throw refused(signed, { expected, found: 'a signature of other bytes, or one that was tampered with' });
    case 'unknown key':
      throw refused(
        signed,
        { expected, found: `one by another key: ${key}` },
        'see whether upstream has announced a new key, and only then add it to the keyring',
      );
    case 'expired':
      throw refused(
        signed,
        { expected, found: `one by a key that has expired or was revoked: ${key}` },
        'take the renewed key from upstream; if there is none, pin the archive by sha256 in place of a signature',
      );
    case 'none': {
      const said = lastLines(finished.stderr, 3).replaceAll('\n', '; ');
      throw refused(signed, { expected, found: `nothing that gpgv can read: ${said}` }, 'correct signature.url');
    }
    default:
      return type satisfies never;
  }
}

interface Verdict {
  readonly type: 'good' | 'bad' | 'unknown key' | 'expired' | 'none';
  /** Fingerprint of the primary key of a signature that holds, else what gpgv calls the key. */
  readonly key: string;
}

/**
 * What gpgv found. An archive may bear several signatures: one by a key of the keyring is enough, but no known key may disagree.
 * @see GnuPG, doc/DETAILS, "Format of the --status-fd output".
 */
function verdict(status: string): Verdict {
  const lines = status.split('\n').flatMap((line) => {
    const [mark, type = '', ...rest] = line.split(' ');
    return mark === '[GNUPG:]' ? [{ type, rest }] : [];
  });
  const keyOf = (...types: readonly string[]): string | undefined =>
    lines.find(({ type }) => types.includes(type))?.rest[0];
  const bad = keyOf('BADSIG');
  if (bad !== undefined) return { type: 'bad', key: bad };
  // A GOODSIG is followed by its own VALIDSIG; an EXPKEYSIG or REVKEYSIG is, too.
  for (const [at, { type }] of lines.entries()) {
    if (type !== 'GOODSIG') continue;
    const valid = lines.slice(at + 1).find((line) => line.type === 'VALIDSIG' || line.type === 'NEWSIG');
    const fingerprint = valid?.type === 'VALIDSIG' ? (valid.rest[9] ?? valid.rest[0]) : undefined;
    if (fingerprint !== undefined) return { type: 'good', key: fingerprint };
  }
  const expired = keyOf('EXPKEYSIG', 'REVKEYSIG', 'EXPSIG');
  if (expired !== undefined) return { type: 'expired', key: expired };
  const unknown = keyOf('NO_PUBKEY', 'ERRSIG');
  return unknown === undefined ? { type: 'none', key: '' } : { type: 'unknown key', key: unknown };
}

/** OpenPGP packets as they are, or those in all armoured blocks of a text. @see RFC 9580, section 6. */
function withoutArmour(bytes: Buffer): Buffer {
  const blocks = [
    ...bytes
      .toString('latin1')
      .matchAll(
        /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\n]+\n)*?\r?\n([A-Za-z0-9+/=\s]+?)(?:\r?\n=[A-Za-z0-9+/]{4})?\s*-----END/g,
      ),
  ];
  return blocks.length === 0
    ? bytes
    : Buffer.concat(blocks.map(([, base64 = '']) => Buffer.from(base64.replaceAll(/\s/g, ''), 'base64')));
}
