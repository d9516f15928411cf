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
  /** The most memory that it held at once, of one run of its own. */
  readonly peakMb: number;
  /** Median of the ratios to another one in the same round. */
  readonly ratioTo: (other: string) => number;
}

/**
 * Runs all of them once per round, in an order that moves on by one each round, after one round that does not count.
 *
 * @throws when one of them ends with another status than 0.
 */
export function measureInterleaved(
  contestants: readonly Contestant[],
  rounds: number,
  withMemory = true,
): readonly Measured[] {
  const times = new Map(contestants.map(({ name }): [string, number[]] => [name, []]));
  const peaks = withMemory ? contestants.map(peakMbOf) : [];
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(turn + round) % contestants.length];
      if (contestant !== undefined) times.get(contestant.name)?.push(timeOnce(contestant));
    }
  }
  return contestants.map(({ name }, index) => {
    const own = times.get(name) ?? [];
    return {
      name,
      medianMs: median(own),
      fastestMs: Math.min(...own),
      peakMb: peaks[index] ?? Number.NaN,
      ratioTo(other) {
        const base = times.get(other) ?? [];
        return median(own.map((time, round) => time / (base[round] ?? Number.NaN)));
      },
    };
  });
}

function timeOnce(contestant: Contestant): number {
  contestant.prepare?.();
  const startedMs = performance.now();
  run(contestant, contestant.argv, 'ignore');
  return performance.now() - startedMs;
}

/** Prints the most memory that a command and what it ran held, each for itself, in KiB. */
const watchMemory = `import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)`;

function peakMbOf(contestant: Contestant): number {
  contestant.prepare?.();
  return Number(run(contestant, ['python3', '-c', watchMemory, ...contestant.argv], 'pipe')) / 1024;
}

function run(
  { name, cwd, env }: Contestant,
  [program = '', ...args]: readonly string[],
  stdout: 'ignore' | 'pipe',
): string {
  const ended = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', stdout, 'pipe'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (ended.status !== 0)
    throw new Error(`${name} ended with ${ended.status ?? ended.error?.message}: ${ended.stderr}`);
  return ended.stdout;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
