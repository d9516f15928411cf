/** The reporter for programs: each event as one line of JSON on stdout, its form versioned. */
import { messageOf, VbuildError } from '../model/error.ts';
import type { BuildEvent } from '../model/event.ts';
import { withoutPasswords } from '../model/passwords.ts';
import { problemsOf } from '../model/problems.ts';
import { exitStatusOf } from './error-text.ts';
import { printableJson } from './printable.ts';
import type { Reporter, ReportOptions } from './reporter.ts';

/** Moves when a field goes away or changes its meaning; new fields and new types of events do not move it. */
const eventFormat = 1;

/** What is for who watches a run, and no line. */
export const unprinted: readonly BuildEvent['type'][] = ['jobs-sampled', 'outlook'];

/** Every line has `format`, `type` and `atMs` (since the start of the reporter); errors come as data, with their exit status. */
export function jsonReporter({ stdout, nowMs }: Pick<ReportOptions, 'stdout' | 'nowMs'>): Reporter {
  const startedMs = nowMs();
  const print = (fields: object): void => {
    stdout.write(`${jsonLine({ format: eventFormat, atMs: Math.round(nowMs() - startedMs), ...fields })}\n`);
  };
  return {
    event(event) {
      if (!unprinted.includes(event.type)) print(event);
    },
    error(thrown) {
      print({
        type: 'error',
        exitStatus: exitStatusOf(thrown),
        bug: problemsOf(thrown) === undefined,
        errors: problemsOf(thrown) ?? [thrown],
      });
    },
    end: () => undefined,
  };
}

/**
 * Any value as JSON on one line that is safe to print: without passwords of URLs, errors as data, big integers as decimal text, what has no
 * JSON form left out.
 */
export function jsonLine(value: unknown): string {
  const open: unknown[] = [];
  const plain = (part: unknown): unknown => {
    if (typeof part === 'bigint') return part.toString();
    if (typeof part === 'string') return withoutPasswords(part);
    if (part === null || typeof part !== 'object') return part;
    if (open.includes(part)) return '[circular]';
    open.push(part);
    const shown = part instanceof Error ? errorData(part) : part;
    const copy = Array.isArray(shown)
      ? shown.map(plain)
      : Object.fromEntries(Object.entries(shown).map(([name, inner]) => [name, plain(inner)]));
    open.pop();
    return copy;
  };
  return printableJson(JSON.stringify(plain(value)));
}

function errorData(error: Error): object {
  const cause = error.cause === undefined ? {} : { cause: messageOf(error.cause) };
  if (!(error instanceof VbuildError))
    return { name: error.name, message: error.message, stack: error.stack, ...cause };
  const { code, message, where, facts, mend, exitStatus } = error;
  return { code, headline: message, where, facts, mend, exitStatus, ...cause };
}
