/** Help pages, made from the tables of commands and options; printed to stdout as they are. */
import { VbuildError } from '../model/error.ts';
import { nearest } from '../model/nearest.ts';
import { applies, commandGroups, type CommandRow, commandTable, type OptionRow, optionTable } from './command-table.ts';

/** Columns of a page: what a terminal has at least. */
const pageWidth = 80;

/**
 * The page of one command or of a group of commands, or without a name the overview. Ends with a line feed.
 *
 * @throws {VbuildError} `usage` when there is no such command.
 */
export function helpPage(name?: string): string {
  if (name === undefined) return overview();
  const command = commandTable.find((row) => row.name === name);
  if (command) return commandPage(command);
  const group = Object.hasOwn(commandGroups, name) ? commandGroups[name] : undefined;
  if (group !== undefined) return groupPage(name, group);
  const meant = nearest(
    name,
    commandTable.map((row) => row.name),
  );
  throw new VbuildError('usage', `Command "${name}" is unknown`, {
    mend: meant === undefined ? 'see "vbuild help" for the commands there are' : `did you mean "${meant}"?`,
  });
}

function overview(): string {
  return page([
    ['NAME', ['vbuild - build vendored upstream packages and say why']],
    ['SYNOPSIS', ['vbuild [OPTION…] [TARGET…]', 'vbuild COMMAND [OPTION…] [ARGUMENT…]']],
    ['COMMANDS', table(commandTable.map((row) => [commandLabel(row), row.summary]))],
    ['OPTIONS OF BUILD', optionLines('build')],
    [
      'EXAMPLES',
      exampleLines(commandTable.flatMap((row: CommandRow) => row.examples.slice(0, row.name === 'build' ? 3 : 1))),
    ],
    ['EXIT STATUS', table(exitStatuses)],
    ['FILES', table(files)],
    ['ENVIRONMENT', table(environment)],
    ['SEE ALSO', ['"vbuild help COMMAND" for the page of a command.']],
  ]);
}

function groupPage(group: string, summary: string): string {
  const rows: readonly CommandRow[] = commandTable.filter(({ name }) => name.startsWith(`${group} `));
  return page([
    ['NAME', fill(`vbuild ${group} - ${summary}`)],
    ['SYNOPSIS', rows.map((row) => `vbuild ${row.name} ${synopsis[row.takes]}`)],
    ['COMMANDS', table(rows.map((row) => [commandLabel(row), row.summary]))],
    ['EXAMPLES', exampleLines(rows.flatMap(({ examples }) => examples.slice(0, 1)))],
    ['SEE ALSO', [`"vbuild help ${group} COMMAND" for the page of one of them.`]],
  ]);
}

function commandPage(command: CommandRow): string {
  return page([
    ['NAME', fill(`vbuild ${command.name} - ${command.summary}`)],
    ['SYNOPSIS', [`vbuild ${command.name} ${synopsis[command.takes]}`]],
    ['DESCRIPTION', command.description.flatMap((text, index) => [...(index > 0 ? [''] : []), ...fill(text)])],
    ['OPTIONS', optionLines(command.name)],
    ['EXAMPLES', exampleLines(command.examples)],
    [
      'EXIT STATUS',
      command.takes === 'command-line' || command.takes === 'package-stage' ? fill(execStatus) : ['See "vbuild help".'],
    ],
  ]);
}

const synopsis: Readonly<Record<CommandRow['takes'], string>> = {
  nothing: '[OPTION…]',
  targets: '[OPTION…] [TARGET…]',
  'some-targets': '[OPTION…] TARGET…',
  'one-target': '[OPTION…] TARGET',
  subject: '[OPTION…] PACKAGE|FILE',
  'package-part': '[OPTION…] PACKAGE [PART]',
  'package-stage': '[OPTION…] PACKAGE [STAGE]',
  patches: '[OPTION…] PATCH…',
  'one-file': '[OPTION…] FILE',
  'lock-files': '[OPTION…] [LOCKFILE…]',
  'folder-targets': '[OPTION…] DIR [TARGET…]',
  'name-and-targets': '[OPTION…] NAME [TARGET…]',
  'one-release': '[OPTION…] NAME',
  'two-releases': '[OPTION…] OLD NEW',
  shell: 'bash|zsh|fish',
  command: '[COMMAND]',
  'command-line': '[OPTION…] -- COMMAND [ARGUMENT…]',
};

const execStatus = 'That of COMMAND. If COMMAND could not be started, the status of vbuild itself: see "vbuild help".';

const exitStatuses: readonly (readonly [string, string])[] = [
  ['0', 'done'],
  ['1', 'a package failed: a step, a patch, a pin, a download, a missing tool; or verify found what differs'],
  ['2', 'the command line, the Buildfile or the lock file is wrong'],
  ['3', 'not ready: an artifact is missing and nothing may be compiled, or what a command works on is not there'],
  ['4', 'unfit: vbuild or an artifact cannot work on this host or in this prefix, or steps cannot be locked in'],
  ['5', 'built, but an upload failed'],
  ['70', 'a bug in vbuild'],
  ['78', 'no usable Node'],
  ['130', 'interrupted (143: terminated)'],
];

const files: readonly (readonly [string, string])[] = [
  ['Buildfile.ts', 'the packages'],
  ['Buildfile.lock', 'the pins: what exactly the sources and tools resolved to'],
  ['.vbuild', 'work folder: trees, stamps, logs; may be removed when no opened patches are unsaved'],
  ['vendor', 'the prefix: a link to its newest generation'],
];

const environment: readonly (readonly [string, string])[] = [
  ['VBUILD_NODE', 'the Node to run on, 24 or newer, in place of the one that comes along'],
  ['VBUILD_SANDBOX', 'auto, require or off, where --sandbox is not given'],
  ['VBUILD_CACHE', 'the folder of the disk cache (default: vbuild in XDG_CACHE_HOME, else ~/.cache/vbuild)'],
  ['VBUILD_SIGNING_KEY_FILE', 'the file of the secret key that what is pushed is signed with'],
  ['VBUILD_SIGNING_KEY', 'that key itself, in place of a file'],
  ['NO_COLOR', 'print without colours'],
  ['CI', 'print plain lines, without a status line'],
];

/** As the synopsis, without what the overview has no room for. */
const commandLabel = ({ name, takes }: CommandRow): string =>
  `${name} ${synopsis[takes]}`.replace(' [OPTION…]', '').replace(' [ARGUMENT…]', '');

function optionLines(command: string): readonly string[] {
  const rows = optionTable.filter((row) => applies(row, command));
  return table(
    rows.map((row: OptionRow) => {
      const short = row.short === undefined ? '    ' : `-${row.short}, `;
      return [`${short}--${row.name}${row.value === undefined ? '' : ` ${row.value}`}`, row.summary];
    }),
  );
}

function exampleLines(examples: CommandRow['examples']): readonly string[] {
  return examples.flatMap(([line, does], index) => [...(index > 0 ? [''] : []), line, ...fill(does, 4)]);
}

/** Two columns, the second one filled. */
function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const column = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.flatMap(([label, text]) => {
    const [first = '', ...others] = fill(text, column);
    return [label.padEnd(column) + first.slice(column), ...others];
  });
}

/** A paragraph cut into lines of the page, each indented. */
function fill(text: string, indent = 0): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > pageWidth - sectionIndent) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((filled) => ' '.repeat(indent) + filled);
}

const sectionIndent = 2;

function page(sections: readonly (readonly [title: string, lines: readonly string[]])[]): string {
  const shown = sections.filter(([, lines]) => lines.length > 0);
  return `${shown.map(([title, lines]) => [title, ...lines.map(indented)].join('\n')).join('\n\n')}\n`;
}

function indented(line: string): string {
  return line === '' ? '' : ' '.repeat(sectionIndent) + line;
}
