/** Where a build's absolute paths lie, and the token that stands for its prefix in packed text (pure). */
import { posix } from 'node:path';

/**
 * Stands for the prefix in packed text files; replaced by the real one when they are put into a prefix.
 * Written so that no upstream file can hold it by accident; one that does is refused.
 */
export const PREFIX_TOKEN = '/@vbuild-prefix@';

/** A path of exactly so many bytes, which it must not exceed: slashes at its end change nothing of what it names. */
export const filledUp = (path: string, sizeBytes: number): Buffer =>
  Buffer.concat([Buffer.from(path), Buffer.alloc(sizeBytes - Buffer.byteLength(path), '/')]);

/** The first line of a file that begins as a script, without its line end. */
export function scriptHead(bytes: Buffer): Buffer | undefined {
  if (bytes.toString('latin1', 0, 2) !== '#!') return undefined;
  const end = bytes.indexOf('\n');
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** The interpreter line of a packed text, without its line end, if it holds the token. */
export function interpreterLine(bytes: Buffer): Buffer | undefined {
  const line = scriptHead(bytes);
  return line?.includes(PREFIX_TOKEN) === true ? line : undefined;
}

/**
 * Absolute paths of one compilation as its steps saw them, which are what they may have left in files; all begin with `root`, so
 * one search finds every left-over. Files are never read by these paths, but by those that `onHost` makes of them.
 */
export interface BuildPlaces {
  /** The build root, see `BuildRoot`. */
  readonly root: string;
  /** What the package was configured for, inside `root`. */
  readonly prefix: string;
  /** DESTDIR, inside `root`: the package's files lie at `stage` + `prefix`. */
  readonly stage: string;
  /** The folder that steps saw as `root`, by its path on this machine; the same where they ran without a namespace. */
  readonly host: string;
}

/** Whether `path` is `folder` or lies below it; both absolute and normal. */
export const isWithin = (folder: string, path: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Where a path that steps saw lies on this machine: at itself, unless it is in the root. */
export const onHost = ({ root, host }: Pick<BuildPlaces, 'root' | 'host'>, seen: string): string =>
  isWithin(root, seen) ? host + seen.slice(root.length) : seen;

/** The path of `absolute` inside the prefix (`.` for the prefix itself), also where a build names it by its place in the stage; else undefined. */
export function inPrefix(places: BuildPlaces, absolute: string): string | undefined {
  const path = posix.normalize(absolute).replace(/(?<=.)\/$/, '');
  const staged = places.stage + places.prefix;
  const plain = isWithin(staged, path) ? path.slice(places.stage.length) : path;
  return isWithin(places.prefix, plain) ? posix.relative(places.prefix, plain) || '.' : undefined;
}

/** Whether a path relative to the prefix, once normal, leads out of it. */
export const leadsOut = (path: string): boolean => /^\.\.(\/|$)|^\//.test(posix.normalize(path));

/** Every place in `bytes` where `sought` begins. */
export function placesOf(bytes: Buffer, sought: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(sought); at >= 0; at = bytes.indexOf(sought, at + sought.length)) found.push(at);
  return found;
}

/** `bytes` with every `from` replaced by `to`, save where the byte that follows is one of `unless`. */
export function replaceBytes(bytes: Buffer, from: Buffer, to: Buffer, unless = /(?!)/): Buffer {
  const parts: Buffer[] = [];
  let done = 0;
  for (const at of placesOf(bytes, from)) {
    const after = at + from.length;
    if (unless.test(bytes.toString('latin1', after, after + 1))) continue;
    parts.push(bytes.subarray(done, at), to);
    done = after;
  }
  return Buffer.concat([...parts, bytes.subarray(done)]);
}
