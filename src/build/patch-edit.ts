/** The repository in which a person edits a package's patches: made, found again, and never overwritten while it holds unsaved work. */
import { basename, join } from 'node:path';
import type { LockedSource } from '../buildfile/pins.ts';
import type { Package } from '../buildfile/package.ts';
import { firstFew } from '../model/count.ts';
import type { Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { applySeries } from '../patches/apply-series.ts';
import { headerAuthor, messageOf, patchParts, withName } from '../patches/patch-header.ts';
import type { SeriesPatch } from '../patches/patch-spec.ts';
import { exists, makeFolder, moveIntoPlace, readBytes, removeTree, walk } from '../system/files.ts';
import { type Author, maker } from '../system/git-command.ts';
import { createGitWork, type GitWork, openGitWork, readNote, writeNote } from '../system/git-work.ts';
import { keepBase, newBase } from './patch-bases.ts';
import { type PatchRequest, type PatchSession, seriesDigest, sourceDigest, withPatches } from './patch-session.ts';
import { makeUpstreamTree } from './patch-stage.ts';

/** A series on its way to another source. */
export interface Rebase {
  /** What is still to be carried over, in order; without a commit where it is not known what the patch was made against. */
  readonly todo: readonly { readonly name: string; readonly commit?: string }[];
  /** The last commit before the first of `todo`. */
  readonly head: string;
  /** The commit whose merge a person has been asked to finish. */
  readonly stopped?: string;
  /** Patches that change nothing any more. */
  readonly dropped: readonly string[];
}

/** What vbuild notes in the repository. */
export interface EditState {
  readonly format: 1;
  /** What the patches are made against. */
  readonly source: LockedSource;
  /** The commit that holds it. */
  readonly base: string;
  /** The series on disk as it was read or written last. */
  readonly series: Digest;
  /** The commit that the series on disk stands for. */
  readonly saved: string;
  readonly rebase?: Rebase;
}

export interface Edit {
  readonly work: GitWork;
  readonly state: EditState;
}

const note = 'vbuild.json';

export const writeState = (folder: string, state: EditState): void =>
  writeNote(folder, note, `${JSON.stringify(state)}\n`);

/** The repository that is open for a package. */
export function openEdit(folder: string, signal: AbortSignal): Edit | undefined {
  if (!exists(folder)) return undefined;
  const work = openGitWork(folder, signal);
  const text = readNote(folder, note);
  if (text !== undefined) return { work, state: JSON.parse(text) as EditState };
  throw new VbuildError('git-failed', 'Folder for editing patches is not a repository of vbuild', {
    where: { file: folder },
    mend: 'save what is needed from it elsewhere, then remove it',
  });
}

interface Opened {
  /** Absolute path of the repository. */
  readonly folder: string;
  readonly outcome: 'opened' | 'already-open';
  readonly patches: number;
}

/** Opens the patched tree, or finds it open. @throws {VbuildError} `patch-edit-unsaved`; as applying the patches does */
export const editPatches = (one: Package, request: PatchRequest): Promise<Opened> =>
  withPatches(one, request, async (session) => {
    const { places, series, source, run } = session;
    const there = openEdit(places.edit, run.signal);
    const answer = { folder: places.edit, patches: series.patches.length };
    if (there?.state.rebase === undefined && there !== undefined) {
      const { state } = there;
      const isCurrent = sourceDigest(state.source) === sourceDigest(source) && state.series === seriesDigest(series);
      if (isCurrent) return { ...answer, outcome: 'already-open' };
    }
    await makeRoom(session, there);
    const { work, base, tree } = await beginWork(session);
    const commits = await recordSeries(work, series.patches, { tree, parent: base });
    const saved = commits.at(-1) ?? base;
    if (commits.length > 0) await keepEdited(session, work, { from: base, to: saved, source });
    await settleWork(session, work, { format: 1, source, base, series: seriesDigest(series), saved }, saved);
    return { ...answer, outcome: 'opened' };
  });

/** Removes a repository that holds nothing but what is on disk already. @throws {VbuildError} `patch-edit-unsaved` */
export async function makeRoom({ package: one, places }: PatchSession, there: Edit | undefined): Promise<void> {
  if (there === undefined) return;
  const found = there.state.rebase === undefined ? await unsaved(there) : 'patches that are being carried over';
  if (found !== undefined) {
    throw new VbuildError('patch-edit-unsaved', 'Edited patches are not saved', {
      where: { file: places.edit },
      facts: { found },
      mend:
        there.state.rebase === undefined
          ? `commit and run vbuild patch save ${one.name}; or remove the folder, and the work in it`
          : `run vbuild patch rebase ${one.name} --continue, or --abort`,
    });
  }
  removeTree(places.edit);
}

/** What would be lost with a repository, in words; undefined when nothing would. */
async function unsaved({ work, state }: Edit): Promise<string | undefined> {
  const changes = await work.uncommitted();
  if (changes.length > 0) return `changes that are not committed: ${listed(changes)}`;
  if ((await work.head()) !== state.saved) return 'commits that are not saved';
  const others = (await work.refs()).filter((name) => name !== 'refs/heads/patches');
  return work.unfinished() ?? (others.length > 0 ? `other branches, tags or stashes: ${listed(others)}` : undefined);
}

/** The first few of many. */
export const listed = (items: readonly string[]): string => firstFew(items, 8);

/** A new repository aside, with what the patches are made against as its first commit; `tree` is a folder that holds it, too. */
export async function beginWork(
  session: PatchSession,
): Promise<{ readonly work: GitWork; readonly base: string; readonly tree: string }> {
  const { id, source, places, run, scratch } = session;
  const tree = join(scratch, 'tree');
  await makeUpstreamTree(source, places, tree, run);
  leaveOutGit(tree);
  const incoming = `${places.edit}.incoming`;
  removeTree(incoming);
  makeFolder(incoming);
  const work = await createGitWork(incoming, run.signal);
  return { work, tree, base: await work.record(tree, undefined, `${id}, before the patches of this package\n`) };
}

/** Puts a finished repository into its place. */
export async function settleWork(
  { places, run }: PatchSession,
  work: GitWork,
  state: EditState,
  head: string,
): Promise<Edit> {
  await work.checkOut(head);
  writeState(work.folder, state);
  moveIntoPlace(work.folder, places.edit);
  return { work: openGitWork(places.edit, run.signal), state };
}

/** Applies patches to a folder and records a commit for each of them. @throws {VbuildError} as applying them does */
export async function recordSeries(
  work: GitWork,
  patches: readonly SeriesPatch[],
  at: { readonly tree: string; readonly parent: string },
): Promise<string[]> {
  const commits: string[] = [];
  for (const patch of patches) {
    await applySeries({ tree: at.tree, patches: [patch], dialect: 'strict' });
    const { message, author } = described(patch);
    commits.push(await work.record(at.tree, commits.at(-1) ?? at.parent, message, author));
  }
  return commits;
}

/** Keeps what a line of commits changes as it was before them, for carrying the patches over later. */
export async function keepEdited(
  { package: one, places, run }: PatchSession,
  work: GitWork,
  { from, to, source }: { readonly from: string; readonly to: string; readonly source: LockedSource },
): Promise<void> {
  using base = newBase(places);
  await work.extract(from, await work.changedPaths(from, to), base.tree);
  keepBase(run.workspace, one, source, base.tree);
}

/** The message of a patch's commit, which also names the patch, and its author. */
export function described({ name, path }: SeriesPatch): {
  readonly message: string;
  readonly author: Author;
} {
  const { header } = patchParts(readBytes(path).toString('latin1'));
  const author = headerAuthor(header);
  return {
    message: withName(messageOf(header, basename(name)), name),
    author: { ...maker, ...author, seconds: author?.seconds ?? maker.seconds },
  };
}

/** Git cannot hold another repository's own folder, and no patch may touch one. */
function leaveOutGit(tree: string): void {
  for (const { path } of walk(tree)) if (/(^|\/)\.git$/i.test(path)) removeTree(join(tree, path));
}
