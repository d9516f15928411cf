/** What making packages comes to as jobs: fetch and patch ahead of need, compile and pack as the dependencies allow (pure). */
import { byUrgency, followersOf, type Job, JobQueue, remainingMs } from './scheduler.ts';

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

interface Forecast {
  readonly totalMs: number;
  /** Ids of the jobs of the longest chain, in their order. */
  readonly criticalPath: readonly string[];
}

/** How long these jobs take if each takes what is expected: the schedule of a run, played through. */
export function forecast(jobs: readonly Job[], limits: Readonly<Record<Job['resource'], number>>): Forecast {
  const queue = new JobQueue(jobs);
  const endsAt = new Map<Job, number>();
  let nowMs = 0;
  for (;;) {
    for (const resource of ['transfer', 'cpu'] as const) {
      let busy = [...endsAt.keys()].filter((job) => job.resource === resource).length;
      for (; busy < limits[resource]; busy += 1) {
        const job = queue.take(resource);
        if (job === undefined) break;
        endsAt.set(job, nowMs + job.expectedMs);
      }
    }
    const [next] = [...endsAt].sort(([, a], [, b]) => a - b);
    if (next === undefined) return { totalMs: nowMs, criticalPath: longestChain(jobs) };
    nowMs = next[1];
    endsAt.delete(next[0]);
    queue.done(next[0]);
  }
}

function longestChain(jobs: readonly Job[]): string[] {
  const followers = followersOf(jobs);
  const remaining = remainingMs(jobs, followers);
  const longest = (among: readonly Job[]): Job | undefined => byUrgency(among, remaining)[0];
  const chain: string[] = [];
  for (let job = longest(jobs.filter(({ after }) => after.length === 0)); job !== undefined; ) {
    const { id } = job;
    chain.push(id);
    job = longest(followers.get(id) ?? []);
  }
  return chain;
}
