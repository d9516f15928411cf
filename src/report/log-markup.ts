/** What CI servers make of a log: parts that fold and marks at lines of files; and what must not be taken for one of these. */
import type { VbuildError } from '../model/error.ts';
import { printable, printableLine } from './printable.ts';
import { pathFrom } from './words.ts';

export interface LogMarkup {
  /** Whole lines, so written that the server takes none of them for a command. */
  readonly plain: (lines: string) => string;
  /** A title with text of others below it that opens on demand; in one piece, since packages are built at once and groups do not nest. */
  readonly folded: (title: string, text: string) => string;
  /** Shows a problem at its line of a file, and above the log. */
  readonly mark: (problem: VbuildError) => string;
}

/** For whoever reads the log as it is. */
export const noMarkup: LogMarkup = { plain: (lines) => lines, folded: () => '', mark: () => '' };

/** By the environment that the server gives to a job. */
export function logMarkup(env: Readonly<Record<string, string | undefined>>): LogMarkup {
  if ((env['GITHUB_ACTIONS'] ?? '') !== '') return githubMarkup(env['GITHUB_WORKSPACE']);
  return (env['GITLAB_CI'] ?? '') === '' ? noMarkup : gitlabMarkup();
}

/**
 * A command begins a line, after blanks, or in its old form lies anywhere in it: both are broken up by escapes like those of `printable()`.
 *
 * @see GitHub Docs, "Workflow commands for GitHub Actions", and actions/runner, `ActionCommand.cs`, for what it takes for one.
 */
function githubMarkup(checkout: string | undefined): LogMarkup {
  const plain = (lines: string): string => lines.replace(/^(\s*):(?=:)/gm, '$1\\x3a').replaceAll('##[', '#\\x23[');
  const value = (text: string): string => printableLine(text).replaceAll('%', '%25');
  const property = (text: string): string => value(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return {
    plain,
    folded: (title, text) => `::group::${value(title)}\n${plain(wholeLines(text))}::endgroup::\n`,
    mark(problem) {
      const { message, mend, facts, where } = problem;
      const [found = mend] = (facts['error'] ?? '').split('\n').filter((line) => line !== '');
      const properties = Object.entries({ title: where.package, ...placeOf(problem, checkout) })
        .filter(([, text]) => text !== undefined)
        .map(([name, text]) => `${name}=${property(text ?? '')}`)
        .join(',');
      return `::error${properties === '' ? '' : ` ${properties}`}::${value(`${message}: ${found}`)}\n`;
    },
  };
}

/** A line of a file of the checkout; else that of upstream's that a compiler names, below its package, so that no file of the checkout is meant. */
function placeOf({ where, facts }: VbuildError, checkout = '/'): { readonly file?: string; readonly line?: string } {
  const { file, line, package: name } = where;
  if (file !== undefined) return { file: pathFrom(checkout, file), ...(line !== undefined && { line: String(line) }) };
  const [, named, at] = /^([^\s:]+):(\d+):/.exec(facts['error'] ?? '') ?? [];
  return name === undefined || named === undefined || at === undefined ? {} : { file: `${name}/${named}`, line: at };
}

/**
 * What makes a marker of a section are control characters, which nothing that is printed has.
 *
 * @see GitLab Docs, "Job logs", on custom collapsible sections, whose names must differ.
 */
function gitlabMarkup(): LogMarkup {
  let count = 0;
  return {
    ...noMarkup,
    folded(title, text) {
      const [seconds, name] = [Math.floor(Date.now() / 1000), `vbuild_${process.pid}_${(count += 1)}`];
      const start = `\u001b[0Ksection_start:${seconds}:${name}[collapsed=true]\r\u001b[0K`;
      return `${start}${printableLine(title)}\n${wholeLines(text)}\u001b[0Ksection_end:${seconds}:${name}\r\u001b[0K\n`;
    },
  };
}

const wholeLines = (text: string): string => printable(text).replace(/\n*$/, '\n');
