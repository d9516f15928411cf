/** Gathers what goes along with software that is handed on: sources, patches in their order, licence texts, and the project's own files. */
import { basename, dirname, join, relative } from 'node:path';
import { VbuildError } from '../model/error.ts';
import type { Digest } from '../model/digest.ts';
import {
  digestFileSync,
  entryAt,
  exists,
  makeFolder,
  moveIntoPlace,
  namesIn,
  removeTree,
  temporaryName,
  writeAtomically,
} from '../system/files.ts';
import { copyHashed } from '../system/landing.ts';
import { packTree } from '../system/tree-archive.ts';
import { packageFolder } from './graph.ts';
import { type Part, type PartPatch, partsOf, type PartsRequest } from './parts.ts';
import type { PatchSession } from './patch-session.ts';

/** All paths in it are relative to the folder. */
export interface LegalPart {
  /** `name@version` */
  readonly package: string;
  readonly installed: boolean;
  readonly sources: readonly { readonly path: string; readonly digest: Digest }[];
  readonly patches: readonly { readonly path: string; readonly by: PartPatch['by'] }[];
  readonly licences: readonly { readonly path: string; readonly ids: readonly string[] }[];
}

/** Tells a folder that was made here from one that must not be replaced. */
const marker = 'legal.json';

/**
 * Writes everything into a folder, which is replaced whole if it was made here before.
 *
 * @param into  Absolute.
 * @param files Absolute paths of the files that the Buildfile was read from.
 * @throws {VbuildError} `usage` where the folder holds something else; and what fetching throws
 */
export async function gatherLegal(
  request: PartsRequest,
  into: string,
  files: readonly string[],
): Promise<readonly LegalPart[]> {
  if (!isFree(into))
    throw new VbuildError('usage', 'Folder holds something else already', {
      where: { file: into },
      mend: 'name a new folder, or one that "vbuild legal" wrote',
    });
  const aside = temporaryName(into);
  makeFolder(aside);
  try {
    const gathered: LegalPart[] = [];
    await partsOf(request, async (part, session) => {
      gathered.push(await gather(part, session, aside));
    });
    const { folder, lockFile } = request.workspace;
    for (const file of [...files, lockFile].filter((one) => one.startsWith(`${folder}/`) && exists(one)))
      await copy(file, join(aside, 'project', relative(folder, file)));
    writeAtomically(join(aside, 'README'), readme);
    writeAtomically(join(aside, marker), `${JSON.stringify({ format: 1, packages: gathered }, undefined, 2)}\n`);
    removeTree(into);
    moveIntoPlace(aside, into);
    return gathered;
  } finally {
    removeTree(aside);
  }
}

function isFree(folder: string): boolean {
  const entry = entryAt(folder);
  if (entry?.type !== 'directory') return entry === undefined;
  return namesIn(folder).length === 0 || exists(join(folder, marker));
}

async function copy(from: string, to: string): Promise<Digest> {
  makeFolder(dirname(to));
  return copyHashed(from, to);
}

async function gather(part: Part, session: PatchSession, top: string): Promise<LegalPart> {
  const own = packageFolder(part.package);
  const sources = await gatherSources(part, session, top, own);
  const patches = [
    ...(await gatherSeries(
      part.patches.filter(({ by }) => by === 'upstream'),
      top,
      join(own, 'upstream-patches'),
    )),
    ...(await gatherSeries(
      part.patches.filter(({ by }) => by === 'buildfile'),
      top,
      join(own, 'patches'),
    )),
  ];
  for (const { path } of part.licences) await copy(join(session.places.source, path), join(top, own, 'licences', path));
  return {
    package: part.id,
    installed: part.installed,
    sources,
    patches,
    licences: part.licences.map(({ path, ids }) => ({ path: join(own, 'licences', path), ids })),
  };
}

/** The archives as upstream published them; where the pin names none, or one is gone, the pinned tree. */
async function gatherSources(
  { source, origin }: Part,
  { run, places }: PatchSession,
  top: string,
  own: string,
): Promise<LegalPart['sources']> {
  const found: { path: string; from: string; digest: Digest }[] = [];
  for (const { name, digest } of origin.archives ?? []) {
    const fetched = await run.cache.fetchBlob({ digest }, run.signal);
    if (fetched.outcome === 'done')
      found.push({ path: join(own, 'source', basename(name)), from: fetched.path, digest });
  }
  if (found.length > 0 && found.length === source.pin.files?.length) {
    for (const { path, from } of found) await copy(from, join(top, path));
    return found.map(({ path, digest }) => ({ path, digest }));
  }
  const path = join(own, 'source.tar.zst');
  makeFolder(join(top, own));
  await packTree(places.source, join(top, path));
  return [{ path, digest: digestFileSync(join(top, path)) }];
}

/** With a `series` file in quilt's syntax, so that other tools can apply them as well. */
async function gatherSeries(patches: readonly PartPatch[], top: string, folder: string): Promise<LegalPart['patches']> {
  const names = patches.map(({ path }) => basename(path));
  const rows: string[] = [];
  const written: { path: string; by: PartPatch['by'] }[] = [];
  for (const [at, { path, strip, by }] of patches.entries()) {
    const plain = names[at] ?? '';
    // A list may take patches of one name from several folders, and a series ends a name at a blank.
    const isFit = names.indexOf(plain) === names.lastIndexOf(plain) && !/[\s#]/.test(plain);
    const name = isFit ? plain : `${at + 1}-${plain.replace(/[\s#]+/g, '-')}`;
    await copy(path, join(top, folder, name));
    rows.push(strip === 1 ? name : `${name} -p${strip}`);
    written.push({ path: join(folder, name), by });
  }
  if (rows.length > 0) writeAtomically(join(top, folder, 'series'), rows.map((row) => `${row}\n`).join(''));
  return written;
}

const readme = `What goes along with this software when it is handed on, one folder for each package, written by "vbuild legal":

  source/ or source.tar.zst  the source as upstream published it, or as it was pinned
  upstream-patches/          patches that upstream ships beside it, in the order of the file series, applied first
  patches/                   our own patches, in the order of the file series
  licences/                  the licence texts, with the paths that they have in the source

project/ holds the Buildfile, which says how everything is compiled, and its lock file with the digests of the sources.
legal.json is the same for a program to read; ids in it are SPDX identifiers of licences that were recognised.
`;
