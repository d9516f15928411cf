/** How long the stages of a package took the last time, from its stamps and its history. */
import type { StageName } from '../model/event.ts';
import { readStamp } from '../stamps/stamp.ts';
import { readRecords } from './history.ts';
import type { KeyedStage } from './stages.ts';
import type { PackagePlaces } from './workspace.ts';

/** In milliseconds, by stage; what never ran here is not in it. */
export function lastDurations(places: Pick<PackagePlaces, 'history' | 'stamps'>): Partial<Record<StageName, number>> {
  const records = readRecords(places).toReversed();
  const recorded = records.flatMap(({ stages }) =>
    stages.flatMap(({ stage, durationMs }) => (durationMs === undefined ? [] : [[stage, durationMs] as const])),
  );
  // The stamp of pack may tell how long an artifact took to come from a cache.
  const stages: readonly KeyedStage[] = ['fetch', 'patch', 'compile'];
  const stamped = stages.flatMap((stage) => {
    const stamp = readStamp(places.stamps, stage);
    return stamp === undefined ? [] : [[stage, stamp.durationMs] as const];
  });
  return Object.fromEntries([...recorded, ...stamped]);
}
