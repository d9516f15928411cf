/** Debian's versions: what is upstream's in them, and their order, with dpkg as the judge. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareDebianVersions, isOfUpstream, upstreamVersion } from '../../src/sources/debian-version.ts';

const upstreams: readonly (readonly [debian: string, upstream: string])[] = [
  ['1.2.3', '1.2.3'],
  ['1:1.2.13.dfsg-1', '1.2.13'],
  ['2.12.1+dfsg-5+deb12u4', '2.12.1'],
  ['1.6.39-2+deb12u5', '1.6.39'],
  ['9.4.0-1.1+deb12u1', '9.4.0'],
  ['1.2-3-4', '1.2-3'],
  ['5.0~ds1-2', '5.0'],
  ['1.0+ds.1-1', '1.0'],
  ['1.0+dfsg1+ds2-1', '1.0'],
  ['3.1+repack-1', '3.1'],
  ['1.8.5+really1.8.3-2', '1.8.3'],
  ['7.0.0+dfsg1+~cs4.5.6-1', '7.0.0'],
  ['2.0~rc1-1', '2.0~rc1'],
  ['0.5+git20240101.abcdef-1', '0.5+git20240101.abcdef'],
];

for (const [version, upstream] of upstreams) {
  test(`the upstream version in ${version} is ${upstream}`, () => {
    assert.equal(upstreamVersion(version), upstream);
  });
}

const pairs: readonly (readonly [debian: string, upstream: string, same: boolean])[] = [
  ['1:1.2.13.dfsg-1', '1.2.13', true],
  ['2.0~rc1-1', '2.0rc1', true],
  ['2.0~rc1-1', '2.0-rc1', true],
  ['2.0~rc1-1', '2.0', false],
  ['1.2-3-1', '1.23', false],
  ['1.2.13-1', '1.2.1', false],
  ['1.2.1-1', '1.2.10', false],
];

for (const [version, upstream, same] of pairs) {
  test(`${version} is ${same ? '' : 'not '}of upstream ${upstream}`, () => {
    assert.equal(isOfUpstream(version, upstream), same);
  });
}

test('compareDebianVersions() orders as dpkg does', () => {
  const chunk = fc.constantFrom(
    '0',
    '1',
    '9',
    '10',
    '010',
    'a',
    'b',
    'Z',
    '~',
    '~~',
    '+',
    '.',
    'rc',
    'deb12u1',
    'dfsg',
  );
  const upstream = fc.array(chunk, { minLength: 1, maxLength: 5 }).map((chunks) => `1${chunks.join('')}`);
  const revision = fc.option(
    fc.array(chunk, { minLength: 1, maxLength: 3 }).map((chunks) => `-${chunks.join('')}`),
    { nil: '' },
  );
  const epoch = fc.constantFrom('', '', '0:', '1:');
  const version = fc.tuple(epoch, upstream, revision).map((parts) => parts.join(''));
  const samples = fc.sample(fc.tuple(version, version), { numRuns: 200, seed: 20260101 });
  // One process for all: each pair answers lt, eq or gt.
  const script =
    'while read -r a b; do for op in lt eq gt; do dpkg --compare-versions "$a" $op "$b" && echo $op; done; done';
  const { stdout, status } = spawnSync('sh', ['-c', script], {
    input: samples.map((pair) => `${pair.join(' ')}\n`).join(''),
    encoding: 'utf8',
  });
  assert.ok(status === 0 || status === 1);
  const theirs = stdout.trim().split('\n');
  const words = { '-1': 'lt', '0': 'eq', '1': 'gt' } as const;
  const ours = samples.map(([a, b]) => words[String(Math.sign(compareDebianVersions(a, b))) as keyof typeof words]);
  assert.deepEqual(
    samples.map((pair, at) => `${pair.join(' ')} ${ours[at]}`),
    samples.map((pair, at) => `${pair.join(' ')} ${theirs[at]}`),
  );
});
