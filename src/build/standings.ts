/** Where each package of a graph stands on this machine, and what moved since it was last ready. Reads the disk only, changes nothing. */
import { type Package, packageId } from '../buildfile/package.ts';
import { currentGeneration } from '../install/generations.ts';
import { alignedDifferences } from '../key/aligned.ts';
import { dependencyPrefix, parseKeyText } from '../key/fields.ts';
import type { Reason } from '../model/event.ts';
import type { GraphPackage, PackageGraph } from '../model/graph.ts';
import { diskOf } from './disk.ts';
import type { ExplainRequest } from './explaining.ts';
import { factsNow, type PackageFacts } from './facts.ts';
import { directDependencies, fullClosure } from './graph.ts';
import { historiesOf, readFailure, readRecords } from './history.ts';
import { readiness } from './verdicts.ts';
import { placesOf } from './workspace.ts';

/**
 * @param targets Without any, all packages of the Buildfile.
 * @throws {VbuildError} for patches, series and folders that are not there.
 */
export function packageGraph(targets: readonly Package[], request: ExplainRequest): PackageGraph {
  const { build, workspace, prefix, platform } = request;
  const packages = fullClosure(targets.length === 0 ? build.packages : targets);
  const { known } = factsNow(packages, { workspace, platform });
  const disk = diskOf(build, workspace);
  const installed = currentGeneration(prefix)?.record?.packages;
  const needed = new Set(packages.flatMap(directDependencies));
  const roots = targets.length === 0 ? packages.filter((one) => !needed.has(one)) : targets;

  function described(one: Package): GraphPackage {
    const facts = known.get(one);
    const [last] = historiesOf(workspace, one).flatMap(readRecords);
    const edges = { deps: (one.deps ?? []).map(packageId), buildDeps: (one.buildDeps ?? []).map(packageId) };
    const rest = { package: packageId(one), ...edges, everReady: last !== undefined };
    if (facts === undefined) return { ...rest, standing: 'unpinned', changed: [], follows: [] };
    const moved = last === undefined ? [] : alignedDifferences(parseKeyText(last.keyText), parseKeyText(facts.keyText));
    const of = { ...rest, key: facts.key, ...split(moved, one) };
    const state = readiness(facts, disk.has(one.name, facts.key), installed?.[one.name]?.key === facts.key);
    if (state !== 'stale') return { ...of, standing: state === 'fresh' ? 'fresh' : 'cached' };
    const failure = failureOf(facts);
    return failure === undefined ? { ...of, standing: 'stale' } : { ...of, standing: 'failed', ...failure };
  }

  /** Of what it rests on now: a failure of something else says nothing any more. */
  function failureOf({ package: one, key }: PackageFacts): Pick<GraphPackage, 'failedIn'> | undefined {
    const failure = readFailure(placesOf(workspace, one));
    if (failure?.key !== key) return undefined;
    return failure.error?.stage === undefined ? {} : { failedIn: failure.error.stage };
  }

  return { roots: roots.map(packageId), packages: packages.map(described) };
}

/** What is a package's own, and what it only follows in. */
function split(moved: readonly Reason[], one: Package): Pick<GraphPackage, 'changed' | 'follows'> {
  const inputs = new Set(moved.map(({ input }) => input));
  const followed = directDependencies(one).filter(({ name }) => inputs.has(dependencyPrefix + name));
  const names = new Set(followed.map(({ name }) => dependencyPrefix + name));
  return { changed: moved.filter(({ input }) => !names.has(input)), follows: followed.map(packageId) };
}
