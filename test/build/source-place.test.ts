import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { placedInSource } from '../../src/build/source-place.ts';
import { workspaceOf } from '../../src/build/workspace.ts';
import { definePackage, directory, steps, tarball } from '../../src/index.ts';
import { VbuildError } from '../../src/model/error.ts';
import { tempDir, writeTree } from '../support/temp.ts';

const rows: readonly (readonly [meant: string, error: string | undefined, file: string | undefined, line?: number])[] =
  [
    ['a file of the source', 'lib/a.c:7:5: error: bad', 'own/lib/a.c', 7],
    ['the same by its whole path', '@tree@/lib/a.c:7: Error: bad', 'own/lib/a.c', 7],
    ['one that a patch changed', 'patched.c:7:5: error: bad', undefined],
    ['one that a step made', 'made.c:7:5: error: bad', undefined],
    ['a header elsewhere', '../include/x.h:7:5: error: bad', undefined],
    ['one of the system', '/usr/include/x.h:7:5: error: bad', undefined],
    ['a folder', 'lib:7: error: bad', undefined],
    ['no place', 'make: *** no rule', undefined],
    ['no error', undefined, undefined],
  ];
for (const [meant, error, file, line] of rows) {
  test(`placedInSource() finds ${file === undefined ? 'nothing' : 'the file of the project'} for ${meant}`, (t) => {
    const site = tempDir(t, 'place');
    writeTree(site, {
      'own/lib/a.c': 'a',
      'own/patched.c': 'one',
      'tree/lib/a.c': 'a',
      'tree/patched.c': 'two',
      'tree/made.c': '',
    });
    const workspace = workspaceOf(join(site, 'Buildfile.ts'), undefined, join(site, 'cache'));
    const facts = { tree: join(site, 'tree'), ...(error !== undefined && { error }) };
    const problem = new VbuildError('step-failed', 'A step failed', { facts, mend: 'read the log' });
    const recipe = steps([]);
    const own = definePackage('own', { version: '1', source: directory('own'), recipe });
    const { where } = placedInSource(problem, own, workspace);
    assert.deepEqual([where.file, where.line], [file === undefined ? undefined : join(site, file), line]);
    const fetched = definePackage('own', { version: '1', source: tarball('own.tar'), recipe });
    assert.equal(placedInSource(problem, fetched, workspace).where.file, undefined);
  });
}
