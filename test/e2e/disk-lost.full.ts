/** A disk that is full, or takes no change any more, from every single change of a run on. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  insistOnDiskTrouble,
  insistOnRecovery,
  inSituation,
  pointsOf,
  runTroubledAt,
  situations,
  undisturbed,
} from '../support/killing.ts';
import { tempDir } from '../support/temp.ts';

for (const trouble of ['ENOSPC', 'EROFS'] as const) {
  for (const situation of situations) {
    test(`${situation.name} on a disk that says ${trouble} from any change on`, async (t) => {
      const top = tempDir(t);
      for (const name of ['undisturbed', 'points', 'runs']) mkdirSync(join(top, name));
      const expected = await undisturbed(join(top, 'undisturbed'), situation);
      const points = await pointsOf(join(top, 'points'), situation);
      await inSituation(join(top, 'runs'), situation, points, async (site, point) => {
        const run = await runTroubledAt(site, point, trouble);
        try {
          insistOnDiskTrouble(run);
          await insistOnRecovery(site, expected);
        } catch (error) {
          throw new Error(`at ${point.count} ${point.name}`, { cause: error });
        }
      });
    });
  }
}
