/** The traces of the last runs: one file each under the work folder, the last few kept. */
import { join } from 'node:path';
import { VbuildError } from '../model/error.ts';
import type { RunRecord } from '../model/run-record.ts';
import { namesIn, readIfThere, removeTree, replaceFile } from '../system/files.ts';
import { removeTemporaries } from '../system/temporaries.ts';
import type { Workspace } from './workspace.ts';

/** How many traces stay. */
const KEPT_TRACES = 5;

const folderOf = ({ state }: Pick<Workspace, 'state'>): string => join(state, 'traces');

/** Absolute paths, oldest first. */
export const tracesIn = (workspace: Pick<Workspace, 'state'>): string[] =>
  namesIn(folderOf(workspace))
    .filter((name) => /^\d{15}-\d+\.json$/.test(name))
    .sort()
    .map((name) => join(folderOf(workspace), name));

/** Adds one, and lets go of the oldest. The name tells two runs apart that end at the same time. @returns Its absolute path. */
export function keepTrace(workspace: Pick<Workspace, 'state'>, { startedAtMs }: RunRecord, text: string): string {
  const path = join(folderOf(workspace), `${String(startedAtMs).padStart(15, '0')}-${globalThis.process.pid}.json`);
  replaceFile(path, text);
  removeTemporaries(folderOf(workspace), { abandoned: true });
  for (const old of tracesIn(workspace).slice(0, -KEPT_TRACES)) removeTree(old);
  return path;
}

/** The run that a trace of ours tells of. @throws {VbuildError} `not-ready` where there is none, `usage` where it is something else. */
export function runIn(path: string): RunRecord {
  const text = readIfThere(path);
  if (text === undefined)
    throw new VbuildError('not-ready', 'There is no such trace', {
      where: { file: path },
      mend: 'name one that vbuild wrote, or leave it out for the last run',
    });
  try {
    const { vbuild } = JSON.parse(text) as { readonly vbuild?: RunRecord };
    if (vbuild?.format === 1 && Array.isArray(vbuild.packages)) return vbuild;
  } catch {
    // Said below, as for any other file that is none.
  }
  throw new VbuildError('usage', 'File is no trace of vbuild', {
    where: { file: path },
    mend: 'name one that vbuild wrote, as in "vbuild report --trace FILE"',
  });
}
