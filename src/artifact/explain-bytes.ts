/** What two builds of one file differ in, found in the bytes: the causes, where the first difference lies, and how it reads (pure). */
import { type Both, type BuiltUnder, causesOf, type DifferenceKind, isTimeOf, wordCharacter } from './causes.ts';
import { readElf } from './elf.ts';
import { sectionAt } from './elf-section.ts';

export interface Explained {
  readonly kinds: readonly DifferenceKind[];
  /** Byte of the first difference in the first file, and in the section of an ELF file where it lies in one. */
  readonly offset: number;
  readonly section?: string;
  /** What stands there, unprintable bytes escaped. */
  readonly excerpts: Both<string>;
}

/** With more differing places than this nobody has put something into a file: it is another one. */
const mostSpans = 2000;

/** @param bytes Of two files that are not equal. */
export function explainBytes(bytes: Both<Buffer>, built: Both<BuiltUnder>): Explained {
  const [first, second] = withoutBuildId(bytes);
  const idDiffers = first !== bytes[0] && buildIdOf(bytes[0]) !== buildIdOf(bytes[1]);
  const own: DifferenceKind[] = idDiffers ? ['build-id'] : [];
  if (first.equals(second)) return { ...found(bytes, firstDifference(bytes)), kinds: own };
  const texts: Both<string> = [first.toString('latin1'), second.toString('latin1')];
  const at = firstDifference([first, second]);
  if (sorted(texts[0]) === sorted(texts[1])) return { ...found(bytes, at), kinds: [...own, 'order'] };
  const kinds = first.length === second.length ? bySpans([first, second], built) : byWords(texts, built);
  return { ...found(bytes, at), kinds: [...new Set([...own, ...kinds])] };
}

/** The same lines in another order are the same text. */
const sorted = (text: string): string => text.split('\n').sort().join('\n');

function found(bytes: Both<Buffer>, offset: number): Omit<Explained, 'kinds'> {
  const section = sectionAt(bytes[0], offset);
  return {
    offset,
    ...(section !== undefined && { section }),
    excerpts: [excerpt(bytes[0], offset), excerpt(bytes[1], offset)],
  };
}

function firstDifference([first, second]: Both<Buffer>): number {
  const shorter = Math.min(first.length, second.length);
  for (let at = 0; at < shorter; at += 1) if (first[at] !== second[at]) return at;
  return shorter;
}

/** What stands at a place, from the beginning of its word on; of bytes that are no text the first eight. */
function excerpt(bytes: Buffer, offset: number): string {
  if (!isPrintable(bytes[offset])) return escaped(bytes.toString('latin1', offset, offset + 8));
  let [from, to] = [offset, offset];
  while (from > 0 && offset - from < 24 && isWord(bytes[from - 1])) from -= 1;
  while (to - from < 64 && isPrintable(bytes[to])) to += 1;
  // Build roots are filled up with these.
  return escaped(bytes.toString('latin1', from, to)).replaceAll(/_{9,}/g, '_…');
}

const escaped = (text: string): string =>
  text.replaceAll(/[^ -~]|\\/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);

const isPrintable = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x20 && byte < 0x7f;

const isWord = (byte: number | undefined): boolean =>
  byte !== undefined && wordCharacter.test(String.fromCharCode(byte));

/** Files of one length: each place where they differ by itself, with the whole word that it is in. */
function bySpans([first, second]: Both<Buffer>, built: Both<BuiltUnder>): DifferenceKind[] {
  const kinds = new Set<DifferenceKind>();
  let spans = 0;
  for (let at = 0; at < first.length; at += 1) {
    if (first[at] === second[at]) continue;
    spans += 1;
    if (spans > mostSpans) return ['other'];
    let [from, to] = [at, at + 1];
    const inWord = (place: number): boolean => isWord(first[place]) && isWord(second[place]);
    while (to < first.length && (first[to] !== second[to] || inWord(to))) to += 1;
    while (from > 0 && inWord(from - 1)) from -= 1;
    const read = (bytes: Buffer): string => bytes.toString('latin1', from, to);
    const causes = causesOf([read(first), read(second)], built);
    const isBinaryTime =
      causes.some((cause) => cause === 'other' || cause === 'random') && timeNear([first, second], [at, to], built);
    for (const kind of isBinaryTime ? (['time'] as const) : causes) kinds.add(kind);
    at = to - 1;
  }
  return [...kinds];
}

/** Whether the bytes around a difference are a number of seconds that lies in the time of each build. */
function timeNear(
  [first, second]: Both<Buffer>,
  [at, to]: readonly [number, number],
  built: Both<BuiltUnder>,
): boolean {
  if (to - at > 4) return false;
  for (let from = Math.max(0, to - 4); from <= at && from + 4 <= first.length; from += 1) {
    const little = isTimeOf(first.readUInt32LE(from), built[0]) && isTimeOf(second.readUInt32LE(from), built[1]);
    const big = isTimeOf(first.readUInt32BE(from), built[0]) && isTimeOf(second.readUInt32BE(from), built[1]);
    if (little || big) return true;
  }
  return false;
}

/** Files of two lengths: word by word where they have as many, else what lies between their equal beginnings and ends. */
function byWords(texts: Both<string>, built: Both<BuiltUnder>): DifferenceKind[] {
  const [first, second] = [words(texts[0]), words(texts[1])];
  if (first.length === second.length)
    return first.flatMap((word, at) => {
      const other = second[at] ?? '';
      return word === other ? [] : causesOf([word, other], built);
    });
  let begin = 0;
  while (first[begin] === second[begin]) begin += 1;
  let end = 0;
  const most = Math.min(first.length, second.length) - begin;
  while (end < most && first.at(-1 - end) === second.at(-1 - end)) end += 1;
  const middle = (all: readonly string[]): string => all.slice(begin, all.length - end).join('');
  return [...causesOf([middle(first), middle(second)], built)];
}

const words = (text: string): string[] => text.match(/[\w.:+/@-]+|[^\w.:+/@-]+/g) ?? [];

function buildIdOf(bytes: Buffer): string | undefined {
  const reading = readElf(bytes);
  const id = reading.kind === 'elf' ? reading.elf.buildId : undefined;
  return id && bytes.toString('hex', id.offset, id.offset + id.sizeBytes);
}

/** A build id follows from all the rest, and says nothing by itself. */
function withoutBuildId(bytes: Both<Buffer>): Both<Buffer> {
  const blank = (one: Buffer): Buffer => {
    const reading = readElf(one);
    const id = reading.kind === 'elf' ? reading.elf.buildId : undefined;
    return id === undefined ? one : Buffer.from(one).fill(0, id.offset, id.offset + id.sizeBytes);
  };
  return [blank(bytes[0]), blank(bytes[1])];
}
