/** Finds in the output of a failed step what a person needs to read first (pure). */
import { standardCmake } from './cmake.ts';
import { standardConfigure } from './autotools.ts';
import type { StepCommand } from './recipe.ts';

/** What the tools say when they give up, the most telling sort first: a linker's or make's line only repeats a compiler's. */
const complaints: readonly RegExp[] = [
  /^(?!make)[^\s:][^:]*:\d+(?::\d+)?: (?:fatal )?error: /,
  /^configure: error: /,
  /^CMake Error/,
  /^meson\.build:\d+:\d+: ERROR: |^ERROR: /,
  /: undefined reference to |^\S*ld(?:\.\w+)?: (?!warning)|^collect2: error: /,
  /(?:^|[\s:])(?:[\w./+-]+: )?(?:command )?not found$/,
  /^\s*(?:\w+\.)*\w*(?:Error|Exception): |^error: /,
  /^make(?:\[\d+\])?: \*\*\* /,
  /^\S.*: error[: ]/,
];

/** The first line that says why, of the most telling sort there is; undefined when none is known to. */
export function firstError(output: string): string | undefined {
  const lines = output.split('\n');
  for (const complaint of complaints) {
    const at = lines.findIndex((line) => complaint.test(line));
    if (at < 0) continue;
    const line = lines[at] ?? '';
    // CMake puts the text of its message below, indented.
    return line.startsWith('CMake Error')
      ? [line, ...lines.slice(at + 1, at + 3)]
          .map((part) => part.trim())
          .join(' ')
          .trim()
      : line;
  }
  return undefined;
}

/** The last lines that are not empty, in order. */
export const lastLines = (output: string, count: number): string =>
  output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');

/**
 * Options of a configure step that the package's configure or cmake says it does not know: misspelt, or gone with an
 * upgrade, and silently without effect otherwise. The standard ones may be unknown.
 *
 * @param run The step with its places still as symbols.
 */
export function lostOptions(run: StepCommand, output: string): string[] {
  if (typeof run === 'string') return [];
  const standard = new Set([...standardConfigure, ...standardCmake].map(optionName));
  const unknown = new Set([...unknownToConfigure(output), ...unknownToCmake(output)]);
  return run.filter((word) => unknown.has(optionName(word)) && !standard.has(optionName(word)));
}

/** `--with-x=yes` is `--with-x`, `-DNAME:STRING=value` is `NAME`. */
const optionName = (word: string): string => word.replace(/^-D/, '').replace(/(?::[A-Z]+)?=.*$/s, '');

const unknownToConfigure = (output: string): string[] =>
  [...output.matchAll(/^configure: WARNING: unrecognized options: (.*)$/gm)].flatMap(([, list]) =>
    (list ?? '').split(', '),
  );

function unknownToCmake(output: string): string[] {
  const block = /Manually-specified variables were not used by the project:\n\n((?: {4}\S+\n)+)/.exec(output)?.[1];
  return (block ?? '').split('\n').map((line) => line.trim());
}
