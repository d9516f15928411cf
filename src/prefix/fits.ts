/** In which prefixes an artifact works, told from its manifest alone, before anything of it is fetched (pure). */
import type { Manifest, PrefixUse } from '../artifact/manifest.ts';

/** The kernel reads this many bytes of an interpreter line (BINPRM_BUF_SIZE since Linux 5.1), `#!` included. */
const interpreterLineBytes = 255;

/** What stands in the way of a prefix. */
interface PrefixProblem {
  /** Relative to the prefix. */
  readonly file: string;
  /** Where in the packed file, in bytes. */
  readonly offset: number;
  /** One clause. */
  readonly found: string;
}

/**
 * Why files of an artifact cannot work in a prefix; none when all can.
 *
 * @param prefixPath Absolute path by which the prefix will be used.
 */
export const prefixProblems = ({ files }: Pick<Manifest, 'files'>, prefixPath: string): PrefixProblem[] =>
  files.flatMap(({ path: file, prefix }): PrefixProblem[] => {
    const found = prefix && problemOf(prefix, prefixPath);
    return found === undefined ? [] : [{ file, offset: prefix?.as === 'string' ? (prefix.offsets[0] ?? 0) : 0, found }];
  });

function problemOf(use: PrefixUse, prefixPath: string): string | undefined {
  const sizeBytes = Buffer.byteLength(prefixPath);
  switch (use.as) {
    case 'run-path':
      return undefined;
    case 'text':
      return use.interpreterLineBytes === undefined
        ? undefined
        : interpreterProblem(use.interpreterLineBytes + sizeBytes, prefixPath);
    case 'string':
      return sizeBytes <= use.roomBytes
        ? undefined
        : `it has room for a prefix of ${use.roomBytes} bytes, this one has ${sizeBytes}`;
    default:
      return use satisfies never;
  }
}

/** @param lineBytes Length of the interpreter line with the prefix in it. */
export function interpreterProblem(lineBytes: number, prefixPath: string): string | undefined {
  if (/\s/.test(prefixPath)) return 'its interpreter line cannot name a prefix with a blank';
  return lineBytes <= interpreterLineBytes
    ? undefined
    : `its interpreter line would have ${lineBytes} bytes, the kernel reads ${interpreterLineBytes}`;
}
