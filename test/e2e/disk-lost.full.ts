/** A disk that is full, or takes no change any more, from every single change of a run on. */
import { test } from 'node:test';
import { situations, troubleAt } from '../support/killing.ts';
import { tempDir } from '../support/temp.ts';

for (const trouble of ['ENOSPC', 'EROFS'] as const)
  for (const situation of situations)
    test(`${situation.name} on a disk that says ${trouble} from any change on`, (t) =>
      troubleAt(tempDir(t), situation, trouble));
