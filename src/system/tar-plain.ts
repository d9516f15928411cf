/** Reads the members of a stranger's tar stream that can be read in one way only, with their pax headers; the rest is for a whole parser. */
import { archiveRefused } from './archive-guard.ts';
import { blockBytes, isZeroBlock, paddingAfter, paxSize, readPlainHeader } from './tar-header.ts';
import { type PaxFacts, readPax } from './tar-pax.ts';
import type { FileSink, Unpacking } from './unpacking.ts';

/** What a reader of a stream knows of its end: two blocks of zeros, behind which nothing but zeros may follow. */
export interface EndMark {
  readonly zeroBlock: boolean;
  readonly ended: boolean;
}

/** Reads members as long as their headers are plain; most archives have no others. */
export class PlainReader implements EndMark {
  readonly #unpacking: Unpacking;
  /** A header of which the last chunk had a part only. */
  readonly #split = Buffer.alloc(blockBytes);
  #splitBytes = 0;
  #sink: FileSink | undefined;
  #contentLeft = 0;
  /** Bytes to pass over behind the content. */
  #skipLeft = 0;
  /** A pax header, with what of it is here, and what it says once it is here whole: the parser must see it if the member behind it is not plain. */
  #pax:
    | { readonly isGlobal: boolean; readonly sizeBytes: number; parts: Buffer[]; left: number; facts?: PaxFacts }
    | undefined;
  zeroBlock = false;
  ended = false;

  constructor(unpacking: Unpacking) {
    this.#unpacking = unpacking;
  }

  get isWithinMember(): boolean {
    return this.#contentLeft > 0;
  }

  /** What was read, and belongs to a member that did not come. */
  get held(): Buffer | undefined {
    return this.#pax && Buffer.concat(this.#pax.parts);
  }

  /** @returns From the first header on that is not plain; undefined when all was read. */
  read(chunk: Buffer): Buffer | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.ended) {
        if (lengthWithoutZeros(chunk) > at)
          throw archiveRefused(undefined, 'other bytes follow the end of the archive');
        return undefined;
      }
      if (this.#contentLeft > 0) at += this.#content(chunk.subarray(at, at + this.#contentLeft));
      else if (this.#skipLeft > 0) {
        const skipped = Math.min(this.#skipLeft, chunk.length - at);
        this.#skipLeft -= skipped;
        at += skipped;
      } else if (this.#pax !== undefined && this.#pax.left > 0) {
        const taken = chunk.subarray(at, at + this.#pax.left);
        at += taken.length;
        if (!this.#paxPart(taken)) return this.#withHeld(chunk.subarray(at));
      } else if (this.#splitBytes === 0 && chunk.length - at >= blockBytes) {
        if (!this.#header(chunk, at, chunk.subarray(at + blockBytes))) return this.#withHeld(chunk.subarray(at));
        at += blockBytes;
      } else {
        const taken = chunk.copy(this.#split, this.#splitBytes, at, at + blockBytes - this.#splitBytes);
        this.#splitBytes += taken;
        at += taken;
        if (this.#splitBytes < blockBytes) return undefined;
        this.#splitBytes = 0;
        if (!this.#header(this.#split, 0, chunk.subarray(at)))
          return this.#withHeld(Buffer.concat([this.#split, chunk.subarray(at)]));
      }
    }
    return undefined;
  }

  close(): void {
    this.#sink?.close();
    this.#sink = undefined;
  }

  /** @param behind What of the chunk follows. @returns Whether it could be read here. */
  #header(block: Buffer, at: number, behind: Buffer): boolean {
    if (this.#pax === undefined && isZeroBlock(block, at)) {
      this.ended = this.zeroBlock;
      this.zeroBlock = true;
      return true;
    }
    // What follows a lone block of zeros is refused by its name, whatever it is.
    if (this.zeroBlock) return false;
    const size = this.#pax === undefined ? paxSize(block, at) : undefined;
    if (size !== undefined) {
      const isGlobal = block[at + 156] === 0x67;
      // The block is copied, as its memory is used again.
      const parts = [Buffer.from(block.subarray(at, at + blockBytes))];
      this.#pax = { isGlobal, sizeBytes: size, parts, left: size + paddingAfter(size) };
      return true;
    }
    const member = readPlainHeader(block, at, this.#pax?.facts);
    if (member === undefined) return false;
    this.#pax = undefined;
    const { path, type, mode, sizeBytes, target } = member;
    this.#skipLeft = paddingAfter(sizeBytes);
    if (type === 'directory') this.#unpacking.directory(path);
    else if (type === 'symlink') this.#unpacking.symlink(path, target);
    else if (sizeBytes <= behind.length) {
      this.#unpacking.wholeFile(path, isExecutable(mode), behind.subarray(0, sizeBytes));
      this.#skipLeft += sizeBytes;
    } else {
      this.#sink = this.#unpacking.file(path, isExecutable(mode));
      this.#contentLeft = sizeBytes;
    }
    return true;
  }

  /** @returns Whether the parser may be spared it. */
  #paxPart(bytes: Buffer): boolean {
    if (this.#pax === undefined) return false;
    this.#pax.parts.push(Buffer.from(bytes));
    this.#pax.left -= bytes.length;
    if (this.#pax.left > 0) return true;
    const { isGlobal, sizeBytes, parts } = this.#pax;
    const facts = readPax(Buffer.concat(parts).subarray(blockBytes, blockBytes + sizeBytes), isGlobal);
    if (facts === undefined) return false;
    if (isGlobal) this.#pax = undefined;
    else this.#pax.facts = facts;
    return true;
  }

  #withHeld(rest: Buffer): Buffer {
    const whole = this.#pax === undefined ? rest : Buffer.concat([...this.#pax.parts, rest]);
    this.#pax = undefined;
    return whole;
  }

  #content(bytes: Buffer): number {
    this.#sink?.write(bytes);
    this.#contentLeft -= bytes.length;
    if (this.#contentLeft === 0) this.close();
    return bytes.length;
  }
}

export const isExecutable = (mode: number): boolean => (mode & 0o100) !== 0;

export function lengthWithoutZeros(chunk: Buffer): number {
  let length = chunk.length;
  while (length > 0 && chunk[length - 1] === 0) length -= 1;
  return length;
}
