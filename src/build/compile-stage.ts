/** The stages compile and pack: from a patched tree to an artifact in the disk cache. */
import { dirname, join } from 'node:path';
import { paddedRoot } from '../artifact/build-root.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { pack } from '../artifact/pack.ts';
import type { Package } from '../buildfile/package.ts';
import { push } from '../cache/push.ts';
import { SOURCE_TIME_SECONDS, standardEnvironment, systemPath } from '../compile/environment.ts';
import { runSteps } from '../compile/run-steps.ts';
import { pythonName } from '../compile/tools.ts';
import { assemble } from '../prefix/assemble.ts';
import { staleness } from '../stamps/staleness.ts';
import { fieldsOf, readStamp } from '../stamps/stamp.ts';
import { copyTree, exists, makeFolder, removeTree, setTreeTime } from '../system/files.ts';
import { count } from '../model/count.ts';
import { version } from '../model/version.ts';
import type { Artifacts } from './artifacts.ts';
import type { PackageFacts } from './facts.ts';
import { runClosure, visibleTo } from './graph.ts';
import { type Run, runStage } from './run.ts';
import { stageInputs } from './stages.ts';

/** The absolute places of one compilation. */
function buildPlaces({ places }: PackageFacts): { root: string; prefix: string; stage: string; tree: string } {
  const root = paddedRoot(places.build);
  return { root, prefix: join(root, 'prefix'), stage: join(root, 'stage'), tree: join(root, 'tree') };
}

/** Compiles in a fresh copy of the patched tree, unless the stage tree of an equal compilation is still there. @throws {VbuildError} */
export async function ensureCompiled(
  facts: PackageFacts,
  artifacts: Artifacts,
  run: Run,
  jobserver: number,
): Promise<void> {
  const { package: one, places } = facts;
  const at = buildPlaces(facts);
  const inputs = stageInputs(facts, 'compile');
  const verdict = staleness(readStamp(places.stamps, 'compile'), fieldsOf(inputs), exists(at.stage));
  if (verdict.fresh) return;
  await runStage(run, one, { stage: 'compile', reasons: verdict.reasons, inputs }, async () => {
    removeTree(places.build);
    makeFolder(at.root);
    await assemble({
      members: await artifacts.members(visibleTo(one)),
      into: at.prefix,
      prefixPath: at.prefix,
      link: 'copy',
    });
    copyTree(places.patched, at.tree);
    setTreeTime(at.tree, SOURCE_TIME_SECONDS);
    removeTree(places.log);
    makeFolder(dirname(places.log));
    const python = facts.tools['python3'];
    await runSteps({
      steps: one.recipe.steps,
      environment: standardEnvironment(one.recipe),
      places: { ...at, ...(python !== undefined && { python: pythonName(python) }) },
      log: places.log,
      emit: run.emit,
      package: facts.id,
      signal: run.signal,
      jobs: run.options.jobs,
      jobserver,
    });
    return { results: {} };
  });
}

/** Packs what was compiled and puts it into the disk cache; the build root goes unless it is to be kept. @throws {VbuildError} */
export async function packArtifact(facts: PackageFacts, artifacts: Artifacts, run: Run): Promise<Manifest> {
  const { package: one, places, key, keyText: text, tools } = facts;
  const manifests = (packages: readonly Package[]): Promise<Manifest[]> =>
    Promise.all(packages.map((other) => artifacts.manifest(other)));
  const compiled = readStamp(places.stamps, 'compile');
  const closure = runClosure(one.deps ?? []);
  const inputs = stageInputs(facts, 'pack');
  const verdict = staleness(readStamp(places.stamps, 'pack'), fieldsOf(inputs), false);
  let made: Manifest | undefined;
  await runStage(run, one, { stage: 'pack', reasons: verdict.fresh ? [] : verdict.reasons, inputs }, async () => {
    const into = join(places.build, 'packed');
    const { manifest, bodyPath, dropped, unmatched } = await pack({
      ...buildPlaces(facts),
      package: { name: one.name, version: one.version },
      key,
      keyText: text,
      dependencies: await manifests(one.deps ?? []),
      closure: await manifests(closure),
      buildOnly: await manifests(visibleTo(one).filter((other) => !closure.includes(other))),
      remove: one.remove ?? [],
      hostLibraries: one.hostLibraries ?? [],
      strip: one.strip ?? true,
      build: {
        startedAt: new Date((compiled?.endedAtMs ?? 0) - (compiled?.durationMs ?? 0)).toISOString(),
        durationMs: compiled?.durationMs ?? 0,
        tools,
        vbuild: version,
      },
      searchPath: systemPath,
      into,
    });
    for (const glob of unmatched) {
      run.emit({
        type: 'notice',
        level: 'warning',
        code: 'remove-unmatched',
        headline: 'A pattern of remove names no file',
        package: facts.id,
        facts: { pattern: glob },
      });
    }
    await push(manifest, bodyPath, run.disk, run.signal);
    made = manifest;
    const left = dropped.length === 0 ? '' : `, ${dropped.length} left out`;
    return {
      results: { tree: manifest.tree, body: manifest.body.digest },
      detail: `${count(manifest.files.length, 'file')}, ${Math.ceil(manifest.body.sizeBytes / 1024)} KiB${left}`,
    };
  });
  if (!run.options.keep) removeTree(places.build);
  if (made === undefined) throw new Error('pack ended without a manifest');
  return made;
}
