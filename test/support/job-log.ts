/** How many jobs ran at once, by a log to which each writes + when it begins and - when it ends. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** A recipe line of a makefile that stands for a compiler. @param log Absolute path. */
export const loggedJob = (log: string, seconds = 0.05): string =>
  `\t@echo + >>'${log}'; sleep ${seconds}; echo - >>'${log}'\n`;

/** @param killed How many were ended by force, and could not say that they had ended. */
export function mostAtOnce(log: string, killed = 0): number {
  let now = 0;
  let most = 0;
  for (const sign of readFileSync(log, 'utf8').trim().split('\n'))
    most = Math.max(most, (now += sign === '+' ? 1 : -1));
  assert.equal(now, killed, 'all others ended');
  return most;
}
