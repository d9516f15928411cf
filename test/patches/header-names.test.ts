import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestName, gitNames, headerName, stripName } from '../../src/patches/header-names.ts';

const headers: readonly (readonly [text: string, name: string | undefined, absent: boolean, hours?: number])[] = [
  ['a/x.c', 'a/x.c', false],
  ['a/x.c\t2024-01-02 03:00:00.000000000 +0100', 'a/x.c', false, 473_378],
  ['a/x.c 2024-01-02', 'a/x.c', false],
  ['a/two words.c\t', 'a/two words.c', false],
  ['a/x.c\t1970-01-01 00:00:00.000000000 +0000', 'a/x.c', true, 0],
  ['a/x.c\t1970-01-01 01:00:00.000000000 +0100', 'a/x.c', true, 0],
  ['a/x.c\t1969-12-31 16:00:00 -0800', 'a/x.c', true, 0],
  ['a/x.c\tThu Jan  1 00:00:00 1970', 'a/x.c', true, 0],
  ['a/x.c\tThu Jan 01 00:00:00 1970 +0000', 'a/x.c', true, 0],
  ['a/x.c\t1970-01-03 00:00:00', 'a/x.c', false, 48],
  ['a/x.c\t(revision 12)', 'a/x.c', false],
  ['/dev/null', undefined, true],
  ['/dev/null\t2024-01-02', undefined, true],
  ['"a/\\303\\244 \\"q\\"\\t.c"\t2024', 'a/\xc3\xa4 "q"\t.c', false],
  ['', undefined, false],
];
for (const [text, name, absent, hours] of headers) {
  const read = { name, absent, ...(hours !== undefined && { hours }) };
  test(`headerName() reads ${JSON.stringify(text)}`, () => assert.deepEqual(headerName(text), read));
}

const gitLines = [
  [{ names: 'a/x.c b/x.c' }, ['a/x.c', 'b/x.c']],
  [{ names: 'a/two words.c b/two words.c' }, ['a/two words.c', 'b/two words.c']],
  [{ names: 'x y x y' }, ['x y', 'x y']],
  [{ names: 'a/ b/ b/ b/' }, ['a/ b/', 'b/ b/']],
  [{ names: '"a/\\001.c" "b/\\001.c"' }, ['a/\x01.c', 'b/\x01.c']],
  [{ names: 'a/x.c "b/\\001.c"' }, ['a/x.c', 'b/\x01.c']],
  [{ names: 'a/o ld b/n ew', move: 'rename', from: 'o ld', to: 'n ew' }, ['a/o ld', 'b/n ew']],
  [{ names: 'old new', move: 'copy', from: 'old', to: 'new' }, ['old', 'new']],
  [{ names: 'a/x.c b/y.c' }, undefined],
  [{ names: `a/${'x '.repeat(100_000)}` }, undefined],
] as const;
for (const [given, names] of gitLines) {
  test(`gitNames() cuts ${JSON.stringify(given.names.slice(0, 40))}`, () => assert.deepEqual(gitNames(given), names));
}

test('stripName() takes slashes in a row as one and has no name where parts are too few', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((strip) => stripName('a//b/c', strip)),
    ['a/b/c', 'b/c', 'c', undefined],
  );
});

test('bestName() prefers fewest parts, then the shortest last part, then the shortest, then the first', () => {
  assert.equal(bestName(['a/b/x', 'a/longer.orig', 'a/longer']), 'a/longer');
  assert.equal(bestName(['aa/x', 'b/y']), 'b/y');
  assert.equal(bestName(['b/x', 'a/y']), 'b/x');
  assert.equal(bestName([]), undefined);
});
