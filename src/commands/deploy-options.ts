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
    name: 'question',
    short: 'q',
    type: 'flag',
    summary: 'only say whether all is there, as "vbuild check" does',
    commands: ['build'],
  },
] as const satisfies readonly OptionRow[];
