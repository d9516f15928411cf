/** Files and folders that bear a temporary name, see `temporaryName`: what a killed process left under one is removed here. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, removeTree } from './files.ts';

/** Something that was not written to for an hour, by a process that is not on this machine, is nobody's: the other machines of a network file system have clocks, too. */
const abandonedMs = 3_600_000;

/**
 * Removes what bears a temporary name directly in a folder, which need not be there.
 *
 * @param of Only temporary names of the file of this name.
 * @param by Only what the process of this number made, which must be dead.
 * @param abandoned Only what no living process of this machine made, and nobody has touched for an hour.
 */
export function removeTemporaries(
  folder: string,
  { of, by, abandoned = false }: { readonly of?: string; readonly by?: number; readonly abandoned?: boolean } = {},
): void {
  for (const name of namesIn(folder)) {
    const [, file, pid] = /^\.?(.+)\.(\d+)(?:\.[0-9a-z]+)?\.tmp$/.exec(name) ?? [];
    if (pid === undefined || (of !== undefined && file !== of)) continue;
    if (by !== undefined && (Number(pid) !== by || isAlive(by))) continue;
    const path = join(folder, name);
    if (!abandoned || (!isAlive(Number(pid)) && isOld(path))) removeTree(path);
  }
}

/** Whether a process of this number runs on this machine, as far as we can see. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A time in the future counts as old, too: the clock was set back since. */
function isOld(path: string): boolean {
  const mtimeMs = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return mtimeMs !== undefined && Math.abs(Date.now() - mtimeMs) > abandonedMs;
}
