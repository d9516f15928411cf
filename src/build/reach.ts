/** What lock files reach: the artifacts and sources that builds with them, on any of their platforms, would ask for. */
import { dirname, join, parse } from 'node:path';
import { loadBuildfile } from '../buildfile/load.ts';
import { type Build, packageId } from '../buildfile/package.ts';
import { readLock } from '../buildfile/pins.ts';
import { validate } from '../buildfile/validate.ts';
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { exists } from '../system/files.ts';
import { hostPlatform } from '../system/platform.ts';
import { gatherFacts } from './facts.ts';
import { fullClosure } from './graph.ts';
import { artifactName, type Reached } from './sweep-tier.ts';
import { type Workspace, workspaceOf } from './workspace.ts';

/**
 * Each lock file counts for the Buildfile beside it (`X.ts` beside `X.lock`), as in a checkout of a release; one that stands alone
 * counts for the Buildfile at hand.
 *
 * @param lockFiles Absolute.
 * @returns Also packages that a lock file has no pin for, so that nothing of them is reached by it: `open`.
 * @throws {VbuildError} `lock-file-invalid`, `buildfile-invalid` and the like; `unpinned` for a lock file that reaches nothing.
 */
export async function reachedBy(
  lockFiles: readonly string[],
  at: { readonly build: Build; readonly workspace: Workspace },
): Promise<Reached & { readonly open: readonly string[] }> {
  const artifacts = new Map<string, string>();
  const archives = new Set<Digest>();
  const trees = new Set<Digest>();
  const open = new Set<string>();
  for (const lockFile of lockFiles) {
    if (!exists(lockFile))
      throw new VbuildError('lock-file-invalid', 'There is no such lock file', {
        where: { file: lockFile },
        mend: 'name lock files that are there: what they reach is kept, all else goes',
      });
    const { build, workspace } = await projectOf(lockFile, at);
    const lock = readLock(lockFile);
    const packages = fullClosure(build.packages);
    let reaches = 0;
    const platforms = Object.keys(lock.tools);
    // A lock file without any tool does not say where it was used.
    for (const platform of platforms.length > 0 ? platforms : (build.platforms ?? [hostPlatform()])) {
      const { known, unpinned } = gatherFacts(packages, { lock, platform, workspace });
      for (const [{ name }, { key, keyText }] of known) artifacts.set(artifactName(name, key), keyText);
      for (const one of unpinned) open.add(`${packageId(one)} by ${lockFile}`);
      reaches += known.size;
    }
    for (const { pin, tree } of Object.values(lock.sources)) {
      trees.add(tree);
      for (const { digest } of pin.files ?? []) archives.add(digest);
    }
    if (reaches === 0)
      throw new VbuildError('unpinned', 'Lock file reaches no artifact', {
        where: { file: lockFile },
        facts: { Buildfile: workspace.buildfile },
        mend: 'run vbuild lock, or name the lock file that belongs to this Buildfile',
      });
  }
  return { artifacts, archives, trees, open: [...open] };
}

async function projectOf(
  lockFile: string,
  at: { readonly build: Build; readonly workspace: Workspace },
): Promise<{ readonly build: Build; readonly workspace: Workspace }> {
  const beside = join(dirname(lockFile), `${parse(lockFile).name}.ts`);
  if (beside === at.workspace.buildfile || !exists(beside)) return at;
  const { definition } = await loadBuildfile(beside);
  return { build: validate(definition), workspace: workspaceOf(beside, undefined, at.workspace.cache) };
}
