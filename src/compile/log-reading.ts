/** Finds in the output of a failed step what a person needs to read first (pure). */
import { standardCmake } from './cmake.ts';
import { standardConfigure } from './autotools.ts';
import type { StepCommand } from './recipe.ts';

/** What the tools say when they give up, the most telling sort first: a linker's or make's line only repeats a compiler's. */
const complaints: readonly RegExp[] = [
  /^(?!make)[^\s:][^:]*:\d+(?::\d+)?: (?:[Ff]atal )?[Ee]rror: /,
  /: fatal error: |: internal compiler error: /,
  /^configure: error: /,
  /^CMake Error/,
  /^\S*meson\.build:\d+:\d+: ERROR: |^ERROR: /,
  /: undefined reference to |: cannot find -l|^collect2: error: /,
  /^\S*ld(?:\.\w+)?: (?!warning)/,
  /(?:^|[\s:])(?:[\w./+-]+: )?(?:command )?not found$/,
  /^\s*(?:\w+\.)*\w*(?:Error|Exception): |^error: /,
  /^make(?:\[\d+\])?: \*\*\* (?!Waiting)/,
  /^\S.*: error[: ]/,
];

/** The first place that says why, of the most telling sort there is, with the source below it that a compiler shows; undefined when none is known to. */
export function firstError(output: string): string | undefined {
  const lines = withoutColours(output).split('\n');
  for (const complaint of complaints) {
    const at = lines.findIndex((line) => complaint.test(line));
    if (at < 0) continue;
    const line = (lines[at] ?? '').trim();
    const below = lines.slice(at + 1, at + 5);
    // CMake puts the text of its message below, indented.
    if (line.startsWith('CMake Error')) return [line, ...below.slice(0, 2).map((part) => part.trim())].join(' ').trim();
    const end = below.findIndex((part) => !/^ *\d* \| /.test(part));
    return [line, ...(end < 0 ? below : below.slice(0, end))].join('\n');
  }
  return undefined;
}

/** What compilers colour, and link to pages about their warnings, where they are told to also without a terminal. */
const withoutColours = (output: string): string =>
  // oxlint-disable-next-line no-control-regex -- escape sequences begin with one
  output.replace(/\u001b(?:\[[\d;]*[A-Za-z]|\]8;[^\u0007\u001b]*(?:\u0007|\u001b\\))/g, '');

/** What to try, by what was found; the last row fits everything. */
const remedies: readonly (readonly [RegExp, (found: string) => string])[] = [
  [
    /fatal error: (\S+): No such file or directory/,
    (header) => `declare the package that has ${header} in deps, or switch off the feature that wants it`,
  ],
  [
    /cannot find -l([^\s:]+)/,
    (name) => `declare the package that has lib${name} in deps, or switch off the feature that wants it`,
  ],
  [
    /undefined reference to [`']([^']+)/,
    (symbol) => `link with the library that has ${symbol}, and declare its package in deps`,
  ],
  [/No module named '([^']+)'/, (module) => `declare the package that has the Python module ${module} in buildDeps`],
  [
    /(?:^|[\s:])([\w./+-]+): (?:command )?not found$/m,
    (program) => `install the Debian package that has ${program}, and declare the tool in the Buildfile`,
  ],
  [/Killed|SIGKILL/, () => 'see in the log of the kernel whether memory ran out; if so, run fewer jobs with -j'],
  [
    /SIG(?:SEGV|BUS|ILL|ABRT|FPE)|internal compiler error/,
    () => 'find out which program crashed: repeat the step alone, and with one job',
  ],
  [
    /^(?:configure: error|CMake Error|\S*meson\.build:.*ERROR)/m,
    () => 'see in its own log what the test tried; then change the options in the recipe, or declare what is missing',
  ],
  [
    /No rule to make target '([^']+)'/,
    (target) => `name a target in the recipe that the makefile has, in place of ${target}`,
  ],
  [/(?:)/, () => 'read the log; then change the recipe or add a patch'],
];

/** @param found The first error, and how the step ended. */
export function advice(found: string): string {
  for (const [sign, remedy] of remedies) {
    const match = sign.exec(found);
    if (match !== null) return remedy(match[1] ?? '');
  }
  throw new Error('the last remedy fits everything');
}

/** The last lines that are not empty, in order. */
export const lastLines = (output: string, count: number): string =>
  withoutColours(output)
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
