/** When one more package may start: a token of the pool is free, and the machine not under pressure. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Jobserver, jobsAbove, joinJobserver, parentPool, startJobserver } from '../system/jobserver.ts';
import { pressure } from '../system/pressure.ts';
import { privateFolder } from './private-folder.ts';
import type { JobRun, Lease } from './job-runner.ts';
import type { Run } from './run.ts';

/** The pool for a run; it takes part in that of the make that started us, unless a number of jobs was asked for. @throws {VbuildError} `disk-trouble` */
export async function jobserverFor({ workspace, options, environment, emit }: Run): Promise<Jobserver> {
  const parent = parentPool(environment['MAKEFLAGS']);
  const above = parent === undefined || options.ownJobs === true ? undefined : joinJobserver(parent);
  if (above !== undefined) return startJobserver(privateFolder(workspace), parent?.jobs ?? 1, above);
  if (parent !== undefined) {
    const [headline, remedy] =
      options.ownJobs === true
        ? (['Jobs of the make above are not shared, as -j was given', 'leave -j out'] as const)
        : ([
            'Jobs of the make above cannot be shared: one at a time',
            'begin the line of the makefile with +',
          ] as const);
    emit({ type: 'notice', level: 'warning', code: 'jobserver-unavailable', headline, facts: { remedy } });
  }
  // A make that runs one job at a time has none to share.
  const isAlone = parent !== undefined || jobsAbove(environment['MAKEFLAGS']) === 1;
  const jobs = isAlone && options.ownJobs !== true ? 1 : options.jobs;
  return startJobserver(privateFolder(workspace), jobs);
}

/** How often a machine under pressure is looked at again, in milliseconds. */
const pressureMs = 500;

/** Waits for both, and says once that the machine holds us back. Without it everything would stop, so the first job never waits for that. */
export function admission(jobserver: Jobserver, { options, emit }: Run): NonNullable<JobRun['admit']> {
  const limits = {
    spareMemoryBytes: options.spareMemoryBytes ?? 0,
    ...(options.load !== undefined && { load: options.load }),
  };
  let told = false;
  return async (signal, running) => {
    for (let why = pressure(limits); running() > 0 && why !== undefined; why = pressure(limits)) {
      if (!told)
        emit({
          type: 'notice',
          level: 'info',
          code: 'held-back',
          headline: 'Further packages wait: the machine is busy',
          facts: { found: why },
        });
      told = true;
      await sleep(pressureMs, undefined, { signal });
    }
    await jobserver.take(signal);
    return leaseOn(jobserver);
  };
}

/** @param jobserver A token of it was just taken. */
function leaseOn(jobserver: Jobserver): Lease {
  let has = true;
  return {
    give() {
      if (has) jobserver.give();
      has = false;
    },
    async take(signal) {
      if (!has) await jobserver.take(signal);
      has = true;
    },
  };
}
