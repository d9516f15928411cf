/** A disk that is full, or takes no change any more, from any moment of a run on: it says so, and the next run ends as if nothing had happened. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  insistOnDiskTrouble,
  insistOnRecovery,
  inSituation,
  pointsOf,
  runTroubledAt,
  sample,
  situations,
  undisturbed,
} from '../support/killing.ts';
import { tempDir } from '../support/temp.ts';

/** One kind of change of so many has its turn; all changes in all situations have theirs in disk-lost.full.ts. */
const every = 6;

for (const [at, trouble] of (['ENOSPC', 'EROFS'] as const).entries()) {
  const situation = situations[at];
  if (situation === undefined) throw new Error('no situation');
  test(`${situation.name} on a disk that says ${trouble} from a change on tells it, and the next run completes all`, async (t) => {
    const top = tempDir(t);
    for (const name of ['undisturbed', 'points', 'runs']) mkdirSync(join(top, name));
    const expected = await undisturbed(join(top, 'undisturbed'), situation);
    const points = sample(await pointsOf(join(top, 'points'), situation)).filter((_, index) => index % every === at);
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
