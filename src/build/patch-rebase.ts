/** Carries a series of patches over to the source that is pinned now, one three-way merge per patch; a person resolves what does not merge. */
import { join } from 'node:path';
import { type Package, packageId } from '../buildfile/package.ts';
import { readLock } from '../buildfile/pins.ts';
import { VbuildError } from '../model/error.ts';
import { nameOf, versionOf } from '../model/package-id.ts';
import { withPasswordsOf } from '../model/passwords.ts';
import { applySeries } from '../patches/apply-series.ts';
import { guessPatch } from '../patches/guess.ts';
import { parsePatch } from '../patches/parse.ts';
import type { SeriesPatch } from '../patches/patch-spec.ts';
import { treeView } from '../patches/tree-view.ts';
import { copyTree } from '../system/copy-tree.ts';
import { readBytes, removeTree } from '../system/files.ts';
import type { GitWork } from '../system/git-work.ts';
import { keepBase, keptBases, newBase } from './patch-bases.ts';
import {
  beginWork,
  described,
  type Edit,
  type EditState,
  listed,
  makeRoom,
  openEdit,
  type Rebase,
  recordSeries,
  settleWork,
  writeState,
} from './patch-edit.ts';
import { ensureSource } from './fetch-stage.ts';
import { makeUpstreamTree } from './patch-stage.ts';
import { type Saved, saveEdit } from './patch-save.ts';
import { type PatchRequest, type PatchSession, seriesDigest, withPatches } from './patch-session.ts';
import { placesOf } from './workspace.ts';

type Rebased =
  | { readonly outcome: 'fits'; readonly patches: number }
  | { readonly outcome: 'rebased'; readonly folder: string; readonly saved: Saved }
  | { readonly outcome: 'aborted' };

/** @throws {VbuildError} `patch-conflict` where a person has to decide; `patch-edit-unsaved`, `patch-edit-missing` */
export const rebasePatches = (
  one: Package,
  how: 'start' | 'continue' | 'abort',
  request: PatchRequest,
): Promise<Rebased> =>
  withPatches(one, request, async (session) => {
    const { places, run } = session;
    const there = openEdit(places.edit, run.signal);
    if (how === 'start') return start(session, there);
    if (there?.state.rebase === undefined) {
      throw new VbuildError('patch-edit-missing', 'No patches are being carried over', {
        mend: `begin with vbuild patch rebase ${one.name}`,
      });
    }
    if (how === 'continue') return goOn(session, await resolved(session, there, there.state.rebase));
    removeTree(places.edit);
    return { outcome: 'aborted' };
  });

async function start(session: PatchSession, there: Edit | undefined): Promise<Rebased> {
  const { series, source, run } = session;
  await makeRoom(session, there);
  if (await fits(session)) return { outcome: 'fits', patches: series.patches.length };
  const { work, base } = await beginWork(session);
  const commits = await madeAgainst(session, work);
  const todo = series.patches.map(({ name }, i) => ({
    name,
    ...(commits?.[i] !== undefined && { commit: commits[i] }),
  }));
  if (commits === undefined) {
    run.emit({
      type: 'notice',
      level: 'warning',
      code: 'patch-base-unknown',
      headline: 'It is not known what the patches were made against, so conflicts show only the lines of the patches',
      package: session.id,
    });
  }
  const state: EditState = {
    format: 1,
    source,
    base,
    series: seriesDigest(series),
    saved: base,
    rebase: { todo, head: base, dropped: [] },
  };
  // The commits of the old series hang on no branch; the note names them, and nothing collects them meanwhile.
  return goOn(session, await settleWork(session, work, state, base));
}

/** Whether every patch applies as it is; then there is nothing to carry over. */
async function fits({ package: one, series, source, places, run, scratch }: PatchSession): Promise<boolean> {
  const tree = join(scratch, 'probe');
  await makeUpstreamTree(source, places, tree, run);
  using base = newBase(places);
  try {
    await applySeries({ tree, patches: series.patches, dialect: 'strict', emit: run.emit, originals: base.tree });
  } catch (error) {
    if (error instanceof VbuildError && error.exitStatus === 1) return false;
    throw error;
  } finally {
    removeTree(tree);
  }
  if (series.patches.length > 0) keepBase(run.workspace, one, source, base.tree);
  return true;
}

/** One commit for each patch, made on what the series applied to before; undefined when that is not known. */
async function madeAgainst(session: PatchSession, work: GitWork): Promise<string[] | undefined> {
  const { series, scratch } = session;
  for (const make of earlierTrees(session)) {
    const tree = join(scratch, 'earlier');
    removeTree(tree);
    try {
      await make(tree);
      const parent = await work.record(tree, undefined, 'What the patches were made against\n');
      return await recordSeries(work, series.patches, { tree, parent });
    } catch (error) {
      // Another series applied to this one, or it is no longer to be had.
      if (!(error instanceof VbuildError) || error.exitStatus !== 1) throw error;
    }
  }
  return undefined;
}

/** What the series may have been made against: what it last applied to here, then other versions that the lock file still pins. */
function* earlierTrees({ package: one, run }: PatchSession): Iterable<(into: string) => Promise<void>> {
  const { workspace } = run;
  for (const base of keptBases(workspace, one)) yield async (into) => copyTree(base.tree, into);
  for (const [id, locked] of Object.entries(readLock(workspace.lockFile).sources).toReversed()) {
    if (nameOf(id) !== one.name || id === packageId(one)) continue;
    const source = withPasswordsOf(locked.spec as Package['source'], one.source);
    const then: Package = { ...one, version: versionOf(id), source };
    yield async (into) => {
      await ensureSource(then, locked, run);
      await makeUpstreamTree(locked, placesOf(workspace, then), into, run);
    };
  }
}

/** Takes in what a person made of a conflict. @throws {VbuildError} `patch-conflict` when it is not resolved yet */
async function resolved(session: PatchSession, { work, state }: Edit, rebase: Rebase): Promise<Edit> {
  const { stopped, todo, head } = rebase;
  const [current] = todo;
  if (stopped === undefined || current === undefined) {
    // Cut off between two patches: what is not committed is a merge that was not finished.
    await work.checkOut(head);
    return { work, state };
  }
  const conflicts = await work.conflicts();
  const unstaged = (await work.uncommitted()).filter((line) => line[1] !== ' ').map((line) => line.slice(3));
  const left = [...new Set([...conflicts, ...unstaged])];
  if (left.length > 0) throw conflict(session, todo, left, 'is not resolved yet');
  const now = await work.head();
  let dropped = rebase.dropped;
  if (now === head) {
    if (await work.hasStaged()) await work.commitLike(stopped);
    else dropped = [...dropped, current.name];
  } else if ((await work.commits(head, now)).length === 1) await work.commitLike(stopped, true);
  const next = { todo: todo.slice(1), head: await work.head(), dropped };
  const after = { ...state, rebase: next };
  writeState(work.folder, after);
  return { work, state: after };
}

/** Merges patch after patch, and saves when all are done. */
async function goOn(session: PatchSession, { work, state: before }: Edit): Promise<Rebased> {
  let state = before;
  const note = (rebase: Rebase): void => {
    state = { ...state, rebase };
    writeState(work.folder, state);
  };
  for (let rebase = state.rebase; rebase !== undefined && rebase.todo.length > 0; rebase = state.rebase) {
    const { todo, head, dropped } = rebase;
    const [current, ...rest] = todo;
    if (current === undefined) break;
    const patch = session.series.patches.find(({ name }) => name === current.name);
    if (patch === undefined) throw new Error(`${current.name} left the series while it was carried over`);
    const commit = current.commit ?? (await guessed(session, work, patch, head));
    if (commit === undefined) {
      note({ todo: rest, head, dropped: [...dropped, current.name] });
      continue;
    }
    if (!(await work.merge(commit))) {
      note({ ...rebase, stopped: commit });
      throw conflict(session, todo, await work.conflicts(), 'does not merge');
    }
    const changes = await work.hasStaged();
    if (changes) await work.commitLike(commit);
    note({ todo: rest, head: await work.head(), dropped: changes ? dropped : [...dropped, current.name] });
  }
  const { rebase: _done, ...finished } = state;
  const saved = await saveEdit(session, { work, state: finished });
  return { outcome: 'rebased', folder: work.folder, saved };
}

/** A commit of a patch whose base is not known, on one that holds what it most likely met; undefined when the patch does nothing any more. */
async function guessed(
  session: PatchSession,
  work: GitWork,
  patch: SeriesPatch,
  head: string,
): Promise<string | undefined> {
  const tree = join(session.scratch, 'guess');
  const { message, author } = described(patch);
  await work.fill(tree, head);
  try {
    await applySeries({ tree, patches: [patch], dialect: 'strict' });
    return await work.record(tree, head, message, author);
  } catch (error) {
    if (!(error instanceof VbuildError)) throw error;
    if (error.code === 'patch-no-change') return undefined;
    if (error.code !== 'patch-rejected') throw error;
    const [before, after] = [treeView(tree), treeView(tree)];
    const text = readBytes(patch.path).toString('latin1');
    const paths = guessPatch(before, after, {
      file: patch.path,
      strip: patch.strip,
      sections: parsePatch(text, patch.path),
    });
    if (paths === undefined) throw error;
    before.write();
    const base = await work.record(tree, head, `What ${patch.name} expects\n`);
    await work.fill(tree, head);
    after.write();
    return work.record(tree, base, message, author);
  }
}

function conflict(
  { package: one, places, series }: PatchSession,
  todo: Rebase['todo'],
  files: readonly string[],
  what: string,
): VbuildError {
  const [current] = todo;
  const { patches } = series;
  const patch = patches.find(({ name }) => name === current?.name);
  const quoted = files.map((file) => (/^[\w./+@%:=-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`));
  return new VbuildError('patch-conflict', `Patch ${what}`, {
    where: { ...(patch !== undefined && { file: patch.path }) },
    facts: {
      patch: `${patches.length - todo.length + 1} of ${patches.length}`,
      'in conflict': listed(files),
      tree: places.edit,
    },
    mend: [
      'in that tree, edit the files until they are as the patch should leave them, then',
      `git -C ${places.edit} add ${quoted.slice(0, 20).join(' ')}`,
      `vbuild patch rebase ${one.name} --continue`,
      `or give it up: vbuild patch rebase ${one.name} --abort`,
    ].join('\n'),
  });
}
