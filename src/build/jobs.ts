/** What making packages comes to as jobs: fetch and patch ahead of need, compile and pack as the dependencies allow (pure). */
import { type Job, type JobState, ready, remainingMs } from './scheduler.ts';

/** A package that is to be built. */
export interface PackageWork {
  /** `name@version`. */
  readonly id: string;
  /** Ids of those packages to be built that must be there before it is compiled. */
  readonly after: readonly string[];
  /** Whether fetching waits for them too: as they come out, it may turn out that there is nothing to compile. */
  readonly waits?: boolean;
  /** How long fetching and patching, and then compiling and packing, are expected to take, in milliseconds. */
  readonly prepareMs: number;
  readonly makeMs: number;
}

export const prepareJob = (id: string): string => `prepare ${id}`;
export const makeJob = (id: string): string => `make ${id}`;
/** The package that a job is about. */
export const packageOf = (job: string): string => job.slice(job.indexOf(' ') + 1);

export const packageJobs = (packages: readonly PackageWork[]): Job[] =>
  packages.flatMap(({ id, after, waits, prepareMs, makeMs }): Job[] => [
    {
      id: prepareJob(id),
      after: waits === true ? after.map(makeJob) : [],
      expectedMs: prepareMs,
      resource: 'transfer',
    },
    { id: makeJob(id), after: [prepareJob(id), ...after.map(makeJob)], expectedMs: makeMs, resource: 'cpu' },
  ]);

/** How many jobs of each resource run at once. @param jobs The `-j` number. */
export const limitsFor = (jobs: number): Readonly<Record<Job['resource'], number>> => ({ transfer: 3, cpu: jobs });

export interface Forecast {
  readonly totalMs: number;
  /** Ids of the jobs of the longest chain, in their order. */
  readonly criticalPath: readonly string[];
}

/** How long these jobs take if each takes what is expected: the schedule of a run, played through. */
export function forecast(jobs: readonly Job[], limits: Readonly<Record<Job['resource'], number>>): Forecast {
  const remaining = remainingMs(jobs);
  const states = new Map<string, JobState>(jobs.map(({ id }) => [id, 'waiting']));
  const endsAt = new Map<Job, number>();
  let nowMs = 0;
  for (;;) {
    for (const job of ready(jobs, states, remaining)) {
      const busy = [...endsAt.keys()].filter(({ resource }) => resource === job.resource).length;
      if (busy >= limits[job.resource]) continue;
      states.set(job.id, 'running');
      endsAt.set(job, nowMs + job.expectedMs);
    }
    const [next] = [...endsAt].sort(([, a], [, b]) => a - b);
    if (next === undefined) return { totalMs: nowMs, criticalPath: longestChain(jobs, remaining) };
    nowMs = next[1];
    endsAt.delete(next[0]);
    states.set(next[0].id, 'done');
  }
}

function longestChain(jobs: readonly Job[], remaining: ReadonlyMap<string, number>): string[] {
  const longest = (among: readonly Job[]): Job | undefined =>
    [...among].sort((a, b) => (remaining.get(b.id) ?? 0) - (remaining.get(a.id) ?? 0) || (a.id < b.id ? -1 : 1))[0];
  const chain: string[] = [];
  for (let job = longest(jobs.filter(({ after }) => after.length === 0)); job !== undefined; ) {
    const { id } = job;
    chain.push(id);
    job = longest(jobs.filter(({ after }) => after.includes(id)));
  }
  return chain;
}
