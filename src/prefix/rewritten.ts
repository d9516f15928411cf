/** Packed text with the token for its prefix replaced by the real one (pure). */
import { PREFIX_TOKEN, replaceBytes } from '../artifact/places.ts';

/** The kernel reads this many bytes of an interpreter line (BINPRM_BUF_SIZE since Linux 5.1), `#!` included. */
const interpreterLineBytes = 255;

export type Rewritten = { readonly bytes: Buffer } | { readonly refused: string };

/**
 * @param path       Relative to the prefix; pkg-config files are written with their own way of quoting.
 * @param bytes      As packed.
 * @param prefixPath Absolute path that takes the token's place.
 * @returns The text for this prefix, or why there is none: an interpreter line takes neither blanks nor long paths.
 */
export function rewritten(path: string, bytes: Buffer, prefixPath: string): Rewritten {
  // Flags are split at blanks after variables were put in; a backslash keeps them together, in every pkg-config.
  const said = path.endsWith('.pc') ? prefixPath.replace(/[\s"'\\$#]/g, '\\$&') : prefixPath;
  const token = Buffer.from(PREFIX_TOKEN);
  const result = replaceBytes(bytes, token, Buffer.from(said));
  const packedLine = bytes.subarray(0, lineEnd(bytes));
  if (packedLine.toString('latin1', 0, 2) === '#!' && packedLine.includes(token)) {
    const line = result.subarray(0, lineEnd(result));
    if (/\s/.test(prefixPath)) return { refused: 'its interpreter line cannot name a prefix with a blank' };
    if (line.length > interpreterLineBytes)
      return {
        refused: `its interpreter line would have ${line.length} bytes, the kernel reads ${interpreterLineBytes}`,
      };
  }
  return { bytes: result };
}

function lineEnd(bytes: Buffer): number {
  const end = bytes.indexOf('\n');
  return end < 0 ? bytes.length : end;
}
