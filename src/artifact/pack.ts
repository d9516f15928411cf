/** From what a build staged to an artifact: checked, stripped, made independent of its prefix, packed to the same bytes each time. */
import { join } from 'node:path';
import { type ContentKey, type Digest, digestOf } from '../model/digest.ts';
import { makeFolder, readBytes, removeTree, walk, type TreeEntry } from '../system/files.ts';
import { matchesIn } from '../system/glob.ts';
import { digestOfEntries } from '../system/tree-digest.ts';
import { copyFile, makeSymlink, removeEmptyFolders, removeFile, writeWithMode } from '../system/tree-edit.ts';
import { readElf } from './elf.ts';
import { type ElfFile, libraryVerdict } from './libraries.ts';
import { type Dependencies, restsOn } from './equal.ts';
import { hostNeeds } from './host-needs.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import { manifestPathProblem } from './manifest-path.ts';
import { type BuildPlaces, onHost, scriptHead } from './places.ts';
import { type Problem, refuseOn } from './problem.ts';
import { isPythonRecord, updatedRecord } from './python-record.ts';
import { relocate, type Relocated } from './relocate.ts';
import { stripTree } from './strip.ts';

export interface PackRequest extends BuildPlaces, Dependencies {
  readonly package: Manifest['package'];
  readonly key: ContentKey;
  readonly keyText: string;
  /** Globs relative to the prefix. */
  readonly remove: readonly string[];
  /** Globs relative to the prefix, of binary files that may hold it. */
  readonly prefixInBinaries: readonly string[];
  /** SONAMEs. */
  readonly hostLibraries: readonly string[];
  readonly strip: boolean;
  readonly build: Manifest['build'];
  /** The PATH on which `strip` and `patchelf` are looked up. */
  readonly searchPath: string;
  /** Absolute path of a folder for the results; emptied first. Best on the file system of the stage. */
  readonly into: string;
}

export interface Packed {
  readonly manifest: Manifest;
  /** The body, in `into`. */
  readonly bodyPath: string;
  /** The tree that was packed, in `into`. */
  readonly tree: string;
  /** Files that were left out although the build installed them, and why. */
  readonly dropped: readonly { readonly path: string; readonly why: string }[];
  /** Patterns that named nothing. */
  readonly unmatched: readonly { readonly option: 'remove' | 'prefixInBinaries'; readonly pattern: string }[];
}

/**
 * Packs what lies at `stage` + `prefix`, both as the steps saw them. The stage is only read, so a failed or interrupted pack can simply run again.
 *
 * @throws {VbuildError | VbuildErrors} `artifact-refused`: every fault of the tree that was found, each with its file.
 */
export async function pack(request: PackRequest): Promise<Packed> {
  const { into, closure, buildOnly, hostLibraries } = request;
  const tree = join(into, 'tree');
  removeTree(into);
  makeFolder(tree);
  copyStaged(request, tree);
  const removed = await named(tree, 'remove', request.remove);
  for (const path of removed.paths) removeFile(join(tree, path));
  if (request.strip) await stripTree(tree, request.searchPath);
  const holders = await named(tree, 'prefixInBinaries', request.prefixInBinaries);
  const { prefixUses, dropped, problems } = await relocate(tree, request, {
    holders: holders.paths,
    searchPath: request.searchPath,
  });
  refuseOn(problems);
  updateRecords(tree);
  removeEmptyFolders(tree);

  const walked = walk(tree);
  const entries = walked.filter(({ type }) => type !== 'directory');
  const paths = new Set(entries.map(({ path }) => path));
  const { digests, elfFiles, heads } = contentsOf(tree, entries);
  const libraries = libraryVerdict({ files: elfFiles, paths, closure, buildOnly, hostLibraries });
  refuseOn([...emptiness(entries), ...nameProblems(entries), ...libraries.problems]);

  const bodyPath = join(into, 'body.tar.zst');
  const { packTarZst } = await import('../system/archive.ts');
  const body = await packTarZst({ top: tree, paths: [...paths], into: bodyPath });
  const manifest: Manifest = {
    format: 1,
    package: request.package,
    key: request.key,
    keyText: request.keyText,
    body,
    tree: digestOfEntries(walked, ({ path }) => digests.get(path) as Digest),
    files: entries.map((entry) => manifestFile(entry, digests, prefixUses)),
    ...restsOn(request),
    needs: { ...libraries.needs, ...hostNeeds(elfFiles, heads, paths) },
    provides: libraries.provides,
    build: request.build,
  };
  return { manifest, bodyPath, tree, dropped, unmatched: [...removed.unmatched, ...holders.unmatched] };
}

/** Copies the package's files out of the stage, modes reduced to 0755 and 0644; whatever does not belong in an artifact is a problem. */
function copyStaged(places: BuildPlaces, tree: string): void {
  const own = places.prefix.slice(1);
  const stage = onHost(places, places.stage);
  const problems: Problem[] = [];
  for (const { path, type, mode, target } of walk(stage)) {
    const inside = path.startsWith(`${own}/`) ? path.slice(own.length + 1) : undefined;
    if (inside === undefined) {
      if (type !== 'directory') problems.push(misplaced(path));
    } else if (type === 'directory') makeFolder(join(tree, inside));
    else if (type === 'symlink' && target !== undefined) makeSymlink(target, join(tree, inside));
    else if (type === 'other')
      problems.push({
        headline: 'Neither file nor folder nor link',
        file: inside,
        facts: { found: 'a pipe, socket or device' },
        mend: 'take it out of the install step',
      });
    else if ((mode & 0o6000) !== 0) {
      const mend = 'install it without these bits; an artifact never gives rights';
      problems.push({
        headline: 'File would run with the rights of its owner',
        file: inside,
        facts: { found: `mode ${mode.toString(8)}` },
        mend,
      });
    } else copyFile(join(stage, path), join(tree, inside), (mode & 0o111) === 0 ? 0o644 : 0o755);
  }
  refuseOn(problems);
}

const misplaced = (path: string): Problem => ({
  headline: 'File was installed outside of the prefix',
  file: `/${path}`,
  facts: { expected: '@stage@@prefix@/…', found: `@stage@/${path}` },
  mend: 'give the install folders below @prefix@; for CMake, -DCMAKE_INSTALL_LIBDIR:STRING=lib with its type',
});

/** The files that the patterns of an option name, relative to the tree, and those patterns that name none. */
async function named(
  tree: string,
  option: Packed['unmatched'][number]['option'],
  patterns: readonly string[],
): Promise<{ readonly paths: ReadonlySet<string>; readonly unmatched: Packed['unmatched'] }> {
  const unmatched: { option: typeof option; pattern: string }[] = [];
  const paths = new Set<string>();
  for (const pattern of patterns) {
    const matches = await matchesIn(tree, pattern);
    if (matches.length === 0) unmatched.push({ option, pattern });
    for (const path of matches) paths.add(path);
  }
  return { paths, unmatched };
}

/** Stripping, relocation and removal changed files that Python lists with their digests. */
function updateRecords(tree: string): void {
  const files = new Set(walk(tree).flatMap(({ path, type }) => (type === 'file' ? [path] : [])));
  for (const path of files) {
    if (!isPythonRecord(path)) continue;
    const full = join(tree, path);
    const text = updatedRecord(path, readBytes(full).toString(), (file) =>
      files.has(file) ? readBytes(join(tree, file)) : undefined,
    );
    writeWithMode(full, text, 0o644);
  }
}

interface Contents {
  readonly digests: ReadonlyMap<string, Digest>;
  readonly elfFiles: readonly ElfFile[];
  /** The first line of each file that begins as a script. */
  readonly heads: readonly string[];
}

/** All that is to be known of the bytes of files, each of which is read once. */
function contentsOf(tree: string, entries: readonly TreeEntry[]): Contents {
  const digests = new Map<string, Digest>();
  const elfFiles: ElfFile[] = [];
  const heads: string[] = [];
  for (const { path, type } of entries) {
    if (type !== 'file') continue;
    const bytes = readBytes(join(tree, path));
    digests.set(path, digestOf(bytes));
    const reading = readElf(bytes);
    if (reading.kind === 'elf') elfFiles.push({ path, elf: reading.elf });
    const head = scriptHead(bytes);
    if (head !== undefined) heads.push(head.toString());
  }
  return { digests, elfFiles, heads };
}

const emptiness = (entries: readonly TreeEntry[]): Problem[] =>
  entries.length > 0
    ? []
    : [
        {
          headline: 'Package installed nothing',
          facts: { expected: 'files below @stage@@prefix@' },
          mend: 'add an install step that honours DESTDIR',
        },
      ];

const nameProblems = (entries: readonly TreeEntry[]): Problem[] =>
  entries.flatMap(({ path }) => {
    const found = manifestPathProblem(path);
    return found === undefined
      ? []
      : [
          {
            headline: 'File name cannot be packed',
            file: path,
            facts: { found },
            mend: 'rename the file in the install step, or list it in `remove`',
          },
        ];
  });

function manifestFile(
  { path, type, mode, sizeBytes, target }: TreeEntry,
  digests: ReadonlyMap<string, Digest>,
  prefixUses: Relocated['prefixUses'],
): ManifestFile {
  if (type === 'symlink' && target !== undefined) return { path, type, target };
  const prefix = prefixUses.get(path);
  return {
    path,
    type: 'file',
    mode,
    sizeBytes,
    digest: digests.get(path) as Digest,
    ...(prefix && { prefix }),
  };
}
