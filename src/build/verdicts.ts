/**
 * Whether each stage of a package must run now, and why: the one place that decides. Stages obey it, plans tell it, so that they cannot
 * disagree. Reads stamps and trees, changes nothing; no reasons mean that the stage need not run.
 */
import type { Package } from '../buildfile/package.ts';
import { type LockedSource, notedSpec } from '../buildfile/pins.ts';
import { canonicalJson } from '../key/fields.ts';
import type { Reason } from '../model/event.ts';
import type { Pin } from '../sources/source.ts';
import { staleness } from '../stamps/staleness.ts';
import { fieldsOf, type Input, readAside, readStamp } from '../stamps/stamp.ts';
import { exists } from '../system/files.ts';
import { treeDigest } from '../system/tree-digest.ts';
import { isStaged } from './build-places.ts';
import type { PackageFacts } from './facts.ts';
import { type KeyedStage, stageInputs } from './stages.ts';
import type { PackagePlaces } from './workspace.ts';

/** What fetching rests on. */
export const fetchInputs = (one: Package, pin: Pin): Input[] => [
  { name: 'source.spec', value: canonicalJson(notedSpec(one.source)) },
  { name: 'source.pin', value: canonicalJson(pin) },
];

/**
 * Reads the trees whole when nothing else speaks for the stage, which costs less than compiling something else.
 *
 * @param pinned What the trees must be; undefined while the source is being pinned.
 */
export function fetchReasons(
  inputs: readonly Input[],
  pinned: LockedSource | undefined,
  { stamps, source, series }: PackagePlaces,
): readonly Reason[] {
  const stamp = readStamp(stamps, 'fetch');
  const reasons = staleness(stamp, fieldsOf(inputs), exists(source), readAside(stamps, 'fetch'));
  if (reasons.length > 0 || stamp === undefined) return reasons;
  const { tree = '', series: seriesBefore } = stamp.results;
  if (pinned !== undefined && pinned.tree !== tree) return [{ input: 'source.tree', before: tree, now: pinned.tree }];
  const intact =
    treeDigest(source) === tree &&
    (seriesBefore === undefined || (exists(series) && treeDigest(series) === seriesBefore));
  return intact ? [] : [{ input: 'output', before: 'as fetched', now: 'changed since' }];
}

export function patchReasons(facts: PackageFacts): readonly Reason[] {
  const { stamps, patched } = facts.places;
  const reasons = reasonsFor(facts, 'patch', exists(patched));
  if (reasons.length > 0) return reasons;
  return treeDigest(patched) === readStamp(stamps, 'patch')?.results['tree']
    ? []
    : [{ input: 'output', before: 'as patched', now: 'changed since' }];
}

export const compileReasons = (facts: PackageFacts): readonly Reason[] =>
  reasonsFor(facts, 'compile', isStaged(facts.places));

/** Asked only where no cache has the artifact, so that there always is a reason. */
export const packReasons = (facts: PackageFacts): readonly Reason[] => reasonsFor(facts, 'pack', false);

/** @param isThere Whether what the stage made is there. */
function reasonsFor(facts: PackageFacts, stage: KeyedStage, isThere: boolean): readonly Reason[] {
  const { stamps } = facts.places;
  const inputs = fieldsOf(stageInputs(facts, stage));
  return staleness(readStamp(stamps, stage), inputs, isThere, readAside(stamps, stage));
}

/** Whether the last artifact that this project made or restored is the one that is wanted now. */
export const isStamped = (facts: PackageFacts, isThere: boolean): boolean =>
  staleness(readStamp(facts.places.stamps, 'pack'), fieldsOf(stageInputs(facts, 'pack')), isThere).length === 0;

/** Where a package stands without the help of any cache but the disk: nothing to do, to be restored, or neither. */
export function readiness(facts: PackageFacts, onDisk: boolean, isInstalled: boolean): 'fresh' | 'ready' | 'stale' {
  if (isInstalled || (onDisk && isStamped(facts, onDisk))) return 'fresh';
  return onDisk ? 'ready' : 'stale';
}

/** The stages that making a package from source takes now, in their order. */
export function stagesToRun(
  facts: PackageFacts,
): readonly { readonly stage: KeyedStage; readonly reasons: readonly Reason[] }[] {
  const { package: one, source, places } = facts;
  const rows = [
    { stage: 'fetch', reasons: fetchReasons(fetchInputs(one, source.pin), source, places) },
    { stage: 'patch', reasons: patchReasons(facts) },
    { stage: 'compile', reasons: compileReasons(facts) },
    { stage: 'pack', reasons: packReasons(facts) },
  ] as const;
  return rows.filter(({ reasons }) => reasons.length > 0);
}
