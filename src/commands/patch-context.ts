/** What the commands about a package's patches ask of the builder. */
import type { PatchRequest } from '../build/patch-session.ts';
import type { Package } from '../buildfile/package.ts';
import { selectTarget } from '../buildfile/targets.ts';
import { hostPlatform } from '../system/platform.ts';
import { type CommandContext, openProject } from './command.ts';

/** `files`: what the Buildfile was read from. */
export async function openForPatches(
  context: CommandContext,
): Promise<{ readonly request: PatchRequest; readonly files: readonly string[] }> {
  const { line, env, reporter, signal } = context;
  const { build, workspace, loaded } = await openProject(context);
  const request: PatchRequest = {
    build,
    workspace,
    platform: hostPlatform(),
    environment: env,
    offline: line.options.offline,
    emit: (event) => reporter.event(event),
    signal,
  };
  return { request, files: loaded.files };
}

/** For commands about exactly one package. @throws {VbuildError} `unknown-target`, `ambiguous-target` */
export async function openOneForPatches(
  context: CommandContext,
): Promise<{ readonly request: PatchRequest; readonly one: Package }> {
  const { request } = await openForPatches(context);
  return { request, one: selectTarget(request.build, context.line.targets[0] ?? '') };
}
