import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { thisHost, unfitReasons } from '../../src/install/host.ts';
import { manifestOf } from '../artifact/fixtures.ts';

test('thisHost() agrees with getconf about the C library', () => {
  assert.equal(`glibc ${thisHost().glibc}`, execFileSync('getconf', ['GNU_LIBC_VERSION'], { encoding: 'utf8' }).trim());
});

const rows: readonly [
  title: string,
  wanted: Record<string, string>,
  glibc: string | undefined,
  expected: readonly string[],
][] = [
  ['fits where nothing is needed', {}, '2.36', []],
  ['fits on the same version', { GLIBC: '2.36' }, '2.36', []],
  ['fits on a newer one, compared by number', { GLIBC: '2.4' }, '2.36', []],
  [
    'does not fit on an older one',
    { GLIBC: '2.38', GLIBCXX: '3.4.30' },
    '2.36',
    ['it needs glibc 2.38, this host has 2.36'],
  ],
  ['counts a third number', { GLIBC: '2.2.5' }, '2.2', ['it needs glibc 2.2.5, this host has 2.2']],
  ['fits where the host cannot tell', { GLIBC: '2.38' }, undefined, []],
];
for (const [title, symbolVersions, glibc, expected] of rows) {
  test(`unfitReasons(): an artifact ${title}`, () => {
    assert.deepEqual(unfitReasons(manifestOf('x', { needs: { symbolVersions, libraries: [] } }), { glibc }), expected);
  });
}
