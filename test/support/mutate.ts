/** Damage to bytes, as fast-check values: what a transfer, a disk or an attacker does to a sound file. */
import fc from 'fast-check';

export interface Edit {
  readonly kind: 'flip' | 'set' | 'cut' | 'double' | 'swap' | 'insert' | 'end';
  /** Where, in parts of the length from 0 to 1. */
  readonly at: number;
  readonly size: number;
  readonly byte: number;
}

/** @param unit Bytes that edits are mostly aligned to, such as the block of a format. */
export const edits = (unit: number, most = 4): fc.Arbitrary<readonly Edit[]> =>
  fc.array(
    fc.record({
      kind: fc.constantFrom<Edit['kind'][]>('flip', 'set', 'set', 'cut', 'double', 'swap', 'insert', 'end'),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      size: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(unit), fc.constant(2 * unit)),
      byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 10, 13, 32, 43, 45, 46, 47, 55, 92, 255)),
    }),
    { maxLength: most },
  );

export function mutated(bytes: Buffer, changes: readonly Edit[]): Buffer {
  return changes.reduce((now: Buffer, { kind, at, size, byte }) => {
    const start = Math.min(now.length, Math.floor(at * now.length));
    const end = Math.min(now.length, start + size);
    const part = now.subarray(start, end);
    const [before, after] = [now.subarray(0, start), now.subarray(end)];
    switch (kind) {
      case 'flip':
        return Buffer.concat([before, Buffer.from(part.map((one) => one ^ (1 << (byte & 7)))), after]);
      case 'set':
        return Buffer.concat([before, Buffer.alloc(part.length, byte), after]);
      case 'cut':
        return Buffer.concat([before, after]);
      case 'double':
        return Buffer.concat([before, part, part, after]);
      case 'swap':
        return Buffer.concat([before, after.subarray(0, size), part, after.subarray(size)]);
      case 'insert':
        return Buffer.concat([before, Buffer.alloc(Math.min(size, 4), byte), part, after]);
      case 'end':
        return Buffer.from(before);
      default:
        return kind satisfies never;
    }
  }, bytes);
}
