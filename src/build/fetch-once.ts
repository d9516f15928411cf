/** Trees that have no archive are handed over as well: who waits for another one to fetch the same takes a copy of what that one has. */
import { canonicalJson } from '../key/fields.ts';
import type { Digest } from '../model/digest.ts';
import type { SourceSpec } from '../sources/index.ts';
import type { Pin } from '../sources/source.ts';
import { isPath } from '../sources/version-control.ts';
import { copyTree } from '../system/copy-tree.ts';
import { emptyFolder, removeTree } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';

/**
 * What a tree goes by while it is fetched.
 *
 * @param tree       Its digest, where it is pinned.
 * @param projectAt  Absolute folder of the Buildfile, where relative places start.
 */
export function fetchedName(source: SourceSpec, pin: Pin, tree: Digest | undefined, projectAt: string): string {
  if (tree !== undefined) return `tree ${tree}`;
  const isLocal = !('url' in source) || isPath(source.url);
  return `source ${canonicalJson({ source, pin, ...(isLocal && { projectAt }) })}`;
}

/** What the one who fetched it leaves to those who wait. @param folder Absolute; it may be gone, or hold something else, when they come. */
export const leftTree = (tree: Digest, folder: string): string => canonicalJson({ tree, folder });

/** Copies the tree that was left. @param into Absolute path of an empty folder; it is empty again unless this returns where the copy came from. */
export function takeLeftTree(left: string | undefined, into: string): string | undefined {
  if (left === undefined) return undefined;
  removeTree(into);
  try {
    const { tree, folder } = JSON.parse(left) as { readonly tree: string; readonly folder: string };
    copyTree(folder, into);
    if (treeDigest(into) === tree) return folder;
  } catch {
    // That project goes its own way: a tree that is changed or removed meanwhile is as good as none.
  }
  emptyFolder(into);
  return undefined;
}
