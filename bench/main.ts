/**
 * `npm run bench [ROUNDS] [NAME…]`: what vbuild costs, as ratios to a program that everybody knows, measured in turns. Without a name all of
 * the list below is measured. A benchmark is one entry of the list: a title, and the programs to compare, the first one the measure.
 */
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contestant, type Measured, measureInterleaved } from './measure.ts';
import { bucket } from './bucket.ts';
import { graphs } from './graphs.ts';
import { packing } from './packing.ts';
import { pil } from './pil.ts';
import { patching } from './patching.ts';
import { startUp } from './start-up.ts';
import { unpacking } from './unpacking.ts';

export interface Benchmark {
  readonly title: string;
  /** When no other number is asked for. */
  readonly rounds: number;
  /** The first one is what the others are compared with. */
  readonly contestants: readonly Contestant[];
  readonly targets?: readonly Target[];
}

/** What is aimed at: one contestant's time as a ratio to another's, or its memory. */
export type Target =
  | { readonly of: string; readonly to: string; readonly atMost: number }
  | { readonly of: string; readonly peakMb: number };

/** What cannot be measured here, and why. */
export interface NotMeasured {
  readonly title: string;
  readonly why: string;
}

/**
 * @param folder Absolute; the benchmark's own, removed at the end.
 * @param after  Takes what is to be done then.
 */
export type MakeBenchmarks = (
  folder: string,
  after: (callback: () => Promise<void>) => void,
) => Promise<readonly (Benchmark | NotMeasured)[]>;

const list: Readonly<Record<string, MakeBenchmarks>> = {
  'start-up': startUp,
  pil,
  graphs,
  patching,
  packing,
  unpacking,
  bucket,
};

const words = process.argv.slice(2);
const asked = words.filter((word) => !/^\d+$/.test(word));
const rounds = words.filter((word) => /^\d+$/.test(word)).map(Number)[0];
const unknown = asked.find((name) => !Object.hasOwn(list, name));
if (unknown !== undefined || rounds === 0)
  throw new Error(`usage: npm run bench [ROUNDS] [${Object.keys(list).join(' | ')}]…`);

for (const [name, make] of Object.entries(list)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const atTheEnd: (() => Promise<void>)[] = [];
  try {
    for (const benchmark of await make(folder, (callback) => void atTheEnd.push(callback))) {
      if ('why' in benchmark) console.log(`${benchmark.title}: not measured, ${benchmark.why}\n`);
      else print(benchmark, rounds ?? benchmark.rounds);
    }
  } finally {
    for (const callback of atTheEnd) await callback();
    rmSync(folder, { recursive: true, force: true });
  }
}

function print({ title, contestants, targets = [] }: Benchmark, times: number): void {
  const measured = measureInterleaved(contestants, times);
  const width = Math.max(...measured.map((one) => one.name.length));
  console.log(
    `${title} (${times} rounds in turns, Node ${process.versions.node}; medians; ratios within a round, to the first line)`,
  );
  console.log(`  ${'program'.padEnd(width)}  time ms  fastest   cpu ms  peak MB  ratio  of cpu`);
  const [first = { name: '' }] = measured;
  for (const one of measured) {
    const cells = [
      one.medianOf('wallMs').toFixed(0).padStart(7),
      one.fastestMs.toFixed(0).padStart(7),
      one.medianOf('cpuMs').toFixed(0).padStart(7),
      one.medianOf('peakMb').toFixed(0).padStart(7),
      one.ratioTo(first.name, 'wallMs').toFixed(2).padStart(5),
      one.ratioTo(first.name, 'cpuMs').toFixed(2).padStart(6),
    ];
    console.log(`  ${one.name.padEnd(width)}  ${cells.join('  ')}`);
  }
  for (const target of targets) console.log(`  ${verdict(target, measured)}`);
  console.log('');
}

function verdict(target: Target, measured: readonly Measured[]): string {
  const one = measured.find(({ name }) => name === target.of);
  if (one === undefined) throw new Error(`a target names ${target.of}, which is not measured`);
  if ('peakMb' in target) {
    const found = one.medianOf('peakMb');
    return `${target.of}: ${found.toFixed(0)} MB, target ${target.peakMb}: ${found <= target.peakMb ? 'met' : 'MISSED'}`;
  }
  const { of, to, atMost } = target;
  const found = one.ratioTo(to, 'wallMs');
  const cpu = one.ratioTo(to, 'cpuMs').toFixed(2);
  return `${of} : ${to} = ${found.toFixed(2)} (of cpu ${cpu}), target ${atMost}: ${found <= atMost ? 'met' : 'MISSED'}`;
}
