/** Which job starts next: ready ones only, longest remaining path first (pure). */

export interface Job {
  readonly id: string;
  /** Ids of the jobs that must have ended well before this one starts. */
  readonly after: readonly string[];
  /** How long it is expected to take, in milliseconds. */
  readonly expectedMs: number;
  /** What it takes while it runs: the network, or a share of the processors. */
  readonly resource: 'transfer' | 'cpu';
}

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped';

/** For every job, the time from its start to the end of the longest chain that waits for it, in milliseconds. */
export function remainingMs(jobs: readonly Job[]): Map<string, number> {
  const followers = new Map<string, Job[]>();
  for (const job of jobs) for (const id of job.after) followers.set(id, [...(followers.get(id) ?? []), job]);
  const known = new Map<string, number>();
  const visit = (job: Job): number => {
    const before = known.get(job.id);
    if (before !== undefined) return before;
    const longest = Math.max(0, ...(followers.get(job.id) ?? []).map(visit));
    known.set(job.id, job.expectedMs + longest);
    return job.expectedMs + longest;
  };
  for (const job of jobs) visit(job);
  return known;
}

/** The jobs that could start now, the one on the longest remaining path first; ids decide a tie. */
export function ready(
  jobs: readonly Job[],
  states: ReadonlyMap<string, JobState>,
  remaining: ReadonlyMap<string, number>,
): Job[] {
  return jobs
    .filter((job) => states.get(job.id) === 'waiting' && job.after.every((id) => (states.get(id) ?? 'done') === 'done'))
    .sort((a, b) => (remaining.get(b.id) ?? 0) - (remaining.get(a.id) ?? 0) || (a.id < b.id ? -1 : 1));
}

/** The waiting jobs that can never start because one that they wait for failed or was skipped, with that one's id. */
export function blocked(
  jobs: readonly Job[],
  states: ReadonlyMap<string, JobState>,
): { readonly job: Job; readonly because: string }[] {
  return jobs.flatMap((job) => {
    const because = job.after.find((id) => states.get(id) === 'failed' || states.get(id) === 'skipped');
    return states.get(job.id) === 'waiting' && because !== undefined ? [{ job, because }] : [];
  });
}
