/** An ELF file's bytes, read with bounds checked: header, segments, words and strings (pure). */

/** Segment types, from the System V gABI, chapter 5. */
export const PT = { load: 1, dynamic: 2, interp: 3, note: 4, gnuProperty: 0x6474e553 } as const;

/** Thrown for bytes that no ELF file can have; `readElf` catches it. */
export class Unreadable extends Error {}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

/** The file's bytes, read with its own word size; every read is checked. Big-endian files are refused: no host that vbuild supports has them. */
export class Image {
  readonly bytes: Buffer;
  readonly wide: boolean;
  readonly segments: readonly Segment[];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    const [elfClass, order] = [this.u8(4), this.u8(5)];
    if ((elfClass !== 1 && elfClass !== 2) || order !== 1) throw new Unreadable('its class or byte order is unknown');
    this.wide = elfClass === 2;
    const [start, size, count] = this.wide
      ? [this.word(32), this.u16(54), this.u16(56)]
      : [this.word(28), this.u16(42), this.u16(44)];
    const segments: Segment[] = [];
    for (let index = 0; index < count; index += 1) {
      const at = start + index * size;
      const field = (wide: number, narrow: number): number => this.word(at + (this.wide ? wide : narrow));
      segments.push({ type: this.u32(at), offset: field(8, 4), address: field(16, 8), sizeBytes: field(32, 16) });
    }
    this.segments = segments;
  }

  #check(offset: number, sizeBytes: number): number {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + sizeBytes > this.bytes.length)
      throw new Unreadable(`it points to byte ${offset} of ${this.bytes.length}`);
    return offset;
  }
  u8(offset: number): number {
    return this.bytes.readUInt8(this.#check(offset, 1));
  }
  u16(offset: number): number {
    return this.bytes.readUInt16LE(this.#check(offset, 2));
  }
  u32(offset: number): number {
    return this.bytes.readUInt32LE(this.#check(offset, 4));
  }
  /** An address, offset or size; beyond 2^53 it is inexact, and out of every bound. */
  word(offset: number): number {
    return this.wide ? Number(this.bytes.readBigUInt64LE(this.#check(offset, 8))) : this.u32(offset);
  }
  /** The string that begins here and ends before `limit`, which it may not reach. */
  text(offset: number, limit: number): string {
    return this.bytes.toString('utf8', offset, this.endOfText(offset, limit));
  }
  /** Where the NUL of the string that begins here lies. */
  endOfText(offset: number, limit: number): number {
    this.#check(offset, 1);
    const end = this.bytes.indexOf(0, offset);
    if (end < 0 || end >= Math.min(limit, this.bytes.length))
      throw new Unreadable(`the string at byte ${offset} has no end`);
    return end;
  }
  /** Where a virtual address lies in the file. */
  place(address: number): number {
    const segment = this.segments.find(
      (one) => one.type === PT.load && address >= one.address && address < one.address + one.sizeBytes,
    );
    if (segment === undefined) throw new Unreadable(`address ${address} is in no loaded segment`);
    return address - segment.address + segment.offset;
  }
}
