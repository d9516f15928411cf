/** The plain reporter: one line for each event that a person wants to follow; also what stands above the status line of a terminal. */
import { styleText } from 'node:util';
import { type VbuildError, VbuildErrors } from '../model/error.ts';
import { count } from '../model/count.ts';
import type { BuildEvent } from '../model/event.ts';
import { problemsOf } from '../model/problems.ts';
import { fileStat } from '../system/files.ts';
import { tailOf } from '../system/tail.ts';
import { errorText, labelled } from './error-text.ts';
import { type LogMarkup, logMarkup, noMarkup } from './log-markup.ts';
import { because, failureSummary, lastLine, reason, spared, transferred } from './phrases.ts';
import { printable, printableLine } from './printable.ts';
import { type Progress, progress } from './progress.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { duration, pathFrom, size } from './words.ts';

/** A transfer is mentioned at most this often, and not at all when it is over sooner. */
const transferEveryMs = 5_000;
/** After this long without a line, what is still running is named: nobody should wonder whether it hangs, nor a CI server kill it. */
const silenceMs = 30_000;
/** Of one log, where it folds: GitLab keeps 4 MiB of a whole job. */
const foldedBytes = 256 * 1024;

type Paint = (style: 'red' | 'yellow' | 'green' | 'dim', text: string) => string;

/** Lines on stderr, with a sign of life in long silences. */
export function linesReporter(options: ReportOptions): Reporter {
  const state = progress();
  let lastMs = options.nowMs();
  const print = (text: string): void => {
    lastMs = options.nowMs();
    options.stderr.write(text);
  };
  const printer = linePrinter(options, state, print, { markup: logMarkup(options.env) });
  const heartbeat = setInterval(() => {
    if (options.detail === 'quiet' || options.nowMs() - lastMs < silenceMs) return;
    const running = state
      .running()
      .map(({ package: name, doing, sinceMs }) => `${name} ${doing} for ${duration(options.nowMs() - sinceMs)}`);
    if (running.length > 0) print(`still running: ${printableLine(running.join(', '))}\n`);
  }, silenceMs / 6).unref();
  return {
    ...printer,
    event(event) {
      state.note(event, options.nowMs());
      printer.event(event);
    },
    end: () => clearInterval(heartbeat),
  };
}

/**
 * Turns events and errors into whole lines.
 *
 * @param state Has taken in each event before it is handed over here.
 * @param write Receives text that ends with a line feed and is safe to print.
 */
export function linePrinter(
  options: ReportOptions,
  state: Progress,
  write: (text: string) => void,
  { live = false, markup = noMarkup }: { readonly live?: boolean; readonly markup?: LogMarkup },
): Omit<Reporter, 'end'> {
  const { cwd, detail, nowMs } = options;
  const print = (text: string): void => write(markup.plain(text));
  const paint = painter(options);
  const shown: VbuildError[] = [];
  const tiers = new Map<string, string>();
  /** Tiers by what was warned of. */
  const warned = { unreachable: new Set<string>(), rejected: new Set<string>() };
  const transfers = new Map<string, number>();
  const begun = new Set<string>();
  const logs = new Map<string, string>();
  let targets: readonly string[] = [];
  let generation: number | undefined;
  const failed = new Map<string, VbuildError>();
  const skipped: string[] = [];
  let column = 0;

  const line = (name: string, text: string, dim = ''): void => {
    if (detail === 'quiet') return;
    const total = String(state.total());
    const place = state.numberOf(name);
    const number =
      place === 0 ? ' '.repeat(2 * total.length + 3) : `[${String(place).padStart(total.length)}/${total}]`;
    column = Math.max(column, printableLine(name).length);
    const tail = dim === '' ? '' : paint('dim', `  (${printableLine(dim)})`);
    print(`${number} ${printableLine(name).padEnd(column)}  ${printableLine(text)}${tail}\n`);
  };
  const message = (
    level: 'note' | 'warning',
    headline: string,
    facts: readonly (readonly [string, string])[],
  ): void => {
    const word = level === 'warning' ? paint('yellow', 'warning:') : 'note:';
    print(`${word} ${printableLine(headline)}\n${labelled(facts)}`);
  };
  const error = (thrown: unknown): void => {
    const problems = problemsOf(thrown);
    const left = problems?.filter((problem) => !shown.some((other) => essence(other) === essence(problem)));
    if (left?.length === 0 && problems?.length !== 0) return;
    shown.push(...(left ?? []));
    const what = left === undefined ? thrown : new VbuildErrors(left);
    print(errorText(what, { cwd, verbose: detail === 'verbose', paint: (text) => paint('red', text) }));
    for (const problem of left ?? []) write(markup.mark(problem));
  };
  /** A CI server may keep nothing but what it was shown. */
  const foldLog = (name: string): void => {
    const log = logs.get(name);
    if (log === undefined || detail === 'quiet') return;
    logs.delete(name);
    const isCut = (fileStat(log)?.sizeBytes ?? 0) > foldedBytes;
    write(markup.folded(`${isCut ? 'end of the ' : ''}log of ${name}`, tailOf(log, foldedBytes)));
  };

  return { event, error };

  function event(happened: BuildEvent): void {
    switch (happened.type) {
      case 'run-started':
        targets = happened.targets;
        return;
      case 'stage-started':
        // Why a package is worked on stands at its first stage; of the others, compile alone takes long enough to be announced.
        if (begun.has(happened.package) && happened.stage !== 'compile' && detail !== 'verbose') return;
        line(
          happened.package,
          `${happened.stage} …`,
          detail === 'verbose' || begun.has(happened.package) ? '' : because(happened.reasons),
        );
        begun.add(happened.package);
        if (detail === 'verbose')
          for (const why of happened.reasons) print(`        ${printableLine(reason(why, 200))}\n`);
        return;
      case 'stage-finished':
        if (detail === 'verbose' || happened.durationMs >= 1000 || happened.detail !== undefined) {
          line(happened.package, `${past[happened.stage]} in ${duration(happened.durationMs)}`, happened.detail);
        }
        if (detail === 'verbose') {
          for (const done of happened.lines ?? []) print(`        ${printableLine(done)}\n`);
          if (happened.stage === 'compile') foldLog(happened.package);
        }
        return;
      case 'step-started':
        logs.set(happened.package, happened.log);
        if (detail === 'verbose')
          line(happened.package, `${happened.group}: ${happened.command}`, pathFrom(cwd, happened.log));
        return;
      case 'transfer': {
        const now = nowMs();
        const since = transfers.get(happened.package) ?? now;
        if (!transfers.has(happened.package) || now - since >= transferEveryMs) transfers.set(happened.package, now);
        if (!live && now - since >= transferEveryMs) line(happened.package, transferred(happened));
        return;
      }
      case 'outlook':
      case 'jobs-sampled':
        return;
      case 'cache-looked-up':
        return lookedUp(happened);
      case 'cache-traffic': {
        const { tier, requests, receivedBytes, sentBytes } = happened;
        if (detail === 'verbose')
          print(
            `${printableLine(tier)}: ${count(requests, 'request')}, ${size(receivedBytes)} received, ${size(sentBytes)} sent\n`,
          );
        return;
      }
      case 'pushed':
        return line(happened.package, `pushed ${size(happened.sizeBytes)} to ${happened.tier}`);
      case 'package-finished': {
        if (happened.outcome === 'fresh' && detail !== 'verbose') return;
        const tier = happened.outcome === 'restored' ? tiers.get(happened.package) : undefined;
        const from = tier === undefined ? '' : ` from ${tier}`;
        const took = happened.outcome === 'fresh' ? '' : ` in ${duration(happened.durationMs)}`;
        return line(happened.package, `${happened.outcome}${from}${took}`, spared(happened.equal));
      }
      case 'package-failed':
        if (!failed.has(happened.package)) line(happened.package, 'failed');
        failed.set(happened.package, failed.get(happened.package) ?? happened.error);
        error(happened.error);
        return foldLog(happened.package);
      case 'package-skipped':
        skipped.push(happened.package);
        return line(happened.package, 'skipped', happened.because);
      case 'notice': {
        if (happened.level === 'info' && detail === 'quiet') return;
        const place: [string, string][] = happened.package === undefined ? [] : [['package', happened.package]];
        return message(happened.level === 'info' ? 'note' : 'warning', happened.headline, [
          ...place,
          ...Object.entries(happened.facts ?? {}),
        ]);
      }
      case 'installed':
        generation = happened.generation;
        return;
      case 'run-finished': {
        if (detail === 'quiet') return;
        const counts = { failed: failed.size, skipped: skipped.length };
        const text = printable(lastLine(happened, { targets, generation, ...counts, cwd }));
        if (failed.size > 0) print(failureSummary(failed, skipped, cwd));
        return print(`${happened.exitStatus === 0 ? paint('green', text) : text}\n`);
      }
      default:
        happened satisfies never;
    }
  }

  function lookedUp({
    package: name,
    tier,
    answer,
    equal,
    reason: why = answer,
  }: Extract<BuildEvent, { type: 'cache-looked-up' }>): void {
    if (answer === 'hit') tiers.set(name, tier);
    if (detail === 'verbose')
      line(name, `${tier}: ${answer}`, equal === undefined ? '' : 'by the trees of its dependencies');
    if (answer !== 'unreachable' && answer !== 'rejected') return;
    // One warning for each tier in trouble: what follows is mostly the same trouble, met by another package.
    if (warned[answer].has(tier)) {
      if (answer === 'rejected') line(name, `rejected from ${tier}`, why);
      return;
    }
    warned[answer].add(tier);
    if (answer === 'unreachable') message('warning', `Cache ${tier} is unreachable`, [['found', why]]);
    else
      message('warning', `Artifact in ${tier} is rejected`, [
        ['package', name],
        ['found', why],
      ]);
  }
}

const past = { fetch: 'fetched', patch: 'patched', compile: 'compiled', pack: 'packed', install: 'installed' } as const;

/** What makes two errors the same problem for the reader; the stage may be filled in on the way up. */
function essence({ code, message, facts, where }: VbuildError): string {
  return JSON.stringify([code, message, facts, where.package, where.file, where.line]);
}

/** Colours on a terminal that knows them, unless the environment forbids it; `FORCE_COLOR` asks for them anywhere. */
function painter({ stderr, env }: Pick<ReportOptions, 'stderr' | 'env'>): Paint {
  const forced = (env['FORCE_COLOR'] ?? '0') !== '0';
  const wanted = forced || (stderr.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb');
  return wanted ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}
