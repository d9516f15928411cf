/** How often a store is asked for one thing, told by what its answers were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asking, type Trouble } from '../../src/cache/asking.ts';
import { folderTrouble } from '../../src/cache/directory.ts';
import { defaultPatience } from '../../src/cache/patience.ts';
import { FolderTrouble } from '../../src/system/folder-objects.ts';
import { Damaged, type Objects, Stalled } from '../../src/system/objects.ts';
import { never } from './sample.ts';

const passing: Trouble = { outcome: 'unreachable', reason: 'down', mend: 'wait', passing: true, everywhere: true };
const ofFolder = (thrown: unknown): Trouble => folderTrouble(thrown as Error, '/mnt/cache');
const ofServer = (): Trouble => passing;

const rows: readonly (readonly [name: string, thrown: Error, judge: (thrown: unknown) => Trouble, tries: number])[] = [
  ['a folder that says nothing', new Stalled('nothing for 15000 ms'), ofFolder, 1],
  ['a server that says nothing', new Stalled('nothing for 15000 ms'), ofServer, 2],
  ['a server that broke off', Object.assign(new Stalled('read'), { code: 'ECONNRESET' }), ofServer, 3],
  ['a folder whose handle is stale', new FolderTrouble('ESTALE', undefined), ofFolder, 3],
  ['a folder that may not be read', new FolderTrouble('EACCES', undefined), ofFolder, 1],
  ['a damaged object', new Damaged('it has 3 bytes, expected 4'), ofFolder, 2],
];

for (const [name, thrown, judge, tries] of rows) {
  test(`asking() leaves it at try ${tries}: ${name}`, async () => {
    let tried = 0;
    const { ask } = asking(
      {
        name: 'a store',
        writable: false,
        pages: false,
        within: (object) => object,
        shown: (object) => object,
        open: async () => ({}) as Objects,
        judge,
      },
      { ...defaultPatience, pausesMs: [0, 0] },
    );
    const asked = await ask(async () => {
      tried += 1;
      throw thrown;
    }, never);
    assert.deepEqual(asked, judge(thrown));
    assert.equal(tried, tries);
  });
}
