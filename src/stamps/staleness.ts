/** Facts → verdict: whether a stage must run again, and exactly why (pure). */
import { differences, type Field } from '../key/fields.ts';
import type { Reason } from '../model/event.ts';
import { fieldsOf, type Stamp } from './stamp.ts';

export type Verdict = { readonly fresh: true } | { readonly fresh: false; readonly reasons: readonly Reason[] };

/**
 * @param stamp What the stage last ended with, if it ever did.
 * @param inputs What it would rest on now.
 * @param output Whether what the stage made is still there.
 */
export function staleness(stamp: Stamp | undefined, inputs: readonly Field[], output: boolean): Verdict {
  if (stamp === undefined) return { fresh: false, reasons: [{ input: 'stamp', now: 'never run here' }] };
  const reasons = differences(fieldsOf(stamp.inputs), inputs);
  if (reasons.length > 0) return { fresh: false, reasons };
  if (!output) return { fresh: false, reasons: [{ input: 'output', before: 'there', now: 'removed' }] };
  return { fresh: true };
}
