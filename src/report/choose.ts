/** Picks the reporter for a run from what was asked for and where the output goes. */
import { jsonReporter } from './json.ts';
import { linesReporter } from './lines.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { isDrawable, terminalReporter } from './terminal.ts';

/** JSON on stdout if asked for, with warnings and errors still in words on stderr; else a status line where one can be drawn; else plain lines. */
export function chooseReporter(options: ReportOptions): Reporter {
  if (options.json) return both(jsonReporter(options), linesReporter({ ...options, detail: 'quiet' }));
  return options.detail !== 'quiet' && isDrawable(options) ? terminalReporter(options) : linesReporter(options);
}

function both(one: Reporter, other: Reporter): Reporter {
  return {
    event(event) {
      one.event(event);
      other.event(event);
    },
    error(thrown) {
      one.error(thrown);
      other.error(thrown);
    },
    end() {
      one.end();
      other.end();
    },
  };
}
