/** What a run looks like at this moment, gathered from its events: which packages are being worked on, and how far things are. */
import type { BuildEvent, Outcome } from '../model/event.ts';

export interface Activity {
  /** `name@version`. */
  readonly package: string;
  /** A stage, `restore` or `push`. */
  readonly doing: string;
  /** On the reporter's clock. */
  readonly sinceMs: number;
  /** Of the step that runs: the group, and the absolute path of its log. */
  readonly group?: string;
  readonly log?: string;
  readonly transfer?: { readonly what: string; readonly doneBytes: number; readonly totalBytes?: number };
}

export interface Progress {
  /** Takes in one event. */
  note(event: BuildEvent, nowMs: number): void;
  /** What is going on, longest running first. */
  running(): readonly Activity[];
  /** The place of a package in the order in which packages were first heard of, 1 for the first; 0 for what is no package. */
  numberOf(name: string): number;
  /** Packages of the whole run, and how many of them need no more work. */
  total(): number;
  done(): number;
  /** How many of these came to each end. */
  count(end: Outcome | 'failed' | 'skipped'): number;
  /** How many jobs run, of how many; undefined where that is not known. */
  jobs(): { readonly inUse: number; readonly jobs: number } | undefined;
  /** Of all transfers together, lately; 0 where nothing moves. */
  bytesPerSecond(nowMs: number): number;
  /** Until all that is to be built is, by how long it took earlier; undefined where nothing is to be built. */
  leftMs(nowMs: number): number | undefined;
}

/** Over how long the rate of transfers is taken. */
const rateMs = 4000;

export function progress(): Progress {
  const numbers = new Map<string, number>();
  const running = new Map<string, Activity>();
  const ends = new Map<string, Outcome | 'failed' | 'skipped'>();
  const moved: { readonly atMs: number; readonly bytes: number }[] = [];
  const begun = new Map<string, number>();
  let outlook: Extract<BuildEvent, { type: 'outlook' }> | undefined;
  let jobs: { readonly inUse: number; readonly jobs: number } | undefined;
  let total = 0;

  const begin = (name: string, doing: string, nowMs: number): void => {
    running.set(name, { package: name, doing, sinceMs: nowMs });
    if (!begun.has(name)) begun.set(name, nowMs);
  };
  const change = (name: string, more: Partial<Activity>): void => {
    const activity = running.get(name);
    if (activity) running.set(name, { ...activity, ...more });
  };
  const finish = (name: string, end: Outcome | 'failed' | 'skipped'): void => {
    running.delete(name);
    if (ends.get(name) !== 'failed') ends.set(name, end);
  };

  return {
    running: () => [...running.values()].sort((a, b) => a.sinceMs - b.sinceMs),
    numberOf: (name) => numbers.get(name) ?? 0,
    total: () => Math.max(total, numbers.size),
    done: () => ends.size,
    count: (end) => [...ends.values()].filter((one) => one === end).length,
    jobs: () => jobs,
    bytesPerSecond(nowMs) {
      while (moved[0] !== undefined && nowMs - moved[0].atMs > rateMs) moved.shift();
      const sinceMs = Math.max(1000, nowMs - (moved[0]?.atMs ?? nowMs));
      return (moved.reduce((sum, { bytes }) => sum + bytes, 0) * 1000) / sinceMs;
    },
    leftMs(nowMs) {
      if (outlook === undefined) return undefined;
      const parts = Object.entries(outlook.packages).map(([name, expectedMs]) => {
        const sinceMs = begun.get(name);
        const spentMs = sinceMs === undefined || !running.has(name) ? 0 : Math.min(nowMs - sinceMs, 0.95 * expectedMs);
        return { expectedMs, doneMs: ends.has(name) ? expectedMs : spentMs };
      });
      const all = parts.reduce((sum, { expectedMs }) => sum + expectedMs, 0);
      const done = parts.reduce((sum, { doneMs }) => sum + doneMs, 0);
      return all === 0 ? 0 : outlook.expectedMs * (1 - done / all);
    },
    note(event, nowMs) {
      // The install stage is about a prefix, not about one package of the run.
      const ofPrefix = 'stage' in event && event.stage === 'install';
      if ('package' in event && event.package !== undefined && !ofPrefix && !numbers.has(event.package)) {
        numbers.set(event.package, numbers.size + 1);
      }
      switch (event.type) {
        case 'run-started':
          total = event.packages;
          return;
        case 'outlook':
          outlook = event;
          return;
        case 'jobs-sampled':
          jobs = event;
          return;
        case 'stage-started':
          return begin(event.package, event.stage, nowMs);
        case 'step-started':
          return change(event.package, { group: event.group, log: event.log });
        case 'stage-finished':
          return void running.delete(event.package);
        case 'cache-looked-up':
          if (event.answer === 'hit') begin(event.package, 'restore', nowMs);
          return;
        case 'transfer': {
          if (!running.has(event.package)) begin(event.package, ends.has(event.package) ? 'push' : 'fetch', nowMs);
          const { what, doneBytes, totalBytes } = event;
          const before = running.get(event.package)?.transfer;
          moved.push({ atMs: nowMs, bytes: Math.max(0, doneBytes - (before?.what === what ? before.doneBytes : 0)) });
          return change(event.package, {
            transfer: { what, doneBytes, ...(totalBytes !== undefined && { totalBytes }) },
          });
        }
        case 'pushed':
          return void running.delete(event.package);
        case 'package-finished':
          return finish(event.package, event.outcome);
        case 'package-failed':
          return finish(event.package, 'failed');
        case 'package-skipped':
          return finish(event.package, 'skipped');
        case 'run-finished':
          return running.clear();
        case 'cache-traffic':
        case 'notice':
        case 'installed':
          return;
        default:
          event satisfies never;
      }
    },
  };
}
