import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPathFolders, runPathVerdict } from '../../src/artifact/run-path.ts';

const places = { root: '/r___', prefix: '/r___/prefix', stage: '/r___/stage', host: '/r___' };

const rows: readonly [title: string, file: string, value: string, expected: string, refused?: readonly string[]][] = [
  ['a library in the folder it points to', 'lib/liba.so', '/r___/prefix/lib', '$ORIGIN'],
  ['a program beside lib', 'bin/a', '/r___/prefix/lib', '$ORIGIN/../lib'],
  ['a file in the prefix itself', 'a', '/r___/prefix/lib', '$ORIGIN/lib'],
  ['the prefix itself', 'lib/liba.so', '/r___/prefix', '$ORIGIN/..'],
  ['a Python module', 'lib/python3.11/site-packages/PIL/_imaging.so', '/r___/prefix/lib', '$ORIGIN/../../..'],
  [
    'two folders, in their order',
    'bin/a',
    '/r___/prefix/lib/own:/r___/prefix/lib',
    '$ORIGIN/../lib/own:$ORIGIN/../lib',
  ],
  [
    'duplicates, spelt differently',
    'bin/a',
    '/r___/prefix/lib:/r___/prefix/bin/../lib/:/r___/prefix/lib',
    '$ORIGIN/../lib',
  ],
  ['the staged place of a prefix folder', 'bin/a', '/r___/stage/r___/prefix/lib', '$ORIGIN/../lib'],
  ['left-overs of the tree', 'bin/a', '/r___/tree/build/lib:/r___/prefix/lib:/r___', '$ORIGIN/../lib'],
  ['only left-overs', 'bin/a', '/r___/tree/build:', ''],
  ['CMake fills up with colons', 'bin/a', '/r___/prefix/lib:::::::', '$ORIGIN/../lib'],
  [
    "the loader's own folders",
    'bin/a',
    '/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib/:/r___/prefix/lib',
    '$ORIGIN/../lib',
  ],
  ['a relative one stays', 'bin/a', '$ORIGIN/../lib', '$ORIGIN/../lib'],
  ['a relative one in braces is spelt plainly', 'bin/a', '${ORIGIN}/../lib:$ORIGIN/./x', '$ORIGIN/../lib:$ORIGIN/x'],
  ['a folder of the host is refused', 'bin/a', '/opt/other/lib:/r___/prefix/lib', '$ORIGIN/../lib', ['/opt/other/lib']],
  ['one that leads out of the prefix is refused', 'bin/a', '$ORIGIN/../../lib', '', ['$ORIGIN/../../lib']],
  ['one relative to the working folder is refused', 'bin/a', '../lib:RIGIN/../lib', '', ['../lib', 'RIGIN/../lib']],
  ['a name that only begins like ORIGIN is refused', 'bin/a', '$ORIGINAL/lib', '', ['$ORIGINAL/lib']],
  ['a folder that only begins like the prefix is a left-over', 'bin/a', '/r___/prefix-old/lib', ''],
  ['a folder that only begins like the root is refused', 'bin/a', '/r____/lib', '', ['/r____/lib']],
];

for (const [title, file, value, expected, refused = []] of rows) {
  test(`runPathVerdict(): ${title}`, () =>
    assert.deepEqual(runPathVerdict(value, file, places), { value: expected, refused }));
}

test('runPathFolders() gives the folders of a relative run path', () => {
  assert.deepEqual(runPathFolders('$ORIGIN/../lib:$ORIGIN:$ORIGIN/..', 'bin/a'), ['lib', 'bin', '.']);
  assert.deepEqual(runPathFolders('', 'bin/a'), []);
});
