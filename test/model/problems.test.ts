import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VbuildError } from '../../src/model/error.ts';
import { problemsOf } from '../../src/model/problems.ts';

const full = (path: string): Error =>
  Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write', path }) as Error;
const failed = new VbuildError('step-failed', 'A step failed', { mend: 'mend it' });
const bug = new TypeError('x is not a function');

/** What a scope ends with when its work and its tidying up both fail. */
function suppressed(work: unknown, tidying: unknown): unknown {
  try {
    using _held = {
      [Symbol.dispose]() {
        throw tidying;
      },
    };
    throw work;
  } catch (error) {
    return error;
  }
}

for (const [what, thrown, codes] of [
  ['a full disk', full('a'), ['disk-trouble']],
  ['a bug', bug, undefined],
  [
    'a failure while a disk that fills up keeps from tidying up',
    suppressed(failed, full('a')),
    ['step-failed', 'disk-trouble'],
  ],
  ['a bug while a full disk keeps from tidying up', suppressed(bug, full('a')), undefined],
  ['a bug in tidying up after a failure', suppressed(failed, bug), undefined],
] as const)
  test(`problemsOf() ${what}`, () =>
    assert.deepEqual(
      problemsOf(thrown)?.map(({ code }) => code),
      codes,
    ));
