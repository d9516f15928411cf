import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PackageFacts } from '../../src/build/facts.ts';
import { readFailure, readStage, type ReadyRecord, writeRecord } from '../../src/build/history.ts';
import type { ContentKey } from '../../src/model/digest.ts';
import { tempDir } from '../support/temp.ts';

test('readStage() tells what a stage did last, also through failures and runs in which it had nothing to do', (t) => {
  const places = { history: join(tempDir(t, 'history'), 'leaf_1.0') };
  // All that is looked at.
  const facts = { places, patches: [] } as unknown as PackageFacts;
  const write = (endedAtMs: number, stages: ReadyRecord['stages'], outcome: ReadyRecord['outcome'] = 'failed'): void =>
    writeRecord(facts, {
      format: 1,
      package: 'leaf@1.0',
      outcome,
      endedAtMs,
      durationMs: 0,
      key: 'key' as ContentKey,
      keyText: '',
      source: { spec: {}, pin: {} },
      patches: [],
      stages,
      answers: [],
      ...(outcome === 'failed' && { error: { code: 'step-failed', headline: 'A step failed', stage: 'compile' } }),
    });
  const [patched, compiled] = [
    { stage: 'patch', reasons: [], durationMs: 5, lines: ['a.patch'] },
    { stage: 'compile', reasons: [], durationMs: 7 },
  ] as const;
  const broken = { stage: 'compile', reasons: [] } as const;
  write(1, [{ ...patched, lines: ['old.patch'] }, compiled], 'built');
  write(2, [patched, broken]);
  write(3, [broken]);
  assert.deepEqual(readStage(places, 'patch'), { ...patched, endedAtMs: 2 });
  assert.deepEqual(readStage(places, 'compile'), { ...broken, endedAtMs: 3, failed: 'A step failed' });
  write(4, [compiled], 'built');
  assert.deepEqual(readStage(places, 'patch'), { ...patched, endedAtMs: 2 });
  assert.deepEqual(readStage(places, 'compile'), { ...compiled, endedAtMs: 4 });
  assert.deepEqual([readStage(places, 'fetch'), readFailure(places)], [undefined, undefined]);
});
