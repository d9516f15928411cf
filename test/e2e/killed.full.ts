/** `kill -9` at every single change that runs make to a file system, in every situation, and at many random moments. */
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
  situations,
  undisturbed,
} from '../support/killing.ts';
import { tempDir } from '../support/temp.ts';

for (const situation of situations) {
  test(`${situation.name} is killed at every change that it makes, and the next run completes it`, async (t) => {
    const top = tempDir(t);
    for (const name of ['undisturbed', 'points', 'runs']) mkdirSync(join(top, name));
    const expected = await undisturbed(join(top, 'undisturbed'), situation);
    const points = await pointsOf(join(top, 'points'), situation);
    let kills = 0;
    await inSituation(join(top, 'runs'), situation, points, async (site, point) => {
      // What runs side by side does not come to each of its later points every time.
      if ((await runKilledAt(site, point)).signal === 'SIGKILL') kills += 1;
      await insistOnRecovery(site, expected);
    });
    t.diagnostic(`${kills} kills at ${points.length} points`);
    assert.ok(kills > 0.9 * points.length);
  });
}

test('runs are killed at very many random moments, several in a row', async (t) => {
  const kills = await killAtRandom(t, { projects: 60, inRow: 10 });
  assert.ok(kills >= 200, `${kills} kills`);
});
