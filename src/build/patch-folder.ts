/** The folder of a package's patches: what a new patch is called in it, and when it needs a `series` file. */
import { basename, dirname, join, posix, relative, resolve } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { fileNameFor } from '../patches/patch-header.ts';
import { seriesText } from '../patches/series-text.ts';
import { makeFolder, namesIn, readIfThere } from '../system/files.ts';
import type { PatchSession } from './patch-session.ts';

/** Where patches of a package lie that does not say so yet, and where new ones go; absolute. */
export const folderOf = ({ package: { name, patches }, run }: PatchSession): string =>
  resolve(run.workspace.folder, typeof patches === 'string' ? patches : `patches/${name}`);

/** A file name that nothing has: numbered where the others are. */
export function placeForNew(
  session: PatchSession,
  message: string,
  taken: readonly string[],
): { readonly name: string; readonly path: string } {
  const { package: one, series, run } = session;
  if (one.patches !== undefined && typeof one.patches !== 'string') throw isList(session);
  const folder = folderOf(session);
  const nameOf = (file: string): string => posix.join(relative(run.workspace.folder, folder), file);
  const files = new Set([...namesIn(folder), ...taken.map((name) => basename(name))]);
  const numbers = [...files].flatMap((file) => /^(\d{4})-/.exec(file)?.[1] ?? []);
  const numbered = numbers.length > 0 || series.patches.length === 0;
  const number = Math.max(0, ...numbers.map(Number)) + 1;
  const plain = `${numbered ? `${String(number).padStart(4, '0')}-` : ''}${fileNameFor(message)}`;
  let file = plain;
  for (let again = 2; files.has(file); again += 1) file = plain.replace(/\.patch$/, `-${again}.patch`);
  return { name: nameOf(file), path: join(folder, file) };
}

/**
 * The `series` file as it must be for patches to stand in this order; none when it need not change.
 *
 * @param order Names of the patches, relative to the Buildfile's folder.
 */
export function orderFile(session: PatchSession, order: readonly string[]): { path: string; text: string }[] {
  const { package: one, series, run } = session;
  const before = series.patches.map(({ name }) => name);
  if (order.join('\n') === before.join('\n')) return [];
  if (one.patches !== undefined && typeof one.patches !== 'string') throw isList(session);
  const folder = folderOf(session);
  const path = series.seriesFile ?? join(folder, 'series');
  const names = order.map((name) => posix.relative(relative(run.workspace.folder, folder), name));
  const sorted = names.every((name, i) => i === 0 || (names[i - 1] ?? '') < name);
  // Without a `series` file every patch in the folder counts, also one that was dropped.
  const others = namesIn(folder).filter(
    (name) => name === 'series' || (name.endsWith('.patch') && !names.includes(name)),
  );
  if (series.seriesFile === undefined && sorted && others.length === 0 && names.length > 0) return [];
  makeFolder(dirname(path));
  return [{ path, text: Buffer.from(seriesText(readIfThere(path) ?? '', names)).toString('latin1') }];
}

const isList = ({ run, id }: PatchSession): VbuildError =>
  new VbuildError('series-invalid', 'Patches are a list in the Buildfile, which vbuild does not write', {
    where: { file: run.workspace.buildfile, package: id },
    mend: "move the patches into a folder with a series file, name that folder in the Buildfile (patches: 'patches/NAME'), then save again",
  });
