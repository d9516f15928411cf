/** How long the stages of a package took the last time, from its stamps and its history. */
import type { DiskCache } from '../cache/disk.ts';
import { relativesOf } from '../cache/relatives.ts';
import type { StageName } from '../model/event.ts';
import { readStamp } from '../stamps/stamp.ts';
import type { PackageFacts } from './facts.ts';
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

/** From what this project remembers; where it never compiled the package, from the newest artifact of it on the disk, whoever made that. */
export async function expectedDurations(
  { package: { name }, places }: Pick<PackageFacts, 'package' | 'places'>,
  disk: DiskCache,
): Promise<Partial<Record<StageName, number>>> {
  const durations = lastDurations(places);
  if (durations.compile !== undefined) return durations;
  const [newest] = await relativesOf(disk, name);
  return newest === undefined ? durations : { ...durations, compile: newest.build.durationMs };
}
