/** Pins everything that some packages need, without building any of it. */
import { type Build, type Package, packageId } from '../buildfile/package.ts';
import { type LockedSource, lockText, readLock, writeLock } from '../buildfile/pins.ts';
import { canonicalJson } from '../key/fields.ts';
import type { Emit } from '../model/event.ts';
import { gatherFacts } from './facts.ts';
import { fullClosure } from './graph.ts';
import { pinKnownTools } from './known-tools.ts';
import { pinSources, pinTools } from './pinning.ts';
import { takeWorkFolder } from './run-lock.ts';
import { startRun } from './start-run.ts';
import type { Workspace } from './workspace.ts';

export interface PinRequest {
  readonly build: Build;
  readonly targets: readonly Package[];
  readonly workspace: Workspace;
  /** The one to pin tools for. */
  readonly platform: string;
  /** Whether that is another one than this host's, so that only artifacts can tell of its tools; no when not given. */
  readonly elsewhere?: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Resolve the targets themselves anew, whatever their pins say. */
  readonly move: boolean;
}

/** A pin that was made or moved. */
export interface PinChange {
  readonly package: Package;
  /** Undefined for a source that had no pin. */
  readonly before: LockedSource | undefined;
  readonly now: LockedSource;
}

interface PinChanges {
  /** Dependencies first. */
  readonly sources: readonly PinChange[];
  /** Tools whose pin for this platform was made or moved, with the version that it has now. */
  readonly tools: Readonly<Record<string, string>>;
}

/** @throws {VbuildError | VbuildErrors} */
export async function pinAll(request: PinRequest): Promise<PinChanges> {
  const { workspace, platform, elsewhere, targets, move } = request;
  await using _turn = await takeWorkFolder(workspace, request.emit, request.signal);
  const { run, tiers } = startRun({ ...request, options: { ...nothingSpecial, offline: request.offline } });
  const packages = fullClosure(targets);
  const before = readLock(workspace.lockFile);
  const tools =
    elsewhere === true
      ? await pinKnownTools(packages, before, run, tiers)
      : await pinTools(packages, packages, before, run);
  const moving = new Set(move ? targets.map(packageId) : []);
  const kept = {
    ...tools,
    sources: Object.fromEntries(Object.entries(tools.sources).filter(([id]) => !moving.has(id))),
  };
  const { unpinned } = gatherFacts(packages, { lock: kept, platform, workspace });
  if (elsewhere === true) await pinTools([], unpinned, kept, run);
  const after = await pinSources(unpinned, kept, run);
  if (lockText(after) !== lockText(before)) writeLock(workspace.lockFile, after);
  const sources = unpinned.flatMap((one) => {
    const [old, now] = [before.sources[packageId(one)], after.sources[packageId(one)]];
    return now === undefined || canonicalJson(old) === canonicalJson(now) ? [] : [{ package: one, before: old, now }];
  });
  const [was, is] = [before.tools[platform] ?? {}, after.tools[platform] ?? {}];
  return { sources, tools: Object.fromEntries(Object.entries(is).filter(([tool, version]) => was[tool] !== version)) };
}

/** For commands that fetch and pin, and build nothing. */
export const nothingSpecial = {
  jobs: 1,
  frozen: false,
  noCache: false,
  noBuild: false,
  noInstall: true,
  push: false,
  installTools: false,
  keep: false,
  keepGoing: false,
} as const;
