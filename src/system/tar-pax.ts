/** Pax headers of tar: records that say of the next member what has no room in its own header (pure). */
import { isUtf8 } from 'node:buffer';

/** What a pax header says of the member behind it, in so far as it matters here. */
export interface PaxFacts {
  readonly path?: string;
  /** Of a symlink. */
  readonly target?: string;
}

/** Times, owners, and attributes of which nothing is unpacked. */
const isIdle = (key: string): boolean =>
  /^([acm]time|[ug]id|[ug]name|comment|(SCHILY|LIBARCHIVE)\.(xattr|acl)\..+|SCHILY\.(dev|ino|nlink|fflags)|LIBARCHIVE\.creationtime)$/.test(
    key,
  );

/**
 * Reads records by their lengths, as they are meant to be read.
 *
 * @param isGlobal The header speaks of all members behind it, where nothing but what is idle is taken.
 * @returns undefined for anything that is not exact, that readers may differ about, or that changes more than names: for a whole parser.
 */
export function readPax(content: Buffer, isGlobal: boolean): PaxFacts | undefined {
  let facts: PaxFacts = {};
  for (let at = 0; at < content.length; ) {
    const [blank, equals] = [content.indexOf(0x20, at), content.indexOf(0x3d, at)];
    const length = content.toString('latin1', at, blank);
    const end = at + Number(length);
    if (!/^[1-9]\d{0,7}$/.test(length) || end > content.length || content[end - 1] !== 0x0a) return undefined;
    if (equals <= blank || equals >= end) return undefined;
    const key = content.toString('latin1', blank + 1, equals);
    if (!isIdle(key)) {
      const name = nameIn(content.subarray(equals + 1, end - 1));
      if (isGlobal || name === undefined || (key !== 'path' && key !== 'linkpath')) return undefined;
      facts = key === 'path' ? { ...facts, path: name } : { ...facts, target: name };
    }
    at = end;
  }
  return facts;
}

function nameIn(bytes: Buffer): string | undefined {
  if (bytes.length === 0 || bytes.includes(0) || bytes.includes(0x0a) || !isUtf8(bytes)) return undefined;
  return bytes.toString();
}

/** Of a file's attributes nothing is unpacked: what their values are is all one. */
const isAttribute = (key: string): boolean => /^(SCHILY|LIBARCHIVE)\.(xattr|acl)\./.test(key);

/**
 * The parser reads pax records line by line and drops those whose value holds a line end: then it would use another name than other tars do.
 *
 * @param text Of the header, with U+FFFD for what is not UTF-8.
 */
export function paxTrouble(text: string): string | undefined {
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
