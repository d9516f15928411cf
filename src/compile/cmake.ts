/** The recipe for packages that are built with CMake. */
import { assemble } from './assemble.ts';
import { type CommonOptions, type Recipe, type Step, place } from './recipe.ts';
import { packingTools } from './tools.ts';

/** What cmake is always given; one of a package's own options may follow and override it. */
export const standardCmake: readonly string[] = [
  '-G',
  'Unix Makefiles',
  // Otherwise CMake adds flags of its own after ours.
  '-DCMAKE_BUILD_TYPE=None',
  `-DCMAKE_INSTALL_PREFIX=${place.prefix}`,
  // Without its type, packages with an install-dirs module of their own make it absolute against the current folder.
  '-DCMAKE_INSTALL_LIBDIR:STRING=lib',
  `-DCMAKE_INSTALL_RPATH=${place.prefix}/lib`,
  // Otherwise the build folder stays behind in the bytes of the run path that install shortens.
  '-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON',
  '-DBUILD_SHARED_LIBS=ON',
  '-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF',
  '-DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON',
  '-DFETCHCONTENT_FULLY_DISCONNECTED=ON',
  '-DCMAKE_VERBOSE_MAKEFILE=ON',
];

export interface CmakeOptions extends CommonOptions {
  /** Arguments for cmake after the standard ones, such as `-DBUILD_DOC=OFF`. A `-D` that nothing reads is an error. */
  readonly configure?: readonly string[];
  /** Where to build, relative to the tree; `../build` when not given. */
  readonly buildDir?: string;
  /** The folder with the top CMakeLists.txt, relative to the tree; the tree itself when not given. */
  readonly sourceDir?: string;
  /** Also runs `ctest`. */
  readonly check?: boolean;
}

/** `cmake`, `make`, `make install`, outside the tree: shared libraries, no build type. A package in C++ adds the tool `cxx`. */
export function cmake(options: CmakeOptions = {}): Recipe {
  const known = { configure: 'strings', buildDir: 'string', sourceDir: 'string', check: 'boolean' } as const;
  return assemble('cmake', options, known, () => {
    const { configure = [], buildDir = '../build', sourceDir, check = false } = options;
    const source = sourceDir === undefined ? place.tree : `${place.tree}/${sourceDir}`;
    const steps: Step[] = [
      { group: 'configure', run: ['cmake', '-S', source, '-B', '.', ...standardCmake, ...configure], in: buildDir },
      { group: 'build', run: ['make'], in: buildDir },
      { group: 'install', run: ['make', 'install', `DESTDIR=${place.stage}`], in: buildDir },
    ];
    if (check) steps.splice(-1, 0, { group: 'check', run: ['ctest', '--output-on-failure'], in: buildDir });
    return { steps, tools: ['cc', 'cmake', 'make', 'pkg-config', ...packingTools] };
  });
}
