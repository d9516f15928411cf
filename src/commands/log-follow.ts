/** `vbuild log PACKAGE --follow`: the log of the compilation that is under way, or about to be, as it grows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { readStage } from '../build/history.ts';
import { logsIn, writtenAtMs } from '../build/logs.ts';
import { type PackagePlaces, placesOf, type Workspace } from '../build/workspace.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import { logMarkup } from '../report/log-markup.ts';
import { printable } from '../report/printable.ts';
import { readStamp } from '../stamps/stamp.ts';
import { readIfThere } from '../system/files.ts';
import { isLocked, lastHolderOf } from '../system/lock.ts';
import type { CommandContext } from './command.ts';
import { partOf } from './log-parts.ts';

const pollMs = 200;

/**
 * Waits for the log of this package in the run that is under way, and prints it until the compilation or the run has ended.
 *
 * @returns Whether there was one: not where no run is under way, nor where it ends without compiling the package.
 */
export async function followed(
  part: string,
  one: Package,
  workspace: Workspace,
  { stdout, env, reporter, signal }: CommandContext,
): Promise<boolean> {
  const places = placesOf(workspace, one);
  const lock = join(workspace.state, 'lock');
  const turn = (): Promise<void> => sleep(pollMs, undefined, { signal });
  let path: string | undefined;
  for (let told = false; path === undefined; await turn()) {
    // Asked before the folder is looked at, so that a log that the run made last is not missed.
    const running = await isLocked(lock);
    if (!running && !told) return false;
    path = newestSince(Date.parse(lastHolderOf(lock)?.since ?? ''), places);
    if (path !== undefined) break;
    if (!running) return false;
    if (!told)
      reporter.event({
        type: 'notice',
        level: 'info',
        code: 'waiting-for-log',
        headline: `A run is under way, waiting for it to compile ${packageId(one)}`,
      });
    told = true;
  }
  const followedPath = path;
  const isRunning = async (): Promise<boolean> => !hasEnded(followedPath, places) && (await isLocked(lock));
  for (let shown = 0; ; await turn()) {
    // Asked before the last reading, so that nothing is lost in between.
    const running = await isRunning();
    const text = partOf(readIfThere(followedPath) ?? '', part);
    // A line that is not complete yet may end in half a character.
    const end = running ? text.lastIndexOf('\n') + 1 : text.length;
    if (end > shown) stdout.write(logMarkup(env).plain(printable(text.slice(shown, end))));
    shown = Math.max(shown, end);
    if (!running) return true;
  }
}

/** The last log of the package, if it was written since a run began. @param sinceMs Not a number where that is not known: any will do. */
function newestSince(sinceMs: number, { logs }: PackagePlaces): string | undefined {
  const path = logsIn(logs).at(-1);
  return path === undefined || writtenAtMs(path) < sinceMs ? undefined : path;
}

/** A compilation that passed leaves a stamp, one that failed a record. */
function hasEnded(path: string, places: PackagePlaces): boolean {
  if (readStamp(places.stamps, 'compile') !== undefined) return true;
  const { failed, endedAtMs } = readStage(places, 'compile') ?? {};
  return failed !== undefined && endedAtMs !== undefined && endedAtMs >= writtenAtMs(path);
}
