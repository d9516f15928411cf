/** Pins everything that some packages need, without building any of it. */
import { join } from 'node:path';
import type { Build, Package } from '../buildfile/package.ts';
import { readLock, writeLock } from '../buildfile/pins.ts';
import type { Emit } from '../model/event.ts';
import { makeFolder } from '../system/files.ts';
import { acquireLock } from '../system/lock.ts';
import { gatherFacts } from './facts.ts';
import { fullClosure } from './graph.ts';
import { localSources, pinSources, pinTools } from './pinning.ts';
import { startRun } from './start-run.ts';
import type { Workspace } from './workspace.ts';

export interface PinRequest {
  readonly build: Build;
  readonly targets: readonly Package[];
  readonly workspace: Workspace;
  readonly platform: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** @returns The packages that had no pin and have one now. @throws {VbuildError | VbuildErrors} */
export async function pinAll(request: PinRequest): Promise<readonly Package[]> {
  const { workspace, platform, targets } = request;
  makeFolder(workspace.state);
  await using _lock = await acquireLock(join(workspace.state, 'lock'), { signal: request.signal });
  const { run } = startRun({ ...request, options: { ...nothingSpecial, offline: request.offline } });
  const packages = fullClosure(targets);
  const before = readLock(workspace.lockFile);
  const tools = await pinTools(packages, before, run);
  const locals = await localSources(packages, run);
  const { unpinned } = gatherFacts(packages, { lock: tools, locals, platform, workspace });
  const after = await pinSources(unpinned, tools, run);
  if (after !== before) writeLock(workspace.lockFile, after);
  return unpinned;
}

const nothingSpecial = {
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
