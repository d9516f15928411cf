/** Whether the patches of a package apply to the source that is pinned; changes nothing that is built. */
import { join } from 'node:path';
import type { Package } from '../buildfile/package.ts';
import { applySeries, type PatchReport } from '../patches/apply-series.ts';
import { keepBase, newBase } from './patch-bases.ts';
import { type PatchRequest, withPatches } from './patch-session.ts';
import { makeUpstreamTree } from './patch-stage.ts';

/** @returns What each of the package's own patches would do. @throws {VbuildError} as applying them does */
export function checkPatches(one: Package, request: PatchRequest): Promise<PatchReport[]> {
  return withPatches(one, request, async ({ source, series, places, run, scratch }) => {
    const tree = join(scratch, 'tree');
    await makeUpstreamTree(source, places, tree, run);
    using base = newBase(places);
    const { patches } = series;
    const reports = await applySeries({ tree, patches, dialect: 'strict', emit: run.emit, originals: base.tree });
    if (patches.length > 0) keepBase(run.workspace, one, source, base.tree);
    return reports;
  });
}
