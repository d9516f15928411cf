/** Anything thrown → the words that a person reads, and the exit status of the process. */
import { messageOf, type VbuildError } from '../model/error.ts';
import { problemsOf } from '../model/problems.ts';
import { printable, printableLine } from './printable.ts';
import { pathFrom } from './words.ts';

/** The exit status of a bug in vbuild (`EX_SOFTWARE` of sysexits). */
const bugStatus = 70;

interface ErrorTextOptions {
  /** Absolute; files inside it are shown relative to it. */
  readonly cwd: string;
  /** Shows what lies behind an error as well. */
  readonly verbose?: boolean;
  /** Paints the words `error:`; leaves them alone when not given. */
  readonly paint?: (text: string) => string;
}

/** The exit status that something thrown stands for: 70 when it is none of our own errors, nor trouble with the disk. */
export function exitStatusOf(thrown: unknown): number {
  const statuses = problemsOf(thrown)?.map((problem) => problem.exitStatus);
  return statuses === undefined || statuses.length === 0 ? bugStatus : Math.min(...statuses);
}

/** The text for anything thrown, ending with a line feed; several problems one after another. */
export function errorText(thrown: unknown, options: ErrorTextOptions): string {
  const problems = problemsOf(thrown);
  if (problems === undefined || problems.length === 0) return bugText(thrown, options);
  return problems.map((problem) => problemText(problem, options)).join('');
}

function problemText(problem: VbuildError, options: ErrorTextOptions): string {
  const { file, line, package: name, stage } = problem.where;
  const place = [name, stage === undefined ? undefined : `stage ${stage}`]
    .filter((part) => part !== undefined)
    .join(', ');
  const rows: [string, string][] = [
    ...(place === '' ? [] : [['package', place] as [string, string]]),
    ...(file === undefined
      ? []
      : [['file', pathFrom(options.cwd, file) + (line === undefined ? '' : `:${line}`)] as [string, string]]),
    ...Object.entries(problem.facts),
    ['mend', problem.mend],
  ];
  if (options.verbose === true && problem.cause !== undefined) rows.push(['cause', causes(problem.cause)]);
  return heading(problem.message, options) + labelled(rows);
}

function bugText(thrown: unknown, options: ErrorTextOptions): string {
  const rows: [string, string][] = [
    ['thrown', thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)],
    ...(thrown instanceof Error && thrown.cause !== undefined
      ? [['cause', causes(thrown.cause)] as [string, string]]
      : []),
    ['node', `${process.version} on ${process.platform}-${process.arch}`],
    ['mend', 'report it with all of this text; nothing in your Buildfile should be able to cause it'],
  ];
  return heading('This is a bug in vbuild', options) + labelled(rows);
}

function heading(headline: string, { paint = (text) => text }: ErrorTextOptions): string {
  return `${paint('error:')} ${printableLine(headline)}\n`;
}

/** Names in one column, values in the next; the further lines of a value stand below its first. */
export function labelled(rows: readonly (readonly [name: string, value: string])[]): string {
  const names = rows.map(([name]) => printableLine(name));
  const column = Math.max(8, ...names.map((name) => name.length)) + 2;
  return rows
    .map(([, value], index) => {
      const lines = printable(value).replace(/\n+$/, '').split('\n');
      return lines
        .map((line, at) => `  ${(at === 0 ? (names[index] ?? '') : '').padEnd(column)}${line}`.trimEnd())
        .join('\n');
    })
    .map((row) => `${row}\n`)
    .join('');
}

/** The chain of causes, nearest first, one line each; cut where it closes on itself. */
function causes(thrown: unknown): string {
  const seen = new Set<unknown>();
  const lines: string[] = [];
  for (
    let cause = thrown;
    cause !== undefined && !seen.has(cause);
    cause = cause instanceof Error ? cause.cause : undefined
  ) {
    seen.add(cause);
    lines.push(messageOf(cause));
  }
  return lines.join('\n');
}
