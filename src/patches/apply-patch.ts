/** Applies one patch's sections to a view of the tree, and says which of them it rejects. */
import { VbuildError } from '../model/error.ts';
import type { Dialect } from './patch-spec.ts';
import { type Placement, placeHunks, splice } from './place.ts';
import { isLinkMode, type Section, splitLines } from './section.ts';
import { sectionPaths, treePath, unsafePath } from './section-paths.ts';
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
  let before: Before = view;
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
  const end = sections.findIndex((section, i) => i > start && section.opensDiff);
  return sections.slice(start, end === -1 ? undefined : end);
}

/** Takes what is renamed out of the tree, so that its name is free, and keeps it for reading. */
function beginDiff(view: TreeView, diff: readonly Section[], patch: PatchText): Before {
  const moves = diff.filter(({ move }) => move);
  if (moves.length === 0) return view;
  const before = view.snapshot();
  for (const section of moves) {
    const source = treePath(section.oldName, section, patch);
    const reason = source === undefined ? undefined : view.obstacle(source);
    if (source !== undefined && reason !== undefined) throw unsafePath(source, reason, section, patch.file);
    if (section.move === 'rename' && source !== undefined && before.has(source)) view.remove(source);
  }
  return before;
}

type Outcome = { readonly lines: number } & ({ readonly file: FileChange } | { readonly rejection: Rejection });

function applySection(view: TreeView, before: Before, section: Section, patch: PatchText): Outcome {
  const { source, path, names } = sectionPaths(section, { ...patch, view, before });
  if (path === undefined) return { lines: 0, rejection: { section, why: 'no-file', names } };
  const content = source === undefined ? undefined : (section.move ? before : view).read(source);
  const occupant = section.move ? view.read(path) : content;
  if (occupant && !mayStandThere(occupant, section, patch.dialect))
    return { lines: 0, rejection: { section, why: 'exists', path, text: occupant.text } };

  const asLink = isLinkMode(section.oldMode ?? section.newMode);
  if (changesType(section)) {
    throw unsupported(
      section,
      patch,
      'Patch turns a file into a symlink, or the reverse, in place',
      'make it again with git, which deletes the one and creates the other',
    );
  }
  if (content?.type === 'symlink' && !asLink && (section.hunks.length > 0 || section.newMode !== undefined))
    throw unsafePath(path, 'it is a symlink', section, patch.file);
  if (content?.type === 'file' && asLink) return { lines: 0, rejection: { section, why: 'not-a-symlink', path } };

  const lines = section.hunks.length > 0 ? splitLines(content?.text ?? '') : [];
  const placements = placeHunks(lines, section.hunks, patch.dialect === 'dpkg');
  const placed = placements.filter((placement) => placement !== undefined);
  if (placed.length < placements.length)
    return { lines: lines.length, rejection: { section, why: 'hunks', path, lines, placements } };
  const text = section.hunks.length > 0 ? splice(lines, section.hunks, placed).join('') : (content?.text ?? '');
  if (section.new === 'absent' && text !== '')
    return { lines: lines.length, rejection: { section, why: 'text-left', path, lines: splitLines(text) } };

  const gone = section.new === 'absent' || (patch.dialect === 'dpkg' && text === '');
  if (gone) view.remove(path);
  else {
    if (asLink && !staysInside(path, Buffer.from(text, 'latin1').toString()))
      throw unsafePath(path, `it becomes a symlink to ${text}`, section, patch.file);
    view.put(path, { type: asLink ? 'symlink' : (content?.type ?? 'file'), text, mode: modeOf(section, content) });
  }
  const change = gone
    ? 'deleted'
    : section.move === 'rename'
      ? 'renamed'
      : section.move === 'copy'
        ? 'copied'
        : content
          ? 'modified'
          : 'created';
  const hunks = section.hunks.map((hunk, i) => ({
    patchLine: hunk.line,
    line: (placed[i]?.at ?? 0) + 1,
    offset: placed[i]?.offset ?? 0,
  }));
  return {
    lines: lines.length,
    file: { path, change, ...(section.move && source !== undefined && { from: source }), hunks },
  };
}

/** Whether what already is where a section writes is no reason to reject it. */
function mayStandThere(occupant: Content, section: Section, dialect: Dialect): boolean {
  // GNU patch renames onto a file, prepends where `-0,0` meets text, and fills an empty file that the patch means to create.
  if (dialect === 'dpkg') return section.move !== undefined || section.old !== 'absent' || occupant.text === '';
  if (section.move) return false;
  return section.old === 'content' || (section.old === 'empty' && occupant.text === '');
}

const changesType = ({ oldMode, newMode }: Section): boolean =>
  oldMode !== undefined && newMode !== undefined && isLinkMode(oldMode) !== isLinkMode(newMode);

/** Only git's headers change a mode, and only whether the file can be run. */
function modeOf({ oldMode, newMode }: Section, content: Content | undefined): number {
  if (content?.type === 'symlink' || isLinkMode(newMode)) return 0o777;
  const mode = content?.mode ?? 0o644;
  if (newMode === undefined || newMode === oldMode) return mode;
  return newMode & 0o100 ? mode | ((mode & 0o444) >> 2) : mode & ~0o111;
}

const unsupported = (section: Section, { file }: PatchText, headline: string, mend: string): VbuildError =>
  new VbuildError('patch-unsupported', headline, { where: { file, line: section.line }, mend });
