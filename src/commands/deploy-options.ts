/** The rows of the options that are about deployments alone; a part of the table of options. */
import type { OptionRow } from './option-table.ts';

export const deployOptions = [
  {
    name: 'platform',
    type: 'text',
    value: 'PLATFORM',
    summary: 'pin the tools of PLATFORM, as artifacts for it tell (default: this host, as it has them)',
    commands: ['lock'],
  },
  {
    name: 'to',
    type: 'count',
    value: 'N',
    summary: 'switch to generation N (default: the one that the current one replaced)',
    commands: ['rollback'],
  },
  {
    name: 'keep-generations',
    type: 'count',
    value: 'N',
    summary: 'keep the last N generations of the prefix (default: 4)',
    commands: ['build', 'install'],
  },
  {
    name: 'pth',
    type: 'flag',
    summary: 'print a line for a .pth file that binds a Python virtualenv to the prefix',
    commands: ['env'],
  },
  {
    name: 'question',
    short: 'q',
    type: 'flag',
    summary: 'only say whether all is there, as "vbuild check" does',
    commands: ['build'],
  },
] as const satisfies readonly OptionRow[];
