/** What counts as a near miss of a name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearest } from '../../src/model/nearest.ts';

const rows: readonly (readonly [
  meant: string,
  name: string,
  candidates: readonly string[],
  expected: string | undefined,
])[] = [
  ['swapped letters', 'bulid', ['build', 'list'], 'build'],
  ['a missing letter', 'zlb', ['zlib', 'libpng'], 'zlib'],
  ['a letter too many', 'pill', ['zlib', 'pil'], 'pil'],
  ['another case', 'PIL', ['pil'], 'pil'],
  ['a hyphen left out', 'libjpegturbo', ['libpng', 'libjpeg-turbo'], 'libjpeg-turbo'],
  ['nothing like it', 'quux', ['zlib', 'libpng'], undefined],
  ['a single letter', 'x', ['xz'], undefined],
  ['an equal distance to two', 'cat', ['bat', 'hat'], 'bat'],
  ['no candidates', 'zlib', [], undefined],
];

for (const [meant, name, candidates, expected] of rows) {
  test(`nearest() for ${meant} is ${expected ?? 'nothing'}`, () => {
    assert.equal(nearest(name, candidates), expected);
  });
}

test('editDistance() is zero for equal texts only, and the same both ways', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
    }),
  );
});

test('nearest() finds a name again after one letter was lost', () => {
  const name = fc.stringMatching(/^[a-z]{4,12}$/);
  fc.assert(
    fc.property(name, fc.nat(), (word, at) => {
      const index = at % word.length;
      assert.equal(nearest(word.slice(0, index) + word.slice(index + 1), [word]), word);
    }),
  );
});
