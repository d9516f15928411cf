/** Trees that come from elsewhere than an archive, brought to the shape that archives are unpacked to. */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { archiveRefused, leadsOut, partsOf } from './archive-guard.ts';
import { copyInto } from './copy-tree.ts';
import { entryAt, moveFile, type TreeEntry, walk } from './files.ts';

/**
 * Copies a folder into an existing, empty one, then as `settleTree`.
 *
 * @param wanted Says by its own name whether a file or folder comes along.
 */
export function importTree(from: string, into: string, wanted: (name: string) => boolean): void {
  copyInto(from, into, wanted);
  settleTree(into);
}

/**
 * Moves what lies in a folder into a tree, beside what is there: folders are shared, nothing else is.
 *
 * @param into Relative to `tree`; made if it is not there.
 * @throws {VbuildError} `archive-refused` for what would land on a file of the tree, or behind one of its links.
 */
export function mergeTree(from: string, tree: string, into: string): void {
  const top = partsOf(into);
  for (const [at] of top.entries()) shareFolder(tree, top.slice(0, at + 1).join('/'));
  for (const { path, type } of walk(from)) {
    const place = [...top, path].join('/');
    if (type === 'directory') shareFolder(tree, place);
    else if (entryAt(join(tree, place)) === undefined) moveFile(join(from, path), join(tree, place));
    else throw archiveRefused(place, 'another archive of the same source has it as well');
  }
}

function shareFolder(tree: string, path: string): void {
  const there = entryAt(join(tree, path))?.type;
  if (there === undefined) mkdirSync(join(tree, path));
  else if (there !== 'directory')
    throw archiveRefused(path, `another archive of the same source has a ${there} in the place of this folder`);
}

/**
 * Gives files mode 0644 or 0755 and folders 0755, whatever the umask was.
 * @throws {VbuildError} `archive-refused` for a symlink that leads out of the tree, which would mean another file wherever the tree is copied;
 *   for what is no file, folder or symlink; for a name that is not UTF-8.
 */
export function settleTree(top: string): void {
  refuseUnspeakable(top);
  const entries = walk(top);
  const links = new Map(
    entries.flatMap(({ path, target }): [string, string][] => (target === undefined ? [] : [[path, target]])),
  );
  for (const [path, target] of links)
    if (leadsOut(path, target, links))
      throw archiveRefused(path, `it is a symlink that leads out of the tree: ${JSON.stringify(target)}`);
  const strange = entries.find(({ type }) => type === 'other');
  if (strange !== undefined) throw archiveRefused(strange.path, 'it is a device, a socket or a named pipe');
  for (const entry of entries) {
    const mode = plainMode(entry);
    if (mode !== undefined && mode !== entry.mode) chmodSync(join(top, entry.path), mode);
  }
}

/** A name that is not UTF-8 cannot be written exactly into lists of files, and would be another file there. */
function refuseUnspeakable(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
    if (!isUtf8(entry.name))
      throw archiveRefused(entry.name.toString('latin1'), 'its name is not UTF-8 (it is shown as Latin-1)');
    if (entry.isDirectory()) refuseUnspeakable(join(folder, entry.name.toString()));
  }
}

const plainMode = ({ type, mode }: TreeEntry): number | undefined =>
  type === 'symlink' ? undefined : type === 'directory' || mode & 0o100 ? 0o755 : 0o644;
