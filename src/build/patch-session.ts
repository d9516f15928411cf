/** What the commands about a package's patches begin with: one run at a time, the source pinned and fetched, the series read. */
import { type Package, packageId } from '../buildfile/package.ts';
import { type LockedSource, readLock, writeLock } from '../buildfile/pins.ts';
import { canonicalJson } from '../key/fields.ts';
import { type Digest, digestOf } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Series } from '../patches/series.ts';
import { digestFileSync, temporaryFolder } from '../system/files.ts';
import { sourceNow } from './facts.ts';
import { ensureSource } from './fetch-stage.ts';
import { seriesOf } from './own-series.ts';
import { nothingSpecial, type PinRequest } from './pin-all.ts';
import { pinSources } from './pinning.ts';
import type { Run } from './run.ts';
import { takeWorkFolder } from './run-lock.ts';
import { startRun } from './start-run.ts';
import { type PackagePlaces, placesOf } from './workspace.ts';

export type PatchRequest = Omit<PinRequest, 'targets' | 'move'>;

export interface PatchSession {
  readonly package: Package;
  /** `name@version` */
  readonly id: string;
  /** As pinned; its tree is fetched. */
  readonly source: LockedSource;
  readonly series: Series;
  readonly places: PackagePlaces;
  readonly run: Run;
  /** Absolute path of an empty folder, gone at the end. */
  readonly scratch: string;
}

/** Works on one package. @throws {VbuildError} what `work` throws and what fetching throws, with the package's name. */
type InSession = <Result>(one: Package, work: (session: PatchSession) => Promise<Result>) => Promise<Result>;

/** One package alone. @throws {VbuildError} as `InSession` */
export const withPatches = <Result>(
  one: Package,
  request: PatchRequest,
  work: (session: PatchSession) => Promise<Result>,
): Promise<Result> => inTurn(request, (inSession) => inSession(one, work));

/** Works on packages one after the other while no run can. */
export async function inTurn<Result>(
  request: PatchRequest,
  work: (inSession: InSession) => Promise<Result>,
): Promise<Result> {
  const { workspace, signal } = request;
  await using _turn = await takeWorkFolder(workspace, request.emit, signal);
  const { run } = startRun({ ...request, options: { ...nothingSpecial, offline: request.offline } });
  let lock = readLock(workspace.lockFile);
  return await work(async (one, each) => {
    const id = packageId(one);
    if (sourceNow(one, lock, workspace) === undefined) {
      lock = await pinSources([one], lock, run);
      writeLock(workspace.lockFile, lock);
    }
    const source = await ensureSource(one, sourceNow(one, lock, workspace), run);
    // In the state's own file system, so that what is made here can be renamed into place.
    using scratch = temporaryFolder('.patch', workspace.state);
    try {
      const series = seriesOf(one, workspace.folder);
      return await each({
        package: one,
        id,
        source,
        series,
        places: placesOf(workspace, one),
        run,
        scratch: scratch.path,
      });
    } catch (thrown) {
      throw thrown instanceof VbuildError ? thrown.at({ package: id }) : thrown;
    }
  });
}

/** Tells whether a series is as it was: names, order, strip levels, bytes. @param known Digests of files that are not written yet. */
export const seriesDigest = (
  { patches }: Series,
  known: (path: string) => Digest | undefined = () => undefined,
): Digest =>
  digestOf(canonicalJson(patches.map(({ name, path, strip }) => [name, strip, known(path) ?? digestFileSync(path)])));

/** Tells whether what the patches are made against is as it was. */
export const sourceDigest = ({ tree, series }: LockedSource): Digest => digestOf(canonicalJson([tree, series ?? null]));
