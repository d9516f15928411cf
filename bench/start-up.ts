/** What vbuild costs when there is nothing to do, beside an empty Node program. */
import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MakeBenchmarks } from './main.ts';

const checkout = resolve(import.meta.dirname, '..');
const vbuild = join(checkout, 'bin/vbuild');

/** The second run of the example, which has nothing to do. */
const example = ['pil', '-f', 'Buildfile.example.ts'];

export const startUp: MakeBenchmarks = async () => {
  const isBuilt = lstatSync(join(checkout, 'vendor'), { throwIfNoEntry: false }) !== undefined;
  const upToDate = { name: `vbuild ${example.join(' ')} (nothing to do)`, argv: [vbuild, ...example], cwd: checkout };
  const why = `because the example is not built; build it with: npx vbuild ${example.join(' ')}`;
  return [
    {
      title: 'Start',
      rounds: 21,
      contestants: [
        { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
        { name: 'vbuild --help', argv: [vbuild, '--help'] },
        ...(isBuilt ? [upToDate] : []),
      ],
    },
    ...(isBuilt ? [] : [{ title: 'A run with nothing to do', why }]),
  ];
};
