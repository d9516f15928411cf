/** What `vbuild log` can print of a package. */
import { stepGroups } from '../compile/recipe.ts';

/** Stages that run no steps; what they did is kept with the history of the package. */
export const toldStages = ['fetch', 'patch', 'pack'] as const;

/** `compile` is the whole log of its steps, a group of steps a part of it. */
export const logParts = ['compile', ...stepGroups, ...toldStages] as const;

/** The parts of a log that belong to one group of steps, each with its head line. */
export const partOf = (text: string, part: string): string =>
  part === 'compile'
    ? text
    : parts(text)
        .flatMap(([head, step]) => (head.endsWith(`, ${part}`) ? [step] : []))
        .join('');

/** The steps that a log tells of, such as `2 of 3, build`. */
export const stepsIn = (text: string): string[] => parts(text).map(([head]) => head.replace(/^# step /, ''));

function parts(text: string): (readonly [head: string, step: string])[] {
  const [, ...steps] = text.split(/^(?=# step \d+ of \d+, )/m);
  return steps.map((step) => [step.split('\n', 1)[0] ?? '', step]);
}
