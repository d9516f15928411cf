/** Trees copied file by file, their bytes shared where the file system can: `cpSync` of Node never asks for that, whatever its `mode` says. */
import { chmodSync, constants, copyFileSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { archiveRefused } from './archive-guard.ts';
import { linkTarget, makeFolder } from './files.ts';

/** Copies a tree, symlinks as they are, modes kept; `to` must not exist. */
export function copyTree(from: string, to: string): void {
  makeFolder(dirname(to));
  copyFolder(from, to, () => true);
}

/**
 * Copies what lies in a folder into one that is there and has nothing of it.
 *
 * @param wanted Says by its own name whether a file or folder comes along.
 * @throws {VbuildError} `archive-refused` for what is no file, folder or symlink.
 */
export function copyInto(from: string, into: string, wanted: (name: string) => boolean): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!wanted(entry.name)) continue;
    const source = join(from, entry.name);
    const copy = join(into, entry.name);
    if (entry.isSymbolicLink()) symlinkSync(linkTarget(source), copy);
    else if (entry.isFile()) copyFileSync(source, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    else if (entry.isDirectory()) copyFolder(source, copy, wanted);
    else throw archiveRefused(source, 'it is a device, a socket or a named pipe');
  }
}

function copyFolder(from: string, to: string, wanted: (name: string) => boolean): void {
  mkdirSync(to);
  copyInto(from, to, wanted);
  // Last, as it may take the right to write.
  chmodSync(to, lstatSync(from).mode & 0o7777);
}
