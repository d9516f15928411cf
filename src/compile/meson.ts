/** The recipe for packages that are built with Meson. */
import { assemble } from './assemble.ts';
import { type CommonOptions, type Recipe, type Step, place } from './recipe.ts';
import { packingTools } from './tools.ts';

export interface MesonOptions extends CommonOptions {
  /** Arguments for `meson setup` after the standard ones, such as `-Ddocs=disabled`. */
  readonly configure?: readonly string[];
  /** Where to build, relative to the tree; `../build` when not given. */
  readonly buildDir?: string;
  /** Also runs `meson test`. */
  readonly check?: boolean;
}

/**
 * `meson setup`, `ninja`, `meson install`, outside the tree: shared libraries, no build type, nothing downloaded. Features that
 * Meson would switch on by what the host happens to have are off unless `configure` switches them on.
 */
export function meson(options: MesonOptions = {}): Recipe {
  const known = { configure: 'strings', buildDir: 'string', check: 'boolean' } as const;
  return assemble('meson', options, known, () => {
    const { configure = [], buildDir = '../build', check = false } = options;
    const standard = [
      `--prefix=${place.prefix}`,
      '--libdir=lib',
      '--buildtype=plain',
      '--default-library=shared',
      '--wrap-mode=nodownload',
      '--auto-features=disabled',
    ];
    const steps: Step[] = [
      { group: 'configure', run: ['meson', 'setup', ...standard, ...configure, '.', place.tree], in: buildDir },
      // Ninja knows no job server of make's before 1.13, so it is told its share.
      { group: 'build', run: ['ninja', '-v', '-j', place.jobs], in: buildDir },
      { group: 'install', run: ['meson', 'install', '--no-rebuild', '--destdir', place.stage], in: buildDir },
    ];
    if (check) steps.splice(-1, 0, { group: 'check', run: ['meson', 'test', '--no-rebuild'], in: buildDir });
    return { steps, tools: ['cc', 'meson', 'ninja', 'pkg-config', ...packingTools] };
  });
}
