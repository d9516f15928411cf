/** What a series of patches last applied to: the files that it changes, as they were before, so that it can be carried over to a later source by three-way merges. */
import { dirname, join } from 'node:path';
import { type Package, packageId } from '../buildfile/package.ts';
import type { LockedSource } from '../buildfile/pins.ts';
import { nameOf } from '../model/package-id.ts';
import {
  exists,
  makeFolder,
  moveIntoPlace,
  namesIn,
  readOwnJson,
  removeTree,
  temporaryName,
  writeAtomically,
} from '../system/files.ts';
import { type PackagePlaces, placesOf, type Workspace } from './workspace.ts';

interface PatchBase {
  /** `name@version` of the package then. */
  readonly id: string;
  readonly source: LockedSource;
  /** Absolute path of a folder with the files that the series changes, before it was applied. */
  readonly tree: string;
}

/** A folder for the files of a base that is being gathered; gone at the end of the `using` scope unless it was kept. */
export function newBase({ patchBase }: PackagePlaces): { readonly tree: string; [Symbol.dispose](): void } {
  const folder = temporaryName(patchBase);
  const tree = join(folder, 'tree');
  makeFolder(tree);
  return { tree, [Symbol.dispose]: () => removeTree(folder) };
}

/** Takes a gathered base over, in place of the one that was there. */
export function keepBase(workspace: Workspace, one: Package, source: LockedSource, tree: string): void {
  const { patchBase } = placesOf(workspace, one);
  const id = packageId(one);
  writeAtomically(
    join(dirname(tree), 'base.json'),
    `${JSON.stringify({ format: 1, id, source, keptAtMs: Date.now() })}\n`,
  );
  removeTree(patchBase);
  moveIntoPlace(dirname(tree), patchBase);
}

/** The bases that are kept for a package: its own, then those of its other versions, newest first. */
export function keptBases(workspace: Workspace, one: Package): PatchBase[] {
  const own = placesOf(workspace, one).patchBase;
  const folders = namesIn(dirname(own)).map((name) => join(dirname(own), name));
  return folders
    .flatMap((folder) => {
      const base = readBase(folder);
      return base === undefined || nameOf(base.id) !== one.name ? [] : [{ ...base, own: folder === own }];
    })
    .sort((a, b) => Number(b.own) - Number(a.own) || b.keptAtMs - a.keptAtMs)
    .map(({ id, source, tree }) => ({ id, source, tree }));
}

function readBase(folder: string): (PatchBase & { readonly keptAtMs: number }) | undefined {
  const tree = join(folder, 'tree');
  const data = readOwnJson<PatchBase & { format: 1; keptAtMs: number }>(join(folder, 'base.json'));
  const { format, id, source, keptAtMs } = data ?? {};
  if (format !== 1 || id === undefined || source === undefined || keptAtMs === undefined || !exists(tree))
    return undefined;
  return { id, source, tree, keptAtMs };
}
