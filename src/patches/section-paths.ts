/** From the names in a section to the paths in the tree that it reads and writes, none of which may lead elsewhere. */
import { VbuildError } from '../model/error.ts';
import { bestName, stripName } from './header-names.ts';
import type { Section } from './section.ts';
import { type TreeView, unsafeName } from './tree-view.ts';

interface SectionPaths {
  /** The file whose content is changed; `undefined` when none of the names is there. */
  readonly source: string | undefined;
  /** The file that is written; `undefined` when the patch changes a file that is not there. */
  readonly path: string | undefined;
  /** All that the section names, for the report. */
  readonly names: readonly string[];
}

/**
 * Of the names that exist the best one is meant; when none does and the patch creates a file, the best one of all.
 * `Index:` counts only where the other headers name nothing. A rename or copy reads the old name and writes the new one.
 *
 * @param before The tree that renames and copies read.
 * @throws {VbuildError} `patch-unsafe`
 * @see GNU patch's manual page, "Applying patch".
 */
export function sectionPaths(
  section: Section,
  {
    view,
    before,
    ...patch
  }: { readonly view: TreeView; readonly before: Pick<TreeView, 'has'>; readonly file: string; readonly strip: number },
): SectionPaths {
  const [from, to] = [section.oldName, section.newName].map((name) => treePath(name, section, patch));
  const given = [...new Set([from, to])].filter((path) => path !== undefined);
  const index = given.length === 0 ? treePath(section.indexName, section, patch) : undefined;
  const names = index === undefined ? given : [index];
  if (section.move) {
    const source = from !== undefined && before.has(from) ? from : undefined;
    for (const path of names) assertReachable(path, view, section, patch.file);
    return { source, path: source && to, names };
  }
  const source = bestName(names.filter((name) => view.has(name)));
  const path = source ?? (section.old === 'content' ? undefined : bestName(names));
  for (const one of path === undefined ? names : [path]) assertReachable(one, view, section, patch.file);
  return { source, path, names };
}

/** A name with its leading parts dropped, as a path in the tree; `undefined` when it has too few. @throws {VbuildError} `patch-unsafe` */
export function treePath(
  name: string | undefined,
  section: Section,
  { file, strip }: { readonly file: string; readonly strip: number },
): string | undefined {
  const place = placeOf(name, strip);
  if (place?.reason !== undefined) throw unsafePath(place.path, place.reason, section, file);
  return place?.path;
}

/** As `treePath`, for one who only wants to know: with the `reason` for which such a path may not be used, if there is one. */
export function placeOf(
  name: string | undefined,
  strip: number,
): { readonly path: string; readonly reason: string | undefined } | undefined {
  const stripped = name === undefined ? undefined : stripName(name, strip);
  if (stripped === undefined) return undefined;
  const decoded = Buffer.from(stripped, 'latin1').toString();
  const path = decoded.replace(/\/(\.?\/+)+/g, '/').replace(/^(\.\/)+/, '');
  return { path, reason: Buffer.from(decoded).toString('latin1') === stripped ? unsafeName(path) : 'it is not UTF-8' };
}

/** @throws {VbuildError} `patch-unsafe` when the way to the path, or what is there, is not for a patch. */
export function assertReachable(path: string, view: TreeView, section: Section, file: string): void {
  const reason = view.obstacle(path);
  if (reason !== undefined) throw unsafePath(path, reason, section, file);
}

export const unsafePath = (path: string, found: string, section: Section, file: string): VbuildError =>
  new VbuildError('patch-unsafe', 'Patch names a path that it must not touch', {
    where: { file, line: section.line },
    facts: { path, found },
    mend: 'leave that path out of the patch',
  });
