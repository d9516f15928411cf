/** The reporter for a terminal: the plain lines, and below them a region that is redrawn in place. */
import type { BuildEvent } from '../model/event.ts';
import { tailOf } from '../system/tail.ts';
import { linePrinter } from './lines.ts';
import { printable } from './printable.ts';
import { progress } from './progress.ts';
import { regionLines } from './region.ts';
import type { Reporter, ReportOptions } from './reporter.ts';

const redrawEveryMs = 250;
/** A terminal that does not tell its height has at least so many rows. */
const fewRows = 12;
const tailBytes = 1024;
/** Left free at the end of each line: a terminal may show a `^C` there, which must not wrap either. */
const margin = 5;

/** Whether a region can be drawn on this output at all. */
export function isDrawable({ stderr, env }: Pick<ReportOptions, 'stderr' | 'env'>): boolean {
  const isCi = (env['CI'] ?? '') !== '' && env['CI'] !== 'false';
  return stderr.isTTY === true && (stderr.columns ?? 0) >= 20 && !isCi && env['TERM'] !== 'dumb';
}

/** No line of the region reaches the last column, where terminals differ about wrapping, and it is always written in one piece with what precedes it. */
export function terminalReporter(options: ReportOptions): Reporter {
  const { stderr, nowMs } = options;
  const state = progress();
  const startedMs = nowMs();
  let drawn: readonly string[] = [];
  let ended = false;

  const wanted = (columns: number, rows: number): readonly string[] => {
    if (ended || columns < 20) return [];
    const height = Math.max(1, Math.floor((rows > 0 ? rows : fewRows) / 2));
    return regionLines(state, { nowMs: nowMs(), startedMs, width: columns - margin, height, tail });
  };
  const draw = (above: string): void => {
    const [columns, rows] = [stderr.columns ?? 0, stderr.rows ?? fewRows];
    const region = wanted(columns, rows);
    if (above === '' && region.join('\n') === drawn.join('\n')) return;
    stderr.write(erased(drawn, columns) + above + region.join('\n'));
    drawn = region;
  };
  const printer = linePrinter(options, state, draw, { live: true });
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
