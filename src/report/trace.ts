/** A finished run as a Chrome trace (pure), for Perfetto, chrome://tracing and the like; `vbuild report` reads it as well. */
import type { RunRecord } from '../model/run-record.ts';
import { reason } from './phrases.ts';
import { jsonLine } from './json.ts';
import { lanesOf } from './run-analysis.ts';

const process = 1;

/**
 * An object of the trace event format, with the whole record as `vbuild` beside the events: viewers leave alone what they do not know.
 *
 * @see "Trace Event Format", Google, section "JSON Object Format". Times are in microseconds since the start of the run.
 */
export function traceText(record: RunRecord): string {
  const lanes = lanesOf(record);
  const about = (name: string, tid: number, args: object): object => ({ ph: 'M', pid: process, tid, name, args });
  const events = [
    about('process_name', 0, { name: `vbuild ${record.targets.join(' ')}`.trimEnd() }),
    ...lanes.flatMap(({ kind, number }, at) => [
      about('thread_name', at + 1, { name: `${kind} ${number}` }),
      about('thread_sort_index', at + 1, { sort_index: at }),
    ]),
    ...lanes.flatMap(({ items }, at) =>
      items.flatMap(({ package: id, work }) => {
        const { what, startMs, endMs, reasons, detail, tier, steps, failed } = work;
        const args = {
          package: id,
          ...(reasons.length > 0 && { because: reasons.map((one) => reason(one, 200)) }),
          ...(detail !== undefined && { detail }),
          ...(tier !== undefined && { tier }),
          ...(failed && { failed }),
        };
        const span = (name: string, from: number, to: number, more: object): object => ({
          ph: 'X',
          pid: process,
          tid: at + 1,
          ts: from * 1000,
          dur: Math.max(0, to - from) * 1000,
          name,
          ...more,
        });
        return [
          span(`${id} ${what}`, startMs, endMs, { cat: what, args }),
          ...steps.map((step) =>
            span(step.group, step.startMs, step.endMs, { cat: 'step', args: { command: step.command } }),
          ),
        ];
      }),
    ),
    ...record.packages.flatMap(({ package: id, answers }) =>
      answers.map(({ tier, answer, reason: why, atMs }) => ({
        ph: 'i',
        s: 'p',
        pid: process,
        tid: 0,
        ts: atMs * 1000,
        name: `${id}: ${tier} ${answer}`,
        cat: 'cache',
        ...(why !== undefined && { args: { reason: why } }),
      })),
    ),
  ];
  return `${jsonLine({ traceEvents: events, displayTimeUnit: 'ms', vbuild: record })}\n`;
}
