/** A recipe of plain steps, for what none of the other recipe functions builds. */
import { assemble } from './assemble.ts';
import type { CommonOptions, Recipe, Step } from './recipe.ts';

export interface StepsOptions extends CommonOptions {
  /** Set when the steps run autoreconf; silences the warning for patches that would need it. */
  readonly autoreconf?: boolean;
}

/** The steps as they are. Whatever tools they call must be named, `patchelf` and `strip` too if they install ELF files. */
export function steps(list: readonly Step[], options: StepsOptions = {}): Recipe {
  return assemble('steps', options, { autoreconf: 'boolean' }, () => ({
    steps: list,
    tools: [],
    autoreconf: options.autoreconf ?? false,
  }));
}
