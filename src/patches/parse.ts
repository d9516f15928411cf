/** Reads a patch file: cuts prose, headers and counted hunks apart, as GNU patch does, and refuses by name what cannot be applied. */
import { VbuildError } from '../model/error.ts';
import { directionOf } from './direction.ts';
import { type GitHeaders, gitNames, headerName, type HeaderName, readGitHeader } from './header-names.ts';
import { malformed, readHunk } from './parse-hunk.ts';
import type { Dialect } from './patch-spec.ts';
import { type Hunk, type Presence, type Section, splitLines } from './section.ts';

/** Headers seen since the last hunk. A later one takes the place of an earlier one of its kind, so prose that looks like a header does no harm. */
interface Pending {
  readonly line: number;
  readonly opensDiff: boolean;
  git?: GitHeaders;
  old?: HeaderName;
  new?: HeaderName;
  index?: string;
  /** The last line with a name ended in CR LF: the file was converted on its way, and so were the hunks. */
  crlf: boolean;
}

/**
 * @param text    The patch, latin1.
 * @param file    Its name, for errors.
 * @param dialect `dpkg` passes over "Binary files differ" and over lines beyond a hunk's counts, as GNU patch does.
 * @returns Sections in the order of the file; none when the patch holds only prose.
 * @throws {VbuildError} `patch-malformed` where text that must be a header or a hunk is not one; `patch-unsupported` for binary,
 *   context, ed-script, submodule and device changes. `where.line` is the line in the patch.
 */
export function parsePatch(text: string, file: string, dialect: Dialect = 'strict'): Section[] {
  const lines = splitLines(text);
  const bare = (i: number): string => (lines[i] ?? '').replace(/\r?\n$|\r$/, '');
  const sections: Section[] = [];
  let pending: Pending | undefined;
  /** Lines that are neither header nor hunk stand between the last header or hunk and here. */
  let prose = true;

  const header = (i: number): Pending => {
    pending ??= { line: i + 1, opensDiff: prose, crlf: false };
    prose = false;
    return pending;
  };
  const nameLine = (i: number, keep: (at: Pending) => void): void => {
    if (prose && !bare(i).startsWith('+++ ')) {
      flush('at names');
      pending = undefined;
    }
    const at = header(i);
    at.crlf = lines[i]?.endsWith('\r\n') ?? false;
    keep(at);
  };
  /** Ends a git section that has no hunks: a mode, a name, or an empty file. */
  const flush = (where?: 'at names'): void => {
    if (!pending?.git) return;
    const { git, line } = pending;
    if (git.created && git.hasContent && dialect === 'strict') {
      malformed(file, line, 'Patch creates a file without giving its content', bare(line - 1));
    }
    // GNU patch looks for the file also where nothing is to be done to it, unless other names follow.
    const isPatch = dialect === 'dpkg' && git.isPatch === true && where === undefined;
    if (git.created || git.deleted || git.move || git.oldMode !== git.newMode || isPatch)
      sections.push(section(pending, [], file));
    pending = undefined;
  };

  for (let i = 0; i < lines.length; i += 1) {
    const line = bare(i);
    const problem = unsupported(line, bare(i - 1), bare(i - 2), dialect);
    if (problem !== undefined) throw refusal(problem, file, i + 1, line);
    if (line.startsWith('diff --git ')) {
      flush();
      pending = undefined;
      header(i).git = { names: line.slice('diff --git '.length) };
    } else if (pending?.git && !pending.new && readGitHeader(pending.git, line)) {
      const special = specialType(pending.git);
      if (special !== undefined) throw refusal(special, file, i + 1, line);
      prose = false;
    } else if (line.startsWith('--- ')) {
      nameLine(i, (at) => (at.old = headerName(line.slice(4))));
    } else if (line.startsWith('+++ ')) {
      nameLine(i, (at) => (at.new = headerName(line.slice(4))));
      if (bare(i - 1).startsWith('--- ') && !bare(i + 1).startsWith('@@ -')) {
        malformed(file, i + 2, 'File header is not followed by a hunk', bare(i + 1));
      }
    } else if (/^Index:\s*\S/.test(line)) {
      nameLine(i, (at) => (at.index = headerName(line.slice('Index:'.length)).name ?? ''));
    } else if (line.startsWith('@@ -')) {
      const at = header(i);
      const hunks: Hunk[] = [];
      let next = i;
      while (lines[next]?.startsWith('@@ -')) {
        const read = readHunk(lines, next, file, at.crlf);
        hunks.push(read.hunk);
        next = read.next;
      }
      if (dialect === 'strict' && /^(\+(?!\+\+ )|-(?!-( |$|-)))/.test(bare(next))) {
        malformed(file, next + 1, 'Hunk holds more lines than its header counts', bare(next));
      }
      sections.push(section(at, hunks, file));
      pending = undefined;
      i = next - 1;
    } else if (!/^(=+|diff .*|)$/.test(line)) {
      prose = true;
    }
  }
  flush();
  return sections;
}

function section(pending: Pending, hunks: readonly Hunk[], file: string): Section {
  const { git, line, opensDiff } = pending;
  const first = hunks[0]?.header ?? '';
  const [gitOld, gitNew] = (git && gitNames(git)) ?? [];
  const oldName = pending.old?.name ?? gitOld;
  const newName = pending.new?.name ?? gitNew;
  if (oldName === undefined && newName === undefined && pending.index === undefined) {
    malformed(file, line, 'Hunk has no file name before it', first);
  }
  const presence = (sure: boolean | undefined, zero: boolean, absent: boolean | undefined): Presence =>
    sure ? 'absent' : !zero ? 'content' : absent ? 'absent' : 'empty';
  return {
    line,
    opensDiff,
    oldName,
    newName,
    indexName: pending.index,
    old: presence(git?.created, /^@@ -0[ ,]/.test(first), pending.old?.absent),
    new: presence(git?.deleted, /^@@ -\S+ \+0[ ,]/.test(first), pending.new?.absent),
    direction: directionOf(pending.old, pending.new),
    move: git?.move,
    oldMode: git?.oldMode,
    newMode: git?.newMode,
    ...(pending.crlf && { strippedCr: true }),
    hunks,
  };
}

const binary = {
  headline: 'Patch changes a binary file',
  mend: 'leave the binary change out of the patch, and make the file in a step of the recipe',
};

/** What a line says that no hunk can, with the two lines before it. */
function unsupported(line: string, before: string, beforeThat: string, dialect: Dialect): typeof binary | undefined {
  if (line === 'GIT binary patch') return binary;
  if (dialect === 'strict' && /^(Binary files .+ differ|Cannot display: file marked as a binary type\.)$/.test(line))
    return binary;
  if (/^\*{15}/.test(line) && before.startsWith('--- ') && beforeThat.startsWith('*** ')) {
    return { headline: 'Patch is a context diff', mend: 'make a unified one, with `diff -u` or git' };
  }
  if (/^\d+(,\d+)?([acd]|[acd]\d+(,\d+)?)$/.test(before) && /^([<>] .*|\.|\d+(,\d+)?[acd])$/.test(line)) {
    return { headline: 'Patch is a plain diff or an ed script', mend: 'make a unified one, with `diff -u` or git' };
  }
  return undefined;
}

/** Git can also record what is neither a file nor a symlink. */
function specialType({ oldMode, newMode }: GitHeaders): typeof binary | undefined {
  const types = [oldMode, newMode].map((mode) => (mode ?? 0o100644) & 0o170000);
  if (types.includes(0o160000))
    return { headline: 'Patch changes a submodule', mend: 'make a patch of the files in it instead' };
  // Subversion writes 10644 for a plain file.
  if (types.some((type) => ![0o100000, 0o120000, 0o010000, 0].includes(type))) {
    return { headline: 'Patch makes a file of a special type', mend: 'leave that file out of the patch' };
  }
  return undefined;
}

const refusal = ({ headline, mend }: typeof binary, file: string, line: number, found: string): VbuildError =>
  new VbuildError('patch-unsupported', headline, {
    where: { file, line },
    facts: { found: JSON.stringify(found) },
    mend,
  });
