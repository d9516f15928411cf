/** Reads what an ELF file says to the dynamic loader: libraries, versions, run paths and who else uses their bytes (pure). */
import { Image, PT, Unreadable } from './elf-image.ts';

interface RunPath {
  readonly tag: 'RPATH' | 'RUNPATH';
  readonly value: string;
  /** Where its first byte lies in the file. */
  readonly offset: number;
  /**
   * How many bytes from `offset` on nothing but this run path uses, its closing NUL included where that is its own.
   * Linkers store a string that ends like another one inside it, so these can be fewer than its length: a rewrite must fit in here.
   */
  readonly freeBytes: number;
}

export interface Elf {
  readonly type: 'relocatable' | 'executable' | 'shared' | 'other';
  /** The program interpreter (`PT_INTERP`). */
  readonly interpreter?: string;
  /** Libraries asked for (`DT_NEEDED`), in order. */
  readonly needed: readonly string[];
  readonly soname?: string;
  /** In the order of the dynamic section; a file has none, one, or (from old linkers) both tags. */
  readonly runPaths: readonly RunPath[];
  /** Symbol versions asked for, by the library that must have them (`DT_VERNEED`). */
  readonly versions: ReadonlyMap<string, readonly string[]>;
  /** Where the bytes of the GNU build id lie. */
  readonly buildId?: { readonly offset: number; readonly sizeBytes: number };
  /** What of the processor it says that it cannot do without: 2, 3 or 4 for `x86-64-v2` and so on; absent when it says nothing. */
  readonly cpuLevel?: number;
  /** Every dynamic string but the run paths: symbol names, libraries, versions; as the tables list them. */
  readonly otherStrings: () => readonly string[];
}

type ElfReading =
  | { readonly kind: 'elf'; readonly elf: Elf }
  | { readonly kind: 'not-elf' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Names and numbers: System V gABI, chapters 4 and 5; the GNU ones from the Linux Standard Base, "Object Format". */
const DT = {
  needed: 1,
  hash: 4,
  strtab: 5,
  symtab: 6,
  strsz: 10,
  soname: 14,
  rpath: 15,
  runpath: 29,
  gnuHash: 0x6ffffef5,
  verdef: 0x6ffffffc,
  verdefCount: 0x6ffffffd,
  verneed: 0x6ffffffe,
  verneedCount: 0x6fffffff,
} as const;
/** DT_CONFIG, DT_DEPAUDIT, DT_AUDIT, DT_AUXILIARY, DT_FILTER: rare tags whose value is a string too. */
const otherStringTags: readonly number[] = [0x6ffffefa, 0x6ffffefb, 0x6ffffefc, 0x7ffffffd, 0x7fffffff];
const SHT_DYNSYM = 11;
const NT_GNU_BUILD_ID = 3;
const NT_GNU_PROPERTY_TYPE_0 = 5;
/** A set of bits, one for each level from x86-64 (the baseline) to x86-64-v4; see the x86-64 psABI, "Program Property". */
const GNU_PROPERTY_X86_ISA_1_NEEDED = 0xc0008002;

/** Whether bytes begin as an ELF file does. */
export const looksLikeElf = (bytes: Buffer): boolean => bytes.length >= 4 && bytes.readUInt32BE(0) === 0x7f454c46;

/** @param bytes The whole file, from anybody: nothing in it makes this throw. */
export function readElf(bytes: Buffer): ElfReading {
  if (!looksLikeElf(bytes)) return { kind: 'not-elf' };
  try {
    return { kind: 'elf', elf: parse(new Image(bytes)) };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'unreadable', reason: error.message };
    throw error;
  }
}

function parse(image: Image): Elf {
  const type = (['other', 'relocatable', 'executable', 'shared'] as const)[image.u16(16)] ?? 'other';
  const interp = image.segments.find((one) => one.type === PT.interp);
  const dynamic = dynamicEntries(image);
  const value = (tag: number): number | undefined => dynamic.find((entry) => entry.tag === tag)?.value;
  const table = stringTable(image, value(DT.strtab), value(DT.strsz));
  const references = table === undefined ? [] : stringReferences(image, dynamic, value);
  const named = (tag: number): string[] =>
    dynamic.filter((entry) => entry.tag === tag).map((entry) => table?.text(entry.value) ?? '');
  const soname = named(DT.soname)[0];
  const buildId = findBuildId(image);
  const cpuLevel = findCpuLevel(image);
  return {
    type,
    ...(interp && { interpreter: image.text(interp.offset, interp.offset + interp.sizeBytes) }),
    needed: named(DT.needed),
    ...(soname !== undefined && { soname }),
    runPaths: table === undefined ? [] : runPaths(dynamic, table, references),
    versions: neededVersions(image, value, table),
    ...(buildId && { buildId }),
    ...(cpuLevel !== undefined && { cpuLevel }),
    otherStrings: () => references.map((offset) => table?.lenient(offset) ?? ''),
  };
}

interface DynamicEntry {
  readonly tag: number;
  readonly value: number;
}

function dynamicEntries(image: Image): DynamicEntry[] {
  const segment = image.segments.find((one) => one.type === PT.dynamic);
  const word = image.wide ? 8 : 4;
  const entries: DynamicEntry[] = [];
  if (segment === undefined) return entries;
  for (let at = 0; at + 2 * word <= segment.sizeBytes; at += 2 * word) {
    const tag = image.word(segment.offset + at);
    if (tag === 0) break;
    entries.push({ tag, value: image.word(segment.offset + at + word) });
  }
  return entries;
}

interface StringTable {
  readonly offset: number;
  readonly text: (at: number) => string;
  /** As `text`, empty where there is none. */
  readonly lenient: (at: number) => string;
  readonly end: (at: number) => number;
}

function stringTable(
  image: Image,
  address: number | undefined,
  sizeBytes: number | undefined,
): StringTable | undefined {
  if (address === undefined) return undefined;
  if (sizeBytes === undefined) throw new Unreadable('its dynamic string table has no size');
  const offset = image.place(address);
  const limit = Math.min(offset + sizeBytes, image.bytes.length);
  return {
    offset,
    text: (at) => image.text(offset + at, limit),
    lenient: (at) =>
      at < limit - offset && image.bytes.indexOf(0, offset + at) < limit
        ? image.bytes.toString('utf8', offset + at, image.bytes.indexOf(0, offset + at))
        : '',
    end: (at) => image.endOfText(offset + at, limit) - offset,
  };
}

type Value = (tag: number) => number | undefined;

/** Offsets into the string table of every dynamic string that is not a run path. */
function stringReferences(image: Image, dynamic: readonly DynamicEntry[], value: Value): number[] {
  const tags: readonly number[] = [DT.needed, DT.soname, ...otherStringTags];
  const found = dynamic.filter(({ tag }) => tags.includes(tag)).map((entry) => entry.value);
  for (const record of versionRecords(image, value, 'need')) found.push(record.name, ...record.parts);
  for (const record of versionRecords(image, value, 'def')) found.push(...record.parts);
  const symbols = value(DT.symtab);
  if (symbols !== undefined) {
    const [start, size] = [image.place(symbols), image.wide ? 24 : 16];
    for (let index = 1, count = symbolCount(image, value, symbols); index < count; index += 1)
      found.push(image.u32(start + index * size));
  }
  return found;
}

/**
 * How many dynamic symbols there are: the highest count that any table states. A GNU hash table leaves out symbols that are
 * only asked for when nothing is exported, so the section header is asked as well where it was not stripped.
 */
function symbolCount(image: Image, value: Value, symbols: number): number {
  const counts = [0];
  const hash = value(DT.hash);
  if (hash !== undefined) counts.push(image.u32(image.place(hash) + 4));
  const gnuHash = value(DT.gnuHash);
  if (gnuHash !== undefined) counts.push(gnuHashCount(image, image.place(gnuHash)));
  const [start, size, count] = image.wide
    ? [image.word(40), image.u16(58), image.u16(60)]
    : [image.word(32), image.u16(46), image.u16(48)];
  for (let index = 0; index < count; index += 1) {
    const at = start + index * size;
    if (image.u32(at + 4) !== SHT_DYNSYM || image.word(at + (image.wide ? 16 : 12)) !== symbols) continue;
    counts.push(Math.floor(image.word(at + (image.wide ? 32 : 20)) / (image.wide ? 24 : 16)));
  }
  return Math.max(...counts);
}

function gnuHashCount(image: Image, at: number): number {
  const [buckets, first, words] = [image.u32(at), image.u32(at + 4), image.u32(at + 8)];
  const table = at + 16 + words * (image.wide ? 8 : 4);
  let last = 0;
  for (let index = 0; index < buckets; index += 1) last = Math.max(last, image.u32(table + 4 * index));
  if (last < first) return first;
  while ((image.u32(table + 4 * (buckets + last - first)) & 1) === 0) last += 1;
  return last + 1;
}

interface VersionRecord {
  /** For a need, the library's name. */
  readonly name: number;
  /** Names of the versions. */
  readonly parts: readonly number[];
}

/** Both version tables are lists of records, each with a list of names; `next` fields are distances that only go forward, so every walk ends. */
function versionRecords(image: Image, value: Value, kind: 'need' | 'def'): VersionRecord[] {
  const need = kind === 'need';
  const [address, count] = need
    ? [value(DT.verneed), value(DT.verneedCount)]
    : [value(DT.verdef), value(DT.verdefCount)];
  const records: VersionRecord[] = [];
  if (address === undefined || count === undefined) return records;
  let at = image.place(address);
  let room = image.bytes.length / 8;
  for (let index = 0; index < count; index += 1) {
    const parts: number[] = [];
    let part = at + image.u32(at + (need ? 8 : 12));
    for (let left = image.u16(at + (need ? 2 : 6)); left > 0; left -= 1) {
      parts.push(image.u32(part + (need ? 8 : 0)));
      const next = image.u32(part + (need ? 12 : 4));
      if (next === 0) break;
      if ((room -= 1) < 0) throw new Unreadable('its version tables overlap');
      part += next;
    }
    records.push({ name: need ? image.u32(at + 4) : 0, parts });
    const next = image.u32(at + (need ? 12 : 16));
    if (next === 0) break;
    at += next;
  }
  return records;
}

function neededVersions(image: Image, value: Value, table: StringTable | undefined): Map<string, string[]> {
  const versions = new Map<string, string[]>();
  if (table === undefined) return versions;
  for (const { name, parts } of versionRecords(image, value, 'need')) {
    const library = table.text(name);
    versions.set(library, [...(versions.get(library) ?? []), ...parts.map(table.text)]);
  }
  return versions;
}

function runPaths(dynamic: readonly DynamicEntry[], table: StringTable, references: readonly number[]): RunPath[] {
  const entries = dynamic.filter(({ tag }) => tag === DT.rpath || tag === DT.runpath);
  if (entries.length > 2) throw new Unreadable('it has more than two run paths');
  return entries.map(({ tag, value: start }) => {
    const end = table.end(start);
    // Every string between two NULs ends at the same NUL, so one that begins before this one and reaches it covers it whole.
    const others = [...references, ...entries.map(({ value }) => value).filter((other) => other !== start)];
    const sharing = others.filter((other) => other < end && table.end(other) === end);
    const firstShared = Math.min(end + 1, ...sharing.map((other) => Math.max(other, start)));
    return {
      tag: tag === DT.rpath ? 'RPATH' : 'RUNPATH',
      value: table.text(start),
      offset: table.offset + start,
      freeBytes: firstShared - start,
    };
  });
}

function findBuildId(image: Image): Elf['buildId'] {
  for (const segment of image.segments) {
    if (segment.type !== PT.note) continue;
    const end = segment.offset + segment.sizeBytes;
    for (let at = segment.offset; at + 12 <= end; ) {
      const [nameSize, sizeBytes, type] = [image.u32(at), image.u32(at + 4), image.u32(at + 8)];
      const offset = at + 12 + Math.ceil(nameSize / 4) * 4;
      if (type === NT_GNU_BUILD_ID && nameSize === 4 && image.text(at + 12, at + 16) === 'GNU') {
        image.u8(offset + sizeBytes - 1);
        return { offset, sizeBytes };
      }
      at = offset + Math.ceil(sizeBytes / 4) * 4;
    }
  }
  return undefined;
}

function findCpuLevel(image: Image): number | undefined {
  // Parts of this note are aligned as words of the file are, unlike those of all others.
  const align = (at: number): number => Math.ceil(at / (image.wide ? 8 : 4)) * (image.wide ? 8 : 4);
  const segment = image.segments.find((one) => one.type === PT.gnuProperty);
  if (segment === undefined || segment.sizeBytes < 16) return undefined;
  const [sizeBytes, type] = [image.u32(segment.offset + 4), image.u32(segment.offset + 8)];
  if (type !== NT_GNU_PROPERTY_TYPE_0 || image.text(segment.offset + 12, segment.offset + 16) !== 'GNU')
    return undefined;
  const end = segment.offset + 16 + sizeBytes;
  for (let at = segment.offset + 16; at + 8 <= end; at = align(at + 8 + image.u32(at + 4))) {
    if (image.u32(at) !== GNU_PROPERTY_X86_ISA_1_NEEDED) continue;
    const level = 32 - Math.clz32(image.u32(at + 8));
    return level >= 2 && level <= 4 ? level : undefined;
  }
  return undefined;
}
