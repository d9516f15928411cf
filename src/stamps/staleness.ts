/** Facts → verdict: whether a stage must run again, and exactly why (pure). */
import { alignedDifferences } from '../key/aligned.ts';
import type { Field } from '../key/fields.ts';
import type { Reason } from '../model/event.ts';
import { type Aside, fieldsOf, type Stamp } from './stamp.ts';

export type Verdict = { readonly fresh: true } | { readonly fresh: false; readonly reasons: readonly Reason[] };

/**
 * @param stamp What the stage last ended with, if it ever did.
 * @param inputs What it would rest on now.
 * @param output Whether what the stage made is still there.
 * @param aside What is known where there is no stamp.
 */
export function staleness(stamp: Stamp | undefined, inputs: readonly Field[], output: boolean, aside?: Aside): Verdict {
  if (stamp === undefined) {
    const differing = aside?.last === undefined ? [] : alignedDifferences(fieldsOf(aside.last.inputs), inputs);
    return { fresh: false, reasons: [{ input: 'stamp', now: ends[aside?.ended ?? 'never'] }, ...differing] };
  }
  const reasons = alignedDifferences(fieldsOf(stamp.inputs), inputs);
  if (reasons.length > 0) return { fresh: false, reasons };
  if (!output) return { fresh: false, reasons: [{ input: 'output', before: 'there' }] };
  return { fresh: true };
}

const ends = {
  never: 'never run here',
  'cut-off': 'was cut off the last time',
  failed: 'failed the last time',
  'by-hand': 'was worked on by hand',
} as const;
