/** Whether an artifact fits this host, told from its manifest alone, before anything of it is fetched. */
import { compareVersions } from '../artifact/libraries.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { cpuLevel, glibcVersion, highestVersion, isProgram, isSharedLibrary } from '../system/host-facts.ts';

/** What a host offers; each is looked at when it is asked about, and `undefined` stands for what cannot be told. */
export interface Host {
  /** The highest version that a family of symbols has here, such as `2.36` for `GLIBC`. */
  readonly version: (family: string) => string | undefined;
  /** Whether the loader finds a library of this SONAME. */
  readonly hasLibrary: (soname: string) => boolean;
  /** Whether a program is there. @param name An absolute path, or a name that is looked for on the PATH and where systems have programs. */
  readonly hasProgram: (name: string) => boolean;
  /** 1 for any x86-64, up to 4; undefined on other processors. */
  readonly cpuLevel: () => number | undefined;
}

/** The libraries that have the symbols of a family. */
const libraryOf: Readonly<Record<string, string>> = {
  GLIBCXX: 'libstdc++.so.6',
  CXXABI: 'libstdc++.so.6',
  GCC: 'libgcc_s.so.1',
};

/** This host. Made anew for each run, it remembers what it has seen. @param searchPath The PATH of the user, for programs. */
export function thisHost(searchPath?: string): Host {
  const version = remembered((family: string) => {
    const library = libraryOf[family];
    if (family === 'GLIBC') return glibcVersion();
    return library === undefined ? undefined : highestVersion(library, family, compareVersions);
  });
  const level = remembered(cpuLevel);
  return {
    version,
    hasLibrary: remembered(isSharedLibrary),
    hasProgram: remembered((name) => isProgram(name, searchPath)),
    cpuLevel: () => level(''),
  };
}

function remembered<Answer>(ask: (name: string) => Answer): (name: string) => Answer {
  const known = new Map<string, Answer>();
  return (name) => {
    if (!known.has(name)) known.set(name, ask(name));
    return known.get(name) as Answer;
  };
}

/** Why an artifact cannot run here, one clause each; none when it fits (pure, but for what it asks the host). */
export function unfitReasons({ package: { name }, needs }: Pick<Manifest, 'package' | 'needs'>, host: Host): string[] {
  const versions = Object.entries(needs.symbolVersions).flatMap(([family, wanted]) => {
    const has = host.version(family);
    return has === undefined || compareVersions(wanted, has) <= 0
      ? []
      : [`${name} needs ${family}_${wanted}, this host has ${has}`];
  });
  const libraries = needs.libraries
    .filter((soname) => !host.hasLibrary(soname))
    .map((soname) => `${soname} is not here (Debian: ${debianPackage(soname)})`);
  const programs = (needs.interpreters ?? [])
    .filter((program) => !host.hasProgram(program))
    .map((program) => `${program} is not here`);
  const [level, wanted] = [host.cpuLevel(), Number(needs.cpu?.slice(-1) ?? 0)];
  const cpu =
    wanted > (level ?? 0) ? [`${name} needs a processor of level ${needs.cpu}, this one is x86-64-v${level ?? 0}`] : [];
  return [...versions, ...libraries, ...programs, ...cpu];
}

/** How Debian names the package of a library, by its policy (chapter 8.1): `libfoo.so.2` is in `libfoo2`, `libpng16.so.16` in `libpng16-16`. */
function debianPackage(soname: string): string {
  const [, library = soname, version = ''] = /^(.+?)(?:\.so\.?|-(?=[\d.]+\.so$))([\d.]*)(?:\.so)?$/.exec(soname) ?? [];
  const name = library.toLowerCase().replaceAll('_', '-');
  return `${name}${/\d$/.test(name) && version !== '' ? '-' : ''}${version}`;
}
