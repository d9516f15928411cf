/** The tables of commands and options as data, for programs that make pages, menus or completions of them. */
import { applies, commandTable, type CommandRow, type OptionRow, optionTable } from './command-table.ts';
import { helpPage } from './help.ts';

/** All commands, or those of one name or group, each with its options. @throws {VbuildError} `usage` when there is no such command. */
export function helpData(name?: string): object[] {
  // There is a page of exactly what there is data of.
  helpPage(name);
  const rows = commandTable.filter((row) => name === undefined || row.name === name || row.name.startsWith(`${name} `));
  return rows.map((command: CommandRow) => ({
    ...command,
    examples: command.examples.map(([line, does]) => ({ line, does })),
    options: optionTable
      .filter((row) => applies(row, command.name))
      .map(({ commands: _commands, ...row }: OptionRow) => row),
  }));
}
