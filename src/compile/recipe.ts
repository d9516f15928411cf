/** What a recipe is: the steps that compile a package, the environment it adds, the tools it needs; plain data, printable as it is. */
import type { ToolName } from './tools.ts';

/** Stands for places that differ from build to build; replaced in steps and environment when they run, kept as they are in the content key. */
export const place = {
  /** The private prefix: the declared closure is merged here, and `--prefix` names it. */
  prefix: '@prefix@',
  /** DESTDIR: what is installed lands in `@stage@@prefix@`. */
  stage: '@stage@',
  /** The package's own copy of its patched tree; steps start here. */
  tree: '@tree@',
  /** The folder above `tree`, for build folders outside the tree. */
  root: '@root@',
  /** How many jobs the step may run at once; never part of the key. */
  jobs: '@jobs@',
  /** `python3.11` or what the pinned python3 is called. */
  python: '@python@',
} as const;

export type StepGroup = 'prepare' | 'configure' | 'build' | 'check' | 'install';
/** In the order in which they usually run. */
export const stepGroups = ['prepare', 'configure', 'build', 'check', 'install'] as const satisfies readonly StepGroup[];

/** An argument vector; or one string, run by `bash -eu -o pipefail -c`. */
export type StepCommand = readonly string[] | string;

export interface Step {
  /** What it is for, in logs and for `--from`; steps run in their order in the list, whatever their groups. */
  readonly group: StepGroup;
  readonly run: StepCommand;
  /** Where it runs, relative to the tree, not above the folder that holds the tree; made if it is not there. The tree itself when not given. */
  readonly in?: string;
  /** Seconds that it may take before it is ended, with all that it started; as long as it likes when not given. Never part of the key. */
  readonly timeout?: number;
  /** Seconds that it may print nothing before it is ended in the same way. Never part of the key. */
  readonly silentTimeout?: number;
}

/** A mistake in a recipe: a clause, or what was to be there and what was, with how to mend it where that is known. */
export type RecipeProblem = string | { readonly expected: string; readonly found: string; readonly mend?: string };

export interface Recipe {
  /** The function that it came from, for people: `autotools`, `cmake`, `meson`, `make`, `python`, `steps`. */
  readonly kind: string;
  readonly steps: readonly Step[];
  /** Added to the standard environment, or in place of its values. */
  readonly env: Readonly<Record<string, string>>;
  /** Programs that the steps call beyond the POSIX ones. */
  readonly tools: readonly ToolName[];
  /** Set when the steps regenerate configure; silences the warning for patches that would need it. */
  readonly autoreconf: boolean;
  /** Mistakes in the options that it was made from, each one a clause; a Buildfile with any is refused when it is loaded. */
  readonly problems?: readonly RecipeProblem[];
}

/** Options that every recipe function takes. None of these functions throws: mistakes are `buildfile-invalid` when the Buildfile is loaded. */
export interface CommonOptions {
  /** Added to the standard environment, or in place of its values; values may use `place`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Tools beyond those that such a recipe always needs. */
  readonly tools?: readonly ToolName[];
  /** Commands that run in the tree before all others. */
  readonly before?: readonly StepCommand[];
  /** Commands that run in the tree after all others, when everything is in `@stage@@prefix@`. */
  readonly after?: readonly StepCommand[];
}
