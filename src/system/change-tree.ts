/** Several files of a tree replaced and removed together: all of it is done, or all of it is taken back. */
import { lstatSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namesIn } from './files.ts';

export interface TreeChange {
  /** Absolute. */
  readonly top: string;
  /** Files and symlinks that go, relative to `top`; folders that become empty go with them. They go first. */
  readonly removed: readonly string[];
  /** Files and symlinks that come, or take the place of others: `from` is absolute, finished, and in the same file system. */
  readonly put: readonly { readonly path: string; readonly from: string }[];
  /** Absolute path of an existing folder in the same file system, for what is replaced; it may be removed afterwards. */
  readonly aside: string;
}

/** @throws the system's error; the tree is then as it was, as far as the system lets it. */
export function changeTree({ top, removed, put, aside }: TreeChange): void {
  const undo: (() => void)[] = [];
  const move = (from: string, to: string): void => {
    renameSync(from, to);
    undo.push(() => renameSync(to, from));
  };
  const takeAway = (path: string): void => move(path, join(aside, `old${undo.length}`));
  const prune = (folder: string): void => {
    for (let at = folder; at !== top && namesIn(at).length === 0; at = dirname(at)) {
      const { mode } = lstatSync(at);
      rmdirSync(at);
      undo.push(() => mkdirSync(at, mode));
    }
  };
  const makeFolders = (folder: string): void => {
    if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    makeFolders(dirname(folder));
    mkdirSync(folder);
    undo.push(() => rmdirSync(folder));
  };
  try {
    for (const path of removed) {
      takeAway(join(top, path));
      prune(dirname(join(top, path)));
    }
    for (const { path, from } of put) {
      const to = join(top, path);
      makeFolders(dirname(to));
      if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) takeAway(to);
      move(from, to);
    }
  } catch (error) {
    for (const step of undo.reverse()) {
      try {
        step();
      } catch {
        // One that cannot be taken back must not keep the others from it.
      }
    }
    throw error;
  }
}
