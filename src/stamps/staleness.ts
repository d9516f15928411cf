/** Facts → reasons: whether a stage must run again, and exactly why (pure). */
import { alignedDifferences } from '../key/aligned.ts';
import type { Field } from '../key/fields.ts';
import type { Reason } from '../model/event.ts';
import { type Aside, fieldsOf, type Stamp } from './stamp.ts';

/**
 * @param stamp What the stage last ended with, if it ever did.
 * @param inputs What it would rest on now.
 * @param output Whether what the stage made is still there.
 * @param aside What is known where there is no stamp.
 * @returns Why it is stale; nothing where it is fresh.
 */
export function staleness(
  stamp: Stamp | undefined,
  inputs: readonly Field[],
  output: boolean,
  aside?: Aside,
): readonly Reason[] {
  if (stamp === undefined) {
    const differing = aside?.last === undefined ? [] : alignedDifferences(fieldsOf(aside.last.inputs), inputs);
    return [{ input: 'stamp', now: ends[aside?.ended ?? 'never'] }, ...differing];
  }
  const reasons = alignedDifferences(fieldsOf(stamp.inputs), inputs);
  return reasons.length > 0 || output ? reasons : [{ input: 'output', before: 'there' }];
}

const ends = {
  never: 'never run here',
  'cut-off': 'was cut off the last time',
  failed: 'failed the last time',
  'by-hand': 'was worked on by hand',
} as const;
