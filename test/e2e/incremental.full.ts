/** The property of incremental.test.ts over many more graphs and changes. */
import { test } from 'node:test';
import { insistOnProperty } from '../support/incremental.ts';
import { tempDir } from '../support/temp.ts';

test('after any of many changes, an incremental build ends with what a clean one gives, and compiles nothing in vain', async (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`SEED=${seed}`);
  await insistOnProperty(tempDir(t), 200, seed);
});
