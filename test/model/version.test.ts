import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { version } from '../../src/model/version.ts';
import { checkout } from '../support/vbuild.ts';

test('the version that vbuild prints is that of its package', () => {
  const { version: published } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    version: string;
  };
  assert.equal(version, published);
});
