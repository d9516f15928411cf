/** What `vbuild log` can print of a package. */
import { stepGroups } from '../compile/recipe.ts';

/** Stages that run no steps; what they did is kept with the history of the package. */
export const toldStages = ['fetch', 'patch', 'pack'] as const;

/** `compile` is the whole log of its steps, a group of steps a part of it. */
export const logParts = ['compile', ...stepGroups, ...toldStages] as const;
