import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tree } from '../support/temp.ts';
import { lab, lines } from './support.ts';

const head = lines('--- a/x', '+++ b/x');
const five = lines('1', '2', '3', '4', '5');

const rejected: readonly [
  title: string,
  tree: Tree,
  patch: string,
  line: number,
  facts: Readonly<Record<string, string>>,
][] = [
  [
    'a line that reads otherwise',
    { x: lines('0', '1', '2', 'THREE', '4', '5') },
    `${head}@@ -2,3 +2,3 @@ main()\n 2\n-3\n+drei\n 4\n`,
    3,
    { file: 'x', hunk: '1 of 1, @@ -2,3 +2,3 @@', expected: 'x:4 to read "3"', found: '"THREE"' },
  ],
  [
    'a line that was put in between',
    { x: lines('1', '2', 'new', '3', '4', '5') },
    `${head}@@ -1,4 +1,4 @@\n 1\n 2\n-3\n+drei\n 4\n`,
    3,
    { file: 'x', hunk: '1 of 1, @@ -1,4 +1,4 @@', expected: 'x:3 to read "3"', found: '"new"' },
  ],
  [
    'every hunk that fails',
    { x: five, y: '1\n' },
    `${head}@@ -1,2 +1,2 @@\n-a\n+b\n 2\n@@ -3,2 +3,2 @@\n-3\n+c\n 4\n@@ -5 +5 @@\n-e\n+f\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-2\n+3\n--- a/z\n+++ b/z\n@@ -1 +1 @@\n-2\n+3\n`,
    3,
    {
      file: 'x',
      hunk: '1 of 3, @@ -1,2 +1,2 @@',
      expected: 'x:1 to read "a"',
      found: '"1"',
      also: [
        'line 11: hunk 3 of x',
        '  the patch expects      x has',
        '  e                 | 5  5',
        'line 16: hunk 1 of y',
        '  the patch expects      y has',
        '  2                 | 1  1',
        'line 19: z is not there',
      ].join('\n'),
    },
  ],
  [
    'a patch that is applied already',
    { x: lines('1', 'zwei', '3') },
    `${head}@@ -1,3 +1,3 @@\n 1\n-2\n+zwei\n 3\n`,
    3,
    {
      file: 'x',
      hunk: '1 of 1, @@ -1,3 +1,3 @@',
      expected: 'x:2 to read "2"',
      found: '"zwei"',
      likely: 'the patch is applied already',
    },
  ],
  [
    'a patch that is reversed',
    { x: lines('1', '2', '3') },
    lines('--- b/x', '+++ a/x', '@@ -1,3 +1,3 @@', ' 1', '-zwei', '+2', ' 3'),
    3,
    {
      file: 'x',
      hunk: '1 of 1, @@ -1,3 +1,3 @@',
      expected: 'x:2 to read "zwei"',
      found: '"2"',
      likely: 'the patch is reversed: by its headers, the lines that it takes away are the newer ones',
    },
  ],
  [
    'a patch with several hunks that is applied already',
    { x: lines('1', 'a', 'b', 'c', '2', 'd', '3') },
    `${head}@@ -1,2 +1,5 @@\n 1\n+a\n+b\n+c\n 2\n@@ -2,2 +5,3 @@\n 2\n+d\n 3\n`,
    3,
    {
      file: 'x',
      hunk: '1 of 2, @@ -1,2 +1,5 @@',
      expected: 'x:2 to read "2"',
      found: '"a"',
      likely: 'the patch is applied already',
      also: [
        'line 9: hunk 2 of x',
        '  the patch expects      x has',
        '  2                   5  2',
        '                    > 6  d',
        '  3                   7  3',
      ].join('\n'),
    },
  ],
  [
    'line ends',
    { x: '1\r\n2\r\n' },
    `${head}@@ -1,2 +1,2 @@\n 1\n-2\n+3\n`,
    3,
    {
      file: 'x',
      hunk: '1 of 1, @@ -1,2 +1,2 @@',
      expected: 'x:1 to read "1"',
      found: '"1\\r"',
      likely: 'only the line ends differ',
    },
  ],
  [
    'a missing last line end',
    { x: '1' },
    `${head}@@ -1 +1 @@\n-1\n+2\n`,
    3,
    { file: 'x', hunk: '1 of 1, @@ -1 +1 @@', expected: 'x:1 to read "1"', found: '"1" without a line end' },
  ],
  [
    'lines that must begin the file',
    { x: lines('0', '1', '2') },
    `${head}@@ -1,2 +1,3 @@\n+n\n 1\n 2\n`,
    3,
    {
      file: 'x',
      hunk: '1 of 1, @@ -1,2 +1,3 @@',
      expected: 'x:1 to begin with the lines of the hunk',
      found: 'those lines only at 2',
    },
  ],
  [
    'lines that must end the file',
    { x: lines('1', '2', '3') },
    `${head}@@ -1,2 +1,3 @@\n 1\n 2\n+n\n`,
    3,
    {
      file: 'x',
      hunk: '1 of 1, @@ -1,2 +1,3 @@',
      expected: 'x:3 to end with the lines of the hunk',
      found: 'those lines only at 1',
    },
  ],
  [
    'hunks out of order',
    { x: five },
    `${head}@@ -4,1 +4,1 @@\n-4\n+d\n@@ -2,1 +2,1 @@\n-2\n+b\n`,
    6,
    {
      file: 'x',
      hunk: '2 of 2, @@ -2,1 +2,1 @@',
      expected: 'x:2 to hold the lines of the hunk, below those of the hunk before',
      found: 'those lines only at 2',
    },
  ],
  [
    'a file that is shorter',
    { x: '1\n' },
    `${head}@@ -7,0 +8 @@\n+n\n`,
    3,
    {
      file: 'x',
      hunk: '1 of 1, @@ -7,0 +8 @@',
      expected: 'x:7 to be followed by new lines',
      found: '1 lines in the file',
    },
  ],
  [
    'a wrong strip level',
    { 'a/x': '1\n' },
    `${head}@@ -1 +1 @@\n-1\n+2\n`,
    1,
    {
      file: 'x',
      expected: 'a file of that name, at strip level 1',
      found: 'no such file in the tree',
      likely: 'the strip level is 0, not 1',
    },
  ],
  [
    'a file to create that is there, as the patch makes it',
    { x: '1\n' },
    lines('--- /dev/null', '+++ b/x', '@@ -0,0 +1 @@', '+1'),
    1,
    {
      file: 'x',
      expected: 'no such file, as the patch creates it',
      found: 'a file of that name',
      likely: 'the patch is applied already',
    },
  ],
  [
    'lines to put first in a file that is said to be empty',
    { x: '1\n' },
    `${head}@@ -0,0 +1 @@\n+0\n`,
    1,
    { file: 'x', expected: 'no such file, as the patch creates it', found: 'a file of that name' },
  ],
  [
    'a deletion that leaves text',
    { x: lines('1', '2') },
    lines('--- a/x', '+++ /dev/null', '@@ -1 +0,0 @@', '-1'),
    1,
    {
      file: 'x',
      expected: 'nothing left once the patch has deleted the file',
      found: '1 more lines, the first of them "2"',
    },
  ],
  [
    'a rename onto a file',
    { x: '1\n', y: '2\n' },
    lines('diff --git a/x b/y', 'rename from x', 'rename to y'),
    1,
    { file: 'y', expected: 'no such file, as the patch creates it', found: 'a file of that name' },
  ],
];
for (const [title, tree, patch, line, facts] of rejected) {
  test(`applySeries() rejects and explains ${title}`, async (t) => {
    const error = await lab(t, tree).refuses([patch]);
    const { lines: _, ...others } = error.facts;
    assert.deepEqual([error.code, error.where.line, others], ['patch-rejected', line, facts]);
  });
}

test('a patch that is CR LF throughout is told why it does not fit a file that is so too, and what it takes', async (t) => {
  const { apply, files, refuses } = lab(t, { x: '1\r\n2\r\n' });
  const text = `${head}@@ -1,2 +1,2 @@\n 1\n-2\n+3\n`.replaceAll('\n', '\r\n');
  const { facts, mend } = await refuses([text]);
  assert.match(
    facts['likely'] ?? '',
    /^only the line ends differ: the line \+\+\+ of the patch ends with CR LF, so no CR/,
  );
  assert.match(mend, /^end the lines --- and \+\+\+ of the patch with LF alone/);
  await apply([text.replaceAll(/^(---|\+\+\+)(.*)\r$/gm, '$1$2')]);
  assert.deepEqual(files(), { x: '1\r\n3\r\n' });
});

const ways: readonly (readonly [headers: string, tree: Tree, likely: RegExp, mend: RegExp])[] = [
  ['--- x.orig\n+++ x', { x: 'new\n' }, /^the patch is applied already$/, /^take the patch out of the series: /],
  ['--- x\n+++ x.orig', { x: 'new\n' }, /^the patch is reversed: /, /^turn the patch round: /],
  ['--- x\n+++ x', { x: 'new\n' }, /^the patch is applied already$/, /upstream has the change, or turn it round/],
];
for (const [headers, tree, likely, mend] of ways)
  test(`a patch whose lines are there already is called what ${JSON.stringify(headers)} makes of it`, async (t) => {
    const error = await lab(t, tree).refuses([`${headers}\n@@ -1 +1 @@\n-old\n+new\n`], { strip: 0 });
    assert.match(error.facts['likely'] ?? '', likely);
    assert.match(error.mend, mend);
  });

const tables: readonly [title: string, file: string, patch: string, table: readonly string[]][] = [
  [
    'a line that reads otherwise',
    lines('0', '1', '2', 'THREE', '4', '5'),
    '@@ -2,3 +2,3 @@\n 2\n-3\n+drei\n 4\n',
    [
      'the patch expects      x has',
      '2                   3  2',
      '3                 | 4  THREE',
      '4                   5  4',
    ],
  ],
  [
    'a line that was put in between, and one that is gone',
    lines('1', '2', 'new', '3', '5', '6', '7'),
    '@@ -1,6 +1,6 @@\n 1\n 2\n 3\n 4\n-5\n+fuenf\n 6\n',
    [
      'the patch expects      x has',
      '1                   1  1',
      '2                   2  2',
      '                  > 3  new',
      '3                   4  3',
      '4                 <',
      '5                   5  5',
      '6                   6  6',
    ],
  ],
  [
    'what cannot be seen',
    'a\tb \r\nc',
    '@@ -1,2 +1,2 @@\n a    b  \n-c\n+d\n',
    ['the patch expects      x has', 'a    b··          | 1  a\\tb \\r', 'c                 | 2  c (no line end)'],
  ],
  [
    'long lines and bytes that are no letters',
    `${'x'.repeat(100)}\n\u00e4\u00ff\n`,
    `@@ -1,2 +1,2 @@\n-${'y'.repeat(100)}\n+z\n \u00e4\u00ff\n`,
    [
      `the patch expects${' '.repeat(31)}      x has`,
      `${'y'.repeat(47)}… | 1  ${'x'.repeat(47)}…`,
      `\u00e4\u00ff${' '.repeat(46)}   2  \u00e4\u00ff`,
    ],
  ],
  [
    'an empty file',
    '',
    '@@ -1,2 +1,2 @@\n-1\n+one\n 2\n',
    ['the patch expects      x has', '1                 <', '2                 <'],
  ],
  [
    'no more of a long hunk than what is near its differences',
    lines(...Array.from({ length: 30 }, (_, i) => (i === 9 || i === 25 ? 'other' : `${i}`))),
    `@@ -1,30 +1,31 @@\n${lines(...Array.from({ length: 15 }, (_, i) => ` ${i}`))}+new\n${lines(...Array.from({ length: 15 }, (_, i) => ` ${i + 15}`))}`,
    [
      'the patch expects       x has',
      '…',
      ...[6, 7, 8].map((n) => `${n}                   ${String(n + 1).padStart(2)}  ${n}`),
      '9                 | 10  other',
      ...[10, 11, 12].map((n) => `${n}                  ${n + 1}  ${n}`),
      '…',
      ...[22, 23, 24].map((n) => `${n}                  ${n + 1}  ${n}`),
      '25                | 26  other',
      ...[26, 27, 28].map((n) => `${n}                  ${n + 1}  ${n}`),
      '…',
    ],
  ],
];
for (const [title, file, hunk, table] of tables) {
  test(`a hunk that fails is shown beside the file: ${title}`, async (t) => {
    const error = await lab(t, { x: file }).refuses([head + hunk]);
    assert.deepEqual((error.facts['lines'] ?? '').split('\n'), table);
  });
}

test('of very many hunks that fail, all are named and some are shown', async (t) => {
  const hunks = Array.from({ length: 60 }, (_, i) => `@@ -${i + 1} +${i + 1} @@\n-x\n+y\n`).join('');
  const error = await lab(t, { x: lines(...Array.from({ length: 60 }, (_, i) => `${i}`)) }).refuses([head + hunks]);
  const also = (error.facts['also'] ?? '').split('\n');
  assert.equal(also.filter((line) => /^line \d+: hunk \d+ of x$/.test(line)).length, 59);
  assert.equal(also.filter((line) => line.includes(' | ')).length, 50);
});
