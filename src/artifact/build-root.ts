/**
 * The folder in which a package is compiled. Steps see it under one path on every machine, or, where that cannot be, under a path of
 * the same length, so that paths in compiled files are at least equally long.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { VbuildError } from '../model/error.ts';
import { mountPoint } from '../system/namespace.ts';

/** Length of every build root's absolute path, in bytes. Part of the content key's rules: another length gives other artifacts. */
export const BUILD_ROOT_LENGTH = 160;

/** Characters that shells, make, run paths or libtool take apart; automake's own check refuses nearly the same set. */
const takenApart = /[\s:;$#&*?'"`\\()[\]<>|=%]/;

/** One folder by two absolute paths. */
export interface BuildRoot {
  /** As steps see it, `BUILD_ROOT_LENGTH` bytes long. */
  readonly seen: string;
  /** On this machine, for everybody else. */
  readonly host: string;
}

/** The one path under which steps see their build root wherever they can run in a mount namespace. */
export const canonicalRoot = padded(`${mountPoint}/vbuild/`);

/** Another one like it, for builds that are to be compared with those at the canonical one. */
const otherRoot = padded(`${mountPoint}/elsewhere/`);

/**
 * The build root inside a folder, not created.
 *
 * @param folder Absolute path of a folder that belongs to this package's compilation alone; it need not exist.
 * @throws {VbuildError} as `paddedRoot`, which no other place does: there the folder may have any path.
 */
export function buildRoot(folder: string, place: 'canonical' | 'other' | 'padded'): BuildRoot {
  const seen = { canonical: () => canonicalRoot, other: () => otherRoot, padded: () => paddedRoot(folder) }[place]();
  return { seen, host: hostOf(folder, seen) };
}

/** Where the build root that steps saw as `seen` lies on this machine, inside the same folder as then. */
export const hostOf = (folder: string, seen: string): string =>
  seen === canonicalRoot || seen === otherRoot ? join(folder, 'root') : seen;

/**
 * The build root for steps without a namespace: one folder below the given one whose name fills the path up with `_`.
 *
 * @returns Absolute path of exactly `BUILD_ROOT_LENGTH` bytes.
 * @throws {VbuildError} `usage` when the folder's path leaves no room, or holds a character that upstream build systems take apart.
 */
export function paddedRoot(folder: string): string {
  if (!isAbsolute(folder)) throw new Error(`paddedRoot() needs an absolute path, not ${folder}`);
  const base = join(dirname(join(folder, '_')), '/');
  const mend = (how: string): string =>
    `name a work folder with ${how} with --work, or let this user make mount namespaces, where its path does not matter`;
  if (Buffer.byteLength(base) >= BUILD_ROOT_LENGTH) {
    throw new VbuildError('usage', 'Path of the work folder is too long', {
      facts: {
        expected: `at most ${BUILD_ROOT_LENGTH - 1} bytes for a package's folder in it`,
        found: `${Buffer.byteLength(base)} bytes: ${folder}`,
      },
      mend: mend('a shorter path'),
    });
  }
  const character = takenApart.exec(base)?.[0];
  if (character !== undefined) {
    throw new VbuildError('usage', 'Path of the work folder cannot be compiled in', {
      facts: {
        found: `${JSON.stringify(character)} in ${folder}`,
        why: 'configure scripts, make and run paths take it apart',
      },
      mend: mend('a path without this character'),
    });
  }
  return padded(base);
}

/** @param base Absolute path that ends with a slash. */
function padded(base: string): string {
  return base + '_'.repeat(BUILD_ROOT_LENGTH - Buffer.byteLength(base));
}
