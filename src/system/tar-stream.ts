/** Reads a stranger's tar stream into an unpacking: plain members here, and all from the first on that is none through the parser of tar. */
import type { ReadEntry } from 'tar';
import { messageOf } from '../model/error.ts';
import { archiveRefused } from './archive-guard.ts';
import { blockBytes } from './tar-header.ts';
import { paxTrouble } from './tar-pax.ts';
import { type EndMark, isExecutable, lengthWithoutZeros, PlainReader } from './tar-plain.ts';
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
    if (parser === undefined && plain.held !== undefined) {
      parser = await tarParser(unpacking, plain.zeroBlock);
      parser.read(plain.held);
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
