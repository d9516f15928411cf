/** What a run told as JSON events, in the forms that tests ask about. */
import assert from 'node:assert/strict';
import type { Ended } from './vbuild.ts';

export interface ToldError {
  readonly code: string;
  readonly headline: string;
  readonly where: {
    readonly file?: string;
    readonly line?: number;
    readonly package?: string;
    readonly stage?: string;
  };
  readonly facts: Readonly<Record<string, string>>;
  readonly mend: string;
}

/** One line of `--json`; which fields there are depends on the type. */
export interface ToldEvent {
  readonly type: string;
  readonly package?: string;
  readonly stage?: string;
  readonly reasons?: readonly { readonly input: string; readonly before?: string; readonly now?: string }[];
  readonly code?: string;
  readonly level?: string;
  readonly headline?: string;
  readonly facts?: Readonly<Record<string, string>>;
  readonly tier?: string;
  readonly answer?: string;
  readonly reason?: string;
  readonly because?: string;
  readonly key?: string;
  readonly outcome?: string;
  /** Of a stage that has ended, what came of it. */
  readonly detail?: string;
  /** Of a look-up, what an equal artifact was sought by; of a package, what came out equal. */
  readonly equal?: string | readonly string[];
  readonly sizeBytes?: number;
  readonly requests?: number;
  readonly log?: string;
  readonly exitStatus?: number;
  readonly outcomes?: { readonly fresh: number; readonly restored: number; readonly built: number };
  readonly error?: ToldError;
  readonly errors?: readonly ToldError[];
}

export interface EventsOf extends Ended {
  readonly events: readonly ToldEvent[];
  /** `PACKAGE STAGE` of each stage that was started, sorted, for jobs run side by side; installing is `installs`, not here. */
  readonly stages: readonly string[];
  /** How often the prefix was switched. */
  readonly installs: number;
  /** From the last event; undefined when the run did not get that far. */
  readonly outcomes: ToldEvent['outcomes'];
  /** Everything that was wrong, failed packages first. */
  readonly errors: readonly ToldError[];
  readonly warnings: readonly ToldEvent[];
  /** Inputs that were given as reasons for a stage of a package. */
  reasons(id: string, stage: string): readonly string[];
}

/** @throws when a line of stdout is no JSON object. */
export function eventsOf(ended: Ended): EventsOf {
  const events = ended.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ToldEvent);
  const started = events.filter(({ type }) => type === 'stage-started');
  return {
    ...ended,
    events,
    stages: started.flatMap(({ package: id, stage }) => (stage === 'install' ? [] : [`${id} ${stage}`])).sort(),
    installs: events.filter(({ type }) => type === 'installed').length,
    outcomes: events.findLast(({ type }) => type === 'run-finished')?.outcomes,
    errors: events.flatMap(({ error, errors }) => [...(error === undefined ? [] : [error]), ...(errors ?? [])]),
    warnings: events.filter(({ type, level }) => type === 'notice' && level === 'warning'),
    reasons: (id, stage) =>
      started
        .filter((one) => one.package === id && one.stage === stage)
        .flatMap((one) => (one.reasons ?? []).map(({ input }) => input)),
  };
}

/** Insists that a run went well, with what it said in words when it did not. */
export function insistOnSuccess<Run extends Ended>(run: Run): Run {
  assert.equal(run.exitStatus, 0, `${run.signal ?? ''}\n${run.stderr}`);
  return run;
}
