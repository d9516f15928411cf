/** Reads a stranger's tar stream into an unpacking: plain members here, and all from the first on that is none through the parser of tar. */
import type { ReadEntry } from 'tar';
import { messageOf } from '../model/error.ts';
import { archiveRefused } from './archive-guard.ts';
import { blockBytes, isZeroBlock, paddingAfter, readPlainHeader } from './tar-header.ts';
import type { FileSink, Unpacking } from './unpacking.ts';

/**
 * Unpacks all members of a stream.
 *
 * @param needsEndMark Whether the archive is cut short where it has none: one that is compressed has an end of its own.
 * @throws {VbuildError} `archive-refused`
 */
export async function unpackTar(
  chunks: AsyncIterable<Buffer>,
  needsEndMark: boolean,
  unpacking: Unpacking,
): Promise<void> {
  const plain = new PlainReader(unpacking);
  let parser: TarParser | undefined;
  let total = 0;
  try {
    for await (const chunk of chunks) {
      if (total === 0 && chunk[0] === 0x1f && chunk[1] === 0x8b)
        throw archiveRefused(undefined, 'it is compressed twice');
      total += chunk.length;
      unpacking.countStream(chunk.length);
      const rest = parser === undefined ? plain.read(chunk) : chunk;
      if (rest === undefined) continue;
      parser ??= await tarParser(unpacking, plain.zeroBlock);
      // It keeps what it cannot use yet, while the memory is used again.
      parser.read(Buffer.from(rest));
    }
    parser?.end();
    const { ended, zeroBlock } = parser ?? plain;
    if (parser === undefined && plain.isWithinMember)
      throw archiveRefused(unpacking.current, 'the archive is cut short within this member');
    // A lone tar that was cut between two members looks whole but for its end mark; a compressed one has its own.
    if (!ended && !zeroBlock && needsEndMark)
      throw archiveRefused(undefined, 'it has no end mark: the archive is cut short');
    if (!ended && total % blockBytes !== 0)
      throw archiveRefused(undefined, 'it ends within a block: the archive is cut short');
  } finally {
    plain.close();
    parser?.close();
  }
}

/** What a reader of a stream knows of its end: two blocks of zeros, behind which nothing but zeros may follow. */
interface EndMark {
  readonly zeroBlock: boolean;
  readonly ended: boolean;
}

/** Reads members as long as their headers are plain; most archives have no others. */
class PlainReader implements EndMark {
  readonly #unpacking: Unpacking;
  /** A header of which the last chunk had a part only. */
  readonly #split = Buffer.alloc(blockBytes);
  #splitBytes = 0;
  #sink: FileSink | undefined;
  #contentLeft = 0;
  /** Bytes to pass over behind the content. */
  #skipLeft = 0;
  zeroBlock = false;
  ended = false;

  constructor(unpacking: Unpacking) {
    this.#unpacking = unpacking;
  }

  get isWithinMember(): boolean {
    return this.#contentLeft > 0;
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
      } else if (this.#splitBytes === 0 && chunk.length - at >= blockBytes) {
        if (!this.#header(chunk, at, chunk.subarray(at + blockBytes))) return chunk.subarray(at);
        at += blockBytes;
      } else {
        const taken = chunk.copy(this.#split, this.#splitBytes, at, at + blockBytes - this.#splitBytes);
        this.#splitBytes += taken;
        at += taken;
        if (this.#splitBytes < blockBytes) return undefined;
        this.#splitBytes = 0;
        if (!this.#header(this.#split, 0, chunk.subarray(at))) return Buffer.concat([this.#split, chunk.subarray(at)]);
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
    if (isZeroBlock(block, at)) {
      this.ended = this.zeroBlock;
      this.zeroBlock = true;
      return true;
    }
    // What follows a lone block of zeros is refused by its name, whatever it is.
    const member = this.zeroBlock ? undefined : readPlainHeader(block, at);
    if (member === undefined) return false;
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

  #content(bytes: Buffer): number {
    this.#sink?.write(bytes);
    this.#contentLeft -= bytes.length;
    if (this.#contentLeft === 0) this.close();
    return bytes.length;
  }
}

interface TarParser extends EndMark {
  read(chunk: Buffer): void;
  end(): void;
  close(): void;
}

/** Types that carry content or a place in the tree are unpacked; every other one is refused by name. */
const kindOf: Readonly<Record<string, string>> = {
  CharacterDevice: 'a device',
  BlockDevice: 'a device',
  FIFO: 'a named pipe',
  SparseFile: 'a sparse file of GNU tar',
  GNUDumpDir: 'a folder listing of an incremental dump',
  ContinuationFile: 'a part of a file that began in another volume',
};

/** Knows every dialect. All events of the parser are synchronous, so what they throw comes out of `read`. @param zeroBlock Whether one came right before. */
async function tarParser(unpacking: Unpacking, zeroBlock: boolean): Promise<TarParser> {
  const { Parser } = await import('tar');
  const mark = { zeroBlock, ended: false };
  let sparse = false;
  let refusal: unknown;
  /** Why the header before the next member may be read in another way by others. */
  let misread: string | undefined;
  let sink: FileSink | undefined;
  const refuse = (error: unknown): void => void (refusal ??= error);

  const parser = new Parser({ zstd: false, maxMetaEntrySize: 4 * 2 ** 20 });
  parser.on('nullBlock', () => (mark.zeroBlock = true));
  parser.on('eof', () => (mark.ended = true));
  parser.on('meta', (text: string) => {
    if (text.endsWith('\n')) misread ??= paxTrouble(text);
    sparse ||= /^\d+ GNU\.sparse\./m.test(text);
  });
  const behindHeader = (member: string | undefined): void => {
    if (misread !== undefined) refuse(archiveRefused(member, misread));
  };
  parser.on('warn', (code: string, message: string | Error) =>
    refuse(
      archiveRefused(
        unpacking.current || undefined,
        `it is no sound tar archive behind this member: ${messageOf(message)} (${code})`,
      ),
    ),
  );
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    behindHeader(entry.path);
    refuse(archiveRefused(entry.path, `it is ${kindOf[entry.type] ?? `a member of type ${entry.type}`}`));
  });
  parser.on('entry', (entry: ReadEntry) => {
    try {
      behindHeader(entry.path);
      if (refusal !== undefined) return;
      if (mark.zeroBlock) throw archiveRefused(entry.path, 'it comes after the end of the archive');
      if (sparse) throw archiveRefused(entry.path, 'it is a sparse file of GNU tar');
      sink = admit(entry, unpacking);
    } catch (error) {
      refuse(error);
    } finally {
      const file = sink;
      entry.on('data', (bytes: Buffer) => {
        try {
          if (refusal === undefined) file?.write(bytes);
        } catch (error) {
          refuse(error);
        }
      });
      entry.on('end', () => {
        file?.close();
        sink = undefined;
      });
    }
  });

  const feed = (bytes: Buffer): void => {
    if (bytes.length > 0) parser.write(bytes);
    if (refusal !== undefined) throw refusal;
  };
  return {
    get zeroBlock() {
      return mark.zeroBlock;
    },
    get ended() {
      return mark.ended;
    },
    read(chunk) {
      // The end mark is two blocks of zeros, and only zeros may follow: so it must not come before the last byte that is none.
      const content = lengthWithoutZeros(chunk);
      if (!mark.ended) feed(chunk.subarray(0, content));
      if (mark.ended && content > 0) throw archiveRefused(undefined, 'other bytes follow the end of the archive');
      if (!mark.ended) feed(chunk.subarray(content));
    },
    end() {
      parser.end();
      behindHeader(undefined);
      if (refusal !== undefined) throw refusal;
    },
    close: () => sink?.close(),
  };
}

function admit(entry: ReadEntry, unpacking: Unpacking): FileSink | undefined {
  const { path, type, mode = 0, linkpath = '' } = entry;
  switch (type) {
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
      return unpacking.file(path, isExecutable(mode));
    case 'Directory':
      unpacking.directory(path);
      return undefined;
    case 'SymbolicLink':
      unpacking.symlink(path, linkpath);
      return undefined;
    case 'Link':
      unpacking.hardLink(path, linkpath);
      return undefined;
    default:
      throw archiveRefused(path, `it is ${kindOf[type] ?? `a member of type ${type}`}`);
  }
}

const isExecutable = (mode: number): boolean => (mode & 0o100) !== 0;

/** Of a file's attributes nothing is unpacked: what their values are is all one. */
const isAttribute = (key: string): boolean => /^(SCHILY|LIBARCHIVE)\.(xattr|acl)\./.test(key);

/**
 * The parser reads pax records line by line and drops those whose value holds a line end: then it would use another name than other tars do.
 *
 * @param text Of the header, with U+FFFD for what is not UTF-8.
 */
function paxTrouble(text: string): string | undefined {
  const lines = text.slice(0, -1).split('\n');
  const isRecord = (line: string): boolean => Number.parseInt(line, 10) === Buffer.byteLength(line) + 1;
  const strange = lines.find((line) => !isRecord(line));
  if (strange !== undefined && text.includes('\uFFFD'))
    return `its pax header has bytes that are not UTF-8 in ${JSON.stringify(keyOf(strange))}`;
  for (let rest = Buffer.from(strange === undefined ? '' : text); rest.length > 0; ) {
    const length = Number(/^(\d+) /.exec(rest.toString('latin1', 0, 20))?.[1]);
    const record = rest.toString('utf8', 0, length);
    if (!(length <= rest.length) || !record.endsWith('\n')) return 'its pax header is not made of records';
    const [key, inside] = [keyOf(record), record.slice(0, -1).split('\n')];
    if (inside.length > 1 && (!isAttribute(key) || inside.some(isRecord)))
      return `its pax header has a line end in ${JSON.stringify(key)}, and readers differ about what follows`;
    rest = rest.subarray(length);
  }
  return /^\d+ (path|linkpath)=.*\0/m.test(text) ? 'its pax header has a zero byte in a name' : undefined;
}

const keyOf = (record: string): string => /^\d* ?([^=\n]{0,300})/.exec(record)?.[1] ?? '';

function lengthWithoutZeros(chunk: Buffer): number {
  let length = chunk.length;
  while (length > 0 && chunk[length - 1] === 0) length -= 1;
  return length;
}
