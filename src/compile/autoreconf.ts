/** Finds patches that are probably without effect, because configure is not made anew after them (pure). */
import type { Recipe } from './recipe.ts';

/** The part of a notice that this module knows. */
interface AutoreconfWarning {
  readonly code: 'autoreconf-missing';
  readonly headline: string;
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * A warning when patches touch what configure and makefiles are made from and the recipe does not run autoreconf: depending
 * on the package, such a change is silently lost, or makes `make` call autotools that may not be there. None where the same
 * patches bring the made file too.
 *
 * @param touchedPaths What the whole series touches, relative to the tree.
 */
export function autoreconfWarning(recipe: Recipe, touchedPaths: readonly string[]): AutoreconfWarning | undefined {
  if (recipe.autoreconf || !runsConfigure(recipe)) return undefined;
  const touched = new Set(touchedPaths);
  const lost = [...touched]
    .filter((path) => madeFrom(path).length > 0 && !madeFrom(path).some((made) => touched.has(made)))
    .sort();
  if (lost.length === 0) return undefined;
  return {
    code: 'autoreconf-missing',
    headline: 'Patches touch what configure is made from, and the recipe does not make it anew',
    facts: { files: lost.join(', '), mend: 'set autoreconf: true in the recipe' },
  };
}

/** A hand-written configure, as `make()` has it, is made from nothing. */
const runsConfigure = ({ kind, steps }: Recipe): boolean =>
  kind === 'autotools' ||
  (kind === 'steps' &&
    steps.some(({ run }) => /(^|[\s/])configure(\s|$)/.test(typeof run === 'string' ? run : (run[0] ?? ''))));

/** The files that autotools make from this one, any of which shows that its author made them anew; none for other files. */
function madeFrom(path: string): string[] {
  const slash = path.lastIndexOf('/') + 1;
  const folder = path.slice(0, slash);
  const name = path.slice(slash);
  if (name === 'configure.ac' || name === 'configure.in') return [`${folder}configure`];
  if (name === 'Makefile.am') return [`${folder}Makefile.in`];
  return name.endsWith('.m4') ? ['configure', 'aclocal.m4'].filter((made) => made !== path) : [];
}
