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

/** One run: wall-clock time, the processors' time of all its processes, and the most memory that one of these held. */
interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

export interface Measured {
  readonly name: string;
  readonly fastestMs: number;
  readonly medianOf: (what: keyof Sample) => number;
  /** Median of the ratios to another one in the same round. */
  readonly ratioTo: (other: string, what: 'wallMs' | 'cpuMs') => number;
}

/**
 * Runs all of them once per round, in an order that moves on by one each round, after one round that does not count where there are several.
 *
 * @throws when one of them ends with another status than 0.
 */
export function measureInterleaved(contestants: readonly Contestant[], rounds: number): readonly Measured[] {
  const samples = new Map(contestants.map(({ name }): [string, Sample[]] => [name, []]));
  for (let round = rounds > 3 ? -1 : 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(turn + Math.max(0, round)) % contestants.length];
      if (contestant === undefined) continue;
      const sample = runOnce(contestant);
      if (round >= 0) samples.get(contestant.name)?.push(sample);
    }
  }
  return contestants.map(({ name }) => {
    const own = samples.get(name) ?? [];
    return {
      name,
      fastestMs: Math.min(...own.map(({ wallMs }) => wallMs)),
      medianOf: (what) => median(own.map((sample) => sample[what])),
      ratioTo(other, what) {
        const base = samples.get(other) ?? [];
        return median(own.map((sample, round) => sample[what] / (base[round]?.[what] ?? Number.NaN)));
      },
    };
  });
}

/** Node does not tell what its children took; this prints it: milliseconds, milliseconds of the processors, KiB. */
const watch = `import resource, subprocess, sys, time
started = time.monotonic()
status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
wall = time.monotonic() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(wall * 1e3, (used.ru_utime + used.ru_stime) * 1e3, used.ru_maxrss)
sys.exit(status)`;

function runOnce({ name, argv, cwd, env, prepare }: Contestant): Sample {
  prepare?.();
  const { status, stdout, stderr, error } = spawnSync('/usr/bin/python3', ['-c', watch, ...argv], {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${name} ended with ${status ?? error?.message}: ${stderr}`);
  const [wallMs = Number.NaN, cpuMs = Number.NaN, peakKib = Number.NaN] = stdout.split(' ').map(Number);
  return { wallMs, cpuMs, peakMb: peakKib / 1024 };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
