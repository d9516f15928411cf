/** Several runs that ask different things of one prefix: it ends up with all of them, whoever comes first. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { acquireLock } from '../../src/system/lock.ts';
import { insistOnSuccess } from '../support/events.ts';
import type { Project } from '../support/project.ts';
import { tempDir } from '../support/temp.ts';
import { pathsOf, tinyChain, tinyProject } from '../support/tiny.ts';
import { startProgram, vbuildBin } from '../support/vbuild.ts';

const apart = tinyChain.map((one) => ({ ...one, deps: [] }));

/** Runs that have made up their minds about the prefix before any of them may touch it. */
async function meeting(t: TestContext, site: Project, runs: readonly (readonly string[])[]): Promise<void> {
  const lock = await acquireLock(join(site.path, '.vendor.generations/lock'));
  const started = runs.map((args) => {
    const { child, ended } = startProgram([vbuildBin, ...args, '--json'], { cwd: site.path, home: site.home });
    const waits = new Promise<void>((resolve) => {
      let seen = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        seen += String(chunk);
        if (seen.includes('"waiting-for-prefix"')) resolve();
      });
      void ended.then(() => resolve());
    });
    return { ended, waits };
  });
  t.after(() => lock[Symbol.asyncDispose]());
  await Promise.all(started.map(({ waits }) => waits));
  await lock[Symbol.asyncDispose]();
  for (const { ended } of started) insistOnSuccess(await ended);
}

const held = (site: Project): string[] =>
  pathsOf(site).flatMap((path) => (path.startsWith('vendor/share/') ? [path.slice('vendor/share/'.length)] : []));

for (const [what, runs] of [
  [
    'two installs',
    [
      ['install', 'two'],
      ['install', 'three'],
    ],
  ],
  ['a build and an install', [['two'], ['install', 'three']]],
] as const)
  test(`${what} that meet at one prefix leave it with what both were asked for`, async (t) => {
    const site = tinyProject(tempDir(t), apart);
    insistOnSuccess(await site.run(['one', 'two', 'three', '--no-install']));
    insistOnSuccess(await site.run(['one']));
    await meeting(t, site, runs);
    assert.deepEqual(held(site), ['one', 'three', 'two']);
  });

test('in which order things were asked of a prefix makes no difference', async (t) => {
  const site = tinyProject(tempDir(t), apart);
  for (const name of ['two', 'one']) insistOnSuccess(await site.run([name]));
  for (const name of ['two', 'one']) {
    assert.equal(insistOnSuccess(await site.build([name])).installs, 0);
    insistOnSuccess(await site.run(['check', name]));
  }
});
