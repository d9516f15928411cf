import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Direction, directionOf } from '../../src/patches/direction.ts';
import { headerName } from '../../src/patches/header-names.ts';

const [monday, tuesday] = ['2024-01-01 10:00:00.000000000 +0100', '2024-01-02 10:00:00.000000000 +0100'];
const rows: readonly (readonly [old: string, now: string, direction: Direction | undefined])[] = [
  ['a/x.c', 'b/x.c', undefined],
  ['x.c', 'x.c', undefined],
  ['b/x.c', 'a/x.c', 'backward'],
  ['i/x.c', 'w/x.c', 'forward'],
  ['c/x.c', 'i/x.c', 'forward'],
  ['w/x.c', 'i/x.c', 'backward'],
  ['w/x.c', 'o/x.c', 'backward'],
  ['b/x.c', 'a/y.c', undefined],
  ['b', 'a', undefined],
  ['x.c.orig', 'x.c', 'forward'],
  ['x.c~', 'x.c', 'forward'],
  ['x.c', 'x.c.orig', 'backward'],
  ['x.c', 'x.c~', 'backward'],
  ['x.c.new', 'x.c', 'backward'],
  ['zlib-1.3.orig/x.c', 'zlib-1.3/x.c', 'forward'],
  ['zlib-1.3/x.c', 'zlib-1.3.orig/x.c', 'backward'],
  ['new/x.c', 'old/x.c', 'backward'],
  // Both sides have it: it tells nothing of either.
  ['a/new/x.c', 'b/new/x.c', undefined],
  ['a/renewed.c', 'b/x.c', undefined],
  [`x.c\t${monday}`, `x.c\t${tuesday}`, 'forward'],
  [`x.c\t${tuesday}`, `x.c\t${monday}`, 'backward'],
  [`x.c\t${monday}`, `x.c\t${monday}`, undefined],
  // The same moment, and then an hour less, in another zone.
  ['x.c\t2024-01-01 10:00:00 +0100', 'x.c\t2024-01-01 09:00:00 +0000', undefined],
  ['x.c\t2024-01-01 10:00:00 +0100', 'x.c\t2024-01-01 09:30:00 +0100', 'backward'],
  [`x.c\tTue Jan 02 10:00:00 2024 +0000`, `x.c\tMon Jan 01 10:00:00 2024 +0000`, 'backward'],
  // Names count before dates: a copy kept aside may well be touched later.
  [`x.c.orig\t${tuesday}`, `x.c\t${monday}`, 'forward'],
  [`x.c\t${tuesday}`, 'x.c\t1970-01-01 00:00:00.000000000 +0000', undefined],
  [`x.c\t${tuesday}`, 'x.c', undefined],
  ['x.c\t(revision 12)', 'x.c\t(working copy)', undefined],
  ['/dev/null', 'b/x.c', undefined],
];
for (const [old, now, direction] of rows)
  test(`directionOf() takes ${JSON.stringify(old)} and ${JSON.stringify(now)} for ${direction ?? 'no direction'}`, () => {
    assert.equal(directionOf(headerName(old), headerName(now)), direction);
  });

test('directionOf() knows nothing of a side that has no header', () => {
  assert.equal(directionOf(undefined, headerName('x.orig')), undefined);
});
