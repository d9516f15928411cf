import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/model/error.ts';
import { parsePatch } from '../../src/patches/parse.ts';
import type { Section } from '../../src/patches/section.ts';
import { lines } from './support.ts';

const hunk = lines('@@ -1,3 +1,3 @@ int main()', ' a', '-b', '+c', ' d');
const plain = lines('--- a/x.c', '+++ b/x.c') + hunk;
/** A section as one line: presence and names of both sides, mode, count of hunks. */
const brief = (section: Section): string =>
  [
    `${section.old} ${section.oldName} > ${section.new} ${section.newName}`,
    section.move,
    section.oldMode?.toString(8),
    section.newMode?.toString(8),
    `${section.hunks.length} hunks`,
  ]
    .filter(Boolean)
    .join(', ');
const x = 'content a/x.c > content b/x.c, 1 hunks';

const readable: readonly [title: string, text: string, sections: readonly string[]][] = [
  ['plain headers', plain, [x]],
  ['nothing', '', []],
  ['only prose', lines('Description: nothing yet', '---', '', 'bye'), []],
  [
    'DEP-3 text that looks like a header',
    lines('Description: see', '--- upstream/old.c', ' for more', 'Author: me', '---', 'This is +++ good', '') + plain,
    [x],
  ],
  [
    'a mail of git format-patch with its trailer',
    `From 12 Mon Sep 17 00:00:00 2001\n---\n x.c | 2 +-\n\n${plain}-- \n2.39.5\n\n`,
    [x],
  ],
  ['a trailer without its blank', `${plain}--\n2.39.5\n`, [x]],
  ['CR at the ends of header lines and hunks', plain.replaceAll('\n', '\r\n'), [x]],
  [
    'quilt headers',
    `Index: t/x.c\n${'='.repeat(67)}\n--- t.orig/x.c\t2024-01-01\n+++ t/x.c\n${hunk}`,
    ['content t.orig/x.c > content t/x.c, 1 hunks'],
  ],
  [
    'svn headers with properties behind',
    `Index: x.c\n=====\n--- x.c\t(revision 1)\n+++ x.c\t(working copy)\n${hunk}\nProperty changes on: x.c\n____\nAdded: svn:eol-style\n   + native\n`,
    ['content x.c > content x.c, 1 hunks'],
  ],
  [
    'hg headers',
    `# HG changeset patch\ndiff -r 12 -r 34 x.c\n--- a/x.c\tThu Jan 01 00:00:00 1970 +0000\n+++ b/x.c\tMon Feb 05 10:00:00 2024 +0000\n@@ -0,0 +1 @@\n+a\n`,
    ['absent a/x.c > content b/x.c, 1 hunks'],
  ],
  ['only an Index line', `Index: x.c\n${hunk}`, ['content undefined > content undefined, 1 hunks']],
  [
    'git: a new file',
    lines(
      'diff --git a/n b/n',
      'new file mode 100755',
      'index 000..123',
      '--- /dev/null',
      '+++ b/n',
      '@@ -0,0 +1 @@',
      '+a',
    ),
    ['absent a/n > content b/n, 100755, 1 hunks'],
  ],
  [
    'git: a new empty file',
    lines('diff --git a/n b/n', 'new file mode 100644', 'index 0000000..e69de29'),
    ['absent a/n > content b/n, 100644, 0 hunks'],
  ],
  [
    'git: a deletion',
    lines(
      'diff --git a/n b/n',
      'deleted file mode 100644',
      'index 123..000',
      '--- a/n',
      '+++ /dev/null',
      '@@ -1 +0,0 @@',
      '-a',
    ),
    ['content a/n > absent b/n, 100644, 1 hunks'],
  ],
  [
    'git: a mode',
    lines('diff --git a/n b/n', 'old mode 100644', 'new mode 100755'),
    ['content a/n > content b/n, 100644, 100755, 0 hunks'],
  ],
  [
    'git: a rename with a change, then another file',
    lines(
      'diff --git a/o b/n',
      'similarity index 90%',
      'rename from o',
      'rename to n',
      'index 1..2 100644',
      '--- a/o',
      '+++ b/n',
    ) +
      hunk +
      lines('diff --git a/x.c b/x.c', 'index 1..2 100644') +
      plain,
    [
      'content a/o > content b/n, rename, 100644, 100644, 1 hunks',
      'content a/x.c > content b/x.c, 100644, 100644, 1 hunks',
    ],
  ],
  [
    'git: headers whose body was cut out',
    lines('diff --git a/gone b/gone', 'index 1..2 100644', 'diff --git a/x.c b/x.c') + plain,
    [x],
  ],
  [
    'a file emptied, without /dev/null',
    lines('--- a/x', '+++ b/x', '@@ -1 +0,0 @@', '-a'),
    ['content a/x > empty b/x, 1 hunks'],
  ],
  [
    'an epoch date',
    lines('--- a/x\t1970-01-01 00:00:00 +0000', '+++ b/x\t2024-01-01', '@@ -0,0 +1 @@', '+a'),
    ['absent a/x > content b/x, 1 hunks'],
  ],
];
for (const [title, text, sections] of readable) {
  test(`parsePatch() reads ${title}`, () => assert.deepEqual(parsePatch(text, 'x.patch').map(brief), sections));
}

const bodies: readonly [title: string, text: string, old: readonly string[], fresh: readonly string[]][] = [
  ['counts of one left out', '@@ -1 +1 @@\n-a\n+b\n', ['a\n'], ['b\n']],
  ['a removed line that looks like a header', '@@ -1,2 +1,1 @@\n--- x\n a\n', ['-- x\n', 'a\n'], ['a\n']],
  [
    'blank context lines without their blank',
    '@@ -1,3 +1,3 @@\n\n-a\n+b\n\tc\n',
    ['\n', 'a\n', '\tc\n'],
    ['\n', 'b\n', '\tc\n'],
  ],
  ['two trailing blank lines cut off', '@@ -1,3 +1,3 @@\n-a\n+b\n', ['a\n', '\n', '\n'], ['b\n', '\n', '\n']],
  [
    'no newline on both sides',
    '@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n',
    ['a'],
    ['b'],
  ],
  ['no newline in context', '@@ -1,2 +1,2 @@\n-a\n+b\n c\n\\ No newline at end of file\n', ['a\n', 'c'], ['b\n', 'c']],
  ['a patch that itself lacks the last line end', '@@ -1 +1 @@\n-a\n+b', ['a\n'], ['b\n']],
  ['CR that belongs to the lines', '@@ -1 +1 @@\n-a\r\n+b\r\n', ['a\r\n'], ['b\r\n']],
];
for (const [title, text, old, fresh] of bodies) {
  test(`parsePatch() reads a hunk with ${title}`, () => {
    const [section] = parsePatch(`--- a/x\n+++ b/x\n${text}`, 'x.patch');
    assert.deepEqual([section?.hunks[0]?.old, section?.hunks[0]?.new], [old, fresh]);
  });
}

test('parsePatch() takes CRs off the hunks where the name lines have them, and says how much context there is', () => {
  const [section] = parsePatch(plain.replaceAll('\n', '\r\n'), 'x.patch');
  assert.deepEqual(section?.hunks, [
    {
      line: 3,
      header: '@@ -1,3 +1,3 @@',
      oldStart: 1,
      old: ['a\n', 'b\n', 'd\n'],
      new: ['a\n', 'c\n', 'd\n'],
      leading: 1,
      trailing: 1,
    },
  ]);
});

const refused: readonly [title: string, text: string, code: ErrorCode, line: number][] = [
  [
    'a git binary patch',
    lines('diff --git a/x b/x', 'index 1..2 100644', 'GIT binary patch', 'literal 3'),
    'patch-unsupported',
    3,
  ],
  ['binary files that differ', lines('Binary files a/x and b/x differ'), 'patch-unsupported', 1],
  ['a context diff', lines('*** a/x', '--- b/x', '***************', '*** 1,3 ****'), 'patch-unsupported', 3],
  ['an ed script', lines('1d', '.', '2,3c', 'x'), 'patch-unsupported', 2],
  ['a plain diff', lines('1c1', '< a', '---', '> b'), 'patch-unsupported', 2],
  [
    'a submodule',
    lines(
      'diff --git a/s b/s',
      'new file mode 160000',
      'index 000..123',
      '--- /dev/null',
      '+++ b/s',
      '@@ -0,0 +1 @@',
      '+Subproject commit 1',
    ),
    'patch-unsupported',
    2,
  ],
  ['a device', lines('diff --git a/s b/s', 'new file mode 020644'), 'patch-unsupported', 2],
  ['an ed script behind file headers', lines('--- a/x', '+++ b/x', '1d'), 'patch-malformed', 3],
  ['a hunk without a name', hunk, 'patch-malformed', 1],
  ['a hunk cut short', lines('--- a/x', '+++ b/x', '@@ -1,9 +1,9 @@', ' a', '-b', '+c'), 'patch-malformed', 6],
  ['a hunk with a stray line', lines('--- a/x', '+++ b/x', '@@ -1,3 +1,3 @@', ' a', 'b', ' c'), 'patch-malformed', 5],
  ['a hunk with more lines than counted', `${plain}+e\n`, 'patch-malformed', 8],
  ['a hunk header without counts', lines('--- a/x', '+++ b/x', '@@ -x +y @@'), 'patch-malformed', 3],
  [
    'a hunk header with absurd counts',
    lines('--- a/x', '+++ b/x', '@@ -1,99999999999999999999 +1 @@'),
    'patch-malformed',
    3,
  ],
  ['a hunk of context only', lines('--- a/x', '+++ b/x', '@@ -1,2 +1,2 @@', ' a', ' b'), 'patch-malformed', 3],
  [
    'a last line in the middle',
    lines('--- a/x', '+++ b/x', '@@ -1,2 +1,2 @@', '-a', '\\ No newline at end of file', '-b', '+a', '+c'),
    'patch-malformed',
    3,
  ],
  [
    'a new file without its content',
    lines('diff --git a/n b/n', 'new file mode 100644', 'index 0000000..1234567'),
    'patch-malformed',
    1,
  ],
];
for (const [title, text, code, line] of refused) {
  test(`parsePatch() refuses ${title}`, () => {
    assert.throws(() => parsePatch(text, 'x.patch'), { name: 'VbuildError', code, where: { file: 'x.patch', line } });
  });
}

test('parsePatch() in the dpkg dialect passes over binary files that differ and lines beyond the counts', () => {
  assert.deepEqual(parsePatch(`Binary files a/y and b/y differ\n${plain}+e\n`, 'x.patch', 'dpkg').map(brief), [x]);
});
