/** Packed files with what stands for their prefix replaced by the real one (pure). */
import type { ManifestFile } from '../artifact/manifest.ts';
import { filledUp, interpreterLine, placesOf, PREFIX_TOKEN, replaceBytes } from '../artifact/places.ts';
import { interpreterProblem } from './fits.ts';

type Rewritten = { readonly bytes: Buffer } | { readonly refused: string };

/** Whether the bytes of a file depend on the prefix that it lies in. */
export const namesPrefix = ({ prefix }: Pick<ManifestFile, 'prefix'>): boolean =>
  prefix !== undefined && prefix.as !== 'run-path';

/**
 * @param file       A file that names its prefix; pkg-config files are written with their own way of quoting.
 * @param bytes      As packed.
 * @param prefixPath Absolute path by which the prefix will be used.
 * @returns The bytes for this prefix, or why there are none: an interpreter line takes neither blanks nor long paths, a binary file no path that is
 *   longer than its placeholders.
 */
export function rewritten(
  { path, prefix }: Pick<ManifestFile, 'path' | 'prefix'>,
  bytes: Buffer,
  prefixPath: string,
): Rewritten {
  return prefix?.as === 'string' ? binary(bytes, prefix, prefixPath) : text(path, bytes, prefixPath);
}

function text(path: string, bytes: Buffer, prefixPath: string): Rewritten {
  // Flags are split at blanks after variables were put in; a backslash keeps them together, in every pkg-config.
  const said = path.endsWith('.pc') ? prefixPath.replace(/[\s"'\\$#]/g, '\\$&') : prefixPath;
  const replaced = (packed: Buffer): Buffer => replaceBytes(packed, Buffer.from(PREFIX_TOKEN), Buffer.from(said));
  const line = interpreterLine(bytes);
  const refused = line && interpreterProblem(replaced(line).length, prefixPath);
  return refused === undefined ? { bytes: replaced(bytes) } : { refused };
}

function binary(
  bytes: Buffer,
  { roomBytes, offsets }: Extract<NonNullable<ManifestFile['prefix']>, { as: 'string' }>,
  prefixPath: string,
): Rewritten {
  if (Buffer.byteLength(prefixPath) > roomBytes) return { refused: `it has room for a prefix of ${roomBytes} bytes` };
  const room = roomBytes < PREFIX_TOKEN.length ? undefined : filledUp(PREFIX_TOKEN, roomBytes);
  const found = room && placesOf(bytes, room);
  if (found === undefined || found.join() !== offsets.join())
    return { refused: 'its placeholders are not where the manifest says' };
  const result = Buffer.from(bytes);
  for (const at of offsets) filledUp(prefixPath, roomBytes).copy(result, at);
  return { bytes: result };
}
