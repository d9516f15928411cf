/** Every mistake in a recipe, whoever made it: read when a Buildfile is loaded (pure). */
import { suggestion, toolProblems } from './assemble.ts';
import { reservedVariables } from './environment.ts';
import { type Recipe, type RecipeProblem, type Step, place, stepGroups } from './recipe.ts';

/**
 * Each mistake; none for a recipe that can be run. The value may be anything: a Buildfile's types are not checked when it is run.
 *
 * @param extraTools Tools that the package declares beside the recipe.
 */
export function recipeProblems(recipe: unknown, extraTools: readonly string[] = []): readonly RecipeProblem[] {
  if (!isObject(recipe))
    return ['recipe must be what autotools(), cmake(), meson(), make(), python() or steps() returns'];
  const { steps, env, tools, problems } = recipe as Partial<Recipe>;
  if (problems !== undefined && problems.length > 0) return problems;
  if (!Array.isArray(steps) || !isObject(env) || !Array.isArray(tools)) {
    return [
      'recipe must have steps, env and tools, as autotools(), cmake(), meson(), make(), python() or steps() give them',
    ];
  }
  const usesPython = JSON.stringify([steps, env]).includes(place.python);
  return [
    ...(steps.length === 0 ? ['recipe has no steps'] : []),
    ...steps.flatMap((step, at) => stepProblems(step).map((problem) => `step ${at + 1} ${problem}`)),
    ...Object.entries(env).flatMap(([name, value]) => variableProblems(name, value)),
    ...toolProblems(tools),
    ...(usesPython && ![...tools, ...extraTools].includes('python3')
      ? [`recipe uses ${place.python} but not the tool python3`]
      : []),
  ];
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const stepOptions = ['group', 'run', 'in', 'timeout', 'silentTimeout'];

function stepProblems(step: unknown): string[] {
  if (!isObject(step)) return ['must be an object with group and run'];
  const { group, run, in: folder, timeout, silentTimeout, ...others } = step as Partial<Step>;
  const words: readonly unknown[] = Array.isArray(run) ? run : [run];
  return [
    ...Object.keys(others).map((name) => `has the option ${name}${suggestion(name, stepOptions)}`),
    ...((stepGroups as readonly unknown[]).includes(group)
      ? []
      : [`is of group ${String(group)}${suggestion(String(group), stepGroups)}`]),
    ...(words.length > 0 && words.every((word) => typeof word === 'string' && !word.includes('\0')) && words[0] !== ''
      ? []
      : ['must run a list of arguments, or a text for the shell']),
    ...(folder === undefined || (typeof folder === 'string' && staysInRoot(folder))
      ? []
      : [`runs in ${JSON.stringify(folder)}, which is not in the tree or the folder that holds it`]),
    ...Object.entries({ timeout, silentTimeout }).flatMap(([name, seconds]) => secondsProblem(name, seconds)),
  ];
}

/** A timer of Node cannot run for longer. */
const longestSeconds = Math.floor((2 ** 31 - 1) / 1000);

const secondsProblem = (name: string, seconds: unknown): string[] =>
  seconds === undefined || (typeof seconds === 'number' && seconds > 0 && seconds <= longestSeconds)
    ? []
    : [`has the ${name} ${JSON.stringify(seconds)}, which is no number of seconds above 0 and up to ${longestSeconds}`];

/** Whether a path relative to the tree stays below the folder that holds the tree. */
function staysInRoot(path: string): boolean {
  if (path.startsWith('/')) return false;
  let depth = 1;
  for (const part of path.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) return false;
  }
  return true;
}

function variableProblems(name: string, value: unknown): string[] {
  if (reservedVariables.includes(name)) return [`env sets ${name}, which is for vbuild to set`];
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return [`env has a variable that cannot be named so: ${JSON.stringify(name)}`];
  return typeof value === 'string' && !value.includes('\0') ? [] : [`env sets ${name} to what is not a text`];
}
