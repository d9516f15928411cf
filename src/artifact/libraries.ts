/** Which libraries a packed tree provides and needs, whether each one will really be found, and what is left for the host (pure). */
import { posix } from 'node:path';
import type { Elf } from './elf.ts';
import type { Manifest } from './manifest.ts';
import type { Problem } from './problem.ts';
import { runPathFolders } from './run-path.ts';

export interface ElfFile {
  /** Relative to the prefix. */
  readonly path: string;
  /** As packed, its run path made relative. */
  readonly elf: Elf;
}

/** What any host with glibc and a C++ run-time library has. */
const hostLibraryNames: ReadonlySet<string> = new Set([
  'libanl.so.1',
  'libc.so.6',
  'libdl.so.2',
  'libm.so.6',
  'libmvec.so.1',
  'libpthread.so.0',
  'libresolv.so.2',
  'librt.so.1',
  'libutil.so.1',
  'libgcc_s.so.1',
  'libstdc++.so.6',
]);

const isHostLibrary = (name: string): boolean => hostLibraryNames.has(name) || /^ld-linux[\w-]*\.so\.\d+$/.test(name);

interface LibraryFacts {
  readonly files: readonly ElfFile[];
  /** Every file and symlink of the tree, relative to the prefix. */
  readonly paths: ReadonlySet<string>;
  /** Everything that will lie in one prefix with it: its dependencies and theirs. */
  readonly closure: readonly Manifest[];
  /** What was visible while compiling only; for the advice. */
  readonly buildOnly: readonly Manifest[];
  /** SONAMEs that the package declares to be the host's. */
  readonly hostLibraries: readonly string[];
}

/**
 * The SONAMEs that a tree provides, each with the path under which the loader finds it: a library counts only where a file
 * or link bears the very name.
 */
export function providedLibraries({ files, paths }: Pick<LibraryFacts, 'files' | 'paths'>): Record<string, string> {
  const found = files.flatMap(({ path, elf }): [string, string][] => {
    const name =
      elf.type !== 'shared'
        ? undefined
        : (elf.soname ?? (/^lib[^/]*\.so$/.test(posix.basename(path)) ? posix.basename(path) : undefined));
    const place = name === undefined ? '' : posix.join(posix.dirname(path), name);
    return name !== undefined && paths.has(place) ? [[name, place]] : [];
  });
  return Object.fromEntries(found.sort(([a, p], [b, q]) => (a === b ? (p < q ? 1 : -1) : a < b ? -1 : 1)));
}

interface LibraryVerdict {
  readonly needs: Manifest['needs'];
  readonly provides: Manifest['provides'];
  readonly problems: readonly Problem[];
}

/** Checks every NEEDED entry: provided and reached by a run path, or the host's; else a problem that says what to declare. */
export function libraryVerdict(facts: LibraryFacts): LibraryVerdict {
  const { files, closure, buildOnly, hostLibraries } = facts;
  const provides = providedLibraries(facts);
  const places = new Map(Object.entries(provides));
  for (const manifest of closure)
    for (const [name, path] of Object.entries(manifest.provides)) if (!places.has(name)) places.set(name, path);
  const problems: Problem[] = [];
  const host = new Set<string>();
  const highest: Record<string, string> = {};
  for (const { path, elf } of files) {
    for (const name of new Set(elf.needed)) {
      const place = places.get(name);
      if (place === undefined && !isHostLibrary(name) && !hostLibraries.includes(name))
        problems.push(undeclared(path, name, buildOnly));
      else if (place === undefined) host.add(name);
      else if (!reaches(path, elf, posix.dirname(place))) problems.push(unreached(path, name, place, elf));
    }
    for (const [library, versions] of elf.versions)
      if (!places.has(library)) versions.forEach((version) => raise(highest, version));
  }
  const symbolVersions = Object.fromEntries(Object.entries(highest).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { needs: { symbolVersions, libraries: [...host].sort() }, provides, problems };
}

const reaches = (path: string, elf: Elf, folder: string): boolean =>
  elf.runPaths.some(({ value }) => runPathFolders(value, path).includes(folder));

function undeclared(path: string, library: string, buildOnly: readonly Manifest[]): Problem {
  const provider = buildOnly.find(({ provides }) => Object.hasOwn(provides, library))?.package.name;
  const mend =
    provider === undefined
      ? `add the package that provides ${library} to \`deps\`, turn off the feature that needs it, or list it in \`hostLibraries\``
      : `move ${provider} from \`buildDeps\` to \`deps\``;
  return { headline: 'Library is not in the declared closure', file: path, facts: { needs: library }, mend };
}

function unreached(path: string, library: string, place: string, elf: Elf): Problem {
  const found = elf.runPaths.map(({ value }) => value).join(':');
  return {
    headline: 'Run path does not lead to a library that the file needs',
    file: path,
    facts: {
      needs: `${library}, at ${place} in the prefix`,
      found: found === '' ? 'no run path, so the host would be searched' : found,
    },
    mend: `link with -Wl,-rpath,@prefix@/${posix.dirname(place)}`,
  };
}

/** Notes a version such as `GLIBC_2.34` where it is the highest of its family so far. */
function raise(highest: Record<string, string>, version: string): void {
  // glibc asks for 2.36 by this name, from files with packed relative relocations.
  const [, family, number] =
    /^(.+)_(\d+(?:\.\d+)*)$/.exec(version === 'GLIBC_ABI_DT_RELR' ? 'GLIBC_2.36' : version) ?? [];
  if (family !== undefined && number !== undefined && compareVersions(number, highest[family] ?? '0') > 0)
    highest[family] = number;
}

/** Compares dotted numbers part by part: negative, zero or positive. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
