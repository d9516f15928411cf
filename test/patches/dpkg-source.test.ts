/** The dpkg dialect against dpkg's own code: the same patches must be taken, and give the same files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { VbuildError } from '../../src/model/error.ts';
import { type Tree, writeTree } from '../support/temp.ts';
import { lab, lines } from './support.ts';

const hunk = lines('@@ -1 +1 @@', '-one', '+two');
const plain = lines('--- a/there', '+++ b/there') + hunk;
const differ = 'Binary files a/x and b/x differ';
const index = 'index 1234567..89abcde 100644';

/** What vbuild must find wrong, where dpkg-source ends with an error too. */
const patches: Readonly<Record<string, readonly [text: string, refused?: string]>> = {
  'plain headers': [plain],
  'two files': [plain + plain.replaceAll('there', 'other')],
  'prose around it': [`Description: x\n---\n- a\n\n${plain}-- \n2.39\n`],
  'prose that looks like a header': [`Description: see\n--- this is prose\n for more\n${plain}`, 'patch-malformed'],
  'prose with +++': [`+++ this is prose\n${plain}`, 'patch-malformed'],
  'prose with @@': [`@@ -1 is prose\n${plain}`, 'patch-malformed'],
  'a name in quotes': [plain.replace('b/there', '"b/there"'), 'patch-unsupported'],
  'an old name in quotes': [plain.replace('a/there', '"a/there"\t2024-01-01'), 'patch-unsupported'],
  'names in quotes in the line of git alone': [`diff --git "a/there" "b/there"\n${index}\n${plain}`],
  'an Index line alone': [`Index: there\n${hunk}`, 'patch-malformed'],
  'names without a folder': [plain.replaceAll(/[ab]\//g, ''), 'patch-malformed'],
  'one name without a folder': [plain.replace('a/', '')],
  'a hunk header with text right behind it': [plain.replace('+1 @@', '+1 @@x'), 'patch-malformed'],
  'a backup of dpkg': [plain.replaceAll('there', 'there.dpkg-orig'), 'patch-malformed'],
  'a date behind a blank': [plain.replace('a/there', 'a/there 2024-01-01')],
  'no hunk': [lines('--- a/there', '+++ b/there', 'prose'), 'patch-malformed'],
  'a line too many': [`${plain}+three\n`],
  'a chopped line of context': [lines('--- a/blank', '+++ b/blank', '@@ -1,2 +1,2 @@', '-one', '+two')],
  'binary files in prose': [`${differ}\n${plain}`],
  'binary files by git, there': [lines('diff --git a/there b/there', index, differ)],
  'binary files by git, not there': [lines('diff --git a/gone b/gone', index, differ), 'patch-rejected'],
  'binary files by git, not there, and names behind them': [lines('diff --git a/gone b/gone', index, differ) + plain],
  'binary files by git, not there, and more': [
    lines('diff --git a/gone b/gone', index, differ) + lines('diff --git a/there b/there') + plain,
    'patch-rejected',
  ],
  'a new binary file': [lines('diff --git a/new b/new', 'new file mode 100644', 'index 0000000..89abcde', differ)],
  'an index line of an empty file': [lines('diff --git a/empty b/empty', index) + plain],
  'a mode of a file that is not there': [
    lines('diff --git a/gone b/gone', 'old mode 100644', 'new mode 100755'),
    'patch-rejected',
  ],
  'a line of git and nothing behind it': [lines('diff --git a/gone b/gone') + plain],
  'a similarity alone': [lines('diff --git a/gone b/gone', 'similarity index 100%') + plain],
};
const start: Tree = { there: 'one\n', other: 'one\n', blank: 'one\n\n', empty: '', 'there.dpkg-orig': 'one\n' };

/** Applies a patch to a tree as dpkg-source does for the format 3.0 (quilt). */
const program = `use Dpkg::Source::Patch;
my ($patch, $tree) = @ARGV;
my @options = ('-t', '-F', '0', '-N', '-p1', '-u', '-V', 'never', '-E', '-b', '-B', '.pc/x/', '--reject-file=-');
Dpkg::Source::Patch->new(filename => $patch)->apply($tree, verbose => 0, force_timestamp => 1, create_dirs => 1, remove_backup => 0, options => [@options]);
`;
const perl = (...args: readonly string[]) => spawnSync('perl', args, { encoding: 'utf8' });

test('the dpkg dialect takes and refuses what dpkg-source does, to the same files', {
  skip: perl('-MDpkg::Source::Patch', '-e', '1').status === 0 ? false : 'the library of dpkg-source is not installed',
}, async (t) => {
  for (const [title, [text, refused]] of Object.entries(patches)) {
    const [ours, theirs] = [lab(t, start), lab(t, start)];
    writeTree(theirs.folder, { p: text });
    const { status, stdout, stderr } = perl('-e', program, join(theirs.folder, 'p'), theirs.tree);
    assert.equal(status === 0, refused === undefined, `${title}: ${stdout}${stderr}`);
    const code = await ours.apply([text], { dialect: 'dpkg' }).then(
      () => undefined,
      (error: unknown) => (error instanceof VbuildError ? error.code : Promise.reject(error)),
    );
    assert.equal(code, refused, title);
    const files = Object.entries(theirs.files()).filter(([path]) => !path.startsWith('.pc/'));
    if (refused === undefined) assert.deepEqual(ours.files(), Object.fromEntries(files), title);
  }
});
