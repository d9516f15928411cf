/** The files of a Debian source package: what each one is for, and how they become a tree and a series. */
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf, VbuildError } from '../model/error.ts';
import {
  emptyFolder,
  exists,
  moveIntoPlace,
  readBytes,
  readIfThere,
  removeTree,
  temporaryFolder,
  walk,
  writeAtomically,
} from '../system/files.ts';
import type { FetchTarget } from './source.ts';

/** An upstream archive, the archive of Debian's own folder, or (in format 1.0) all of Debian's changes as one diff. */
type Role =
  | { readonly type: 'archive'; readonly component?: string }
  | { readonly type: 'packaging' }
  | { readonly type: 'diff' };

/** The formats of source packages that are understood, as their `Format` field spells them. */
export const debianFormats: readonly string[] = ['1.0', '3.0 (native)', '3.0 (quilt)'];

/**
 * What a file is for, told by its name; `undefined` for descriptions and signatures.
 * @see dpkg-source(1), "Source package formats"
 */
export function roleOf(name: string): Role | undefined {
  if (name.endsWith('.diff.gz')) return { type: 'diff' };
  const stem = /^(.+)\.tar\.[a-z0-9]+$/.exec(name)?.[1];
  if (stem === undefined) return undefined;
  if (stem.endsWith('.debian')) return { type: 'packaging' };
  const component = /\.orig-([A-Za-z0-9-]+)$/.exec(stem)?.[1];
  return { type: 'archive', ...(component !== undefined && { component }) };
}

/** The files that a tree is made of, in the order in which they are unpacked: main archive, components by name, Debian's patches when asked for. */
export function neededFiles<File extends { readonly name: string }>(files: readonly File[], patches: boolean): File[] {
  const ranked = files.flatMap((file) => {
    const role = roleOf(file.name);
    if (role === undefined || (role.type !== 'archive' && !patches)) return [];
    return [{ file, rank: role.type === 'archive' ? `1${role.component ?? ''}` : '2' }];
  });
  return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ file }) => file);
}

/** Whether the main archive is among them, without which there is no tree. */
export const hasUpstream = (files: readonly { readonly name: string }[]): boolean =>
  files.some(({ name }) => {
    const role = roleOf(name);
    return role?.type === 'archive' && role.component === undefined;
  });

/** Puts one file of a source package into the target; in the order of `neededFiles`. @throws {VbuildError} `archive-refused`, `debian-source` */
export async function unpackDebianFile(
  file: { readonly name: string; readonly path: string },
  target: FetchTarget,
): Promise<void> {
  const role = roleOf(file.name);
  switch (role?.type) {
    case 'archive':
      return unpackUpstream(file, role.component === undefined ? target.tree : join(target.tree, role.component));
    case 'packaging':
      return takeSeries(file, target.series);
    case 'diff':
      return diffAsSeries(file, target.series);
    case undefined:
      throw new Error(`not a file to unpack: ${file.name}`);
    default:
      return role satisfies never;
  }
}

interface Unpacked {
  readonly name: string;
  readonly path: string;
}

async function unpackUpstream({ name, path }: Unpacked, into: string): Promise<void> {
  // Where the main archive has something of a component's name, the component takes its place.
  emptyFolder(into);
  const { unpackArchive } = await import('../system/archive.ts');
  await unpackArchive({ file: path, into, name });
}

async function takeSeries({ name, path }: Unpacked, series: string): Promise<void> {
  using scratch = temporaryFolder('.debian', dirname(series));
  const { unpackArchive } = await import('../system/archive.ts');
  await unpackArchive({ file: path, into: scratch.path, name, strip: 0 });
  const patches = join(scratch.path, 'debian', 'patches');
  if (exists(patches)) {
    // A link may lead to a place that is not moved along.
    const stray = walk(patches).find(({ type }) => type !== 'file' && type !== 'directory');
    if (stray !== undefined) {
      throw new VbuildError('debian-source', 'Debian patch is not a file', {
        where: { file: name },
        facts: {
          expected: `debian/patches/${stray.path} to be a file`,
          found: stray.target === undefined ? stray.type : `a link to ${stray.target}`,
        },
        mend: 'use the source without Debian’s patches and list those that are needed in `patches`',
      });
    }
    removeTree(series);
    moveIntoPlace(patches, series);
  }
  const ofVendor = readIfThere(join(series, 'debian.series'));
  if (ofVendor !== undefined) writeAtomically(join(series, 'series'), ofVendor);
  // Without a list Debian applies none, whatever lies in the folder.
  else if (!exists(join(series, 'series'))) writeAtomically(join(series, 'series'), '');
}

/** No diff of a real package comes near it. */
const largestDiffBytes = 256 * 2 ** 20;

function diffAsSeries({ name, path }: Unpacked, series: string): void {
  const patch = name.replace(/\.gz$/, '');
  try {
    writeAtomically(join(series, patch), gunzipSync(readBytes(path), { maxOutputLength: largestDiffBytes }));
  } catch (error) {
    throw new VbuildError('archive-refused', 'Compressed diff cannot be read', {
      where: { file: name },
      facts: { found: messageOf(error) },
      mend: 'use the source without Debian’s patches',
      cause: error,
    });
  }
  writeAtomically(join(series, 'series'), `${patch}\n`);
}
