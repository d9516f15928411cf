/** The end of what another program writes. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** At most so many bytes from its end; empty when it cannot be read. */
export function tailOf(path: string, mostBytes: number): string {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, mostBytes));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The last lines of what a program had to say. */
export const lastLines = (output: string, most: number): string => output.trim().split('\n').slice(-most).join('\n');
