/** What is said of a step that failed: the finding first, where everything lies, and what to try (pure but for a look at what tools wrote). */
import { dirname, join } from 'node:path';
import { firstFew } from '../model/count.ts';
import { VbuildError } from '../model/error.ts';
import { nameOf } from '../model/package-id.ts';
import { exists } from '../system/files.ts';
import type { Finished } from '../system/process.ts';
import type { Reached } from '../system/sandbox.ts';
import { asSymbols, type Places } from './environment.ts';
import { quoted } from '../model/quoted.ts';
import { advice, firstError, lastLines } from './log-reading.ts';
import type { Step } from './recipe.ts';

interface Failure {
  /** `name@version`. */
  readonly package: string;
  readonly places: Places;
  readonly step: Step;
  /** Such as `step 2 of 3, build`. */
  readonly title: string;
  /** Its first line. */
  readonly command: string;
  /** All that it printed. */
  readonly output: string;
  /** Absolute path. */
  readonly log: string;
  /** What it reached for although nobody gave it. */
  readonly reached: Reached;
}

interface StepFailure extends Failure {
  readonly finished: Finished;
  /** Absolute paths on this machine: the kept tree, where the step ran, and the program that repeats it. */
  readonly tree: string;
  readonly folder: string;
  readonly again?: string;
}

/** @returns `step-failed`, its texts with symbols in place of the long paths that steps see. */
export function stepFailed(failure: StepFailure): VbuildError {
  const { package: name, places, step, title, command, output, log, reached, finished, tree, folder, again } = failure;
  const { endedBy } = finished;
  const limit = endedBy === 'timeout' ? 'timeout' : endedBy === 'silence' ? 'silentTimeout' : undefined;
  const error = limit === undefined ? firstError(output) : undefined;
  const details = step.group === 'configure' ? ownLog(folder, tree) : undefined;
  const headline =
    limit === undefined ? 'A step failed' : limit === 'timeout' ? 'A step took too long' : 'A step fell silent';
  return new VbuildError('step-failed', headline, {
    where: { package: name },
    facts: {
      step: title.replace(/^step /, ''),
      command: asSymbols(command, places),
      ...(limit === undefined ? { ended: ending(finished) } : { [limit]: `${step[limit]} s` }),
      ...(error !== undefined && { error: asSymbols(error, places) }),
      ...reachedFacts(reached),
      'last lines': asSymbols(lastLines(output, 12), places),
      log,
      ...(details !== undefined && { details }),
      tree,
      ...(again !== undefined && {
        repeat: `sh ${quoted(again)}`,
        shell: `vbuild shell ${nameOf(name)}`,
        resume: `vbuild ${nameOf(name)} --from ${step.group}`,
      }),
    },
    mend:
      limit === undefined
        ? advice(`${error ?? ''}\n${signalOf(finished) ?? ''}`)
        : `find out what it waits for; if nothing is wrong, raise ${limit} of the step`,
  });
}

export const isUndeclared = ({ names, addresses, homes, files }: Reached): boolean =>
  names.length > 0 || addresses.length > 0 || homes.length > 0 || files.length > 0;

/** A step that did what it should, and more. */
export const undeclared = ({ log, package: name, command, places, reached }: Failure): VbuildError =>
  new VbuildError('step-failed', 'A step used what its package does not declare', {
    where: { package: name },
    facts: { command: asSymbols(command, places), ...reachedFacts(reached), log },
    mend: 'give it as a source or a dependency, turn off in the recipe what wants it, or set network: true where it cannot do without',
  });

const shown = 5;

function reachedFacts({ names, addresses, homes, files }: Reached): Record<string, string> {
  const some = (all: readonly string[]): string => firstFew(all, shown);
  const network = [...names, ...addresses];
  return {
    ...(network.length > 0 && { network: some(network) }),
    ...(homes.length > 0 && { 'in a home': some(homes) }),
    ...(files.length > 0 && { 'written outside': some(files) }),
  };
}

export const optionsLost = ({ log, package: name, command, places }: Failure, lost: readonly string[]): VbuildError =>
  new VbuildError('step-failed', 'Options have no effect', {
    where: { package: name },
    facts: { options: asSymbols(lost.join(' '), places), command: asSymbols(command, places), log },
    mend: 'correct them in the recipe, or drop them: this version of the package does not know them',
  });

/** By the numbers that Linux gives them; those that end a program and are no request to. */
const signals: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
};

/** The signal that ended it, or, as a shell or a namespace tells by its status, what it ran. */
const signalOf = ({ exitStatus, signal }: Finished): string | undefined => signal ?? signals[(exitStatus ?? 0) - 128];

function ending(finished: Finished): string {
  const { exitStatus, signal, failure } = finished;
  if (exitStatus === undefined) return signal === undefined ? (failure ?? 'unknown') : `signal ${signal}`;
  const by = signalOf(finished);
  return by === undefined ? `exit status ${exitStatus}` : `exit status ${exitStatus}, as after signal ${by}`;
}

/** What configure scripts, CMake and meson write beside what they print. */
const ownLogs = [
  'config.log',
  'CMakeFiles/CMakeConfigureLog.yaml',
  'CMakeFiles/CMakeError.log',
  'meson-logs/meson-log.txt',
];

/** Where to read more, in the folder where the step ran or in the tree. */
const ownLog = (folder: string, tree: string): string | undefined =>
  [folder, tree, join(dirname(tree), 'build')]
    .flatMap((place) => ownLogs.map((name) => join(place, name)))
    .find((path) => exists(path));
