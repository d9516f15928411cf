/** What this machine has that artifacts may need: the C library, shared libraries and their symbol versions, programs, the processor. */
import { arch } from 'node:process';
import { existsSync } from 'node:fs';
import { bytesIfReadable, isExecutable } from './files.ts';

/** Where Debian and other systems have libraries, beside what the loader's own cache lists. */
const libraryFolders = [
  ...(arch === 'x64' ? ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu'] : []),
  ...(arch === 'arm64' ? ['/lib/aarch64-linux-gnu', '/usr/lib/aarch64-linux-gnu'] : []),
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
  '/usr/local/lib',
];

const programFolders = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Version of the C library, such as `2.36`; undefined when it cannot be told. */
export function glibcVersion(): string | undefined {
  // Without this the report looks up names of network interfaces, which takes time; the typings do not know it yet.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: unknown } };
  const glibc = report.header?.glibcVersionRuntime;
  return typeof glibc === 'string' ? glibc : undefined;
}

/** Whether the loader finds a library of this name: in the folders of the system, or by its cache. */
export function isSharedLibrary(soname: string): boolean {
  if (libraryFolders.some((folder) => existsSync(`${folder}/${soname}`))) return true;
  // A table of texts that end in NUL, whatever its format; see glibc, sysdeps/generic/dl-cache.h.
  return bytesIfReadable('/etc/ld.so.cache')?.includes(`\0${soname}\0`) ?? false;
}

/**
 * Whether a program is there that this user may run.
 *
 * @param name       An absolute path, or a name to look for in the folders of the system.
 * @param searchPath Further folders, as in PATH.
 */
export function isProgram(name: string, searchPath = ''): boolean {
  const folders = [...programFolders, ...searchPath.split(':').filter((folder) => folder.startsWith('/'))];
  const places = name.startsWith('/') ? [name] : folders.map((folder) => `${folder}/${name}`);
  return places.some(isExecutable);
}

/**
 * The highest version of a family of symbols that a library of the system has, such as `3.4.30` for `GLIBCXX`; undefined when the library
 * is not in a folder of the system, or says none.
 */
export function highestVersion(
  soname: string,
  family: string,
  compare: (a: string, b: string) => number,
): string | undefined {
  const place = libraryFolders.map((folder) => `${folder}/${soname}`).find((path) => existsSync(path));
  const bytes = place === undefined ? undefined : bytesIfReadable(place);
  if (bytes === undefined) return undefined;
  const names = bytes.toString('latin1').matchAll(new RegExp(`\\0${family}_(\\d+(?:\\.\\d+)*)(?=\\0)`, 'g'));
  return [...names]
    .map(([, version = '']) => version)
    .sort(compare)
    .at(-1);
}

/** Flags of /proc/cpuinfo that each level adds to the one before; see the x86-64 psABI, "Micro-Architecture Levels". */
const levels: readonly (readonly string[])[] = [
  ['cx16', 'lahf_lm', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3'],
  ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave'],
  ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
];

/** The level of an x86-64 processor, from 1 to 4; undefined on others. */
export function cpuLevel(): number | undefined {
  if (arch !== 'x64') return undefined;
  const line = /^flags\s*:(.*)$/m.exec(bytesIfReadable('/proc/cpuinfo')?.toString('latin1') ?? '')?.[1] ?? '';
  const flags = new Set(line.split(' '));
  const missing = levels.findIndex((level) => !level.every((flag) => flags.has(flag)));
  return missing === -1 ? 4 : missing + 1;
}
