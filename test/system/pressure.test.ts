import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pressure } from '../../src/system/pressure.ts';

test('pressure() tells what is too much, and nothing where nothing is', () => {
  assert.equal(pressure({ spareMemoryBytes: 0 }), undefined);
  assert.equal(pressure({ load: 1_000_000, spareMemoryBytes: 1 }), undefined);
  assert.match(pressure({ load: 0, spareMemoryBytes: 0 }) ?? '', /^the load average is \d+\.\d\d, the limit 0$/);
  assert.match(
    pressure({ spareMemoryBytes: 2 ** 50 }) ?? '',
    /^\d+ MiB of memory are left, the least is 1073741824 MiB$/,
  );
});
