/** The patch stage: a copy of the pristine tree with upstream's own series and ours applied. */
import { type Package, packageId } from '../buildfile/package.ts';
import { autoreconfWarning } from '../compile/autoreconf.ts';
import { applySeries } from '../patches/apply-series.ts';
import { readSeriesFolder } from '../patches/series.ts';
import { staleness } from '../stamps/staleness.ts';
import { count } from '../model/count.ts';
import { fieldsOf, readStamp } from '../stamps/stamp.ts';
import { copyTree, exists, moveIntoPlace, removeTree } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';
import { type Run, runStage } from './run.ts';
import type { PackageFacts } from './facts.ts';
import { stageInputs, treeResult } from './stages.ts';

/** Makes the patched tree be there; the pristine one must be. @throws {VbuildError} */
export async function ensurePatched(facts: PackageFacts, run: Run): Promise<void> {
  const { places, series: patches } = facts;
  const inputs = stageInputs(facts, 'patch');
  const stamp = readStamp(places.stamps, 'patch');
  const verdict = staleness(stamp, fieldsOf(inputs), exists(places.patched));
  if (verdict.fresh && stamp !== undefined && treeDigest(places.patched) === treeResult(stamp.results)) return;
  const reasons = verdict.fresh ? [{ input: 'output', before: 'as patched', now: 'changed since' }] : verdict.reasons;
  await runStage(run, facts.package, { stage: 'patch', reasons, inputs }, async () => {
    const incoming = `${places.patched}.incoming`;
    removeTree(incoming);
    removeTree(places.patched);
    copyTree(places.source, incoming);
    const upstream = facts.source.series === undefined ? [] : readSeriesFolder(places.series).patches;
    const reports = [
      ...(await applySeries({ tree: incoming, patches: upstream, dialect: 'dpkg', emit: run.emit })),
      ...(await applySeries({ tree: incoming, patches, dialect: 'strict', emit: run.emit })),
    ];
    warn(
      facts.package,
      reports.flatMap(({ touchesBuildSystem }) => touchesBuildSystem),
      run,
    );
    const tree = treeDigest(incoming);
    moveIntoPlace(incoming, places.patched);
    const total = upstream.length + patches.length;
    return { results: { tree }, detail: count(total, 'patch', 'patches') };
  });
}

function warn(one: Package, touched: readonly string[], run: Run): void {
  const warning = autoreconfWarning(one.recipe, touched);
  if (warning !== undefined) run.emit({ type: 'notice', level: 'warning', package: packageId(one), ...warning });
}
