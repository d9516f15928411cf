/** What every command gets, and the one way to the project that it is about. */
import { dirname, join, resolve } from 'node:path';
import { type LoadedBuildfile, loadBuildfile } from '../buildfile/load.ts';
import type { Build } from '../buildfile/package.ts';
import { validate } from '../buildfile/validate.ts';
import type { SigningSource } from '../build/signing-key.ts';
import { type Workspace, workspaceOf } from '../build/workspace.ts';
import { cacheFolder } from '../cache/layout.ts';
import { VbuildError } from '../model/error.ts';
import type { BuildEvent, Emit } from '../model/event.ts';
import type { Reporter, ReportOptions } from '../report/reporter.ts';
import type { Question } from '../system/quick.ts';
import type { CommandLine } from './options.ts';

export { printResult } from './print-result.ts';

export interface CommandContext {
  readonly line: CommandLine;
  /** The command line as it came, and the folder and environment in which it did. */
  readonly question: Question;
  /** Absolute folder that relative paths of the command line are relative to, `-C` followed. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the key to sign with comes from; `env` has no trace of it. */
  readonly signing: SigningSource;
  /** For results. */
  readonly stdout: ReportOptions['stdout'];
  readonly reporter: Reporter;
  /** Aborted by an interrupt. */
  readonly signal: AbortSignal;
}

/** Runs a command to its exit status; what the user can mend is thrown as VbuildError or VbuildErrors. */
export type Command = (context: CommandContext) => Promise<number>;

export interface Project {
  /** What the Buildfile was read from and what of the environment it looked at; see `LoadedBuildfile`. */
  readonly loaded: LoadedBuildfile;
  readonly build: Build;
  readonly workspace: Workspace;
  /** Absolute path of the prefix: `--prefix`, else `vendor` beside the Buildfile. */
  readonly prefix: string;
}

/** Where the Buildfile of a command lies, whether it is there or not; absolute. */
export const buildfileOf = ({ cwd, line }: Pick<CommandContext, 'cwd' | 'line'>): string =>
  resolve(cwd, line.options.file ?? 'Buildfile.ts');

/** The prefix that a command is about; needs no Buildfile. */
export const prefixOf = (context: CommandContext): string => {
  const { prefix } = context.line.options;
  return prefix === undefined ? join(dirname(buildfileOf(context)), 'vendor') : resolve(context.cwd, prefix);
};

/** Where everything of the Buildfile of a command lies; needs no Buildfile. */
export function workspaceFor(context: CommandContext): Workspace {
  const { cwd, env, line } = context;
  const { work, cacheDir, lock } = line.options;
  const cache = cacheDir === undefined ? cacheFolder(env) : resolve(cwd, cacheDir);
  const own = workspaceOf(buildfileOf(context), work === undefined ? undefined : resolve(cwd, work), cache);
  return lock === undefined ? own : { ...own, lockFile: resolve(cwd, lock) };
}

/** Loads and checks the Buildfile. @throws {VbuildError | VbuildErrors} `buildfile-missing`, `buildfile-invalid` */
export async function openProject(context: CommandContext): Promise<Project> {
  const loaded = await loadBuildfile(buildfileOf(context));
  return { loaded, build: validate(loaded.definition), workspace: workspaceFor(context), prefix: prefixOf(context) };
}

/** A release says by itself what belongs to it. */
export const noTargets = (targets: readonly string[]): VbuildError =>
  new VbuildError('usage', 'A release takes no targets', {
    facts: { found: targets.join(' ') },
    mend: 'leave them out, or make a release of them alone',
  });

/** For commands that look and do nothing: of all events only what went otherwise than one would expect. */
export function asides({ line, reporter }: CommandContext): {
  readonly emit: Emit;
  /** Under `--json`, where there is one document on stdout to hold them. */
  readonly notices: readonly BuildEvent[];
} {
  const notices: BuildEvent[] = [];
  const emit: Emit = (event) => {
    const matters = event.type === 'notice' || (event.type === 'cache-looked-up' && event.answer !== 'hit');
    if (!matters) return;
    if (line.options.json) notices.push(event);
    else reporter.event(event);
  };
  return { emit, notices };
}
