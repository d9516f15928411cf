/** Applies one patch's sections to a view of the tree, and says which of them it rejects. */
import { VbuildError } from '../model/error.ts';
import type { Dialect } from './patch-spec.ts';
import { type Placement, placeHunks, splice } from './place.ts';
import { isLinkMode, type Section, splitLines } from './section.ts';
import { assertReachable, sectionPaths, treePath, unsafePath } from './section-paths.ts';
import { type Content, staysInside, type TreeView } from './tree-view.ts';

/** One file that a patch changed. Paths are relative to the tree. */
export interface FileChange {
  readonly path: string;
  readonly change: 'modified' | 'created' | 'deleted' | 'renamed' | 'copied';
  /** The old path, for `renamed` and `copied`. */
  readonly from?: string;
  /** For each hunk its line in the patch, the 1-based line of the file before at which it went in, and how far below the stated line that is. */
  readonly hunks: readonly { readonly patchLine: number; readonly line: number; readonly offset: number }[];
}

/** Why a section does not apply. */
export type Rejection = { readonly section: Section } & (
  | { readonly why: 'no-file'; readonly names: readonly string[] }
  | { readonly why: 'exists'; readonly path: string; readonly text: string }
  | { readonly why: 'not-a-symlink'; readonly path: string }
  | { readonly why: 'text-left'; readonly path: string; readonly lines: readonly string[] }
  | {
      readonly why: 'hunks';
      readonly path: string;
      readonly lines: readonly string[];
      readonly placements: readonly (Placement | undefined)[];
    }
);

export interface PatchText {
  /** For errors. */
  readonly file: string;
  readonly sections: readonly Section[];
  readonly strip: number;
  readonly dialect: Dialect;
}

type Before = Pick<TreeView, 'read' | 'has'>;

/**
 * Sections are applied in order, except that renames and copies read the files as they were before the diff they stand in,
 * so that files can change places.
 *
 * @param view Changed as far as sections apply; of no use once there is a rejection.
 * @throws {VbuildError} `patch-unsafe` for a path that leads out of the tree or through a symlink, `patch-unsupported` for a change of type.
 */
export function applyPatch(
  view: TreeView,
  patch: PatchText,
): { readonly files: readonly FileChange[]; readonly rejections: readonly Rejection[] } {
  const files: FileChange[] = [];
  const rejections: Rejection[] = [];
  let before: Before = { read: () => undefined, has: () => false };
  let lines = 0;
  patch.sections.forEach((section, i) => {
    if (i === 0 || section.opensDiff) before = beginDiff(view, diffFrom(patch.sections, i), patch);
    const outcome = applySection(view, before, section, patch);
    lines += outcome.lines;
    if (lines > mostLines)
      throw unsupported(section, patch, 'Patch goes over large files too often', 'join the changes to each file');
    if ('rejection' in outcome) rejections.push(outcome.rejection);
    else files.push(outcome.file);
  });
  return { files, rejections };
}

/** Lines of files that one patch may go over; a file counts once for each section that changes it. */
const mostLines = 5e7;

/** The sections of one diff: from the given one up to the next with other text before it. */
function diffFrom(sections: readonly Section[], start: number): readonly Section[] {
  let end = start + 1;
  while (end < sections.length && !sections[end]?.opensDiff) end += 1;
  return sections.slice(start, end);
}

/** Reads what is renamed or copied, and takes what is renamed out of the tree, so that its name is free. */
function beginDiff(view: TreeView, diff: readonly Section[], patch: PatchText): Before {
  const contents = new Map<string, Content | undefined>();
  const moves = diff.flatMap((section) => {
    const source = section.move && treePath(section.oldName, section, patch);
    return source === undefined ? [] : [{ section, source }];
  });
  for (const { section, source } of moves) {
    assertReachable(source, view, section, patch.file);
    if (!contents.has(source)) contents.set(source, view.read(source));
  }
  for (const { section, source } of moves) if (section.move === 'rename' && contents.get(source)) view.remove(source);
  return { read: (path) => contents.get(path), has: (path) => contents.get(path) !== undefined };
}

/** `lines` is how many lines of the file were gone over. */
type Outcome = { readonly lines: number } & ({ readonly file: FileChange } | { readonly rejection: Rejection });

function applySection(view: TreeView, before: Before, section: Section, patch: PatchText): Outcome {
  const { source, path, names } = sectionPaths(section, { ...patch, view, before });
  if (path === undefined) return { lines: 0, rejection: { section, why: 'no-file', names } };
  const content = source === undefined ? undefined : (section.move ? before : view).read(source);
  const occupant = section.move ? view.read(path) : content;
  if (occupant && !mayStandThere(occupant, section, patch.dialect)) {
    return { lines: 0, rejection: { section, why: 'exists', path, text: occupant.text } };
  }
  const type = typeAfter(section, content, path, patch);
  if (type === undefined) return { lines: 0, rejection: { section, why: 'not-a-symlink', path } };

  const lines = section.hunks.length > 0 ? splitLines(content?.text ?? '') : [];
  const placements = placeHunks(lines, section.hunks, patch.dialect === 'dpkg');
  const placed = placements.filter((placement) => placement !== undefined);
  if (placed.length < placements.length) {
    return { lines: lines.length, rejection: { section, why: 'hunks', path, lines, placements } };
  }
  const text = section.hunks.length > 0 ? splice(lines, section.hunks, placed).join('') : (content?.text ?? '');
  if (section.new === 'absent' && text !== '') {
    return { lines: lines.length, rejection: { section, why: 'text-left', path, lines: splitLines(text) } };
  }

  const gone = section.new === 'absent' || (patch.dialect === 'dpkg' && text === '');
  if (gone) view.remove(path);
  else if (type === 'symlink' && !staysInside(path, Buffer.from(text, 'latin1').toString())) {
    throw unsafePath(path, `a symlink to ${JSON.stringify(text.slice(0, 200))}`, section, patch.file);
  } else view.put(path, { type, text, mode: modeOf(section, content) });
  const moved = section.move && ({ rename: 'renamed', copy: 'copied' } as const)[section.move];
  const change = gone ? 'deleted' : (moved ?? (content ? 'modified' : 'created'));
  const hunks = placed.map(({ at, offset }, i) => ({ patchLine: section.hunks[i]?.line ?? 0, line: at + 1, offset }));
  const from = moved === undefined ? undefined : source;
  return { lines: lines.length, file: { path, change, ...(from !== undefined && { from }), hunks } };
}

/** What the section leaves at its path; `undefined` where it changes a symlink and a plain file is there. */
function typeAfter(
  section: Section,
  content: Content | undefined,
  path: string,
  patch: PatchText,
): Content['type'] | undefined {
  const { oldMode, newMode, hunks } = section;
  const asLink = isLinkMode(oldMode ?? newMode);
  if (oldMode !== undefined && newMode !== undefined && isLinkMode(oldMode) !== isLinkMode(newMode)) {
    const mend = 'make it again with git, which deletes the one and creates the other';
    throw unsupported(section, patch, 'Patch turns a file into a symlink, or the reverse, in place', mend);
  }
  if (content?.type === 'symlink' && !asLink && (hunks.length > 0 || newMode !== undefined)) {
    throw unsafePath(path, 'it is a symlink', section, patch.file);
  }
  if (content?.type === 'file' && asLink) return undefined;
  return asLink ? 'symlink' : (content?.type ?? 'file');
}

/** Whether what already is where a section writes is no reason to reject it. */
function mayStandThere(occupant: Content, section: Section, dialect: Dialect): boolean {
  // GNU patch renames onto a file, prepends where `-0,0` meets text, and fills an empty file that the patch means to create.
  if (dialect === 'dpkg') return section.move !== undefined || section.old !== 'absent' || occupant.text === '';
  if (section.move) return false;
  return section.old === 'content' || (section.old === 'empty' && occupant.text === '');
}

/** Only git's headers change a mode, and only whether the file can be run. */
function modeOf({ oldMode, newMode }: Section, content: Content | undefined): number {
  if (content?.type === 'symlink' || isLinkMode(newMode)) return 0o777;
  const mode = content?.mode ?? 0o644;
  if (newMode === undefined || newMode === oldMode) return mode;
  return newMode & 0o100 ? mode | ((mode & 0o444) >> 2) : mode & ~0o111;
}

const unsupported = (section: Section, { file }: PatchText, headline: string, mend: string): VbuildError =>
  new VbuildError('patch-unsupported', headline, { where: { file, line: section.line }, mend });
