/** The one-file program passes the same end-to-end tests as the command; that of PIL aside, which brings a checkout of its own. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../support/temp.ts';
import { checkout } from '../support/vbuild.ts';
import { buildOneFile, failuresWith } from './one-file.ts';

test('one file passes every end-to-end test', async (t) => {
  const program = buildOneFile(tempDir(t, 'one-file'));
  const files = globSync('test/e2e/*.test.ts', { cwd: checkout }).filter((file) => file !== 'test/e2e/pil.test.ts');
  assert.deepEqual(await failuresWith(program, files.sort()), []);
});
