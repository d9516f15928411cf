/** What a work folder holds that can be made again, and how much room it takes. */
import { join } from 'node:path';
import type { Package } from '../buildfile/package.ts';
import type { Emit } from '../model/event.ts';
import { entryAt, fileStat, namesIn, removeTree, walk } from '../system/files.ts';
import { packageFolder } from './graph.ts';
import { takeWorkFolder } from './run-lock.ts';
import type { Workspace } from './workspace.ts';

/** What vbuild needs only while it works on a package. */
const trees = ['build', 'rebuild', 'trees'] as const;
/** What tells of earlier runs, and what spares the next one some work. Opened patches are never among it. */
const rest = ['fetch', 'history', 'logs', 'patch-bases', 'quick', 'stamps', 'traces'] as const;

interface Cleaned {
  /** Such as `trees`; see `placesOf`. */
  readonly kind: string;
  /** Name of the folder of a package, `NAME_VERSION`, or of what else lies there. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
}

interface CleanRequest {
  readonly workspace: Workspace;
  /** Undefined for all, also of packages that the Buildfile no longer has. */
  readonly packages: readonly Package[] | undefined;
  /** Stamps, logs and the rest as well. */
  readonly all: boolean;
  /** Nothing is removed. */
  readonly dryRun: boolean;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** @returns What was removed, or would be, in the order of kinds and names. Waits for a run that is going on. */
export async function clean({ workspace, packages, all, dryRun, emit, signal }: CleanRequest): Promise<Cleaned[]> {
  if (namesIn(workspace.state).length === 0) return [];
  await using _turn = dryRun ? undefined : await takeWorkFolder(workspace, emit, signal);
  const wanted = packages?.map(packageFolder);
  const isWanted = (name: string): boolean =>
    wanted === undefined || wanted.some((own) => name === own || name.startsWith(`${own}.`));
  const found = [...trees, ...(all ? rest : [])].flatMap((kind) => {
    const folder = join(workspace.state, kind);
    return namesIn(folder)
      .filter(isWanted)
      .sort()
      .map((name) => ({ kind, name, path: join(folder, name), sizeBytes: sizeOf(join(folder, name)) }));
  });
  if (!dryRun) for (const { path } of found) removeTree(path);
  return found;
}

/** Packages whose patches are opened for editing: what is in there nothing else holds. */
export const openedPatches = ({ state }: Workspace): string[] => namesIn(join(state, 'edit')).sort();

/** Of a file, or of all files below a folder. */
const sizeOf = (path: string): number =>
  entryAt(path)?.type === 'directory'
    ? walk(path).reduce((sum, { type, sizeBytes }) => (type === 'file' ? sum + sizeBytes : sum), 0)
    : (fileStat(path)?.sizeBytes ?? 0);
