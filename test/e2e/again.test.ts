/** What a second run does: nothing while nothing changed, and exactly what a change asks for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import { allStages, appSays, packages, project } from '../support/project.ts';

test('a first run builds and installs, a second one takes no stage and says so', async (t) => {
  const site = project(t);
  const first = insistOnSuccess(await site.build());
  assert.deepEqual(first.stages, allStages(...packages));
  assert.equal(await site.output('bin/app'), appSays);
  const second = insistOnSuccess(await site.build());
  assert.deepEqual(second.stages, []);
});
