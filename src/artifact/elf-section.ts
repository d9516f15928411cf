/** Which section of an ELF file holds a byte, for people who know its parts by name (pure). */
import { looksLikeElf } from './elf.ts';
import { Image, Unreadable } from './elf-image.ts';

/** A section that takes no room in the file. */
const SHT_NOBITS = 8;

/** @returns Such as `.rodata`; undefined where the bytes are no ELF file, say so of no section, or are damaged. */
export function sectionAt(bytes: Buffer, offset: number): string | undefined {
  if (!looksLikeElf(bytes)) return undefined;
  try {
    return find(new Image(bytes), offset);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** Offsets: System V gABI, chapter 4, "ELF Header" and "Sections". */
function find(image: Image, offset: number): string | undefined {
  const [start, size, count, namesAt] = image.wide
    ? [image.word(40), image.u16(58), image.u16(60), image.u16(62)]
    : [image.word(32), image.u16(46), image.u16(48), image.u16(50)];
  const [fileOffset, fileSize] = image.wide ? [24, 32] : [16, 20];
  const section = (index: number): { readonly offset: number; readonly end: number; readonly name: number } => {
    const at = start + index * size;
    const own = image.word(at + fileOffset);
    const sizeBytes = image.u32(at + 4) === SHT_NOBITS ? 0 : image.word(at + fileSize);
    return { offset: own, end: own + sizeBytes, name: image.u32(at) };
  };
  if (count === 0 || namesAt >= count) return undefined;
  const names = section(namesAt);
  for (let index = 1; index < count; index += 1) {
    const one = section(index);
    if (offset >= one.offset && offset < one.end) return image.text(names.offset + one.name, names.end);
  }
  return undefined;
}
