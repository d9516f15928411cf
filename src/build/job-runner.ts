/** Runs jobs as their dependencies, the processors and the network allow; failures stop new work unless told otherwise. */
import { blocked, type Job, type JobState, ready, remainingMs } from './scheduler.ts';

export interface JobRun {
  readonly jobs: readonly Job[];
  /** Does one job. */
  readonly work: (job: Job) => Promise<void>;
  /** How many jobs of a resource may run at once. */
  readonly limits: Readonly<Record<Job['resource'], number>>;
  /** After a failure, go on with all that does not depend on it. */
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  /** Called for every job that is given up because another failed; `because` is that one's id. */
  readonly skipped: (job: Job, because: string) => void;
}

/** @returns What was thrown, by job, in the order of the failures. Jobs that were running when one failed have ended. */
export async function runJobs({
  jobs,
  work,
  limits,
  keepGoing,
  signal,
  skipped,
}: JobRun): Promise<Map<string, unknown>> {
  const states = new Map<string, JobState>(jobs.map(({ id }) => [id, 'waiting']));
  const remaining = remainingMs(jobs);
  const failures = new Map<string, unknown>();
  const running = new Map<string, Promise<void>>();
  const busy = { transfer: 0, cpu: 0 };
  const start = (job: Job): void => {
    states.set(job.id, 'running');
    busy[job.resource] += 1;
    const ended = work(job)
      .then(
        () => void states.set(job.id, 'done'),
        (thrown: unknown) => {
          states.set(job.id, 'failed');
          failures.set(job.id, thrown);
        },
      )
      .finally(() => {
        busy[job.resource] -= 1;
        running.delete(job.id);
      });
    running.set(job.id, ended);
  };
  for (;;) {
    const stopping = signal.aborted || (failures.size > 0 && !keepGoing);
    if (!stopping) {
      for (const job of ready(jobs, states, remaining)) if (busy[job.resource] < limits[job.resource]) start(job);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  for (let found = blocked(jobs, states); found.length > 0; found = blocked(jobs, states)) {
    for (const { job, because } of found) {
      states.set(job.id, 'skipped');
      skipped(job, because);
    }
  }
  return failures;
}
