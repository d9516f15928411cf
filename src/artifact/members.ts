/** The members of archives and of compressed files, with what is noted beside each, as far as builds put it there (pure). */
import { gunzipSync, inflateRawSync } from 'node:zlib';

export interface Member {
  /** Empty for the one that a compressed file holds. */
  readonly name: string;
  readonly bytes: Buffer;
  /** To the second: ISO 8601, in UTC where the archive knows of zones. */
  readonly time?: string;
  readonly owner?: string;
  readonly mode?: string;
}

/** More than this is not looked into. */
const mostBytes = 256 * 1024 * 1024;

/** @returns Undefined for what is no archive, or none that can be read. */
export function membersOf(path: string, bytes: Buffer): readonly Member[] | undefined {
  try {
    if (bytes.readUInt16BE(0) === 0x1f8b)
      return [
        { name: '', time: timeOf(bytes.readUInt32LE(4)), bytes: gunzipSync(bytes, { maxOutputLength: mostBytes }) },
      ];
    if (bytes.toString('latin1', 0, 8) === '!<arch>\n') return arMembers(bytes);
    if (bytes.toString('latin1', 0, 4) === 'PK\x03\x04') return zipMembers(bytes);
    if (bytes.toString('latin1', 257, 262) === 'ustar') return tarMembers(bytes);
    if (path.endsWith('.pyc') && bytes.readUInt32LE(4) === 0)
      return [{ name: '', time: timeOf(bytes.readUInt32LE(8)), bytes: bytes.subarray(12) }];
  } catch {
    // Cut short, or only alike.
  }
  return undefined;
}

/** @throws for a number that is none. */
const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** @see APPNOTE.TXT of PKWARE, section 4.4.6 */
function dosTime(date: number, time: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${1980 + (date >> 9)}-${two((date >> 5) & 15)}-${two(date & 31)}`;
  return `${day}T${two(time >> 11)}:${two((time >> 5) & 63)}:${two((time & 31) * 2)}`;
}

/** @see ar(5); the first member of GNU's is the index of symbols. */
function arMembers(bytes: Buffer): Member[] {
  const members: Member[] = [];
  let longNames = '';
  for (let at = 8; at + 60 <= bytes.length; ) {
    const field = (from: number, to: number): string => bytes.toString('latin1', at + from, at + to).trim();
    const sizeBytes = Number(field(48, 58));
    const content = bytes.subarray(at + 60, at + 60 + sizeBytes);
    const raw = field(0, 16);
    if (raw === '//') longNames = content.toString('latin1');
    const long = /^\/(\d+)$/.exec(raw)?.[1];
    const name =
      long === undefined ? raw.replace(/(?<=.)\/$/, '') : (longNames.slice(Number(long)).split('/\n', 1)[0] ?? raw);
    // Where members lie follows from their order.
    if (raw !== '/' && raw !== '//')
      members.push({
        name,
        bytes: content,
        time: timeOf(Number(field(16, 28))),
        owner: `${field(28, 34)}:${field(34, 40)}`,
        mode: field(40, 48),
      });
    at += 60 + sizeBytes + (sizeBytes % 2);
  }
  return members;
}

/** @see APPNOTE.TXT of PKWARE, sections 4.3.12 and 4.3.16 */
function zipMembers(bytes: Buffer): Member[] {
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const members: Member[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [method, packedBytes] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [nameBytes, extraBytes, noteBytes] = [28, 30, 32].map((from) => bytes.readUInt16LE(at + from));
    const local = bytes.readUInt32LE(at + 42);
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const packed = bytes.subarray(from, from + packedBytes);
    members.push({
      name: bytes.toString('utf8', at + 46, at + 46 + (nameBytes ?? 0)),
      bytes: method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: mostBytes }),
      time: dosTime(bytes.readUInt16LE(at + 14), bytes.readUInt16LE(at + 12)),
      mode: bytes.readUInt32LE(at + 38).toString(8),
    });
    at += 46 + (nameBytes ?? 0) + (extraBytes ?? 0) + (noteBytes ?? 0);
  }
  return members;
}

/** @see tar(5), "POSIX ustar Archives" */
function tarMembers(bytes: Buffer): Member[] {
  const members: Member[] = [];
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const field = (from: number, to: number): string =>
      bytes
        .toString('latin1', at + from, at + to)
        .replace(/\0.*$/s, '')
        .trim();
    const sizeBytes = Number.parseInt(field(124, 136) || '0', 8);
    members.push({
      name: [field(345, 500), field(0, 100)].filter((part) => part !== '').join('/'),
      bytes: bytes.subarray(at + 512, at + 512 + sizeBytes),
      time: timeOf(Number.parseInt(field(136, 148), 8)),
      owner: `${field(108, 116)}:${field(116, 124)} ${field(265, 297)}:${field(297, 329)}`,
      mode: field(100, 108),
    });
    at += 512 + Math.ceil(sizeBytes / 512) * 512;
  }
  return members;
}
