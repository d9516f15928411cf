/** Programs that bring sources with the user's own configuration: version control and package managers, run unattended and in bounded time. */
import { VbuildError } from '../model/error.ts';
import { shown } from '../model/passwords.ts';
import { type Finished, run } from '../system/process.ts';
import { lastLines } from '../system/tail.ts';
import { unattendedEnvironment } from '../system/user-environment.ts';
import type { SourceContext } from './source.ts';

export interface UserTool {
  /** Looked up on the user's PATH. */
  readonly program: string;
  readonly debianPackage: string;
  /** Added to the user's environment, or in place of its variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables of the user's that would make it do something else than it is told. */
  readonly drops: RegExp;
}

export interface Call {
  readonly args: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** In place of what the tool has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Transfers may take an hour, questions two minutes: a server that never answers must not hold a build for ever. */
  readonly transfers?: boolean;
}

/** Runs it to its end, whatever its exit status. @throws {VbuildError} `tool-missing`; the signal's reason when it is aborted. */
export async function callTool(tool: UserTool, call: Call, context: SourceContext): Promise<Finished> {
  context.signal.throwIfAborted();
  const env = { ...unattendedEnvironment(context.environment ?? {}, tool.drops), ...tool.env, ...call.env };
  const finished = await run({
    argv: [tool.program, ...call.args],
    cwd: call.cwd,
    env,
    signal: context.signal,
    timeoutMs: call.transfers ? 3_600_000 : 120_000,
  });
  context.signal.throwIfAborted();
  if (finished.failure === 'ENOENT')
    throw new VbuildError('tool-missing', `Program ${tool.program} is not installed`, {
      facts: { 'needed by': `the source of ${context.package}`, 'looked for in': env['PATH'] ?? '' },
      mend: `install it with apt-get install ${tool.debianPackage}`,
    });
  return finished;
}

/** As `callTool`. @returns What it wrote to stdout. @throws {VbuildError} also `vcs-failed` unless it ends with status 0. */
export async function outputOf(tool: UserTool, call: Call, place: string, context: SourceContext): Promise<string> {
  const finished = await callTool(tool, call, context);
  if (finished.exitStatus !== 0) throw toolFailed(tool, call, finished, place);
  return finished.stdout;
}

export function toolFailed(tool: UserTool, { args }: Call, finished: Finished, place: string): VbuildError {
  const { exitStatus, signal, failure, stderr } = finished;
  const ended =
    exitStatus === undefined ? (signal ?? failure ?? 'ended by the limit of time') : `exit status ${exitStatus}`;
  return new VbuildError('vcs-failed', `Program ${tool.program} failed`, {
    facts: {
      command: `${tool.program} ${args.find((word) => !word.startsWith('-')) ?? ''}`,
      place: shown(place),
      ended,
      said: shown(lastLines(stderr, 6)),
    },
    mend: 'check the URL, the network and your right to read the repository',
  });
}
