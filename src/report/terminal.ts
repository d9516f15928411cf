/** The reporter for a terminal: the plain lines, and below them a region that is redrawn in place. */
import type { BuildEvent } from '../model/event.ts';
import { tailOf } from '../system/tail.ts';
import { linePrinter } from './lines.ts';
import { printable } from './printable.ts';
import { progress } from './progress.ts';
import { regionLines } from './region.ts';
import type { Reporter, ReportOptions } from './reporter.ts';

const redrawEveryMs = 250;
/** Terminals that a person drags wider and narrower tell each size late: for so long lines stay as narrow as the narrowest terminal. */
const settledAfterMs = 1000;
const narrowest = 20;
/** A terminal that does not tell its height has at least so many rows. */
const fewRows = 12;
const tailBytes = 1024;
/** Left free at the end of each line: a terminal may show a `^C` there, which must not wrap either. */
const margin = 5;

/** Whether a region can be drawn on this output at all. */
export function isDrawable({ stderr, env }: Pick<ReportOptions, 'stderr' | 'env'>): boolean {
  const isCi = (env['CI'] ?? '') !== '' && env['CI'] !== 'false';
  return stderr.isTTY === true && (stderr.columns ?? 0) >= narrowest && !isCi && env['TERM'] !== 'dumb';
}

/** No line of the region reaches the last column, where terminals differ about wrapping, and it is always written in one piece with what precedes it. */
export function terminalReporter(options: ReportOptions): Reporter {
  const { stderr, nowMs } = options;
  const state = progress();
  const startedMs = nowMs();
  let drawn: readonly string[] = [];
  let ended = false;
  let known = [stderr.columns, stderr.rows];
  let settledMs = startedMs;

  const wanted = (columns: number, rows: number): readonly string[] => {
    if (ended || columns < narrowest) return [];
    const height = Math.max(1, Math.floor((rows > 0 ? rows : fewRows) / 2));
    return regionLines(state, {
      nowMs: nowMs(),
      startedMs,
      width: (nowMs() < settledMs ? narrowest : columns) - margin,
      height,
      tail,
    });
  };
  const draw = (above: string): void => {
    if (stderr.columns !== known[0] || stderr.rows !== known[1]) settledMs = nowMs() + settledAfterMs;
    known = [stderr.columns, stderr.rows];
    const [columns, rows] = [stderr.columns ?? 0, stderr.rows ?? fewRows];
    const region = wanted(columns, rows);
    if (above === '' && region.join('\n') === drawn.join('\n')) return;
    stderr.write(erased(drawn, columns) + above + region.join('\n'));
    drawn = region;
  };
  const printer = linePrinter(options, state, draw, { live: true });
  // At once, before the next change: only in the terminal as it is told now is it known how many rows the region takes.
  const redraw = (): void => draw('');
  stderr.on?.('resize', redraw);
  // A signal that the size has changed is taken note of between the two.
  const timer = setInterval(() => setImmediate(() => draw('')), redrawEveryMs).unref();
  return {
    event(event: BuildEvent) {
      state.note(event, nowMs());
      printer.event(event);
    },
    error: printer.error,
    end() {
      ended = true;
      clearInterval(timer);
      stderr.off?.('resize', redraw);
      draw('');
    },
  };
}

/** What takes a region away whose last line the cursor is on. In a terminal that has become narrower since, its lines take more rows. */
function erased(drawn: readonly string[], columns: number): string {
  if (drawn.length === 0) return '';
  const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / Math.max(1, columns))), 0);
  return `\r${rows > 1 ? `\u001b[${rows - 1}A` : ''}\u001b[J`;
}

const tail = (log: string): string =>
  printable(tailOf(log, tailBytes))
    .split('\n')
    .findLast((line) => line.trim() !== '')
    ?.trim() ?? '';
