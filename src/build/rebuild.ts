/**
 * Whether packages come out the same when they are built again: twice here, under different circumstances, and as the caches have them.
 * All of it happens aside, with stamps, trees and a cache of its own; the project and its caches are only read.
 */
import { join } from 'node:path';
import type { Both } from '../artifact/causes.ts';
import { type Difference, treeDifferences } from '../artifact/tree-difference.ts';
import type { Package } from '../buildfile/package.ts';
import { readLock } from '../buildfile/pins.ts';
import type { CacheTier } from '../cache/cache.ts';
import { diskCache } from '../cache/disk.ts';
import type { ContentKey, Digest } from '../model/digest.ts';
import { throwAll } from '../model/error.ts';
import type { BuildEvent, Emit } from '../model/event.ts';
import { findDisguise } from '../system/disguise.ts';
import { makeFolder, moveIntoPlace, namesIn, removeTree } from '../system/files.ts';
import { type Artifacts, artifactsOf } from './artifacts.ts';
import { namespaceFor } from './build-places.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { fullClosure, packageFolder, visibleTo } from './graph.ts';
import { keyedFacts } from './keyed.ts';
import { findArtifacts, keeper } from './look-up.ts';
import { buildMissing } from './make-packages.ts';
import { pinTools } from './pinning.ts';
import { privateFolder } from './private-folder.ts';
import { startPushes } from './pushes.ts';
import { type Bench, type Built, buildTwice, type Circumstances } from './rebuild-twice.ts';
import { type Witness, witnesses } from './rebuild-witness.ts';
import type { BuildRequest } from './request.ts';
import type { Run } from './run.ts';
import { takeWorkFolder } from './run-lock.ts';
import { countedTraffic, startRun } from './start-run.ts';

export interface Rebuilt {
  /** `name@version` */
  readonly package: string;
  readonly key: ContentKey;
  /** The usual build, and the one under other circumstances. */
  readonly builds: Both<Circumstances & { readonly tree: Digest; readonly files: number }>;
  /** What the second one has otherwise than the first. */
  readonly differences: readonly Difference[];
  /** What each cache has under the same key. */
  readonly witnesses: readonly Witness[];
  /** Absolute path of the folder with the trees that differ, where they are kept. */
  readonly kept?: string;
}

/** Whether all that is known of a package is equal. */
export const isReproducible = ({ differences, witnesses: all }: Rebuilt): boolean =>
  differences.length === 0 && all.every(({ equals }) => equals === 'both');

/**
 * Rebuilds the targets, each against the artifacts of what it needs: from the caches, else built first.
 *
 * @param keep Trees that differ stay, in the work folder.
 * @param done Called for each package as soon as all is known of it.
 * @throws {VbuildError | VbuildErrors} `unpinned`, `tool-mismatch`, `tool-missing`, and what a build throws.
 */
export async function rebuild(
  request: BuildRequest,
  keep: boolean,
  done: (rebuilt: Rebuilt) => void = () => {},
): Promise<Rebuilt[]> {
  const { workspace, platform, signal } = request;
  await using _turn = await takeWorkFolder(workspace, request.emit, signal);
  const emit = onceEach(request.emit);
  const top = join(keep ? workspace.state : privateFolder(workspace), 'rebuild');
  removeTree(top);
  makeFolder(top);
  using scope = new DisposableStack();
  scope.defer(() => removeUnless(top, keep && !signal.aborted));
  const { run: project, tiers } = startRun({ ...request, emit }, { forThisHost: false });
  using _traffic = countedTraffic(tiers, emit);
  const caches = [project.disk, ...tiers.map(unfilled)];
  const aside = { ...workspace, state: join(top, '1'), cache: join(top, 'cache') };
  makeFolder(privateFolder(aside));
  const made = diskCache(join(top, 'made'));
  const { run } = startRun(
    {
      ...request,
      build: { ...request.build, cache: [] },
      workspace: aside,
      options: { ...request.options, frozen: true, keep: true, noCache: false, push: false },
      emit,
    },
    { among: () => [...caches, made] },
  );
  const packages = fullClosure(request.targets).filter((one) => request.targets.includes(one));
  const facts = keyedFacts(fullClosure(packages), { workspace: aside, platform });
  await pinTools(packages, packages, readLock(workspace.lockFile), run);
  const artifacts = artifactsOf(run.disk, join(top, 'unpacked'));
  const bench = { artifacts, run, made, project: workspace, top, keep };
  const workshop = { namespace: await namespaceFor(run), disguise: await findDisguise(signal) };
  const results: Rebuilt[] = [];
  for (const one of packages) {
    await makeVisible(one, { facts, artifacts, run, request });
    const builds = await buildTwice(facts.of(one), bench, workshop);
    const result = await compare(facts.of(one), builds, caches, bench);
    results.push(result);
    done(result);
  }
  if (keep) keepOnly(top, results);
  return results;
}

/** Compares what was built with what the caches have, and tidies up. */
async function compare(
  { id, key, package: one }: PackageFacts,
  builds: Both<Built>,
  caches: readonly CacheTier[],
  { run, top, keep }: Bench,
): Promise<Rebuilt> {
  const [first, second] = builds;
  const others = await witnesses({ id, key, name: one.name }, builds, caches, { top, run });
  const rebuilt: Rebuilt = {
    package: id,
    key,
    builds: [told(first), told(second)],
    differences:
      first.manifest.tree === second.manifest.tree
        ? []
        : treeDifferences([first.tree, second.tree], [first.under, second.under]),
    witnesses: others.witnesses,
  };
  const kept = keep && !isReproducible(rebuilt) ? join(top, packageFolder(one)) : undefined;
  if (kept !== undefined)
    for (const [name, tree] of [['first', first.tree] as const, ['second', second.tree] as const, ...others.trees])
      moveIntoPlace(tree, join(kept, name));
  for (const folder of ['1', '2'])
    for (const kind of ['build', 'trees']) removeTree(join(top, folder, kind, packageFolder(one)));
  removeTree(join(top, 'witness'));
  return kept === undefined ? rebuilt : { ...rebuilt, kept };
}

const told = ({ manifest, circumstances }: Built): Rebuilt['builds'][0] => ({
  ...circumstances,
  tree: manifest.tree,
  files: manifest.files.length,
});

/** Everything that the package sees, from the caches or built. @throws {VbuildError | VbuildErrors} */
async function makeVisible(
  one: Package,
  { facts, artifacts, run, request }: { facts: Facts; artifacts: Artifacts; run: Run; request: BuildRequest },
): Promise<void> {
  const outcomes = new Map();
  const keep = keeper(artifacts, outcomes, run);
  const { missing } = await findArtifacts({ packages: visibleTo(one) }, facts, { keep }, run);
  const lacking = [...missing.keys()];
  if (lacking.length === 0) return;
  await pinTools(lacking, lacking, readLock(run.workspace.lockFile), run);
  const pushes = startPushes({ tiers: [], facts, publishing: request.publishing, trust: undefined }, run);
  throwAll(await buildMissing({ missing: lacking, facts, artifacts, outcomes, pushes, run }));
}

/** What is found behind it is not filled into it on the way. */
const unfilled = (tier: CacheTier): CacheTier => ({ ...tier, fillable: async () => false });

/** Two builds of one package have the same to say. */
function onceEach(emit: Emit): Emit {
  const said = new Set<string>();
  return (event: BuildEvent) => {
    if (event.type !== 'notice') return emit(event);
    const text = JSON.stringify(event);
    if (!said.has(text)) emit(event);
    said.add(text);
  };
}

/** A failed build is left to look into when that was asked for. */
function removeUnless(top: string, keep: boolean): void {
  if (!keep || namesIn(top).length === 0) removeTree(top);
}

/** Takes away everything but the trees that differ. */
function keepOnly(top: string, results: readonly Rebuilt[]): void {
  const kept = new Set(results.map((one) => one.kept));
  for (const name of namesIn(top)) if (!kept.has(join(top, name))) removeTree(join(top, name));
}
