/** The stages compile and pack: from a patched tree to an artifact in the disk cache. */
import { join } from 'node:path';
import { buildRoot, canonicalRoot } from '../artifact/build-root.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { pack, type Packed } from '../artifact/pack.ts';
import { type BuildPlaces, onHost } from '../artifact/places.ts';
import { unsigned } from '../artifact/sealed.ts';
import { LOCAL } from '../artifact/signer.ts';
import { push } from '../cache/push.ts';
import { SOURCE_TIME_SECONDS, standardEnvironment } from '../compile/environment.ts';
import { runSteps, type StepsRun } from '../compile/run-steps.ts';
import type { StepsFrame } from '../compile/step-command.ts';
import { pythonName } from '../compile/tools.ts';
import { assemble } from '../prefix/assemble.ts';
import { readStamp } from '../stamps/stamp.ts';
import { copyTree } from '../system/copy-tree.ts';
import { makeFolder, setTreeTime } from '../system/files.ts';
import type { Disguise } from '../system/disguise.ts';
import type { Jobserver } from '../system/jobserver.ts';
import type { Namespace } from '../system/namespace.ts';
import { bootId } from '../system/platform.ts';
import { systemPath } from '../system/user-environment.ts';
import { count } from '../model/count.ts';
import { VbuildError } from '../model/error.ts';
import { version } from '../model/version.ts';
import type { Artifacts } from './artifacts.ts';
import { buildPlaces, earlierPlaces, removeBuild } from './build-places.ts';
import { dependenciesOf } from './cutoff.ts';
import type { PackageFacts } from './facts.ts';
import { visibleTo } from './graph.ts';
import { newLog } from './logs.ts';
import { type Run, runStage } from './run.ts';
import { placedInSource } from './source-place.ts';
import { stageInputs } from './stages.ts';
import { compileReasons, packReasons } from './verdicts.ts';

/** What the steps of all packages share. */
export interface Workshop {
  /** The pool of jobs. */
  readonly jobserver: Jobserver;
  /** In which every step runs; without one, build roots have padded paths. */
  readonly namespace: Namespace | undefined;
  /** What steps are to find otherwise than it is. */
  readonly disguise?: Disguise;
  /** Whether a namespace shows build roots at the canonical place, or at another one like it; the first when not given. */
  readonly place?: 'canonical' | 'other';
}

/** Compiles in a fresh copy of the patched tree, unless the stage tree of an equal compilation is still there. @throws {VbuildError} */
export async function ensureCompiled(
  facts: PackageFacts,
  artifacts: Artifacts,
  run: Run,
  workshop: Workshop,
): Promise<void> {
  const { package: one } = facts;
  const { namespace } = workshop;
  const reasons = compileReasons(facts);
  if (reasons.length === 0) return;
  await runStage(run, one, { stage: 'compile', reasons, inputs: stageInputs(facts, 'compile') }, async () => {
    const at = await freshTree(facts, artifacts, run, workshop);
    try {
      await runSteps({ ...stepsFrame(facts, at, run, workshop), ...logged(facts, run) });
    } catch (thrown) {
      throw thrown instanceof VbuildError ? placedInSource(thrown, one, run.workspace) : thrown;
    }
    return { results: { root: at.root, boot: bootId(), sandbox: namespace?.sealed ? 'sealed' : 'open' } };
  });
}

/** Where a package is compiled. */
export type CompilePlaces = ReturnType<typeof buildPlaces>;

/** A tree to compile in, in place of what was there: a copy of the patched one, what it depends on in a prefix beside it. */
export async function freshTree(
  { package: one, places }: PackageFacts,
  artifacts: Artifacts,
  { workspace }: Pick<Run, 'workspace'>,
  { namespace, place = 'canonical' }: Pick<Workshop, 'namespace' | 'place'>,
): Promise<CompilePlaces> {
  const at = buildPlaces(buildRoot(places.build, namespace === undefined ? 'padded' : place));
  const tree = onHost(at, at.tree);
  removeBuild(places, workspace);
  makeFolder(at.host);
  await assemble({
    members: await artifacts.members(visibleTo(one)),
    into: onHost(at, at.prefix),
    prefixPath: at.prefix,
    link: 'copy',
  });
  copyTree(places.patched, tree);
  setTreeTime(tree, SOURCE_TIME_SECONDS);
  return at;
}

/** What its steps run with. */
export function stepsFrame(
  { package: { recipe, network = false }, tools }: Pick<PackageFacts, 'package' | 'tools'>,
  at: CompilePlaces,
  { options }: Pick<Run, 'options'>,
  { jobserver, namespace, disguise }: Partial<Workshop>,
): StepsFrame {
  const python = tools['python3'];
  return {
    steps: recipe.steps,
    environment: standardEnvironment(recipe),
    places: { ...at, ...(python !== undefined && { python: pythonName(python) }) },
    ...(namespace !== undefined && { binding: { namespace, host: at.host, seen: at.root, network } }),
    ...(disguise !== undefined && { disguise }),
    jobs: jobserver?.jobs ?? options.jobs,
    ...(jobserver !== undefined && { jobserver }),
    ...(options.load !== undefined && { load: options.load }),
    tools,
  };
}

/** Where they are told of, in a log of their own. */
export const logged = ({ id, places }: PackageFacts, { emit, signal }: Run): Omit<StepsRun, keyof StepsFrame> => ({
  log: newLog(places.logs),
  again: join(places.build, 'again'),
  emit,
  package: id,
  signal,
});

/** Packs what was compiled and puts it into the disk cache; the build root goes unless it is to be kept. @throws {VbuildError} */
export async function packArtifact(facts: PackageFacts, artifacts: Artifacts, run: Run): Promise<Manifest> {
  const { package: one, places } = facts;
  const at = earlierPlaces(places);
  if (at === undefined) throw new Error(`${facts.id} is not compiled`);
  const inputs = stageInputs(facts, 'pack');
  let made: Manifest | undefined;
  const kept = onHost(at, at.stage);
  await runStage(run, one, { stage: 'pack', reasons: packReasons(facts), inputs, kept }, async () => {
    const { manifest, bodyPath, dropped, unmatched } = await packed(facts, at, artifacts);
    for (const { option, pattern } of unmatched) {
      run.emit({
        type: 'notice',
        level: 'warning',
        code: 'pattern-unmatched',
        headline: `A pattern of ${option} names no file`,
        package: facts.id,
        facts: { pattern },
      });
    }
    await push({ sealed: unsigned(manifest, LOCAL), bodyFile: bodyPath }, run.disk, run.signal);
    made = manifest;
    // Before the stamp, after which nobody looks here again.
    if (!run.options.keep) removeBuild(places, run.workspace);
    const left = dropped.length === 0 ? '' : `, ${dropped.length} left out`;
    return {
      results: { tree: manifest.tree, body: manifest.body.digest },
      detail: `${count(manifest.files.length, 'file')}, ${Math.ceil(manifest.body.sizeBytes / 1024)} KiB${left}`,
      lines: dropped.map(({ path, why }) => `left out ${path}: ${why}`),
    };
  });
  if (made === undefined) throw new Error('pack ended without a manifest');
  return made;
}

/** What was staged, packed beside it; kept nowhere. @throws {VbuildError} */
export function packed(facts: PackageFacts, at: BuildPlaces, artifacts: Artifacts): Promise<Packed> {
  const { package: one, places, key, keyText: text, tools } = facts;
  const compiled = readStamp(places.stamps, 'compile');
  return pack({
    ...at,
    package: { name: one.name, version: one.version },
    key,
    keyText: text,
    ...dependenciesOf(one, (other) => artifacts.manifest(other)),
    remove: one.remove ?? [],
    prefixInBinaries: one.prefixInBinaries ?? [],
    hostLibraries: one.hostLibraries ?? [],
    strip: one.strip ?? true,
    build: {
      startedAt: new Date((compiled?.endedAtMs ?? 0) - (compiled?.durationMs ?? 0)).toISOString(),
      durationMs: compiled?.durationMs ?? 0,
      tools,
      vbuild: version,
      place: at.root === canonicalRoot ? 'canonical' : 'padded',
      sandbox: compiled?.results['sandbox'] === 'sealed' ? 'sealed' : 'open',
    },
    searchPath: systemPath,
    into: join(places.build, 'packed'),
  });
}
