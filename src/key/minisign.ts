/** Keys and signatures of minisign: made, read and verified with the Ed25519 of node:crypto (pure). */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';

export interface MinisignKey {
  /** As minisign shows it: 16 hexadecimal digits, upper case. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** Never to be shown, logged or put into an error. */
export interface MinisignSecretKey {
  readonly id: string;
  /** The seed of the key, 32 bytes. */
  readonly seed: Buffer;
  readonly publicKey: MinisignKey;
}

export interface MinisignSignature {
  readonly keyId: string;
  /** What is signed: the BLAKE2b-512 of the file, or (in the old form) the file itself. */
  readonly over: 'blake2b512' | 'file';
  readonly bytes: Buffer;
  readonly trustedComment: string;
  readonly commentSignature: Buffer;
}

/** @param text One line of base64, as `minisign -P` takes it. @returns Undefined for anything else. */
export function minisignKey(text: string): MinisignKey | undefined {
  const bytes = base64(text);
  if (bytes?.length !== 42 || bytes.toString('latin1', 0, 2) !== 'Ed') return undefined;
  return { id: idIn(bytes, 2), bytes: bytes.subarray(10) };
}

/** A public key as the one line of base64 that Buildfiles and `minisign -P` take. @param publicKey As `minisignKey` reads it. */
export const minisignKeyText = ({ id, bytes }: MinisignKey): string =>
  Buffer.concat([Buffer.from('Ed'), idBytes(id), bytes]).toString('base64');

/**
 * @param text The content of a `.minisig` file.
 * @returns Undefined when it is none.
 * @see The minisign documentation, "Signature format".
 */
export function minisignSignature(text: string): MinisignSignature | undefined {
  const [, first = '', comment = '', second = ''] = text.split(/\r?\n/);
  const bytes = base64(first);
  const commentSignature = base64(second);
  const algorithm = bytes?.toString('latin1', 0, 2);
  if (bytes?.length !== 74 || commentSignature?.length !== 64 || !comment.startsWith('trusted comment: '))
    return undefined;
  if (algorithm !== 'Ed' && algorithm !== 'ED') return undefined;
  return {
    keyId: idIn(bytes, 2),
    over: algorithm === 'ED' ? 'blake2b512' : 'file',
    bytes: bytes.subarray(10),
    trustedComment: comment.slice('trusted comment: '.length),
    commentSignature,
  };
}

/** Whether the key has made both signatures. @param signed What `over` says. */
export function minisignHolds(key: MinisignKey, signature: MinisignSignature, signed: Uint8Array): boolean {
  const publicKey = createPublicKey({ key: Buffer.concat([spki, key.bytes]), format: 'der', type: 'spki' });
  const comment = Buffer.concat([signature.bytes, Buffer.from(signature.trustedComment)]);
  return (
    verify(null, signed, publicKey, signature.bytes) && verify(null, comment, publicKey, signature.commentSignature)
  );
}

/** What `over` of a signature says of some bytes held in memory. */
export const minisignSigned = ({ over }: Pick<MinisignSignature, 'over'>, bytes: Uint8Array): Uint8Array =>
  over === 'file' ? bytes : hash('blake2b512', bytes, 'buffer');

/** The content of a `.minisig` file. @param trustedComment One line; it is signed along. */
export function minisign({ seed, id }: MinisignSecretKey, bytes: Uint8Array, trustedComment: string): string {
  const privateKey = privateOf(seed);
  const signature = sign(null, minisignSigned({ over: 'blake2b512' }, bytes), privateKey);
  const whole = sign(null, Buffer.concat([signature, Buffer.from(trustedComment)]), privateKey);
  return [
    `untrusted comment: signature from minisign secret key ${id}`,
    Buffer.concat([Buffer.from('ED'), idBytes(id), signature]).toString('base64'),
    `trusted comment: ${trustedComment}`,
    `${whole.toString('base64')}\n`,
  ].join('\n');
}

/**
 * @param text The content of a secret key file, or its line of base64 alone.
 * @returns `encrypted` for one that is kept under a password, undefined for what is no secret key.
 * @see The minisign documentation, "Secret key format".
 */
export function minisignSecretKey(text: string): MinisignSecretKey | 'encrypted' | undefined {
  const lines = text.trim().split(/\r?\n/);
  const bytes = lines.length > 2 ? undefined : base64(lines.at(-1) ?? '');
  if (bytes?.length !== secretBytes || bytes.toString('latin1', 0, 2) !== 'Ed') return undefined;
  if (bytes.readUInt16LE(2) !== 0) return 'encrypted';
  const seed = bytes.subarray(62, 94);
  const publicKey = { id: idIn(bytes, 54), bytes: publicOf(seed) };
  // The file holds the public key as well; one that does not belong to the seed gives the seed away when it signs.
  return publicKey.bytes.equals(bytes.subarray(94, 126)) ? { id: publicKey.id, seed, publicKey } : undefined;
}

/** A new pair, as minisign writes it without a password. */
export function newMinisignKey(): { readonly id: string; readonly secretFile: string; readonly publicFile: string } {
  const id = randomBytes(8);
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const publicKey = { id: idIn(id, 0), bytes: publicOf(seed) };
  const secret = Buffer.alloc(secretBytes);
  secret.write('Ed\0\0B2', 'latin1');
  for (const [at, part] of [
    [54, id],
    [62, seed],
    [94, publicKey.bytes],
  ] as const)
    part.copy(secret, at);
  return {
    id: publicKey.id,
    secretFile: `untrusted comment: minisign secret key ${publicKey.id}\n${secret.toString('base64')}\n`,
    publicFile: `untrusted comment: minisign public key ${publicKey.id}\n${minisignKeyText(publicKey)}\n`,
  };
}

/** Algorithms (6), salt and limits of the password (48), key id (8), seed (32), public key (32), checksum (32; zero without a password). */
const secretBytes = 158;
/** What stands before the 32 bytes of a key in DER. */
const spki = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

const privateOf = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });

const publicOf = (seed: Uint8Array): Buffer =>
  createPublicKey(privateOf(seed)).export({ format: 'der', type: 'spki' }).subarray(-32);

/** Kept as a little-endian number. */
const idIn = (bytes: Buffer, at: number): string =>
  Buffer.from(bytes.subarray(at, at + 8))
    .reverse()
    .toString('hex')
    .toUpperCase();
const idBytes = (id: string): Buffer => Buffer.from(id, 'hex').reverse();

const base64 = (text: string): Buffer | undefined =>
  /^[A-Za-z0-9+/]+=*$/.test(text.trim()) ? Buffer.from(text.trim(), 'base64') : undefined;
