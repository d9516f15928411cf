/** The options of working by hand; a part of the table of options. */
import type { OptionRow } from './option-table.ts';

export const handOptions = [
  {
    name: 'all',
    type: 'flag',
    summary: 'stamps, logs and what else tells of earlier runs too',
    commands: ['clean'],
  },
  {
    name: 'follow',
    type: 'flag',
    summary: 'go on printing while the log grows',
    commands: ['log'],
  },
  {
    name: 'keep',
    type: 'flag',
    summary: 'keep the folders in which packages were compiled, to look into; for verify: the trees that differ',
    commands: ['build', 'verify'],
  },
] as const satisfies readonly OptionRow[];
