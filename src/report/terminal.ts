/** The reporter for a terminal: the plain lines, and below them one status line that is redrawn in place. */
import type { BuildEvent } from '../model/event.ts';
import { linePrinter } from './lines.ts';
import { transferred } from './phrases.ts';
import { type Progress, progress } from './progress.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { clock } from './words.ts';

const redrawEveryMs = 250;
/** To the left margin, and clear from there to the end of the line. */
const eraseLine = '\r\u001b[K';

/** Whether a status line can be drawn on this output at all. */
export function isDrawable({ stderr, env }: Pick<ReportOptions, 'stderr' | 'env'>): boolean {
  const isCi = (env['CI'] ?? '') !== '' && env['CI'] !== 'false';
  return stderr.isTTY === true && (stderr.columns ?? 0) >= 20 && !isCi && env['TERM'] !== 'dumb';
}

/** The status line never reaches the last column, where terminals differ about wrapping, and is always written in one piece with what precedes it. */
export function terminalReporter(options: ReportOptions): Reporter {
  const { stderr, nowMs } = options;
  const state = progress();
  const startedMs = nowMs();
  let drawn = '';
  let ended = false;

  const draw = (above: string): void => {
    const columns = stderr.columns ?? 0;
    const wanted = ended || columns < 20 ? '' : statusLine(state, { nowMs: nowMs(), startedMs, width: columns - 1 });
    if (above === '' && wanted === drawn) return;
    stderr.write((drawn === '' ? '' : eraseLine) + above + wanted);
    drawn = wanted;
  };
  const printer = linePrinter(options, state, draw, true);
  const timer = setInterval(() => draw(''), redrawEveryMs).unref();
  return {
    event(event: BuildEvent) {
      state.note(event, nowMs());
      printer.event(event);
    },
    error: printer.error,
    end() {
      ended = true;
      clearInterval(timer);
      draw('');
    },
  };
}

/**
 * `3 of 9 done, 1:24: pil@9.4.0 compile 0:12, …`; empty while nothing runs.
 *
 * @param at.width The most columns it may take; what does not fit is counted instead.
 * @returns ASCII only, since the columns that other characters take differ between terminals.
 */
export function statusLine(
  state: Progress,
  at: { readonly nowMs: number; readonly startedMs: number; readonly width: number },
): string {
  const running = state.running().map((activity) => {
    const transfer = activity.transfer
      ? ` ${transferred(activity.transfer)}`
      : ` ${clock(at.nowMs - activity.sinceMs)}`;
    return `${activity.package} ${activity.doing}${transfer}`.replace(/[^ -~]/gu, '?');
  });
  if (running.length === 0) return '';
  const head = `${state.done()} of ${state.total()} done, ${clock(at.nowMs - at.startedMs)}: `;
  for (let shown = running.length; shown > 0; shown--) {
    const more = running.length - shown;
    const line = head + running.slice(0, shown).join(', ') + (more > 0 ? `, ${more} more` : '');
    if (line.length <= at.width) return line;
  }
  return (head + running.join(', ')).slice(0, at.width);
}
