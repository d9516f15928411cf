/** What a patch file says, as data: sections (one per file of the tree) and their hunks; texts are latin1, one character per byte. */
import type { Direction } from './direction.ts';

export interface Hunk {
  /** 1-based line of its header in the patch file. */
  readonly line: number;
  /** The header without the text behind the second `@@`. */
  readonly header: string;
  /** 1-based line of the file at which `old` is said to stand; for an empty `old`, the line after which `new` goes. */
  readonly oldStart: number;
  /** Lines before, each with its line end; only a file's last line may lack one. */
  readonly old: readonly string[];
  /** Lines after, spelt as `old` is. */
  readonly new: readonly string[];
  /** How many lines of context stand before the first change and after the last. */
  readonly leading: number;
  readonly trailing: number;
}

/** What one side says of the file: it has content, it is empty or absent (`0,0`), or it is absent for sure (`/dev/null`, epoch date, git header). */
export type Presence = 'content' | 'empty' | 'absent';

/** Names as the patch spells them: unquoted, no leading part dropped; `undefined` where none is given or it is `/dev/null`. */
export interface Section {
  /** 1-based line of its first header in the patch file. */
  readonly line: number;
  /** Text that is no header stands between it and the section before: it belongs to another diff, made against what that one left. */
  readonly opensDiff: boolean;
  readonly oldName?: string | undefined;
  readonly newName?: string | undefined;
  /** From `Index:`; counts only where neither of the others is given. */
  readonly indexName?: string | undefined;
  readonly old: Presence;
  readonly new: Presence;
  /** Which side the headers call the newer one; undefined where they do not tell. */
  readonly direction?: Direction | undefined;
  /** The new name takes the content of the old one, which goes away or stays. */
  readonly move?: 'rename' | 'copy' | undefined;
  /** Type and permission bits as git writes them, such as 0o100755; both are given where the mode does not change. */
  readonly oldMode?: number | undefined;
  readonly newMode?: number | undefined;
  /** The lines of the hunks have lost a CR at their ends, as the header's line has one: GNU patch takes it that all of them came that way. */
  readonly strippedCr?: boolean | undefined;
  readonly hunks: readonly Hunk[];
}

/** Set in a git mode's type bits when the content is where a symlink points. */
export const isLinkMode = (mode: number | undefined): boolean => mode !== undefined && (mode & 0o170000) === 0o120000;

/** Lines with their line ends; a line ends at a newline only. */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const next = end === -1 ? text.length : end + 1;
    lines.push(text.slice(from, next));
    from = next;
  }
  return lines;
}
