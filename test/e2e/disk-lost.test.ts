/** A disk that is full, or takes no change any more, from any moment of a run on: it says so, and the next run ends as if nothing had happened. */
import { test } from 'node:test';
import { sample, situations, troubleAt } from '../support/killing.ts';
import { tempDir } from '../support/temp.ts';

/** One kind of change of so many has its turn; all changes in all situations have theirs in disk-lost.full.ts. */
const every = 6;

for (const [at, trouble] of (['ENOSPC', 'EROFS'] as const).entries()) {
  const situation = situations[at];
  if (situation === undefined) throw new Error('no situation');
  test(`${situation.name} on a disk that says ${trouble} from a change on tells it, and the next run completes all`, (t) =>
    troubleAt(tempDir(t), situation, trouble, (points) => sample(points).filter((_, index) => index % every === at)));
}
