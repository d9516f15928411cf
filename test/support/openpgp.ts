/** OpenPGP signatures of a throw-away RSA key, for archives that a test makes: a machine that only verifies has no gpg. */
import { createHash, createSign, generateKeyPairSync } from 'node:crypto';

export interface SigningKey {
  /** The public key, as a keyring for `Signed-By`. */
  readonly published: Buffer;
  /** A detached signature, armoured. */
  sign(text: string): string;
}

/** @see RFC 4880, sections 4.2 (packets), 5.2.3 (version 4 signatures), 5.5.2 (public keys), 6 (armour), 12.2 (fingerprints). */
export function signingKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const made = uint32(Math.floor(Date.now() / 1000) - 3600);
  const body = Buffer.concat([
    Buffer.from([4]),
    made,
    Buffer.from([1]),
    integer(Buffer.from(n, 'base64url')),
    integer(Buffer.from(e, 'base64url')),
  ]);
  const hashedKey = Buffer.concat([Buffer.from([0x99]), uint16(body.length), body]);
  const fingerprint = createHash('sha1').update(hashedKey).digest();

  const signature = (type: number, data: Buffer, extra: readonly Buffer[]): Buffer => {
    const hashed = Buffer.concat([
      subpacket(2, made),
      subpacket(33, Buffer.concat([Buffer.from([4]), fingerprint])),
      ...extra,
    ]);
    const head = Buffer.concat([Buffer.from([4, type, 1, 10]), uint16(hashed.length), hashed]);
    const signed = Buffer.concat([data, head, Buffer.from([4, 0xff]), uint32(head.length)]);
    const unhashed = subpacket(16, fingerprint.subarray(-8));
    const check = createHash('sha512').update(signed).digest().subarray(0, 2);
    return packet(
      2,
      Buffer.concat([
        head,
        uint16(unhashed.length),
        unhashed,
        check,
        integer(createSign('sha512').update(signed).sign(privateKey)),
      ]),
    );
  };

  const user = Buffer.from('Test archive <archive@example.org>');
  const hashedUser = Buffer.concat([hashedKey, Buffer.from([0xb4]), uint32(user.length), user]);
  const mayCertifyAndSign = subpacket(27, Buffer.from([3]));
  return {
    published: Buffer.concat([packet(6, body), packet(13, user), signature(0x13, hashedUser, [mayCertifyAndSign])]),
    sign: (text) => armoured(signature(0, Buffer.from(text), [])),
  };
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A multiprecision integer: its length in bits, then its bytes without leading zeros. */
function integer(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const significant = bytes.subarray(start);
  return Buffer.concat([uint16(significant.length * 8 - Math.clz32(significant[0] ?? 0) + 24), significant]);
}

const packet = (tag: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0xc0 | tag, 0xff]), uint32(body.length), body]);

const subpacket = (type: number, body: Buffer): Buffer => Buffer.concat([Buffer.from([body.length + 1, type]), body]);

function armoured(bytes: Buffer): string {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x800000 ? ((crc << 1) ^ 0x1864cfb) & 0xffffff : crc << 1;
  }
  const lines = bytes
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n')
    .trimEnd();
  return `-----BEGIN PGP SIGNATURE-----\n\n${lines}\n=${uint32(crc).subarray(1).toString('base64')}\n-----END PGP SIGNATURE-----\n`;
}
