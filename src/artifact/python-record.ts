/** Python's list of an installed distribution's files with their digests (`*.dist-info/RECORD`), kept true when files were rewritten (pure). */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';

/** Whether a path, relative to the prefix, is such a list. */
export const isPythonRecord = (path: string): boolean => /(^|\/)[^/]+\.dist-info\/RECORD$/.test(path);

/**
 * A RECORD with the digests and sizes of the files as they are now. Rows without a digest stay as they are, rows of files that were left out go.
 *
 * @param path  Of the RECORD, relative to the prefix; its rows name files relative to the folder above its own.
 * @param read  The present bytes of a file of the tree by its path relative to the prefix: `undefined` when it is not there, `'as-listed'` when they were not touched.
 * @see PyPA specifications, "Recording installed projects": CSV rows of path, `sha256=` with base64url without padding, size.
 */
export function updatedRecord(
  path: string,
  text: string,
  read: (file: string) => Buffer | 'as-listed' | undefined,
): string {
  const site = posix.dirname(posix.dirname(path));
  return text.replace(
    /^("(?:[^"]|"")*"|[^,\r\n]*),([^,\r\n]*),([^,\r\n]*)(\r?\n|$)/gm,
    (row: string, name: string, digest: string, _size: string, end: string) => {
      if (name === '') return row;
      const file = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
      const bytes = read(posix.join(site, file));
      if (bytes === undefined) return '';
      if (bytes === 'as-listed' || digest === '') return row;
      return `${name},sha256=${createHash('sha256').update(bytes).digest('base64url')},${bytes.length}${end}`;
    },
  );
}
