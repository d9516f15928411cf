/** Trees that no later run could make again by itself (exported by a server, made by steps), kept in the source's own state. */
import { join } from 'node:path';
import { type Digest, isDigest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { emptyFolder, moveIntoPlace, namesIn, removeTree, temporaryName } from '../system/files.ts';
import { settleTree } from '../system/import-tree.ts';
import { packTree, unpackTree } from '../system/tree-archive.ts';
import { treeDigest } from '../system/tree-digest.ts';

const suffix = '.tar.zst';

/**
 * Keeps a copy of a tree under a name, in place of an earlier one of that name.
 *
 * @param state Absolute path of the source's own folder.
 * @returns The digest of the tree, by which a damaged copy is told.
 */
export async function keepTree(state: string, name: string, tree: string): Promise<Digest> {
  const digest = treeDigest(tree);
  const kept = join(state, `${name}.${digest}${suffix}`);
  const temporary = temporaryName(kept);
  await packTree(tree, temporary);
  for (const old of keptUnder(state, name)) removeTree(join(state, old));
  moveIntoPlace(temporary, kept);
  return digest;
}

/**
 * Brings a kept tree back.
 *
 * @param into Absolute path of an empty folder; it is empty again when there is nothing.
 * @param wanted The only tree that will do; any that is sound will when not given.
 * @returns Whether there was a sound one.
 */
export async function restoreTree(state: string, name: string, into: string, wanted?: Digest): Promise<boolean> {
  for (const file of keptUnder(state, name)) {
    const digest = file.slice(name.length + 1, -suffix.length);
    if (!isDigest(digest) || (wanted !== undefined && wanted !== digest)) continue;
    try {
      if ((await unpackTree({ file: join(state, file), into })) === digest) return true;
    } catch (error) {
      if (!(error instanceof VbuildError)) throw error;
    }
    // Damaged on disk: as good as not there.
    removeTree(join(state, file));
    emptyFolder(into);
  }
  return false;
}

/** Brings a kept tree back, or else has one brought, settles it and keeps it. @param into Absolute path of an empty folder. */
export async function keptOr(state: string, name: string, into: string, bring: () => Promise<void>): Promise<void> {
  if (await restoreTree(state, name, into)) return;
  await bring();
  settleTree(into);
  await keepTree(state, name, into);
}

const keptUnder = (state: string, name: string): string[] =>
  namesIn(state).filter((file) => file.startsWith(`${name}.`) && file.endsWith(suffix));
