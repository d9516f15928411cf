/** The one-file program passes the same end-to-end tests as the command; those aside that look into the code while it runs, or bring a checkout. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../support/temp.ts';
import { checkout } from '../support/vbuild.ts';
import { buildOneFile, failuresWith } from './one-file.ts';

test('one file passes every end-to-end test', async (t) => {
  const program = buildOneFile(tempDir(t, 'one-file'));
  const files = globSync('test/e2e/*.test.ts', { cwd: checkout }).filter(
    (file) => !/\/(killed.*|pil)\.test\.ts$/.test(file),
  );
  assert.deepEqual(await failuresWith(program, files.sort()), []);
});
