/** Every tool that a recipe may name: how its version is read, and which Debian packages bring it (pure; probing is in probe-tools.ts). */
import { VbuildError } from '../model/error.ts';

interface Tool {
  /** Prints the version and proves that the tool works; the program is looked up on the steps' PATH. */
  readonly argv: readonly string[];
  /** Finds upstream's version, without a distribution's revision, as its groups; several groups are joined by a space. */
  readonly version: RegExp;
  /** Debian packages that bring the tool and what it cannot work without. */
  readonly packages: readonly string[];
}

const python = (program: string): readonly string[] => ['python3', '-I', '-c', program];
const distribution = (name: string): readonly string[] =>
  python(`import ${name}, importlib.metadata as m; print('version', m.version('${name}'))`);

/** A C compiler says what it is through its own macros, which no distribution rewords; a system header proves that there is a C library to build for. */
const compiler = (program: string, language: string, header: string): readonly string[] => [
  'sh',
  '-c',
  `macros=$(${program} -dM -E -x ${language} -include ${header} /dev/null) || exit 1
printf '%s\\n' "$macros" | awk '$1 == "#define" { of[$2] = $3 } END {
  if ("__clang_major__" in of) print "compiler clang", of["__clang_major__"] "." of["__clang_minor__"] "." of["__clang_patchlevel__"]
  else if ("__GNUC__" in of) print "compiler gcc", of["__GNUC__"] "." of["__GNUC_MINOR__"] "." of["__GNUC_PATCHLEVEL__"]
}'`,
];

const table = {
  autoconf: { argv: ['autoconf', '--version'], version: /\) (\d\S*)/, packages: ['autoconf'] },
  automake: { argv: ['automake', '--version'], version: /\) (\d\S*)/, packages: ['automake'] },
  bison: { argv: ['bison', '--version'], version: /\) (\d\S*)/, packages: ['bison'] },
  brz: { argv: ['brz', 'version', '--short'], version: /^(\d\S*)/, packages: ['brz'] },
  bzip2: { argv: ['sh', '-c', 'bzip2 --help 2>&1'], version: /Version (\d\S*?),/, packages: ['bzip2'] },
  cc: { argv: compiler('cc', 'c', 'stdio.h'), version: /^compiler (\S+ \S+)$/m, packages: ['gcc', 'libc6-dev'] },
  cmake: { argv: ['cmake', '--version'], version: /version (\d+(?:\.\d+)*)/, packages: ['cmake'] },
  cxx: { argv: compiler('c++', 'c++', 'string'), version: /^compiler (\S+ \S+)$/m, packages: ['g++'] },
  flex: { argv: ['flex', '--version'], version: /flex (\d\S*)/, packages: ['flex'] },
  gettext: { argv: ['msgfmt', '--version'], version: /\) (\d\S*)/, packages: ['gettext'] },
  git: { argv: ['git', '--version'], version: /version (\d+(?:\.\d+)*)/, packages: ['git'] },
  'git-lfs': { argv: ['git-lfs', 'version'], version: /^git-lfs\/(\d[\d.]*)/, packages: ['git-lfs'] },
  gpgv: { argv: ['gpgv', '--version'], version: /\) (\d\S*)/, packages: ['gpgv'] },
  hg: { argv: ['hg', '--version', '--quiet'], version: /version (\d+(?:\.\d+)*)/, packages: ['mercurial'] },
  lzip: { argv: ['lzip', '--version'], version: /^lzip (\d\S*)/, packages: ['lzip'] },
  /** The `libtoolize` and macros that autoreconf needs. */
  libtool: { argv: ['libtoolize', '--version'], version: /\) (\d\S*)/, packages: ['libtool'] },
  m4: { argv: ['m4', '--version'], version: /\) (\d\S*)/, packages: ['m4'] },
  make: { argv: ['make', '--version'], version: /^GNU Make (\d\S*)/, packages: ['make'] },
  meson: { argv: ['meson', '--version'], version: /^(\d\S*)/, packages: ['meson'] },
  nasm: { argv: ['nasm', '-v'], version: /version (\d+(?:\.\d+)*)/, packages: ['nasm'] },
  ninja: { argv: ['ninja', '--version'], version: /^(\d+(?:\.\d+)*)/, packages: ['ninja-build'] },
  patchelf: { argv: ['patchelf', '--version'], version: /patchelf (\d\S*)/, packages: ['patchelf'] },
  perl: { argv: ['perl', '-e', 'printf "version %vd", $^V'], version: /^version (\d\S*)/, packages: ['perl'] },
  'pkg-config': { argv: ['pkg-config', '--version'], version: /^(\d\S*)/, packages: ['pkgconf'] },
  /** Its version is what decides whether compiled modules fit: implementation, X.Y and the tag of its binary interface. */
  python3: {
    argv: python(`import sys, sysconfig
print('version', sys.implementation.name, '%d.%d' % sys.version_info[:2], sysconfig.get_config_var('SOABI'))`),
    version: /^version (\S+ \d+\.\d+ \S+)$/m,
    packages: ['python3'],
  },
  /** `Python.h` of this python3; its version is X.Y. */
  'python-headers': {
    argv: python(`import os, re, sysconfig
folder = sysconfig.get_path('include')
assert os.path.exists(os.path.join(folder, 'Python.h'))
text = open(os.path.join(folder, 'patchlevel.h')).read()
print('version', '.'.join(re.search(r'PY_%s_VERSION\\s+(\\d+)' % part, text)[1] for part in ('MAJOR', 'MINOR')))`),
    version: /^version (\S+)$/m,
    packages: ['python3-dev'],
  },
  'python-pip': { argv: distribution('pip'), version: /^version (\d\S*)$/m, packages: ['python3-pip'] },
  'python-setuptools': {
    argv: distribution('setuptools'),
    version: /^version (\d\S*)$/m,
    packages: ['python3-setuptools'],
  },
  'python-wheel': { argv: distribution('wheel'), version: /^version (\d\S*)$/m, packages: ['python3-wheel'] },
  strip: { argv: ['strip', '--version'], version: /^GNU strip .*?(\d+(?:\.\d+)+)(?:-\S+)?$/m, packages: ['binutils'] },
  svn: { argv: ['svn', '--version', '--quiet'], version: /^(\d\S*)/, packages: ['subversion'] },
  texinfo: { argv: ['makeinfo', '--version'], version: /\) (\d\S*)/, packages: ['texinfo'] },
  xz: { argv: ['xz', '--version'], version: /\) (\d\S*)/, packages: ['xz-utils'] },
} as const satisfies Readonly<Record<string, Tool>>;

/** The name of a tool that vbuild knows; a literal, so that the compiler finds a misspelt one. */
export type ToolName = keyof typeof table;

/** Every tool, in code-unit order of the names. */
export const toolNames = Object.keys(table).sort() as readonly ToolName[];

export const toolNamed = (name: ToolName): Tool => table[name];

export const isToolName = (name: unknown): name is ToolName => typeof name === 'string' && Object.hasOwn(table, name);

/** What pack runs on ELF files; declared by every recipe that may install some, so that a lack shows before anything is compiled. */
export const packingTools: readonly ToolName[] = ['patchelf', 'strip'];

/** What was seen of a tool on this machine. */
export type FoundTool = { readonly version: string } | 'missing';

/** What one package needs to be compiled. */
interface ToolNeed {
  /** `name@version`. */
  readonly package: string;
  readonly tools: readonly ToolName[];
}

interface MissingTool {
  readonly tool: ToolName;
  /** Packages that need it, `name@version`, in the order given. */
  readonly neededBy: readonly string[];
  /** Debian packages that bring it. */
  readonly debianPackages: readonly string[];
}

/** The tools that are needed and were not found, in code-unit order; a tool that nobody looked for counts as found. */
export function missingTools(
  needs: readonly ToolNeed[],
  found: Readonly<Partial<Record<ToolName, FoundTool>>>,
): MissingTool[] {
  return toolNames
    .filter((tool) => found[tool] === 'missing')
    .map((tool) => ({
      tool,
      neededBy: needs.filter(({ tools }) => tools.includes(tool)).map((need) => need.package),
      debianPackages: toolNamed(tool).packages,
    }))
    .filter(({ neededBy }) => neededBy.length > 0);
}

/** The Debian packages that bring missing tools, each once, in code-unit order. */
export const debianPackagesOf = (missing: readonly MissingTool[]): string[] =>
  [...new Set(missing.flatMap(({ debianPackages }) => debianPackages))].sort();

/**
 * The one command that installs Debian packages, as an argument vector.
 *
 * @param asRoot Whether whoever runs it is root; through sudo otherwise.
 */
export const installToolsCommand = (debianPackages: readonly string[], asRoot: boolean): string[] => [
  ...(asRoot ? aptGet : ['sudo', ...aptGet]),
  ...debianPackages,
];
const aptGet = ['apt-get', 'install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];

/** Says which tools are missing, who needs them, and the one command that brings them all; `tool-missing`. */
export function missingToolsError(missing: readonly MissingTool[], asRoot: boolean): VbuildError {
  const packages = debianPackagesOf(missing);
  return new VbuildError(
    'tool-missing',
    missing.length === 1 ? 'A tool is missing' : `${missing.length} tools are missing`,
    {
      facts: Object.fromEntries(missing.map(({ tool, neededBy }) => [tool, `needed by ${neededBy.join(', ')}`])),
      mend: `install with ${installToolsCommand(packages, asRoot).join(' ')}, or run again with --install-tools`,
    },
  );
}

/** What `place.python` stands for, from the pinned version of the tool `python3`: `cpython 3.11 …` is `python3.11`. */
export const pythonName = (version: string): string => `python${version.split(' ')[1] ?? '3'}`;
