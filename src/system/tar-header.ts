/** Headers of tar as nearly all members have them (ustar, no name or number that needs more), read and written without the events of a whole parser (pure). */
import type { PaxFacts } from './tar-pax.ts';

/** A member that its one block tells wholly. */
export interface PlainMember {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits, as they stand there. */
  readonly mode: number;
  /** Of the content that follows; zero unless it is a file. */
  readonly sizeBytes: number;
  /** Of a symlink, as it stands there. */
  readonly target: string;
}

export const blockBytes = 512;

/** How many bytes of zeros follow a content of this size. */
export const paddingAfter = (sizeBytes: number): number => -sizeBytes & (blockBytes - 1);

/** Whether the sum that each header of tar holds is that of its bytes: proof enough for what has no magic number. */
export function hasTarSum(block: Buffer): boolean {
  return block.length === blockBytes && sumOf(block, 0) === Number.parseInt(block.toString('latin1', 148, 156), 8);
}

export function isZeroBlock(bytes: Buffer, at: number): boolean {
  for (let index = at; index < at + blockBytes; index += 1) if (bytes[index] !== 0) return false;
  return true;
}

/**
 * The size of a pax header's content, of the next member (`x`) or of all behind it (`g`); undefined for any other header, and for one that is
 * not plain, is empty, or is larger than such headers are.
 */
export function paxSize(bytes: Buffer, at: number): number | undefined {
  const flag = bytes[at + 156];
  if ((flag !== 0x78 && flag !== 0x67) || octal(bytes, at + 148, 8) !== sumOf(bytes, at)) return undefined;
  const sizeBytes = isMagic(bytes, at, posixMagic) ? octal(bytes, at + 124, 12) : undefined;
  return sizeBytes !== undefined && sizeBytes > 0 && sizeBytes <= mostPaxBytes ? sizeBytes : undefined;
}

const mostPaxBytes = 2 ** 20;

/**
 * Reads a header that can only be read in one way. Everything else is left to a parser that knows the dialects.
 *
 * @param bytes Holds the whole block.
 * @param at    Where it begins.
 * @param pax   What stands in a pax header before it, in the place of its own names.
 * @returns undefined for what is no plain file, folder or symlink; for a wrong sum, a number that is not octal, and bytes where none are expected.
 */
export function readPlainHeader(bytes: Buffer, at: number, pax: PaxFacts = {}): PlainMember | undefined {
  const type = typeOfFlag[bytes[at + 156] ?? 0];
  if (type === undefined || octal(bytes, at + 148, 8) !== sumOf(bytes, at)) return undefined;
  const isGnu = isMagic(bytes, at, gnuMagic);
  if (!isGnu && !isMagic(bytes, at, posixMagic)) return undefined;
  // What a parser would call wrong in fields that do not matter here, it shall call wrong.
  for (const field of numbersUnused) if ((bytes[at + field] ?? 0) >= 0x80) return undefined;
  const [mode, sizeBytes] = [octal(bytes, at + 100, 8), octal(bytes, at + 124, 12)];
  const [name, target, prefix] = [text(bytes, at, 100), text(bytes, at + 157, 100), text(bytes, at + 345, 155)];
  if (mode === undefined || sizeBytes === undefined || (type !== 'file' && sizeBytes > 0)) return undefined;
  if (name === undefined || target === undefined || prefix === undefined) return undefined;
  if (text(bytes, at + 500, 12) !== '' || (isGnu && prefix !== '')) return undefined;
  const isSound = name !== '' && (target !== '') === (type === 'symlink') && !(type === 'file' && name.endsWith('/'));
  const path = pax.path ?? (prefix === '' ? name : `${prefix}/${name}`);
  const fits = (pax.target === undefined || type === 'symlink') && !(type === 'file' && path.endsWith('/'));
  return isSound && fits ? { path, type, mode: mode & 0o7777, sizeBytes, target: pax.target ?? target } : undefined;
}

/** Whether `plainHeader` can write it: names are ASCII and fit their fields, and the size is one of eleven digits. */
export const hasPlainHeader = ({ path, target, sizeBytes }: PlainMember): boolean =>
  plainName.test(path) && plainTarget.test(target) && sizeBytes <= largestOctal;

/** When all that we pack was last changed: 1980, the earliest time that zip and so Python's wheels can tell. */
export const packedTime = new Date(315_532_800_000);

/** The header of a member that `hasPlainHeader`, owned by nobody in particular; to the byte as the package tar writes it. @param member Its path with a slash behind that of a folder. */
export function plainHeader({ path, type, mode, sizeBytes, target }: PlainMember): Buffer {
  const block = Buffer.from(template);
  block.write(path, 0, 'latin1');
  block.write(digits(mode, 8), 100, 'latin1');
  block.write(digits(sizeBytes, 12), 124, 'latin1');
  block[156] = flagOf[type];
  block.write(target, 157, 'latin1');
  block.write(digits(sumOf(block, 0), 8), 148, 'latin1');
  return block;
}

const flagOf = { file: 0x30, symlink: 0x32, directory: 0x35 } as const;
const typeOfFlag: Readonly<Record<number, PlainMember['type']>> = { 0x30: 'file', 0x32: 'symlink', 0x35: 'directory' };
const posixMagic = Buffer.from('ustar\x0000', 'latin1');
const gnuMagic = Buffer.from('ustar  \x00', 'latin1');
/** Owner, group, time, and the two numbers of devices. */
const numbersUnused = [108, 116, 136, 329, 337] as const;
const largestOctal = 0o77777777777;
const plainName = /^[ -~]{1,99}$/;
const plainTarget = /^[ -~]{0,100}$/;

/** Octal, a blank behind it where there is room. */
function digits(number: number, length: number): string {
  const octalDigits = number.toString(8);
  return octalDigits.length === length - 1 ? octalDigits : `${octalDigits.padStart(length - 2, '0')} `;
}

const template = Buffer.alloc(blockBytes);
for (const at of [108, 116, 329, 337]) template.write(digits(0, 8), at, 'latin1');
template.write(digits(packedTime.getTime() / 1000, 12), 136, 'latin1');
posixMagic.copy(template, 257);

/** The sum of a header's bytes, its own field counted as blanks. */
function sumOf(bytes: Buffer, at: number): number {
  let sum = 8 * 0x20;
  for (let index = at; index < at + 148; index += 1) sum += bytes[index] ?? 0;
  for (let index = at + 156; index < at + blockBytes; index += 1) sum += bytes[index] ?? 0;
  return sum;
}

function isMagic(bytes: Buffer, at: number, magic: Buffer): boolean {
  return bytes.compare(magic, 0, magic.length, at + 257, at + 257 + magic.length) === 0;
}

/** Octal digits and nothing but blanks and zeros behind them. */
function octal(bytes: Buffer, at: number, length: number): number | undefined {
  let [number, index] = [0, at];
  for (; index < at + length; index += 1) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    number = number * 8 + digit;
  }
  if (index === at) return undefined;
  for (; index < at + length; index += 1) if (bytes[index] !== 0 && bytes[index] !== 0x20) return undefined;
  return number;
}

/** What stands before the first zero, with nothing but zeros behind it. */
function text(bytes: Buffer, at: number, length: number): string | undefined {
  let end = at;
  while (end < at + length && bytes[end] !== 0) end += 1;
  for (let index = end; index < at + length; index += 1) if (bytes[index] !== 0) return undefined;
  return end === at ? '' : bytes.toString('utf8', at, end);
}
