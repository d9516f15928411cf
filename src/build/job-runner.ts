/** Runs jobs as their dependencies, the processors and the network allow; failures stop new work unless told otherwise. */
import { blocked, type Job, JobQueue, type JobState } from './scheduler.ts';

/** The right of one job to keep a processor busy. */
export interface Lease {
  /** Gives it up; nothing where that was done before. */
  give(): void;
  /** Waits to have it again. */
  take(signal: AbortSignal): Promise<void>;
}

/** Without any limit. */
const free: Lease = { give: () => {}, take: async () => {} };

export interface JobRun {
  readonly jobs: readonly Job[];
  /** Does one job; it may give its lease up for a while. */
  readonly work: (job: Job, lease: Lease) => Promise<void>;
  /** How many jobs of a resource may run at once. */
  readonly limits: Readonly<Record<Job['resource'], number>>;
  /**
   * Waits until one more job on the processors may start; only then it is settled which one that is. Not asked twice at once.
   * @param signal Aborted when none is to start any more.
   * @param running How many run now, read at any time.
   * @returns The lease of that job, which is given back when it has ended.
   */
  readonly admit?: (signal: AbortSignal, running: () => number) => Promise<Lease>;
  /** After a failure, go on with all that does not depend on it. */
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  /** Called at the end for every job that was given up because another failed, which it needs or at which all stopped; `because` is that one's id. */
  readonly skipped: (job: Job, because: string) => void;
}

/** @returns What was thrown, by job, in the order of the failures. Jobs that were running when one failed have ended. */
export async function runJobs({
  jobs,
  work,
  limits,
  admit = async () => free,
  keepGoing,
  signal,
  skipped,
}: JobRun): Promise<Map<string, unknown>> {
  const states = new Map<string, JobState>(jobs.map(({ id }) => [id, 'waiting']));
  const queue = new JobQueue(jobs);
  const failures = new Map<string, unknown>();
  const running = new Map<string, Promise<void>>();
  const busy = { transfer: 0, cpu: 0 };
  const giveUp = new AbortController();
  const stop = AbortSignal.any([signal, giveUp.signal]);
  const stopping = (): boolean => signal.aborted || (failures.size > 0 && !keepGoing);
  const next = (resource: Job['resource']): Job | undefined =>
    stopping() || busy[resource] >= limits[resource] ? undefined : queue.first(resource);

  const start = (job: Job, lease: Lease): void => {
    queue.take(job.resource);
    states.set(job.id, 'running');
    busy[job.resource] += 1;
    const done = work(job, lease)
      .then(
        () => {
          states.set(job.id, 'done');
          queue.done(job);
        },
        (thrown: unknown) => {
          states.set(job.id, 'failed');
          failures.set(job.id, thrown);
        },
      )
      .finally(() => {
        busy[job.resource] -= 1;
        running.delete(job.id);
        lease.give();
      });
    running.set(job.id, done);
  };

  let admission: Promise<void> | undefined;
  const askForAdmission = async (): Promise<void> => {
    try {
      const lease = await admit(stop, () => busy.cpu);
      // Others may have become ready while it was waited for: the most urgent one starts.
      const job = next('cpu');
      if (job === undefined) lease.give();
      else start(job, lease);
    } catch (error) {
      if (!stop.aborted) throw error;
    } finally {
      admission = undefined;
    }
  };

  for (;;) {
    for (let job = next('transfer'); job !== undefined; job = next('transfer')) start(job, free);
    if (next('cpu') !== undefined) admission ??= askForAdmission();
    else if (stopping()) giveUp.abort();
    const pending = [...running.values(), ...(admission === undefined ? [] : [admission])];
    if (pending.length === 0) break;
    await Promise.race(pending);
  }
  for (let found = blocked(jobs, states); found.length > 0; found = blocked(jobs, states)) {
    for (const { job, because } of found) {
      states.set(job.id, 'skipped');
      skipped(job, because);
    }
  }
  // What nothing stood in the way of but the wish to stop.
  const [first] = failures.keys();
  if (first !== undefined && !signal.aborted)
    for (const job of jobs) if (states.get(job.id) === 'waiting') skipped(job, first);
  return failures;
}
