/** What a start of vbuild costs, beside an empty Node program. */
import { resolve } from 'node:path';
import type { MakeBenchmarks } from './main.ts';

const vbuild = resolve(import.meta.dirname, '../bin/vbuild');

export const startUp: MakeBenchmarks = async () => [
  {
    title: 'Start',
    rounds: 21,
    contestants: [
      { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
      { name: 'vbuild --help', argv: [vbuild, '--help'] },
    ],
  },
];
