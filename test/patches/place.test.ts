import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeHunks, splice } from '../../src/patches/place.ts';
import type { Hunk } from '../../src/patches/section.ts';

/** `-` and `+` mark lines as in a diff; each letter is one line, a trailing `!` means no line end. */
function hunk(oldStart: number, body: string): Hunk {
  const items = body.split(' ').map((item) => ({
    mark: /^[-+]/.exec(item)?.[0],
    line: item.replace(/^[-+]/, '').replace(/$/, '\n').replace('!\n', ''),
  }));
  const leading = items.findIndex(({ mark }) => mark);
  return {
    line: 1,
    header: '',
    oldStart,
    old: items.filter(({ mark }) => mark !== '+').map(({ line }) => line),
    new: items.filter(({ mark }) => mark !== '-').map(({ line }) => line),
    leading,
    trailing: items.toReversed().findIndex(({ mark }) => mark),
  };
}
const fileOf = (text: string): string[] =>
  text.split(' ').map((line) => (line.endsWith('!') ? line.slice(0, -1) : `${line}\n`));

/** Result as letters, or `undefined` for each hunk without a place. */
const table: readonly [
  title: string,
  file: string,
  hunks: readonly Hunk[],
  placed: readonly (number | undefined)[],
  lenient?: readonly (number | undefined)[],
][] = [
  ['at the stated line', 'a b c', [hunk(1, 'a -b c')], [0]],
  ['further down', 'x y a b c', [hunk(1, 'b +n c')], [3]],
  ['further up', 'a b c x y', [hunk(4, 'a -b c')], [0]],
  ['the later one on a tie', 'b x b', [hunk(2, '-b')], [2]],
  ['the nearer one', 'b b x y b', [hunk(3, '-b')], [1]],
  ['with the offset of the one before carried', 'n n a x b x', [hunk(1, '-a'), hunk(4, '-x')], [2, 5]],
  ['nowhere: only in the right order', 'a b c d', [hunk(3, '-c'), hunk(4, '-a')], [2, undefined]],
  ['nowhere: changes overlap', 'a b c', [hunk(1, '-a b +c'), hunk(1, '-a b')], [0, undefined]],
  ['with contexts that overlap', 'a b c', [hunk(1, '-a b'), hunk(2, 'b -c')], [0, 1]],
  [
    'nowhere: beginning at line 1 with less context before binds to the start',
    'x a b',
    [hunk(1, '+n a b')],
    [undefined],
  ],
  ['anywhere when it does not begin at line 1', 'x a b', [hunk(3, '+n a b')], [1]],
  ['nowhere: less context after binds to the end', 'a b x', [hunk(1, 'a b +n')], [undefined]],
  ['at the end with less context after', 'a b a b', [hunk(1, 'a b +n')], [2]],
  ['nowhere: appended already', 'a b n', [hunk(1, 'a b +n')], [undefined]],
  ['nowhere: a blank line to delete that is not there', 'a', [hunk(1, 'a -')], [undefined]],
  ['nowhere: the file lacks the last line end', 'a b!', [hunk(1, 'a -b')], [undefined]],
  ['nowhere: the file has the last line end', 'a b', [hunk(1, 'a -b!')], [undefined]],
  ['at the last line without a line end', 'a b!', [hunk(1, 'a -b! +c')], [0]],
  ['where lines are inserted without context', 'a b', [hunk(1, '+n')], [1]],
  ['nowhere: inserted behind the end', 'a b', [hunk(9, '+n')], [undefined], [2]],
  ['nowhere: inserted behind a line without a line end', 'a b!', [hunk(2, '+n')], [undefined], [2]],
  ['nowhere: a line without a line end in the middle', 'a b c', [hunk(2, '-b +n!')], [undefined], [1]],
  ['nowhere: stated ranges overlap', 'a a', [hunk(1, '-a'), hunk(1, '-a')], [0, undefined], [0, 1]],
  ['nowhere: the file is shorter', 'a', [hunk(1, 'a -b c')], [undefined]],
  ['an absurd line number clipped to the file', 'a b c', [hunk(999_999_999_999_999, '-b')], [1]],
];
for (const [title, file, hunks, placed, lenient] of table) {
  test(`placeHunks() places a hunk ${title}`, () => {
    const at = (loosely: boolean): readonly (number | undefined)[] =>
      placeHunks(fileOf(file), hunks, loosely).map((placement) => placement?.at);
    assert.deepEqual([at(false), at(true)], [placed, lenient ?? placed]);
  });
}

test('placeHunks() tells how far from the stated line a hunk lands', () => {
  assert.deepEqual(placeHunks(fileOf('x y a b'), [hunk(1, '-a'), hunk(2, '-b')]), [
    { at: 2, offset: 2 },
    { at: 3, offset: 2 },
  ]);
});

test('placeHunks() goes over a file of equal lines once, not once for each of its lines', { timeout: 10_000 }, () => {
  const equal = Array.from({ length: 200_000 }, () => 'x\n');
  const half = Array.from({ length: 50_000 }, () => 'x\n');
  const failing: Hunk = {
    line: 1,
    header: '',
    oldStart: 5,
    old: [...half, 'y\n', ...half],
    new: [...half, ...half],
    leading: 50_000,
    trailing: 50_000,
  };
  assert.deepEqual(placeHunks([...equal, 'y\n'], [failing]), [undefined]);
});

test('splice() replaces only what a hunk changes and ends a line that text comes to stand behind', () => {
  const file = fileOf('a b c!');
  const hunks = [hunk(1, '-a b'), hunk(2, 'b +n c!'), hunk(3, '+z')];
  const placements = placeHunks(file, hunks, true).map((placement) => placement ?? { at: -1, offset: 0 });
  assert.equal(splice(file, hunks, placements).join(''), 'b\nn\nc\nz\n');
});
