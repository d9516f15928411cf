/** `kill -9` at every change that a run makes to a file system, and at random moments: the next run ends as if nothing had happened. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  inSituation,
  insistOnRecovery,
  type KillPoint,
  pointsOf,
  runKilledAfter,
  runKilledAt,
  situations,
  undisturbed,
} from '../support/killing.ts';
import { tempDir } from '../support/temp.ts';

/** Of what is done to every package in the same way, one package is enough here; each has its turn. */
function sample(points: readonly KillPoint[]): KillPoint[] {
  const names = ['one', 'two', 'three'];
  const kinds = new Map<string, KillPoint[]>();
  for (const point of points) {
    const kind = point.name.replaceAll(/\b(one|two|three)(_1)?\b/g, 'NAME');
    kinds.set(kind, [...(kinds.get(kind) ?? []), point]);
  }
  return [...kinds.values()].map((same, at) => {
    const wanted = same.filter(({ name }) => name.includes(names[at % 3] ?? ''));
    return (wanted.length > 0 ? wanted : same)[0] as KillPoint;
  });
}

for (const situation of situations) {
  test(`${situation.name} is killed at each kind of change that it makes, and the next run completes it`, async (t) => {
    const top = tempDir(t);
    const folder = (name: string): string => {
      mkdirSync(join(top, name));
      return join(top, name);
    };
    const expected = await undisturbed(folder('undisturbed'), situation);
    const points = sample(await pointsOf(folder('points'), situation));
    t.diagnostic(`${points.length} points`);
    assert.ok(points.length > 60, 'the hook sees what a run does');
    await inSituation(folder('runs'), situation, points, async (site, point) => {
      const { signal, stderr } = await runKilledAt(site, point);
      assert.equal(signal, 'SIGKILL', `${point.count} ${point.name}: ${stderr}`);
      await insistOnRecovery(site, expected).catch((error: unknown) => {
        throw new Error(`killed at ${point.count} ${point.name}`, { cause: error });
      });
    });
  });
}

test('a run is killed at random moments until one gets through', async (t) => {
  const top = tempDir(t);
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`SEED=${seed}`);
  let state = seed;
  // Park and Miller's minimal standard generator.
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const [situation] = situations;
  assert.ok(situation);
  mkdirSync(join(top, 'undisturbed'));
  mkdirSync(join(top, 'runs'));
  const expected = await undisturbed(join(top, 'undisturbed'), situation);
  let kills = 0;
  await inSituation(join(top, 'runs'), situation, [...Array(12).keys()], async (site) => {
    for (let round = 0; round < 5; round += 1) if (await runKilledAfter(site, 100 + random() * 600)) kills += 1;
    await insistOnRecovery(site, expected);
  });
  t.diagnostic(`${kills} kills`);
  assert.ok(kills >= 12);
});
