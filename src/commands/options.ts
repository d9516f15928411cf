/** Turns argv into a command, its targets and its options, or into errors with suggestions; knows nothing but the tables. */
import { parseArgs } from 'node:util';
import { throwAll, VbuildError } from '../model/error.ts';
import { nearest } from '../model/nearest.ts';
import { reservedNames } from '../model/reserved-names.ts';
import {
  applies,
  commandGroups,
  type CommandName,
  type CommandRow,
  commandTable,
  conflicts,
  type OptionRow,
  optionTable,
} from './command-table.ts';

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;
type ValueOf<Of extends OptionRow> = Of['type'] extends 'flag'
  ? boolean
  :
      | undefined
      | (Of['type'] extends 'count' | 'number' | 'decimal'
          ? number
          : Of extends { readonly several: true }
            ? readonly string[]
            : Of extends { readonly choices: readonly (infer Choice)[] }
              ? Choice
              : string);

type Row = Exclude<(typeof optionTable)[number], { readonly name: 'help' | 'version' }>;

/** Every option under its camel-case name: flags are true or false, others undefined when not given. Paths are as the user wrote them. */
export type Options = {
  readonly [Name in Row['name'] as Camel<Name>]: ValueOf<Extract<Row, { readonly name: Name }>>;
};

export interface CommandLine {
  readonly command: CommandName;
  /** Packages or patch files, as the user wrote them, not yet known to exist; for `help` the command or group whose page is wanted. */
  readonly targets: readonly string[];
  readonly options: Options;
  /** For `exec` and `shell`: program and arguments, untouched; else empty. */
  readonly rest: readonly string[];
}

/**
 * Reads a command line. A first word that names no command is a target of `build`. Options may stand anywhere before `--`;
 * of an option given twice the last one counts, unless its row says that all do. `--help` and `--version` win over everything, mistakes included.
 *
 * @param argv The arguments alone, without Node and script.
 * @throws {VbuildError} `usage`; several mistakes come as one `VbuildErrors`.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { words, given, rest } = scan(argv);
  const { named, subject, used } = commandIn(words);
  const asked = (name: string): boolean => given.some(({ row, value }) => row?.name === name && value === undefined);
  const page = toOptions(given.filter(({ row }) => row?.name === 'json'));
  if (asked('help'))
    return { command: 'help', targets: subject === undefined ? [] : [subject], options: page, rest: [] };
  if (asked('version')) return { command: 'version', targets: [], options: page, rest: [] };

  if (!named && subject !== undefined) throw incomplete(subject, words[1]);
  if (!named && words[0] !== undefined && reservedNames.includes(words[0])) throw notYet(words[0]);

  const command: CommandRow = named ?? commandTable[0];
  const targets = words.slice(used);
  const foreign = command.takes === 'command-line';
  const owns = foreign || command.takes === 'package-stage';
  if (foreign && targets[0] !== undefined) throw misplaced(command, targets[0]);
  const problems = [
    ...given.flatMap((option) => optionProblem(option, command)),
    ...conflictProblems(given),
    ...argumentProblems(command, foreign ? rest : owns ? targets : [...targets, ...rest]),
  ];
  throwAll(problems);
  return {
    command: command.name as CommandName,
    targets: foreign
      ? []
      : command.takes === 'command' && targets.length > 0
        ? [targets.join(' ')]
        : [...targets, ...(owns ? [] : rest)],
    options: toOptions(given),
    rest: owns ? rest : [],
  };
}

interface Given {
  readonly row: OptionRow | undefined;
  /** As written, dashes included. */
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inline: boolean;
}

interface Scanned {
  readonly words: readonly string[];
  readonly given: readonly Given[];
  readonly rest: readonly string[];
}

function scan(argv: readonly string[]): Scanned {
  const options = Object.fromEntries(
    optionTable.map((row: OptionRow) => [
      row.name,
      {
        type: row.type === 'flag' ? ('boolean' as const) : ('string' as const),
        ...(row.short && { short: row.short }),
      },
    ]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? argv.length;
  return {
    words: tokens.flatMap((token) => (token.kind === 'positional' && token.index < end ? [token.value] : [])),
    given: tokens.flatMap((token) => {
      if (token.kind !== 'option') return [];
      const row = optionTable.find(({ name }) => name === token.name);
      return [{ row, rawName: token.rawName, value: token.value, inline: token.inlineValue === true }];
    }),
    rest: argv.slice(end + 1),
  };
}

/** The command that the first one or two words name; `subject` is its name or that of a group, `used` how many words it took. */
function commandIn(words: readonly string[]): {
  readonly named: CommandRow | undefined;
  readonly subject: string | undefined;
  readonly used: number;
} {
  for (const used of [2, 1]) {
    const named =
      words.length < used ? undefined : commandTable.find(({ name }) => name === words.slice(0, used).join(' '));
    if (named !== undefined) return { named, subject: named.name, used };
  }
  const [group = ''] = words;
  return { named: undefined, subject: Object.hasOwn(commandGroups, group) ? group : undefined, used: 0 };
}

/** What those who come from make may look for. */
const fromMake: Readonly<Record<string, string>> = {
  '-B': 'nothing that is fresh is built again; to see whether the same would come of it: vbuild verify --rebuild',
};

function optionProblem({ row, rawName, value, inline }: Given, command: CommandRow): VbuildError[] {
  const page = `see "vbuild help ${command.name}"`;
  if (row === undefined) {
    const known = optionTable.filter((option) => applies(option, command.name)).map(({ name }) => `--${name}`);
    const meant = rawName.startsWith('--') ? nearest(rawName, known) : undefined;
    const hint = fromMake[rawName] ?? (meant === undefined ? page : `did you mean ${meant}?`);
    return [usage(`Option ${rawName} is unknown`, hint)];
  }
  if (!applies(row, command.name)) return [usage(`Option ${rawName} does not apply to "vbuild ${command.name}"`, page)];
  if (row.type === 'flag')
    return value === undefined
      ? []
      : [usage(`Option ${rawName} takes no value`, 'leave the value out', { found: value })];
  const example = `give it one, as in "${rawName} ${row.value}"`;
  if (value === undefined || value === '') return [usage(`Option ${rawName} needs a value`, example)];
  if (!inline && value.startsWith('-') && value !== '-') {
    return [
      usage(
        `Option ${rawName} needs a value`,
        `${example}; a value that begins with a dash is written --${row.name}=${value}`,
        { found: value },
      ),
    ];
  }
  const numbers = {
    count: [/^[1-9][0-9]{0,3}$/, 'a whole number from 1 to 9999'],
    number: [/^(0|[1-9][0-9]{0,3})$/, 'a whole number from 0 to 9999'],
    decimal: [/^(?=.*[1-9])(0|[1-9][0-9]{0,3})(\.[0-9]{1,2})?$/, 'a number from 0.01 to 9999.99'],
  } as const;
  if (row.type in numbers && !numbers[row.type as keyof typeof numbers][0].test(value)) {
    const expected = numbers[row.type as keyof typeof numbers][1];
    return [usage(`Option ${rawName} needs a number`, example, { expected, found: value })];
  }
  if (row.choices !== undefined && !row.choices.includes(value)) {
    const meant = nearest(value, row.choices);
    const facts = { expected: row.choices.join(' or '), found: value };
    return [
      usage(`Option ${rawName} has no such choice`, meant === undefined ? page : `did you mean ${meant}?`, facts),
    ];
  }
  return [];
}

function conflictProblems(given: readonly Given[]): VbuildError[] {
  const names = new Set(given.map(({ row }) => row?.name));
  return conflicts
    .filter(([one, other]) => names.has(one) && names.has(other))
    .map(([one, other]) => usage(`Options --${one} and --${other} contradict each other`, 'leave one of them out'));
}

function argumentProblems(command: CommandRow, words: readonly string[]): VbuildError[] {
  const page = `see "vbuild help ${command.name}"`;
  switch (command.takes) {
    case 'lock-files':
    case 'targets':
      return words.includes('') ? [usage('Target is an empty text', 'name a package')] : [];
    case 'folder-targets':
      return words[0] !== undefined && !words.includes('')
        ? []
        : [usage(`"vbuild ${command.name}" needs a folder`, `name one, as in "vbuild ${command.name} legal pil"`)];
    case 'some-targets':
      return words.length > 0
        ? []
        : [usage(`"vbuild ${command.name}" needs a package`, `name one, as in "vbuild ${command.name} pil"`)];
    case 'one-target':
      return oneProblem(command, words, 'package', 'pil');
    case 'subject':
      return oneProblem(command, words, 'package or file', 'pil');
    case 'one-file':
      return oneProblem(command, words, 'file', 'ci.key');
    case 'shell':
      return oneProblem(command, words, 'shell', 'bash');
    case 'package-part':
      return words.length === 2 ? [] : oneProblem(command, words, 'package, and perhaps a part of its log', 'pil');
    case 'one-release':
      return oneProblem(command, words, 'release', 'shop-1');
    case 'name-and-targets':
      return (words[0] ?? '') === '' ? oneProblem(command, [], 'name', 'shop-1') : [];
    case 'two-releases':
      return words.length === 2 ? [] : [usage(`"vbuild ${command.name}" needs two releases`, page)];
    case 'package-stage':
      return words.length === 2 ? [] : oneProblem(command, words, 'package, and perhaps a stage', 'pil');
    case 'patches':
      return words.length > 0
        ? []
        : [usage(`"vbuild ${command.name}" needs a patch`, `name one, as in "vbuild ${command.name} fix.patch"`)];
    case 'nothing':
      return words[0] === undefined
        ? []
        : [usage(`"vbuild ${command.name}" takes no argument`, page, { found: words[0] })];
    case 'command':
      return words[1] === undefined || commandIn(words).used === words.length
        ? []
        : [usage(`"vbuild ${command.name}" takes one argument`, page, { found: words.join(' ') })];
    case 'command-line':
      return words.length > 0
        ? []
        : [usage('Command to run is missing', `give one, as in "vbuild ${command.name} -- python3"`)];
    default:
      return command.takes satisfies never;
  }
}

function oneProblem(command: CommandRow, words: readonly string[], what: string, example: string): VbuildError[] {
  if (words.length === 1 && words[0] !== '') return [];
  const mend = `name one, as in "vbuild ${command.name} ${example}"`;
  return [usage(`"vbuild ${command.name}" needs one ${what}`, mend, words[0] ? { found: words.join(' ') } : {})];
}

/** Without the `--` there is no telling whose the options are, so this is reported alone. */
function misplaced(command: CommandRow, word: string): VbuildError {
  return usage('Command to run must follow "--"', `write it as in "vbuild ${command.name} -- ${word} …"`);
}

/** For the first word of several commands without a second one that goes with it. */
function incomplete(group: string, word: string | undefined): VbuildError {
  const names = commandTable.flatMap(({ name }) =>
    name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : [],
  );
  const meant = word === undefined ? undefined : nearest(word, names);
  return usage(
    word === undefined ? `"vbuild ${group}" needs a second word` : `Command "${group} ${word}" is unknown`,
    meant === undefined ? `see "vbuild help ${group}"` : `did you mean "vbuild ${group} ${meant}"?`,
    { expected: names.join(', ') },
  );
}

function notYet(name: string): VbuildError {
  return usage(`Command "${name}" is not part of this release`, 'see "vbuild help" for the commands there are');
}

function usage(headline: string, mend: string, facts: Readonly<Record<string, string>> = {}): VbuildError {
  return new VbuildError('usage', headline, { facts, mend });
}

function toOptions(given: readonly Given[]): Options {
  const valueOf = (row: OptionRow): boolean | number | string | readonly string[] | undefined => {
    const all = given.filter((option) => option.row?.name === row.name);
    const last = all.at(-1);
    if (row.several) return last && all.flatMap(({ value }) => value ?? []);
    if (row.type === 'flag') return last !== undefined;
    return row.type !== 'text' && last?.value !== undefined ? Number(last.value) : last?.value;
  };
  const rows = optionTable.filter(({ name }) => name !== 'help' && name !== 'version');
  return Object.fromEntries(rows.map((row) => [camelCase(row.name), valueOf(row)])) as unknown as Options;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
