/** Golden files: text that users and buckets see, kept under test/golden; `UPDATE_GOLDEN=1` rewrites them, for a commit that says why. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout } from './vbuild.ts';

/** @param name Path below test/golden. */
export function assertGolden(name: string, actual: string): void {
  const path = join(checkout, 'test/golden', name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  assert.ok(existsSync(path), `${path} is missing: run once with UPDATE_GOLDEN=1 and read what it holds`);
  assert.equal(actual, readFileSync(path, 'utf8'));
}
