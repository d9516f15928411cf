/** The digest of a tree: the same for equal content, whatever its archive, place, owner, times or umask were. */
import { join } from 'node:path';
import { type Digest, digestOf } from '../model/digest.ts';
import { digestFileSync, type TreeEntry, walk } from './files.ts';

/**
 * SHA-256 over one line per file and symlink, in code-unit order of the path: kind (`file`, `exec` or `link`), JSON-quoted path,
 * digest of the content or JSON-quoted target. Folders count through what they hold; an empty one counts as `folder`.
 *
 * @param top Absolute path of the tree.
 * @param keeps Whether a file or folder of this name counts, on every level; all do when not given.
 */
export function treeDigest(top: string, keeps: (name: string) => boolean = () => true): Digest {
  const entries = walk(top).filter(({ path }) => path.split('/').every(keeps));
  return digestOfEntries(entries, ({ path }) => digestFileSync(join(top, path)));
}

/** The same for a tree whose entries are known, in the order of `walk`. @param contentOf The digest of a file's content. */
export function digestOfEntries<Entry extends Pick<TreeEntry, 'path' | 'type' | 'mode' | 'target'>>(
  entries: readonly Entry[],
  contentOf: (entry: Entry) => Digest,
): Digest {
  const parents = new Set(entries.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('/')))));
  const lines = entries.flatMap((entry) => {
    const { path, type, mode, target } = entry;
    if (type === 'symlink') return `link ${JSON.stringify(path)} ${JSON.stringify(target)}\n`;
    if (type === 'directory') return parents.has(path) ? [] : `folder ${JSON.stringify(path)}\n`;
    // Reading a named pipe would never end; whoever copies the tree refuses it by name.
    if (type === 'other') return `other ${JSON.stringify(path)}\n`;
    return `${mode & 0o100 ? 'exec' : 'file'} ${JSON.stringify(path)} ${contentOf(entry)}\n`;
  });
  return digestOf(lines.join(''));
}
