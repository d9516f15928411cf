/** Where a patch that does not apply most likely belongs: the files as it would have met them, so that a merge can show what differs. */
import { bestGuess, placeHunks } from './place.ts';
import { splitLines, type Section } from './section.ts';
import { sectionPaths } from './section-paths.ts';
import { same, type Content, type TreeView } from './tree-view.ts';

/**
 * Makes two views of one tree differ by exactly what a patch says: in `before`, the lines where each hunk fits best read as the hunk
 * expects them; in `after`, as it leaves them.
 *
 * @param before Changed.
 * @param after  Changed; the same tree as `before`.
 * @returns The paths in question; undefined when the patch renames or copies, which cannot be guessed.
 * @throws {VbuildError} `patch-unsafe`
 */
export function guessPatch(
  before: TreeView,
  after: TreeView,
  patch: { readonly file: string; readonly sections: readonly Section[]; readonly strip: number },
): string[] | undefined {
  const paths = new Set<string>();
  for (const section of patch.sections) {
    if (section.move !== undefined) return undefined;
    // What earlier sections made of the file is what this one meets.
    const { path: found, names } = sectionPaths(section, { ...patch, view: after, before: after });
    const path = found ?? names.at(-1);
    if (path === undefined) return undefined;
    const now = after.read(path);
    const [old, fresh] = sides(section, now);
    if (!paths.has(path)) {
      if (old === undefined) before.remove(path);
      else before.put(path, old);
    } else if (!same(old, now)) return undefined;
    if (fresh === undefined) after.remove(path);
    else after.put(path, fresh);
    paths.add(path);
  }
  return [...paths];
}

function sides(section: Section, now: Content | undefined): readonly [Content | undefined, Content | undefined] {
  const { hunks } = section;
  const mode = section.newMode === undefined || section.newMode & 0o100 ? (now?.mode ?? 0o644) : 0o644;
  const content = (lines: readonly string[]): Content => ({ type: now?.type ?? 'file', text: lines.join(''), mode });
  const lines = splitLines(now?.text ?? '');
  const whole = now === undefined || section.old === 'absent';
  const placements = whole ? [] : placeHunks(lines, hunks, true);
  const old: string[] = [];
  const fresh: string[] = [];
  let done = 0;
  hunks.forEach((hunk, i) => {
    const at = whole ? 0 : Math.max(done, Math.min(placements[i]?.at ?? bestGuess(lines, hunk), lines.length));
    const kept = whole ? [] : lines.slice(done, at);
    old.push(...kept, ...hunk.old);
    fresh.push(...kept, ...hunk.new);
    done = at + hunk.old.length;
  });
  if (!whole) {
    old.push(...lines.slice(done));
    fresh.push(...lines.slice(done));
  }
  return [section.old === 'absent' ? undefined : content(old), section.new === 'absent' ? undefined : content(fresh)];
}
