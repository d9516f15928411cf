/** The live region of a terminal as text: one line for the whole run, below it one for each package that is being worked on (pure). */
import { transferred } from './phrases.ts';
import type { Activity, Progress } from './progress.ts';
import { clock, size } from './words.ts';

interface RegionView {
  readonly nowMs: number;
  readonly startedMs: number;
  /** The most columns that a line may take. */
  readonly width: number;
  /** The most lines; what does not fit is counted instead. */
  readonly height: number;
  /** The last line that a step has printed, as it came; empty when there is none. */
  readonly tail: (log: string) => string;
}

/** @returns ASCII only, since the columns that other characters take differ between terminals; nothing while nothing runs. */
export function regionLines(state: Progress, view: RegionView): readonly string[] {
  const running = state.running();
  if (running.length === 0) return [];
  const room = Math.max(0, view.height - 1);
  const shown = running.length <= room ? running : running.slice(0, Math.max(0, room - 1));
  const column = Math.max(0, ...shown.map((activity) => ascii(activity.package).length));
  const rest = running.length - shown.length;
  return [
    header(state, view, running.length),
    ...shown.map((activity) => line(activity, column, view)),
    ...(rest > 0 && room > 0 ? [`  ${rest} more`] : []),
  ].map((text) => text.slice(0, view.width).trimEnd());
}

function header(state: Progress, { nowMs, startedMs, width }: RegionView, running: number): string {
  const ends = [
    [state.count('built'), 'built'],
    [state.count('restored'), 'from cache'],
    [state.count('fresh'), 'fresh'],
    [state.count('failed'), 'failed'],
    [state.count('skipped'), 'skipped'],
  ] as const;
  const counts = ends.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const jobs = state.jobs();
  const rate = state.bytesPerSecond(nowMs);
  const leftMs = state.leftMs(nowMs);
  const parts = [
    `${state.done()} of ${state.total()} done${counts.length === 0 ? '' : ` (${counts.join(', ')})`}`,
    clock(nowMs - startedMs),
    ...(leftMs === undefined || leftMs < 1000 ? [] : [`about ${clock(leftMs)} left`]),
    `${running} running`,
    ...(jobs === undefined ? [] : [`${jobs.inUse} of ${jobs.jobs} jobs`]),
    ...(rate < 1 ? [] : [`${size(Math.round(rate))}/s`]),
  ];
  // The last ones matter least.
  let shown = parts.length;
  while (shown > 1 && parts.slice(0, shown).join(', ').length > width) shown -= 1;
  return ascii(parts.slice(0, shown).join(', '));
}

function line(
  { package: name, doing, group, log, sinceMs, transfer }: Activity,
  column: number,
  view: RegionView,
): string {
  const what = group === undefined || group === doing ? doing : `${doing}: ${group}`;
  const more = transfer === undefined ? (log === undefined ? '' : view.tail(log)) : transferred(transfer);
  return ascii(`  ${name.padEnd(column)}  ${what} ${clock(view.nowMs - sinceMs)}  ${more.replaceAll('\t', ' ')}`);
}

const ascii = (text: string): string => text.replace(/[^ -~]/gu, '?');
