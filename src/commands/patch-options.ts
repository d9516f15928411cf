/** The rows of the options that are about patches alone; a part of the table of options. */
import type { OptionRow } from './option-table.ts';

export const patchOptions = [
  {
    name: 'strip',
    short: 'p',
    type: 'number',
    value: 'N',
    summary: 'drop N leading parts from the names in patches (default: 1)',
    commands: ['patch apply'],
  },
  {
    name: 'tree',
    short: 'd',
    type: 'text',
    value: 'DIR',
    summary: 'the tree to patch (default: the current folder)',
    commands: ['patch apply'],
  },
  {
    name: 'dialect',
    type: 'text',
    value: 'DIALECT',
    choices: ['strict', 'dpkg'],
    summary: 'how strictly: strict, or dpkg for a Debian series (default: strict)',
    commands: ['patch apply'],
  },
  {
    name: 'continue',
    type: 'flag',
    summary: 'go on after a conflict that is resolved',
    commands: ['patch rebase'],
  },
  {
    name: 'abort',
    type: 'flag',
    summary: 'give up what was begun; the patches are as they were',
    commands: ['patch rebase'],
  },
] as const satisfies readonly OptionRow[];
