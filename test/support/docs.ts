/**
 * The documentation as data for its tests, and the parts of it that are made from the sources: tables of options, steps, tools.
 * `node test/support/docs.ts` writes these; a test fails when that was forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandTable } from '../../src/commands/command-table.ts';
import { helpPage } from '../../src/commands/help.ts';
import { autotools } from '../../src/compile/autotools.ts';
import { cmake } from '../../src/compile/cmake.ts';
import { standardVariables } from '../../src/compile/environment.ts';
import { make } from '../../src/compile/make.ts';
import { meson } from '../../src/compile/meson.ts';
import { python } from '../../src/compile/python.ts';
import type { Recipe } from '../../src/compile/recipe.ts';
import { toolNamed, toolNames } from '../../src/compile/tools.ts';
import { type ErrorCode, VbuildError } from '../../src/model/error.ts';
import { checkout } from './vbuild.ts';

/** Every page, relative to the checkout. */
export const pages = [
  'README.md',
  'docs/tasks.md',
  'docs/buildfile.md',
  'docs/from-make.md',
  'docs/cache.md',
  'docs/handing-on.md',
  'docs/recipes.md',
  'docs/deploy.md',
  'docs/by-hand.md',
  'docs/explain.md',
  'docs/patches.md',
  'docs/performance.md',
  'docs/reproducible.md',
] as const;

export const readPage = (page: string): string => readFileSync(join(checkout, page), 'utf8');

export interface CodeBlock {
  /** What stands behind the opening fence, such as `ts` or `ts fragment`. */
  readonly info: string;
  readonly text: string;
  /** 1-based, of the opening fence. */
  readonly line: number;
}

export const codeBlocks = (markdown: string): CodeBlock[] =>
  [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(({ 1: info = '', 2: text = '', index }) => ({
    info,
    text,
    line: markdown.slice(0, index).split('\n').length,
  }));

/** A page without its code blocks. */
export const prose = (markdown: string): string => markdown.replaceAll(/^```.*\n[\s\S]*?^```$/gm, '');

/** Everything between backquotes outside of code blocks; in a table a bar is written `\|`. */
export const inlineCode = (markdown: string): string[] =>
  [...prose(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code.replaceAll('\\|', '|'));

/**
 * The commands of a shell text, each as its words: enough of the shell's rules for documentation (quotes, comments, `&&`, `|`, `;`,
 * and `$(…)` as commands of their own). Leading assignments and `npx` are left out.
 */
export function shellCommands(text: string): string[][] {
  const inner = [...text.matchAll(/\$\(([^()]*)\)/g)].flatMap(([, command = '']) => shellCommands(command));
  const commands: string[][] = [[]];
  let word: string | undefined;
  const end = (): void => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  for (const [token, single, double] of text.matchAll(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\[\s\S]|\s+|(?:&&|\|\|?|;)|#|[\s\S]/g,
  )) {
    if (single !== undefined || double !== undefined) word = (word ?? '') + (single ?? double);
    else if (/^(&&|\|\|?|;)$/.test(token) || (/^\s/.test(token) && token.includes('\n'))) {
      end();
      commands.push([]);
    } else if (/^\s/.test(token)) end();
    else word = (word ?? '') + token.replace(/^\\(?=[\s\S])/, '');
  }
  end();
  const bare = commands.map((words) => words.slice(words.findIndex((one) => !/^\w+=/.test(one) && one !== 'npx')));
  return [...inner, ...bare].filter(({ length }) => length > 0);
}

interface Member {
  readonly name: string;
  readonly optional: boolean;
  readonly type: string;
  readonly doc: string;
}

const typings = (): string => readFileSync(join(checkout, 'typings/vbuild.d.ts'), 'utf8');

/** The names that a Buildfile can import: `type` for interfaces and types, `value` for functions and constants. */
export const exportedNames = (sort: 'type' | 'value'): string[] => {
  const words = sort === 'type' ? 'interface|type' : 'declare (?:const|function)';
  return [...typings().matchAll(new RegExp(`^export (?:${words}) (\\w+)`, 'gm'))].map(([, name = '']) => name);
};

/** The members of an interface in the typings, or of the object that a constant is, those that it takes over from another one left out. */
export function membersOf(name: string): Member[] {
  const start = new RegExp(`^export (?:interface|declare const) ${name}\\b[^\\n]*\\{\\n([\\s\\S]*?)^\\}`, 'm');
  const [, body] = start.exec(typings()) ?? [];
  if (body === undefined) throw new Error(`the typings have no ${name}`);
  const member = /(?:^ {4}\/\*\*((?:(?!\*\/\n)[\s\S])*)\*\/\n)?^ {4}(?:readonly )?(\w+)(\?)?: (.*);$/gm;
  return [...body.matchAll(member)].map(([, doc = '', own = '', optional, type = '']) => ({
    name: own,
    optional: optional !== undefined,
    type,
    doc: doc
      .split('\n')
      .map((line) => line.replace(/^\s*\* ?/, '').trim())
      .join(' ')
      .trim()
      // Code that holds a template literal needs two backquotes around it.
      .replaceAll(/`(\[[^\]]*`[^\]]*\])`/g, '``$1``'),
  }));
}

/** A table as the formatter leaves it: cells padded to the widest of their column. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...escaped.map((cells) => cells[column]?.length ?? 0)));
  const [first = [], ...others] = escaped.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  return [first, rule, ...others].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const textBlock = (lines: readonly string[]): string => ['```text', ...lines, '```'].join('\n');

/** Not given by the author; nor is the name of a Debian source among the options, but by its place in the call. */
const isOption = (of: string, member: string): boolean =>
  member !== 'kind' && !(of === 'DebianSpec' && member === 'name');

function optionTable(name: string, allOptional: boolean): string {
  const members = membersOf(name).filter((one) => isOption(name, one.name));
  const rows = members.map(({ name: own, optional, type, doc }) => [
    `\`${own}\`${optional || allOptional ? '' : ' (required)'}`,
    `\`${type.replaceAll('readonly ', '')}\``,
    doc,
  ]);
  return table(['Option', 'Type', 'Meaning'], rows);
}

const recipes: Readonly<Record<string, () => Recipe>> = { autotools, cmake, make, meson, python };

function stepList(name: string): string {
  const recipe = recipes[name];
  if (recipe === undefined) throw new Error(`no recipe function ${name}`);
  const { steps, tools } = recipe();
  const lines = steps.map(({ group, run, in: folder }) => {
    const words = typeof run === 'string' ? [run] : run.map((word) => (word.includes('\n') ? "'…'" : quoted(word)));
    return `${group.padEnd(9)}  ${words.join(' ')}${folder === undefined ? '' : `   (in ${folder})`}`;
  });
  return `${textBlock(lines)}\n\nTools: ${tools.map((tool) => `\`${tool}\``).join(', ')}.\n`;
}

const quoted = (word: string): string => (/\s/.test(word) ? `'${word}'` : word);

/** What each exit status means, to people. */
const statusWords: Readonly<Record<string, string>> = {
  0: 'done',
  1: 'a package failed: a download, a pin, a patch, a step, a missing tool, the disk; or `verify` found something that differs',
  2: 'the command line, the Buildfile or the lock file is wrong',
  3: 'not ready: what `check`, `install`, `--no-build` or `cache prove` needs is in no cache, or what a command works on is not there',
  4: 'unfit: vbuild or an artifact cannot work on this host or in this prefix, or steps cannot be locked in as `--sandbox=require` asks',
  5: 'built, but an upload failed',
  70: 'a bug in vbuild; please report the text',
  78: 'no usable Node',
  130: 'interrupted (143: terminated, 129: hung up)',
};

/** The codes of the table in src/model/error.ts, which is not exported, in code-unit order by their exit status. */
export function codesByStatus(): Map<string, ErrorCode[]> {
  const source = readFileSync(join(checkout, 'src/model/error.ts'), 'utf8');
  const [rows = ''] = /const exitStatuses = \{[\s\S]*?\} as const;/.exec(source) ?? [];
  const codes = [...rows.matchAll(/^ {2}'?([a-z0-9-]+)'?: \d+,$/gm)].map(([, code]) => code as ErrorCode).sort();
  return Map.groupBy(codes, (code) => String(new VbuildError(code, 'Any', { mend: 'none' }).exitStatus));
}

function statusTable(): string {
  const codes = codesByStatus();
  const statuses = [...new Set([...Object.keys(statusWords), ...codes.keys()])].sort((a, b) => Number(a) - Number(b));
  const rows = statuses.map((status) => {
    const words = statusWords[status];
    if (words === undefined) throw new Error(`no words for exit status ${status}`);
    return [status, words, (codes.get(status) ?? []).map((code) => `\`${code}\``).join(' ')];
  });
  return table(['Status', 'Means', 'Codes'], rows);
}

/** As the help pages have it, less the options. */
const commandRows = (): string[][] =>
  commandTable.map(({ name, summary }) => {
    const [, synopsis = name] = /^SYNOPSIS\n {2}(.*)$/m.exec(helpPage(name)) ?? [];
    return [`\`${synopsis.replace(' [OPTION…]', '')}\``, summary];
  });

/** What a line `<!-- made: WHAT -->` stands for. */
function made(what: string): string {
  const [sort = '', name = '', how] = what.split(' ');
  switch (sort) {
    case 'options':
      return optionTable(name, how === 'optional');
    case 'statuses':
      return statusTable();
    case 'commands':
      return table(['Command', 'What it does'], commandRows());
    case 'steps':
      return stepList(name);
    case 'places': {
      const rows = membersOf('place').map(({ name: own, type, doc }) => [
        `\`place.${own}\``,
        type.replaceAll("'", '`'),
        doc,
      ]);
      return table(['In a Buildfile', 'In texts', 'Meaning'], rows);
    }
    case 'environment':
      return textBlock(Object.entries(standardVariables).map(([variable, value]) => `${variable}=${value}`));
    case 'tools':
      return table(
        ['Tool', 'Debian packages'],
        toolNames.map((tool) => [`\`${tool}\``, toolNamed(tool).packages.join(', ')]),
      );
    default:
      throw new Error(`nothing makes ${what}`);
  }
}

/** A page with every part that is made from the sources as it should be now. */
export const withMadeParts = (markdown: string): string =>
  markdown.replaceAll(
    /^<!-- made: (.*) -->\n[\s\S]*?^<!-- end -->$/gm,
    (_, what: string) => `<!-- made: ${what} -->\n\n${made(what).trim()}\n\n<!-- end -->`,
  );

if (import.meta.main) for (const page of pages) writeFileSync(join(checkout, page), withMadeParts(readPage(page)));
