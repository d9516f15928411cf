/** Trees that come from elsewhere than an archive, brought to the shape that archives are unpacked to. */
import { chmodSync, constants, copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { archiveRefused, leadsOut } from './archive-guard.ts';
import { linkTarget, type TreeEntry, walk } from './files.ts';

/**
 * Copies a folder into an existing, empty one, then as `settleTree`.
 *
 * @param wanted Says by its own name whether a file or folder comes along.
 */
export function importTree(from: string, into: string, wanted: (name: string) => boolean): void {
  copyFolder(from, into, wanted);
  settleTree(into);
}

function copyFolder(from: string, into: string, wanted: (name: string) => boolean): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!wanted(entry.name)) continue;
    const source = join(from, entry.name);
    const copy = join(into, entry.name);
    if (entry.isSymbolicLink()) symlinkSync(linkTarget(source), copy);
    else if (entry.isFile()) copyFileSync(source, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    else if (entry.isDirectory()) {
      mkdirSync(copy);
      copyFolder(source, copy, wanted);
    } else throw archiveRefused(source, 'it is a device, a socket or a named pipe');
  }
}

/**
 * Gives files mode 0644 or 0755 and folders 0755, whatever the umask was.
 * @throws {VbuildError} `archive-refused` for a symlink that leads out of the tree, which would mean another file wherever the tree is copied.
 */
export function settleTree(top: string): void {
  const entries = walk(top);
  const links = new Map(
    entries.flatMap(({ path, target }): [string, string][] => (target === undefined ? [] : [[path, target]])),
  );
  for (const [path, target] of links)
    if (leadsOut(path, target, links))
      throw archiveRefused(path, `it is a symlink that leads out of the tree: ${JSON.stringify(target)}`);
  for (const entry of entries) {
    const mode = plainMode(entry);
    if (mode !== undefined && mode !== entry.mode) chmodSync(join(top, entry.path), mode);
  }
}

const plainMode = ({ type, mode }: TreeEntry): number | undefined =>
  type === 'symlink' ? undefined : type === 'directory' || mode & 0o100 ? 0o755 : 0o644;
