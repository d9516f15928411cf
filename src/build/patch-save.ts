/** Writes the commits of an edited tree back as patches: unchanged ones to the byte, all of them proved before any is written. */
import { basename, join, relative } from 'node:path';
import type { Package } from '../buildfile/package.ts';
import { digestOf } from '../model/digest.ts';
import { messageOf as textOf, VbuildError } from '../model/error.ts';
import { applySeries } from '../patches/apply-series.ts';
import { cleanMessage, messageOf, nameIn, patchParts, withName } from '../patches/patch-header.ts';
import { patchText, prefixesFor } from '../patches/patch-text.ts';
import type { SeriesPatch } from '../patches/patch-spec.ts';
import { readBytes, writeAtomically } from '../system/files.ts';
import type { Commit, GitWork } from '../system/git-work.ts';
import { type Edit, type EditState, keepEdited, listed, openEdit } from './patch-edit.ts';
import { folderOf, orderFile, placeForNew } from './patch-folder.ts';
import { carryOut } from './patch-journal.ts';
import { type PatchRequest, type PatchSession, seriesDigest, sourceDigest, withPatches } from './patch-session.ts';

/** What became of each patch; names are relative to the Buildfile's folder. */
export interface Saved {
  /** The series, in order. */
  readonly patches: readonly { readonly name: string; readonly was: 'unchanged' | 'changed' | 'added' }[];
  /** Out of the series; their files stay. */
  readonly dropped: readonly string[];
  /** What the Buildfile still has to say, where the package named no patches before. */
  readonly folder?: string;
  /** The source is pinned anew since the tree was opened: the patches fit the one from before. */
  readonly moved: boolean;
}

/** @throws {VbuildError} `patch-edit-missing`, `patch-edit-unsaved`, `patch-edit-stale`, `patch-unsupported`, `series-invalid` */
export const savePatches = (one: Package, request: PatchRequest): Promise<Saved> =>
  withPatches(one, request, async (session) => {
    const edit = openEdit(session.places.edit, session.run.signal);
    if (edit === undefined) {
      throw new VbuildError('patch-edit-missing', 'No tree is open for editing', {
        facts: { 'looked for': session.places.edit },
        mend: `open one with vbuild patch edit ${one.name}`,
      });
    }
    if (edit.state.rebase !== undefined) {
      throw new VbuildError('patch-edit-unsaved', 'Patches are being carried over to another source', {
        where: { file: session.places.edit },
        mend: `go on with vbuild patch rebase ${one.name} --continue, or give it up with --abort`,
      });
    }
    return saveEdit(session, edit);
  });

/** One patch as it will be. */
interface Written {
  readonly commit: Commit;
  /** Relative to the Buildfile's folder. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly was: 'unchanged' | 'changed' | 'added';
  /** latin1; undefined for an unchanged one. */
  readonly text?: string;
}

export async function saveEdit(session: PatchSession, { work, state }: Edit): Promise<Saved> {
  const { package: one, series, source, run } = session;
  if (state.series !== seriesDigest(series)) throw stale(session);
  const commits = await line(session, work, state);
  const written = await writeAll(session, work, state, commits);
  const order = written.map(({ name }) => name);
  const dropped = series.patches.map(({ name }) => name).filter((name) => !order.includes(name));
  const files = [
    ...written.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }])),
    ...orderFile(
      session,
      written.map(({ name }) => name),
    ),
  ];
  const head = await named(work, state.base, written);
  const saved: EditState = {
    format: 1,
    source: state.source,
    base: state.base,
    series: digestAfter(session, written),
    saved: head,
  };
  await carryOut(work, { files, head, state: `${JSON.stringify(saved)}\n` });
  if (written.length > 0) await keepEdited(session, work, { from: state.base, to: head, source: state.source });
  return {
    patches: written.map(({ name, was }) => ({ name, was })),
    dropped,
    ...(one.patches === undefined &&
      written.length > 0 && { folder: relative(run.workspace.folder, folderOf(session)) }),
    moved: sourceDigest(state.source) !== sourceDigest(source),
  };
}

/** The commits to write, oldest first. @throws {VbuildError} unless everything is committed, and in one line from the base. */
async function line({ package: one, places }: PatchSession, work: GitWork, state: EditState): Promise<Commit[]> {
  const refuse = (headline: string, found: string, mend: string): VbuildError =>
    new VbuildError('patch-edit-unsaved', headline, { where: { file: places.edit }, facts: { found }, mend });
  const unfinished = work.unfinished();
  if (unfinished !== undefined)
    throw refuse(
      'Edited tree is in the middle of something',
      unfinished,
      'end it with git, or abort it, then save again',
    );
  const changes = await work.uncommitted();
  if (changes.length > 0)
    throw refuse(
      'Edited tree has changes that are not committed',
      listed(changes),
      'commit them, into the patch that they belong to, or undo them',
    );
  const head = await work.head();
  if (!(await work.isAncestor(state.base, head)))
    throw refuse(
      'Commits no longer follow the source',
      `${head}, which does not come after ${state.base}`,
      `put them on top of ${state.base} with git rebase --onto`,
    );
  const commits = await work.commits(state.base, head);
  const merge = commits.find(({ parents }) => parents.length !== 1);
  if (merge !== undefined)
    throw refuse(
      'Commits are not in one line',
      `a merge, ${merge.id}`,
      `flatten it with git rebase, then vbuild patch save ${one.name}`,
    );
  return commits;
}

/** Decides for each commit what its patch is, and proves it: applied to the tree before, it gives the tree of the commit. */
async function writeAll(
  session: PatchSession,
  work: GitWork,
  state: EditState,
  commits: readonly Commit[],
): Promise<Written[]> {
  const { series, scratch } = session;
  const tree = join(scratch, 'save');
  await work.fill(tree, state.base);
  const written: Written[] = [];
  const left = new Map(series.patches.map((patch) => [patch.name, patch]));
  for (const commit of commits) {
    const [parent = ''] = commit.parents;
    const wanted = await work.treeOf(commit.id);
    // A commit that changes nothing is a patch that was dropped.
    if (wanted === (await work.treeOf(parent))) continue;
    const { name, message } = nameIn(commit.message);
    const patch = name === undefined ? undefined : left.get(name);
    if (patch !== undefined) left.delete(patch.name);
    const old = patch && patchParts(readBytes(patch.path).toString('latin1'));
    const reworded =
      old === undefined || cleanMessage(message) !== cleanMessage(messageOf(old.header, basename(patch?.name ?? '')));
    const stillFits = patch !== undefined && (await gives(work, tree, patch, wanted));
    if (stillFits && !reworded) {
      written.push({ commit, name: patch.name, path: patch.path, was: 'unchanged' });
      continue;
    }
    await work.fill(tree, parent);
    const strip = patch?.strip ?? 1;
    const latin1 = async (stat: boolean): Promise<string> =>
      (await work.diff(parent, commit.id, prefixesFor(strip), stat)).toString('latin1');
    const diff = stillFits && old !== undefined ? old.diff : await latin1(false);
    const text = patchText({ ...commit, message, diff, stat: await latin1(true) }, old?.header, reworded);
    const file = join(scratch, 'new.patch');
    writeAtomically(file, Buffer.from(text, 'latin1'));
    const at = patch ?? placeForNew(session, message, [...written.map((each) => each.name), ...left.keys()]);
    await prove(work, tree, { name: at.name, path: file, strip }, wanted, commit);
    written.push({ commit, name: at.name, path: at.path, was: patch === undefined ? 'added' : 'changed', text });
  }
  return written;
}

/** Whether a patch makes the wanted tree of a folder. */
async function gives(work: GitWork, tree: string, patch: SeriesPatch, wanted: string): Promise<boolean> {
  try {
    await applySeries({ tree, patches: [patch], dialect: 'strict' });
  } catch (error) {
    if (error instanceof VbuildError) return false;
    throw error;
  }
  return (await work.treeIn(tree)) === wanted;
}

async function prove(work: GitWork, tree: string, patch: SeriesPatch, wanted: string, commit: Commit): Promise<void> {
  const [subject = ''] = commit.message.split('\n');
  const refuse = (found: string, cause?: unknown): VbuildError =>
    new VbuildError('patch-unsupported', 'Commit cannot be written as a patch', {
      facts: { commit: `${commit.id.slice(0, 12)} ${subject}`, found },
      mend: 'change the commit, and save again; nothing has been written',
      cause,
    });
  try {
    await applySeries({ tree, patches: [patch], dialect: 'strict' });
  } catch (error) {
    throw error instanceof VbuildError
      ? refuse([textOf(error), ...Object.values(error.facts)].join(': '), error)
      : error;
  }
  if ((await work.treeIn(tree)) !== wanted) throw refuse('a patch of it, applied again, gives another tree');
}

/** The head of a line of commits in which each bears the name of its patch, and none changes nothing. */
async function named(work: GitWork, base: string, written: readonly Written[]): Promise<string> {
  let head = base;
  for (const { commit, name } of written) {
    const known = nameIn(commit.message);
    const same = commit.parents[0] === head && known.name === name;
    head = same ? commit.id : await work.reword(commit.id, head, withName(cleanMessage(known.message), name));
  }
  return head;
}

/** As `seriesDigest`, of what will be on disk. */
function digestAfter({ series }: PatchSession, written: readonly Written[]): EditState['series'] {
  return seriesDigest(
    {
      ...series,
      patches: written.map(({ name, path }) => ({
        name,
        path,
        strip: series.patches.find((patch) => patch.name === name)?.strip ?? 1,
      })),
    },
    (path) => {
      const text = written.find((each) => each.path === path)?.text;
      return text === undefined ? undefined : digestOf(Buffer.from(text, 'latin1'));
    },
  );
}

const stale = ({ package: one, places }: PatchSession): VbuildError =>
  new VbuildError('patch-edit-stale', 'Patches on disk have changed since they were opened', {
    where: { file: places.edit },
    facts: { expected: 'the series as it was when the tree was opened or last saved', found: 'another one' },
    mend: `put the patches back as they were; or keep your commits elsewhere, remove the folder, and open it again with vbuild patch edit ${one.name}`,
  });
