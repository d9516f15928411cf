/** Which job starts next: ready ones only, longest remaining path first. In memory alone, and near linear in jobs and what they wait for. */

export interface Job {
  readonly id: string;
  /** Ids of the jobs that must have ended well before this one starts; those of no job count as ended. */
  readonly after: readonly string[];
  /** How long it is expected to take, in milliseconds. */
  readonly expectedMs: number;
  /** What it takes while it runs: the network, or a share of the processors. */
  readonly resource: 'transfer' | 'cpu';
}

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped';

/** For every job that others wait for, these others. */
export function followersOf(jobs: readonly Job[]): Map<string, Job[]> {
  const followers = new Map<string, Job[]>();
  for (const job of jobs) {
    for (const id of new Set(job.after)) {
      const known = followers.get(id);
      if (known === undefined) followers.set(id, [job]);
      else known.push(job);
    }
  }
  return followers;
}

/** The most urgent first; ids decide a tie. @param remaining What `remainingMs` says. */
export const byUrgency = (jobs: readonly Job[], remaining: ReadonlyMap<string, number>): Job[] =>
  [...jobs].sort((a, b) => (remaining.get(b.id) ?? 0) - (remaining.get(a.id) ?? 0) || (a.id < b.id ? -1 : 1));

/** For every job, the time from its start to the end of the longest chain that waits for it, in milliseconds. */
export function remainingMs(jobs: readonly Job[], followers = followersOf(jobs)): Map<string, number> {
  const known = new Map<string, number>();
  // Each after those that it waits for, so that the other way round all that follow are known. @see Kahn 1962
  const order = [...jobs];
  const open = openCounts(jobs);
  let at = 0;
  for (const job of jobs) if (open.get(job.id) === 0) order[at++] = job;
  for (let next = 0; next < at; next += 1) {
    for (const follower of followers.get(order[next]?.id ?? '') ?? []) {
      const left = (open.get(follower.id) ?? 0) - 1;
      open.set(follower.id, left);
      if (left === 0) order[at++] = follower;
    }
  }
  for (const { id, expectedMs } of order.reverse()) {
    let longest = 0;
    for (const follower of followers.get(id) ?? []) longest = Math.max(longest, known.get(follower.id) ?? 0);
    known.set(id, expectedMs + longest);
  }
  return known;
}

/** For how many others each job waits. */
function openCounts(jobs: readonly Job[]): Map<string, number> {
  const ids = new Set(jobs.map(({ id }) => id));
  return new Map(jobs.map(({ id, after }) => [id, [...new Set(after)].filter((other) => ids.has(other)).length]));
}

/** Jobs that wait for one another, and those among them that could start now. */
export class JobQueue {
  readonly #followers: ReadonlyMap<string, readonly Job[]>;
  readonly #open: Map<string, number>;
  /** By place in the order of urgency. */
  readonly #jobs: readonly Job[];
  readonly #places: ReadonlyMap<string, number>;
  /** Places, the most urgent one last. */
  readonly #ready: Readonly<Record<Job['resource'], number[]>> = { transfer: [], cpu: [] };

  constructor(jobs: readonly Job[]) {
    this.#followers = followersOf(jobs);
    const remaining = remainingMs(jobs, this.#followers as Map<string, Job[]>);
    this.#jobs = byUrgency(jobs, remaining);
    this.#places = new Map(this.#jobs.map(({ id }, place) => [id, place]));
    this.#open = openCounts(jobs);
    for (const job of jobs) if (this.#open.get(job.id) === 0) this.#add(job);
  }

  /** The job of a resource that should start next: the one on the longest remaining path. */
  first(resource: Job['resource']): Job | undefined {
    return this.#jobs[this.#ready[resource].at(-1) ?? -1];
  }

  /** Takes that job out. */
  take(resource: Job['resource']): Job | undefined {
    return this.#jobs[this.#ready[resource].pop() ?? -1];
  }

  /** A job has ended well. */
  done({ id }: Job): void {
    for (const follower of this.#followers.get(id) ?? []) {
      const left = (this.#open.get(follower.id) ?? 0) - 1;
      this.#open.set(follower.id, left);
      if (left === 0) this.#add(follower);
    }
  }

  #add({ id, resource }: Job): void {
    const ready = this.#ready[resource];
    const place = this.#places.get(id) ?? 0;
    let [low, high] = [0, ready.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ready[middle] ?? 0) > place) low = middle + 1;
      else high = middle;
    }
    ready.splice(low, 0, place);
  }
}

/** The waiting jobs that can never start because one that they wait for failed or was skipped, with that one's id. */
export function blocked(
  jobs: readonly Job[],
  states: ReadonlyMap<string, JobState>,
): { readonly job: Job; readonly because: string }[] {
  return jobs.flatMap((job) => {
    if (states.get(job.id) !== 'waiting') return [];
    const because = job.after.find((id) => states.get(id) === 'failed' || states.get(id) === 'skipped');
    return because === undefined ? [] : [{ job, because }];
  });
}
