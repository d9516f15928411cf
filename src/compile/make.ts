/** The recipe for packages with a makefile written by hand, and perhaps a configure script written by hand. */
import { assemble } from './assemble.ts';
import { type CommonOptions, type Recipe, type Step, type StepCommand, place } from './recipe.ts';
import { packingTools } from './tools.ts';

export interface MakeOptions extends CommonOptions {
  /** The whole command that configures, such as `['./configure', `--prefix=${place.prefix}`]`; none when not given. */
  readonly configure?: readonly string[];
  /** What make builds; its first target when not given. */
  readonly targets?: readonly string[];
  /** What make installs; `['install']` when not given. */
  readonly install?: readonly string[];
  /** Set on make's command line, for building and installing alike, such as `{ PREFIX: place.prefix }`; makes below it see them too. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The folder with the makefile, relative to the tree; the tree itself when not given. */
  readonly buildDir?: string;
  /** Also runs `make check`. */
  readonly check?: boolean;
}

/** The command given as `configure`, then `make` and `make install`, both with no more variables than given and DESTDIR. */
export function make(options: MakeOptions = {}): Recipe {
  const lists = { configure: 'strings', targets: 'strings', install: 'strings' } as const;
  const known = { ...lists, variables: 'record', buildDir: 'string', check: 'boolean' } as const;
  return assemble('make', options, known, () => {
    const { configure, targets = [], install = ['install'], variables = {}, buildDir, check = false } = options;
    const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const step = (group: Step['group'], run: StepCommand): Step => ({
      group,
      run,
      ...(buildDir !== undefined && { in: buildDir }),
    });
    return {
      steps: [
        ...(configure === undefined ? [] : [step('configure', configure)]),
        step('build', ['make', ...targets, ...set]),
        ...(check ? [step('check', ['make', 'check', ...set])] : []),
        step('install', ['make', ...install, ...set, `DESTDIR=${place.stage}`]),
      ],
      tools: ['cc', 'make', ...packingTools],
    };
  });
}
