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
    'every hunk that fails, the others by name',
    { x: five, y: '1\n' },
    `${head}@@ -1,2 +1,2 @@\n-a\n+b\n 2\n@@ -3,2 +3,2 @@\n-3\n+c\n 4\n@@ -5 +5 @@\n-e\n+f\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-2\n+3\n--- a/z\n+++ b/z\n@@ -1 +1 @@\n-2\n+3\n`,
    3,
    {
      file: 'x',
      hunk: '1 of 3, @@ -1,2 +1,2 @@',
      expected: 'x:1 to read "a"',
      found: '"1"',
      also: 'line 11: hunk 3 of x; line 16: hunk 1 of y; line 19: z is not there',
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
      likely: 'the patch is applied already, or was made the wrong way round',
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
      likely: 'the patch is applied already, or was made the wrong way round',
      also: 'line 9: hunk 2 of x',
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
    assert.deepEqual([error.code, error.where.line, error.facts], ['patch-rejected', line, facts]);
  });
}
