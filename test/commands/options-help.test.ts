/** The help pages: complete, narrow enough, and true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandRow, commandTable, type OptionRow, optionTable } from '../../src/commands/command-table.ts';
import { helpPage } from '../../src/commands/help.ts';
import { parseCommandLine } from '../../src/commands/options.ts';

const rows: readonly CommandRow[] = commandTable;

test('the overview names every command and every exit status', () => {
  const page = helpPage();
  for (const { name } of rows) assert.match(page, new RegExp(`^  ${name}\\b`, 'm'));
  for (const status of [0, 1, 2, 3, 4, 5, 70, 78, 130]) assert.match(page, new RegExp(`^  ${status} `, 'm'));
});

test('every option stands on the page of each command that it applies to, and on no other', () => {
  for (const { name } of rows) {
    const page = helpPage(name);
    for (const option of optionTable as readonly OptionRow[]) {
      const applies = option.commands === 'all' || option.commands.some((command) => command === name);
      assert.equal(
        new RegExp(`^  (-., |    )--${option.name}\\b(?!-)`, 'm').test(page),
        applies,
        `${name} --${option.name}`,
      );
    }
  }
});

test('no line of a help page is wider than 80 columns or ends in blanks', () => {
  for (const page of [helpPage(), ...rows.map(({ name }) => helpPage(name))]) {
    assert.ok(page.endsWith('\n') && !page.endsWith('\n\n'));
    for (const line of page.split('\n')) assert.match(line, /^(?:.{0,79}[^ ])?$/u);
  }
});

test('every help page has examples, and each is a command line that is understood', () => {
  for (const { name, examples } of rows) {
    assert.ok(examples.length > 0, name);
    for (const [line] of examples) {
      const words = line.replace(/^(?:eval|cd) "\$\((.*)\)"$/, '$1').split(' ');
      assert.equal(words[0], 'vbuild');
      assert.equal(parseCommandLine(words.slice(1)).command, name, line);
    }
  }
});

test('help for a command that does not exist suggests the nearest one', () => {
  assert.throws(() => helpPage('exce'), {
    code: 'usage',
    message: 'Command "exce" is unknown',
    mend: 'did you mean "exec"?',
  });
});
