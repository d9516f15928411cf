/** The folder in which a package is compiled: its absolute path has one length everywhere, so that paths in compiled files are equally long. */
import { dirname, isAbsolute, join } from 'node:path';
import { VbuildError } from '../model/error.ts';

/** Length of every build root's absolute path, in bytes. Part of the content key's rules: another length gives other artifacts. */
export const BUILD_ROOT_LENGTH = 160;

/** Characters that shells, make, run paths or libtool take apart; automake's own check refuses nearly the same set. */
const takenApart = /[\s:;$#&*?'"`\\()[\]<>|=%]/;

/**
 * The build root inside a folder: one folder below it whose name fills the path up with `_`.
 *
 * @param folder Absolute path of a folder that belongs to this package's compilation alone; it need not exist.
 * @returns Absolute path of exactly `BUILD_ROOT_LENGTH` bytes; not created.
 * @throws {VbuildError} `usage` when the folder's path leaves no room, or holds a character that upstream build systems take apart.
 */
export function paddedRoot(folder: string): string {
  if (!isAbsolute(folder)) throw new Error(`paddedRoot() needs an absolute path, not ${folder}`);
  const base = join(dirname(join(folder, '_')), '/');
  const room = BUILD_ROOT_LENGTH - Buffer.byteLength(base);
  if (room < 1) {
    throw new VbuildError('usage', 'Path of the work folder is too long', {
      facts: {
        expected: `at most ${BUILD_ROOT_LENGTH - 1} bytes for a package's folder in it`,
        found: `${Buffer.byteLength(base)} bytes: ${folder}`,
      },
      mend: 'name a work folder with a shorter path with --work',
    });
  }
  const character = takenApart.exec(base)?.[0];
  if (character !== undefined) {
    throw new VbuildError('usage', 'Path of the work folder cannot be compiled in', {
      facts: {
        found: `${JSON.stringify(character)} in ${folder}`,
        why: 'configure scripts, make and run paths take it apart',
      },
      mend: 'name a work folder without this character with --work',
    });
  }
  return base + '_'.repeat(room);
}
