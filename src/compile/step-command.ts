/** One step as a command: what runs, where, and in which environment; what runs a step and what opens a shell in its place read it. */
import { dirname, join, resolve } from 'node:path';
import { isWithin, onHost as pathOnHost } from '../artifact/places.ts';
import { argvOf } from '../model/argv.ts';
import { VbuildError } from '../model/error.ts';
import { linkTarget, makeFolder } from '../system/files.ts';
import { type Jobserver, pipeName } from '../system/jobserver.ts';
import { type Disguise, disguised } from '../system/disguise.ts';
import { type Binding, inNamespace } from '../system/namespace.ts';
import { kindOf } from '../system/tree-edit.ts';
import { type Places, realEnvironment, withPlaces } from './environment.ts';
import { quoted } from '../model/quoted.ts';
import type { Step } from './recipe.ts';
import type { Sharing } from './sharing.ts';

/** What all steps of a package have in common. */
export interface StepsFrame {
  readonly steps: readonly Step[];
  /** With places as symbols, as `standardEnvironment` gives it. */
  readonly environment: Readonly<Record<string, string>>;
  /** As the steps see them; `root`, `tree` and `prefix` are there, the stage is made. */
  readonly places: Places;
  /** How `places.root` comes to be seen there; without one, steps see all paths as this process does. */
  readonly binding?: Binding;
  /** What they are to find otherwise than it is, see `disguised`; nothing when not given. */
  readonly disguise?: Disguise;
  /** How many jobs the steps may run at once, at least 1. */
  readonly jobs: number;
  /** The pool that every make and ninja below shares, of which one token is ours; without one, they get `-j`. */
  readonly jobserver?: Jobserver;
  /** The load average at which makes below hold back new jobs; none when not given. */
  readonly load?: number;
  /** Pinned versions of tools, by name: how they share jobs depends on them. */
  readonly tools?: Readonly<Record<string, string>>;
}

interface StepCommandLine {
  /** As the step has it, with real places. */
  readonly argv: readonly string[];
  /** Where it runs, as it sees it; made if need be. */
  readonly folder: string;
  /** The program to start for it, namespace included, and where to start it. */
  readonly program: readonly string[];
  readonly cwd: string;
  /** Without what makes learn their share of jobs from. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @param share How many jobs it may count on. */
export function commandOf(frame: StepsFrame, step: Step, way: Sharing, share: number): StepCommandLine {
  const { places, binding } = frame;
  const argv = argvOf(way.by === 'fifo' ? way.run : step.run).map((word) => withPlaces(word, places, share));
  const folder = folderOf(frame, step);
  return {
    argv,
    folder,
    program: bound(frame, folder, argv),
    cwd: binding?.host ?? folder,
    environment: realEnvironment(frame.environment, places, share),
  };
}

/** A line that does it again in the environment of the steps. */
export const pasteable = ({ folder, argv }: StepCommandLine): string =>
  `(cd ${quoted(folder)} && ${argv.map(quoted).join(' ')})`;

/** Where a path that steps see lies on this machine. */
export const onHost = ({ places: { root }, binding }: Pick<StepsFrame, 'places' | 'binding'>, seen: string): string =>
  pathOnHost({ root, host: binding?.host ?? root }, seen);

/** One namespace for the whole step, however many programs it starts. */
export const bound = (
  { binding, disguise = {} }: StepsFrame,
  folder: string,
  argv: readonly string[],
): readonly string[] => {
  const within = (words: readonly string[]): readonly string[] =>
    binding === undefined ? words : inNamespace(binding, folder, words);
  // A name alone is given by a power that is not left in a namespace; another user is one only in the innermost.
  return disguise.user === undefined ? disguised(within(argv), disguise) : within(disguised(argv, disguise));
};

/** The folder of a step as it sees it, made if need be: below the root without a symlink, as one in the tree may not lead it out. */
function folderOf(given: StepsFrame, step: Step): string {
  const root = followed(given, onHost(given, given.places.root));
  const host = followed(given, onHost(given, join(given.places.tree, step.in ?? '.')));
  if (host === undefined || root === undefined || !isWithin(root, host)) {
    const leads = host === undefined ? 'in a circle' : ancestors(host).find((path) => kindOf(path) !== 'nothing');
    throw new VbuildError('step-failed', 'A step would run outside the work folder', {
      facts: { folder: step.in ?? '.', leads: leads ?? '/' },
      mend: 'name a folder in the tree, or beside it such as ../build',
    });
  }
  makeFolder(host);
  return given.places.root + host.slice(root.length);
}

/**
 * A path of this machine without symlinks, as far as it exists; `undefined` when they lead in a circle. Not the system's `realpath`, which
 * knows nothing of the paths that steps see and write into links.
 */
function followed(given: StepsFrame, path: string, hops = 40): string | undefined {
  const link = ancestors(path).findLast((above) => kindOf(above) === 'symlink');
  if (link === undefined) return path;
  if (hops === 0) return undefined;
  const target = onHost(given, resolve(dirname(link), linkTarget(link)));
  return followed(given, join(target, path.slice(link.length)), hops - 1);
}

/** A path and the folders above it, the path first. */
function ancestors(path: string): string[] {
  const above = join(path, '..');
  return above === path ? [path] : [path, ...ancestors(above)];
}

/** Makes learn their share of jobs in this way only: `-jN` on a command line would leave the pool. */
export function makeVariables(
  { jobs, load, places, jobserver }: StepsFrame,
  way: Sharing,
  share: number,
  pooled = jobserver !== undefined,
): Record<string, string> {
  const limit = load === undefined ? '' : ` -l${load}`;
  if (way.by === 'nothing') return {};
  if (way.by === 'share' || !pooled) return { MAKEFLAGS: `-j${way.by === 'share' ? share : jobs}${limit}` };
  const auth = way.by === 'fifo' ? `fifo:${places.root}/${pipeName}` : '3,3';
  return { MAKEFLAGS: ` -j${jobs}${limit} --jobserver-auth=${auth}` };
}
