/** Several files of a tree replaced and removed together: all of it is done, or all of it is taken back, where asked for also after a kill. */
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { namesIn, readIfThere, removeTree } from './files.ts';
import { isRunning, thisProcess } from './process-groups.ts';
import { removeTemporaries } from './temporaries.ts';

interface TreeChange {
  /** Absolute. */
  readonly top: string;
  /** Files and symlinks that go, relative to `top`; folders that become empty go with them. They go first. */
  readonly removed: readonly string[];
  /** Files and symlinks that come, or take the place of others: `from` is absolute, finished, and in the same file system. */
  readonly put: readonly { readonly path: string; readonly from: string }[];
  /** Absolute path of an existing folder in the same file system, for what is replaced; it may be removed afterwards. */
  readonly aside: string;
  /**
   * Notes each step before it is made, so that `takeBackCutOff` finds what a kill leaves. Then `aside` lies in `top` and has the temporary name
   * of a file `asideName`.
   */
  readonly journaled?: boolean;
}

export const asideName = 'patched';
const journal = 'journal';

/** A step, noted before it is made; paths are relative to the tree. `mark` tells the file that moves from any other one. */
type Step =
  | { readonly put: string; readonly from: string; readonly mark: string }
  | { readonly away: string; readonly to: string }
  | { readonly made: string }
  | { readonly pruned: string; readonly mode: number };

/** @throws the system's error; the tree is then as it was, as far as the system lets it. */
export function changeTree({ top, removed, put, aside, journaled = false }: TreeChange): void {
  const steps: Step[] = [];
  const log = journaled ? openSync(join(aside, journal), 'wx') : undefined;
  const write = (line: string): void => void (log !== undefined && writeSync(log, `${line}\n`));
  const step = (one: Step): void => {
    steps.push(one);
    write(JSON.stringify(one));
  };
  const inTree = (path: string): string => relative(top, path);
  const takeAway = (path: string): void => {
    const to = join(aside, `old${steps.length}`);
    step({ away: inTree(path), to: inTree(to) });
    renameSync(path, to);
  };
  const prune = (folder: string): void => {
    for (let at = folder; at !== top && namesIn(at).length === 0; at = dirname(at)) {
      step({ pruned: inTree(at), mode: lstatSync(at).mode & 0o7777 });
      rmdirSync(at);
    }
  };
  const makeFolders = (folder: string): void => {
    if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    makeFolders(dirname(folder));
    step({ made: inTree(folder) });
    mkdirSync(folder);
  };
  try {
    write(journaled ? thisProcess() : '');
    for (const path of removed) {
      takeAway(join(top, path));
      prune(dirname(join(top, path)));
    }
    for (const { path, from } of put) {
      const to = join(top, path);
      makeFolders(dirname(to));
      if (isThere(to)) takeAway(to);
      step({ put: path, from: inTree(from), mark: markOf(from) ?? '' });
      renameSync(from, to);
    }
  } catch (error) {
    takeBack(top, steps);
    throw error;
  } finally {
    // From here on nothing is to be taken back, whatever becomes of the folder.
    if (log !== undefined) {
      closeSync(log);
      rmSync(join(aside, journal));
    }
  }
}

/**
 * Takes back what a journaled `changeTree` had done to a tree when its process was killed.
 *
 * @param top Absolute.
 * @returns Whether there was anything.
 * @throws {VbuildError} `patch-conflict` where somebody has changed since what would have to be taken back.
 */
export function takeBackCutOff(top: string): boolean {
  let found = false;
  for (const name of namesIn(top)) {
    const pid = new RegExp(`^\\.${asideName}\\.(\\d+)\\.`).exec(name)?.[1];
    if (pid === undefined) continue;
    const aside = join(top, name);
    const text = readIfThere(join(aside, journal));
    if (text === undefined) removeTemporaries(top, { of: asideName, by: Number(pid) });
    else {
      // What was noted in part was not begun.
      const [owner = '', ...lines] = text.split('\n').slice(0, -1);
      if (isRunning(owner)) continue;
      const steps = lines.map((line) => JSON.parse(line) as Step);
      const changed = changedSince(top, steps);
      if (changed !== undefined)
        throw new VbuildError('patch-conflict', 'Tree was changed after applying patches to it had been cut off', {
          where: { file: join(top, changed) },
          facts: { 'what was replaced': aside },
          mend: 'put back by hand what is needed from that folder, then remove it',
        });
      takeBack(top, steps);
      rmSync(join(aside, journal));
      removeTree(aside);
      found ||= steps.length > 0;
    }
  }
  return found;
}

/** A step that was noted and not made, or is taken back already, is left. */
function takeBack(top: string, steps: readonly Step[]): void {
  for (const step of steps.toReversed()) {
    try {
      undo(top, step);
    } catch {
      // One that cannot be taken back must not keep the others from it.
    }
  }
}

function undo(top: string, step: Step): void {
  const move = (from: string, to: string): void => {
    if (isThere(join(top, from)) && !isThere(join(top, to))) renameSync(join(top, from), join(top, to));
  };
  if ('put' in step) move(step.put, step.from);
  else if ('away' in step) move(step.to, step.away);
  else if ('made' in step) rmdirSync(join(top, step.made));
  else if (!isThere(join(top, step.pruned))) {
    mkdirSync(join(top, step.pruned));
    chmodSync(join(top, step.pruned), step.mode);
  }
}

/** The first path that is not as the steps left it; relative to the tree. */
function changedSince(top: string, steps: readonly Step[]): string | undefined {
  const there = (path: string): boolean => isThere(join(top, path));
  const puts = steps.flatMap((step) => ('put' in step && !there(step.from) ? [step] : []));
  const foreign = puts.find(({ put, mark }) => markOf(join(top, put)) !== mark)?.put;
  if (foreign !== undefined) return foreign;
  const placed = new Set(puts.map(({ put }) => put));
  return steps
    .flatMap((step) => ('away' in step ? [step] : []))
    .find(({ away, to }) => (there(to) ? there(away) && !placed.has(away) : !there(away)))?.away;
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

function markOf(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}
