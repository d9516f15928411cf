/** The patch stage: a copy of the pristine tree with upstream's own series and ours applied. */
import { type Package, packageId } from '../buildfile/package.ts';
import type { LockedSource } from '../buildfile/pins.ts';
import { autoreconfWarning } from '../compile/autoreconf.ts';
import { applySeries, offsetsIn, type PatchReport } from '../patches/apply-series.ts';
import { readSeriesFolder } from '../patches/series.ts';
import { count } from '../model/count.ts';
import { copyTree } from '../system/copy-tree.ts';
import { moveIntoPlace, removeTree } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';
import { type Run, runStage } from './run.ts';
import type { PackageFacts } from './facts.ts';
import { keepBase, newBase } from './patch-bases.ts';
import { stageInputs } from './stages.ts';
import { patchReasons } from './verdicts.ts';
import type { PackagePlaces } from './workspace.ts';

/** Makes the patched tree be there; the pristine one must be. @throws {VbuildError} */
export async function ensurePatched(facts: PackageFacts, run: Run): Promise<void> {
  const { places, series: patches } = facts;
  const inputs = stageInputs(facts, 'patch');
  const reasons = patchReasons(facts);
  if (reasons.length === 0) return;
  const incoming = `${places.patched}.incoming`;
  await runStage(run, facts.package, { stage: 'patch', reasons, inputs, kept: incoming }, async () => {
    removeTree(places.patched);
    const upstream = await makeUpstreamTree(facts.source, places, incoming, run);
    using base = newBase(places);
    const reports = [
      ...upstream,
      ...(await applySeries({ tree: incoming, patches, dialect: 'strict', emit: run.emit, originals: base.tree })),
    ];
    if (patches.length > 0) keepBase(run.workspace, facts.package, facts.source, base.tree);
    warn(
      facts.package,
      reports.flatMap(({ touchesBuildSystem }) => touchesBuildSystem),
      run,
    );
    const tree = treeDigest(incoming);
    moveIntoPlace(incoming, places.patched);
    const total = reports.length;
    return { results: { tree }, detail: count(total, 'patch', 'patches'), lines: reports.map(patchLine) };
  });
}

/**
 * Puts what our patches are made against into a folder: the pristine tree, with the patches that upstream itself ships.
 *
 * @param source As pinned; its tree must be fetched.
 * @param into   Absolute; what is there goes.
 */
export async function makeUpstreamTree(
  source: LockedSource,
  places: PackagePlaces,
  into: string,
  run: Run,
): Promise<PatchReport[]> {
  removeTree(into);
  copyTree(places.source, into);
  const patches = source.series === undefined ? [] : readSeriesFolder(places.series);
  return applySeries({ tree: into, patches, dialect: 'dpkg', emit: run.emit });
}

/** The patch, the files that it changed, and where hunks landed away from their stated lines. */
function patchLine({ name, files }: PatchReport): string {
  const paths = [...new Set(files.map(({ path }) => path))];
  const moved = offsetsIn(files);
  return `${name}  ${paths.join(' ')}${moved.length === 0 ? '' : `  away from its stated lines: ${moved.join(', ')}`}`;
}

function warn(one: Package, touched: readonly string[], run: Run): void {
  const warning = autoreconfWarning(one.recipe, touched);
  if (warning !== undefined) run.emit({ type: 'notice', level: 'warning', package: packageId(one), ...warning });
}
