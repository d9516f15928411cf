/** `kill -9` at every change that a run makes to a file system, and at random moments: the next run ends as if nothing had happened. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  inSituation,
  insistOnRecovery,
  killAtRandom,
  pointsOf,
  runKilledAt,
  sample,
  situations,
  undisturbed,
} from '../support/killing.ts';
import { tempDir } from '../support/temp.ts';

for (const [index, situation] of situations.entries()) {
  // The others differ in few places; all their points are in killed.full.ts.
  const every = index === 0 ? 1 : 4;
  test(`${situation.name} is killed at each kind of change that it makes, and the next run completes it`, async (t) => {
    const top = tempDir(t);
    const folder = (name: string): string => {
      mkdirSync(join(top, name));
      return join(top, name);
    };
    const expected = await undisturbed(folder('undisturbed'), situation);
    const points = sample(await pointsOf(folder('points'), situation)).filter((_, at) => at % every === 0);
    t.diagnostic(`${points.length} points`);
    assert.ok(points.length > 20, 'the hook sees what a run does');
    await inSituation(folder('runs'), situation, points, async (site, point) => {
      const { signal, stderr } = await runKilledAt(site, point);
      assert.equal(signal, 'SIGKILL', `${point.count} ${point.name}: ${stderr}`);
      await insistOnRecovery(site, expected).catch((error: unknown) => {
        throw new Error(`killed at ${point.count} ${point.name}`, { cause: error });
      });
    });
  });
}

test('runs are killed at random moments, several in a row', async (t) => {
  const kills = await killAtRandom(t, { projects: 10, inRow: 4 });
  assert.ok(kills >= 10, `${kills} kills`);
});
