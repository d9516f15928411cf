/** What all parts of one run share, and the frame that every stage runs in. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { DiskCache } from '../cache/disk.ts';
import type { LayeredCache } from '../cache/layered.ts';
import { diskTrouble } from '../model/disk-trouble.ts';
import { VbuildError, VbuildErrors } from '../model/error.ts';
import type { ContentKey } from '../model/digest.ts';
import type { BuildEvent, Emit, Reason } from '../model/event.ts';
import type { MirrorRule } from '../sources/mirror-spec.ts';
import { type Input, setAside, type Stamp, writeStamp } from '../stamps/stamp.ts';
import type { PackageFacts } from './facts.ts';
import type { KeyedStage } from './stages.ts';
import { placesOf, type Workspace } from './workspace.ts';

export interface RunOptions {
  /** Whole number from 1 on: how many jobs run at once, vbuild's own and those of every make below it together. */
  readonly jobs: number;
  /** Whether `jobs` was asked for: only then no pool of a make above is joined. */
  readonly ownJobs?: boolean;
  /** The load average at which no further package is started while others run, and makes hold back; no limit when not given. */
  readonly load?: number;
  /** How much memory must be free for a further package to be started while others run, in bytes. */
  readonly spareMemoryBytes?: number;
  /** The lock file is never written. */
  readonly frozen: boolean;
  readonly offline: boolean;
  /** Nothing is looked up in caches. */
  readonly noCache: boolean;
  readonly noBuild: boolean;
  readonly noInstall: boolean;
  readonly push: boolean;
  readonly installTools: boolean;
  /** Nothing is done: what is said to happen only would. */
  readonly planOnly?: boolean;
  /** Folders in which packages were compiled stay. */
  readonly keep: boolean;
  readonly keepGoing: boolean;
  /** Whether steps are locked in: where the machine allows it, or else nothing is compiled, or never; `auto` when not given. */
  readonly sandbox?: 'auto' | 'require' | 'off';
  /** How many generations of the prefix stay; as `install` has it when not given. */
  readonly keepGenerations?: number;
}

export interface Run {
  readonly workspace: Workspace;
  readonly platform: string;
  readonly options: RunOptions;
  /** Where finished artifacts land, always. */
  readonly disk: DiskCache;
  /** The disk and all that may be asked below it. */
  readonly cache: LayeredCache;
  /** What a key is the key of (`name@version`), for events of the caches; filled by whoever asks them. */
  readonly labels: Map<ContentKey, string>;
  /** Of the Buildfile, for sources. */
  readonly mirrors: readonly MirrorRule[];
  /** Of the user, for sources that reach the network as the user's programs do; steps never see it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Tells the caches what they are going to be asked for. */
export const foresee = (facts: readonly PackageFacts[], { cache, signal }: Run): Promise<void> =>
  cache.foresee(
    facts.map(({ package: { name }, key }) => ({ name, key })),
    signal,
  );

/** For who watches: how much of an artifact has come. @param id `name@version`. */
export const arrival =
  (id: string, { emit }: Run) =>
  (doneBytes: number, totalBytes: number): void =>
    emit({ type: 'transfer', package: id, what: 'artifact', doneBytes, totalBytes });

/** What goes into the stamp of a stage as results, and what its event tells besides. */
interface Done extends Pick<Extract<BuildEvent, { type: 'stage-finished' }>, 'detail' | 'lines'> {
  readonly results: Stamp['results'];
}

/**
 * Runs one stage: its stamp is set aside first and written when the work is complete; an error gets its package and stage.
 *
 * @param reasons Why it runs.
 * @param inputs Recorded in the stamp.
 * @param work Does it.
 */
export async function runStage(
  run: Run,
  one: Package,
  what: {
    readonly stage: KeyedStage;
    readonly reasons: readonly Reason[];
    readonly inputs: readonly Input[];
    /** Absolute path of what the stage leaves behind when it fails, for people to look into. */
    readonly kept?: string;
  },
  work: () => Promise<Done>,
): Promise<Stamp> {
  const id = packageId(one);
  const { stage, inputs, reasons, kept } = what;
  const { stamps } = placesOf(run.workspace, one);
  run.signal.throwIfAborted();
  setAside(stamps, stage, 'cut-off');
  run.emit({ type: 'stage-started', package: id, stage, reasons });
  const startedMs = performance.now();
  try {
    const { results, ...told } = await work();
    const durationMs = Math.round(performance.now() - startedMs);
    const stamp: Stamp = { stage, package: id, endedAtMs: Date.now(), durationMs, inputs, results };
    writeStamp(stamps, stamp);
    run.emit({ type: 'stage-finished', package: id, stage, durationMs, ...told });
    return stamp;
  } catch (thrown) {
    if (!run.signal.aborted) setAside(stamps, stage, 'failed');
    const locate = (problem: VbuildError): VbuildError =>
      problem.at({ package: id, stage }, kept === undefined || 'tree' in problem.facts ? {} : { tree: kept });
    const problem = thrown instanceof VbuildError ? thrown : (diskTrouble(thrown) ?? vanished(thrown, run.workspace));
    if (problem !== undefined) throw locate(problem);
    if (thrown instanceof VbuildErrors) throw new VbuildErrors(thrown.errors.map(locate));
    throw thrown;
  }
}

/** Every path in the work folder is one that we made ourselves, so that somebody else must have removed what is missing there. */
function vanished(thrown: unknown, { state }: Workspace): VbuildError | undefined {
  const { code, path } = thrown instanceof Error ? (thrown as NodeJS.ErrnoException) : {};
  if (code !== 'ENOENT' || path === undefined || !`${path}/`.startsWith(`${state}/`)) return undefined;
  return new VbuildError('disk-trouble', 'Something in the work folder vanished', {
    where: { file: path },
    mend: 'run vbuild again, and let nothing else remove files there meanwhile',
    cause: thrown,
  });
}
