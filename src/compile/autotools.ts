/** The recipe for packages with a configure script that autoconf made. */
import { assemble } from './assemble.ts';
import { type CommonOptions, type Recipe, type Step, place } from './recipe.ts';
import { packingTools } from './tools.ts';

/** What configure is always given; one of a package's own options may follow and override it. */
export const standardConfigure: readonly string[] = [
  `--prefix=${place.prefix}`,
  `--libdir=${place.prefix}/lib`,
  '--disable-static',
  '--disable-dependency-tracking',
  '--disable-silent-rules',
];

export interface AutotoolsOptions extends CommonOptions {
  /** Arguments for configure after the standard ones, such as `--without-x`. One that configure does not know is an error. */
  readonly configure?: readonly string[];
  /**
   * Makes configure anew with autoreconf first: for an archive without one, and wherever a patch touches `configure.ac`,
   * `*.m4` or `Makefile.am`, which may be without effect otherwise.
   */
  readonly autoreconf?: boolean;
  /** Where to configure and build, relative to the tree, such as `../build`; in the tree itself when not given. */
  readonly buildDir?: string;
  /** Also runs `make check`. */
  readonly check?: boolean;
}

/** `autoreconf` if asked for, `configure`, `make`, `make install`: shared libraries only. */
export function autotools(options: AutotoolsOptions = {}): Recipe {
  const known = { configure: 'strings', autoreconf: 'boolean', buildDir: 'string', check: 'boolean' } as const;
  return assemble('autotools', options, known, () => {
    const { configure = [], autoreconf = false, buildDir, check = false } = options;
    const where = buildDir === undefined ? {} : { in: buildDir };
    const script = buildDir === undefined ? './configure' : `${place.tree}/configure`;
    const steps: Step[] = [
      { group: 'configure', run: [script, ...standardConfigure, ...configure], ...where },
      { group: 'build', run: ['make'], ...where },
      { group: 'install', run: ['make', 'install', `DESTDIR=${place.stage}`], ...where },
    ];
    if (autoreconf) steps.unshift({ group: 'prepare', run: ['autoreconf', '--force', '--install', '--verbose'] });
    if (check) steps.splice(-1, 0, { group: 'check', run: ['make', 'check'], ...where });
    return {
      steps,
      // Configure scripts use pkg-config if it is there and silently do without if it is not.
      tools: [
        'cc',
        'make',
        'pkg-config',
        ...packingTools,
        ...(autoreconf ? (['autoconf', 'automake', 'libtool'] as const) : []),
      ],
      autoreconf,
    };
  });
}
