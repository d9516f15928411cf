/** What a run looks like at this moment, gathered from its events: which packages are being worked on, and how far things are. */
import type { BuildEvent } from '../model/event.ts';

export interface Activity {
  /** `name@version`. */
  readonly package: string;
  /** A stage, `restore` or `push`. */
  readonly doing: string;
  /** On the reporter's clock. */
  readonly sinceMs: number;
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
}

export function progress(): Progress {
  const numbers = new Map<string, number>();
  const running = new Map<string, Activity>();
  const done = new Set<string>();
  let total = 0;

  const begin = (name: string, doing: string, nowMs: number): void => {
    running.set(name, { package: name, doing, sinceMs: nowMs });
  };
  const finish = (name: string): void => {
    running.delete(name);
    done.add(name);
  };

  return {
    running: () => [...running.values()].sort((a, b) => a.sinceMs - b.sinceMs),
    numberOf: (name) => numbers.get(name) ?? 0,
    total: () => Math.max(total, numbers.size),
    done: () => done.size,
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
        case 'stage-started':
          return begin(event.package, event.stage, nowMs);
        case 'stage-finished':
          return void running.delete(event.package);
        case 'cache-looked-up':
          if (event.answer === 'hit') begin(event.package, 'restore', nowMs);
          return;
        case 'transfer': {
          if (!running.has(event.package)) begin(event.package, done.has(event.package) ? 'push' : 'fetch', nowMs);
          const { what, doneBytes, totalBytes } = event;
          const transfer = { what, doneBytes, ...(totalBytes !== undefined && { totalBytes }) };
          const activity = running.get(event.package);
          if (activity) running.set(event.package, { ...activity, transfer });
          return;
        }
        case 'pushed':
          return void running.delete(event.package);
        case 'package-finished':
        case 'package-failed':
        case 'package-skipped':
          return finish(event.package);
        case 'run-finished':
          return running.clear();
        case 'step-started':
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
