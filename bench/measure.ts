/** Measures programs in turns, so that whatever else the machine does meets all of them alike. */
import { spawnSync } from 'node:child_process';

export interface Contestant {
  readonly name: string;
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Puts things in place before each run; takes no part in the time. */
  readonly prepare?: () => void;
}

export interface Measured {
  readonly name: string;
  readonly medianMs: number;
  readonly fastestMs: number;
  /** Median of the ratios to the first contestant in the same round. */
  readonly ratio: number;
}

/**
 * Runs all of them once per round, in an order that moves on by one each round, after one round that does not count.
 *
 * @throws when one of them ends with another status than 0.
 */
export function measureInterleaved(contestants: readonly Contestant[], rounds: number): readonly Measured[] {
  const times = contestants.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (turn + Math.max(0, round)) % contestants.length;
      const contestant = contestants[index];
      if (contestant === undefined) continue;
      const tookMs = timeOnce(contestant);
      if (round >= 0) times[index]?.push(tookMs);
    }
  }
  const base = times[0] ?? [];
  return contestants.map(({ name }, index) => {
    const own = times[index] ?? [];
    const ratios = own.map((time, round) => time / (base[round] ?? Number.NaN));
    return { name, medianMs: median(own), fastestMs: Math.min(...own), ratio: median(ratios) };
  });
}

function timeOnce({ name, argv, cwd, env, prepare }: Contestant): number {
  prepare?.();
  const [program = '', ...args] = argv;
  const startedMs = performance.now();
  const { status, stderr, error } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  const tookMs = performance.now() - startedMs;
  if (status !== 0) throw new Error(`${name} ended with ${status ?? error?.message}: ${stderr}`);
  return tookMs;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
