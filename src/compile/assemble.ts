/** Makes a recipe from the options of a recipe function, which are checked here once for all of them (pure). */
import { inspect } from 'node:util';
import { nearest } from '../model/nearest.ts';
import type { CommonOptions, Recipe, RecipeProblem, Step } from './recipe.ts';
import { type ToolName, isToolName, toolNames } from './tools.ts';

/** The sorts of values that options have. */
type OptionSort = 'boolean' | 'string' | 'strings' | 'commands' | 'record' | 'sections' | 'tools';

const common = { env: 'record', tools: 'tools', before: 'commands', after: 'commands' } as const;

const isString = (value: unknown): value is string => typeof value === 'string';
const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every(isString);
const isRecord = (value: unknown, inner: (value: unknown) => boolean): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(inner);

const sorts: Readonly<Record<OptionSort, { readonly fits: (value: unknown) => boolean; readonly words: string }>> = {
  boolean: { fits: (value) => typeof value === 'boolean', words: 'true or false' },
  string: { fits: (value) => isString(value) && value !== '', words: 'a text' },
  strings: { fits: isStrings, words: 'a list of texts' },
  commands: {
    fits: (value) => Array.isArray(value) && value.every((one) => isString(one) || isStrings(one)),
    words: 'a list of commands, each one a list of arguments or a text for the shell',
  },
  record: { fits: (value) => isRecord(value, isString), words: 'texts by name' },
  sections: {
    fits: (value) => isRecord(value, (inner) => isRecord(inner, isString)),
    words: 'texts by section and name',
  },
  tools: { fits: isStrings, words: 'a list of tools' },
};

/** `, did you mean X` where something resembles it. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `; known are ${known.join(', ')}` : `, did you mean ${near}`;
}

/** Every unknown tool in a list. */
export const toolProblems = (tools: readonly unknown[]): RecipeProblem[] =>
  tools
    .filter((tool) => !isToolName(tool))
    .map((tool) => {
      const near = nearest(String(tool), toolNames);
      const mend = near === undefined ? 'leave it out: steps can call it all the same' : `write ${near}`;
      return { expected: `tools among ${toolNames.join(', ')}`, found: String(tool), mend };
    });

const inspected = (value: unknown): string => inspect(value, { depth: 1, breakLength: Infinity });

/** Every mistake in the options as they were really given, whatever their type said. */
function optionProblems(kind: string, given: unknown, known: Readonly<Record<string, OptionSort>>): RecipeProblem[] {
  if (!isRecord(given, () => true)) return [`${kind}() takes its options as one object`];
  return Object.entries(given as object).flatMap(([name, value]: [string, unknown]): RecipeProblem[] => {
    const sort = Object.hasOwn(known, name) ? known[name] : undefined;
    if (sort === undefined) {
      const near = nearest(name, Object.keys(known));
      const mend = near === undefined ? 'leave it out' : `write ${near}`;
      return [{ expected: `options of ${kind}(): ${Object.keys(known).join(', ')}`, found: name, mend }];
    }
    if (value === undefined) return [];
    if (!sorts[sort].fits(value))
      return [{ expected: `option ${name} of ${kind}() to be ${sorts[sort].words}`, found: inspected(value) }];
    return sort === 'tools' ? toolProblems(value as unknown[]) : [];
  });
}

interface Parts {
  readonly steps: readonly Step[];
  readonly tools: readonly ToolName[];
  readonly env?: Readonly<Record<string, string>>;
  readonly autoreconf?: boolean;
}

/**
 * A recipe with the common options worked in, or an empty one that carries the mistakes found.
 *
 * @param known The function's own options and their sorts.
 * @param parts Called only when the options are right.
 */
export function assemble(
  kind: string,
  options: CommonOptions,
  known: Readonly<Record<string, OptionSort>>,
  parts: () => Parts,
): Recipe {
  const problems = optionProblems(kind, options, { ...known, ...common });
  if (problems.length > 0) return { kind, steps: [], env: {}, tools: [], autoreconf: false, problems };
  const { steps, tools, env, autoreconf = false } = parts();
  return {
    kind,
    steps: [
      ...(options.before ?? []).map((run): Step => ({ group: 'prepare', run })),
      ...steps,
      ...(options.after ?? []).map((run): Step => ({ group: 'install', run })),
    ],
    env: { ...env, ...options.env },
    tools: [...new Set([...tools, ...(options.tools ?? [])])].sort(),
    autoreconf,
  };
}
