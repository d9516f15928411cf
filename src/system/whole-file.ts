/** Files that are written under a temporary name and take their own when they are complete: nobody ever sees half of one. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from './make-folder.ts';

let sequence = 0;
/** A name beside `path` that no other process or call uses; what a crash leaves under it is never read. */
export const temporaryName = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}.${Date.now().toString(36)}${(sequence += 1)}.tmp`);

/** Writes all of the bytes, which one call of the system need not. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Writes under a temporary name first. What cannot be completed is not left there: that may be the last room on a disk. */
function land(path: string, write: (temporary: string) => void): void {
  makeFolder(dirname(path));
  const temporary = temporaryName(path);
  try {
    write(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Writes a whole file so that after a crash either the old or the new content is there: temporary name, fsync, rename. Makes the folder. */
export function writeAtomically(path: string, content: string | Uint8Array, mode = 0o644): void {
  land(path, (temporary) => {
    const file = openSync(temporary, 'wx', mode);
    try {
      writeAll(file, typeof content === 'string' ? Buffer.from(content) : content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/**
 * Puts a new file in place of what is at `path`: other hard links to the old one keep their content. Not flushed, which may take longer than
 * all else: for trees that a crash discards, and for notes that count as none where a crash spoilt them.
 */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o644): void {
  land(path, (temporary) => {
    writeFileSync(temporary, content, { flag: 'wx' });
    chmodSync(temporary, mode);
  });
}

/** Moves a file over whatever is at `to`, also to another file system. */
export function moveFile(from: string, to: string): void {
  makeFolder(dirname(to));
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    land(to, (temporary) => copyFileSync(from, temporary));
    rmSync(from);
  }
}
