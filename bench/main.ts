/** `npm run bench [ROUNDS]`: what vbuild costs when there is nothing to do, as a ratio to an empty Node program, in one interleaved run. */
import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Contestant, measureInterleaved } from './measure.ts';

const checkout = resolve(import.meta.dirname, '..');
const vbuild = join(checkout, 'bin/vbuild');
const rounds = Number(process.argv[2] ?? 21);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('the number of rounds must be a whole number from 1 on');

/** Both are for the second run of the example, which has nothing to do. */
const example = ['pil', '-f', 'Buildfile.example.ts'];
const isBuilt = lstatSync(join(checkout, 'vendor'), { throwIfNoEntry: false }) !== undefined;

/** The first one is what the others are compared with. */
const contestants: readonly Contestant[] = [
  { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
  { name: 'vbuild --help', argv: [vbuild, '--help'] },
  ...(isBuilt
    ? [{ name: `vbuild ${example.join(' ')} (nothing to do)`, argv: [vbuild, ...example], cwd: checkout }]
    : []),
];

const measured = measureInterleaved(contestants, rounds);
const width = Math.max(...measured.map(({ name }) => name.length));
console.log(`${'program'.padEnd(width)}  median ms  fastest ms  ratio`);
for (const { name, medianMs, fastestMs, ratio } of measured) {
  const cells = [medianMs.toFixed(1).padStart(9), fastestMs.toFixed(1).padStart(10), ratio.toFixed(2).padStart(5)];
  console.log(`${name.padEnd(width)}  ${cells.join('  ')}`);
}
console.log(
  `\n${rounds} rounds, taken in turns, Node ${process.versions.node}; ratio: median over the rounds, to the first line`,
);
if (!isBuilt)
  console.log(`not measured: a run with nothing to do; first build the example with: npx vbuild ${example.join(' ')}`);
