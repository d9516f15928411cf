/** `kill -9` at every change that a push makes to a shared folder: whoever reads there finds what is complete or nothing, and the next push completes it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkIn } from '../support/check-in.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { pointsIn, runKilledAt, situations } from '../support/killing.ts';
import { projectAt } from '../support/project.ts';
import { removeTree, tempDir } from '../support/temp.ts';
import { resultOf, type TinyPackage, tinyProject, writeTiny } from '../support/tiny.ts';

const asItIs = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true } as const;

test('a push of what comes out equal is killed at every change that it makes to a shared folder', async (t) => {
  const top = tempDir(t);
  const [all, kept] = [join(top, 'all'), join(top, 'kept')];
  const [tier, reading, home] = [join(all, 'tier'), join(all, 'reading'), join(all, 'reading-home')];
  mkdirSync(tier, { recursive: true });
  const situation = situations.find(({ name }) => name.includes('equal'));
  if (situation?.before === undefined) throw new Error('no situation');
  const site = tinyProject(all, situation.before);
  const writeWithTier = (packages: readonly TinyPackage[]): void => {
    writeTiny(site.path, packages);
    site.edit('Buildfile.ts', 'directory, steps', 'directory, directoryCache, steps');
    site.edit('Buildfile.ts', 'defaults: [', `cache: [directoryCache('${tier}')], defaults: [`);
    checkIn(site.path);
  };
  writeWithTier(situation.before);
  insistOnSuccess(await site.run(['--push']));
  writeWithTier(situation.now);
  cpSync(all, kept, asItIs);
  const points = (await pointsIn(site, ['-j1', '--push'])).filter(({ name }) => / tier\//.test(name));
  assert.ok(points.length > 20, `${points.length} points`);
  const expected = resultOf(site);

  /** Another machine, which has nothing and may not build. @returns Its exit status. */
  const read = async (): Promise<number | undefined> => {
    for (const folder of [reading, home]) removeTree(folder);
    const filter = (path: string): boolean => !/\/(\.vbuild|\.vendor\.generations|vendor)$/.test(path);
    cpSync(site.path, reading, { ...asItIs, filter });
    const reader = projectAt(reading, home);
    const run = eventsOf(await reader.run(['--no-build', '--frozen', '--json']));
    assert.ok(!/"answer":"rejected"/.test(run.stdout), run.stdout);
    if (run.exitStatus === 0) assert.equal(resultOf(reader).prefix, expected.prefix);
    return run.exitStatus;
  };
  for (const point of points) {
    removeTree(all);
    cpSync(kept, all, asItIs);
    const title = `${point.count} ${point.name}`;
    assert.equal((await runKilledAt(site, point, ['-j1', '--push'])).signal, 'SIGKILL', title);
    assert.ok([0, 3].includes((await read()) ?? -1), title);
    insistOnSuccess(await site.run(['--push']));
    assert.deepEqual(resultOf(site), expected, title);
    assert.equal(await read(), 0, title);
  }
});
