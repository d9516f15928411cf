/** `vbuild lock` makes pins, `vbuild update` moves them; neither builds anything. */
import type { PinChange } from '../build/pin-all.ts';
import { packageId } from '../buildfile/package.ts';
import type { LockedSource } from '../buildfile/pins.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Command, type CommandContext, openProject, printResult } from './command.ts';

export const lock: Command = (context) => pin(context, false);
export const update: Command = (context) => pin(context, true);

/** Tells pins apart whose words are the same: by their archives, or else by the tree. */
const idOf = ({ pin: { files }, tree }: LockedSource): string =>
  (files?.map(({ digest }) => digest) ?? [tree]).map((digest) => digest.slice(0, 12)).join(' ');

async function pin(context: CommandContext, move: boolean): Promise<number> {
  const platform = hostPlatform();
  const { line, env, reporter, signal } = context;
  const project = await openProject(context);
  const { build, workspace } = project;
  const targets = line.targets.length === 0 ? build.packages : selectTargets(build, line.targets);
  const [{ pinAll }, { describePin }] = await Promise.all([
    import('../build/pin-all.ts'),
    import('../build/fetch-stage.ts'),
  ]);
  const { offline } = line.options;
  const emit: Parameters<typeof pinAll>[0]['emit'] = (event) => reporter.event(event);
  const changes = await pinAll({ build, targets, workspace, platform, environment: env, offline, move, emit, signal });
  const text = ({ package: one, before, now }: PinChange): string => {
    const [was, is] = [before && describePin(before.pin), describePin(now.pin)];
    const moved = was === is && before !== undefined ? `${is}  ${idOf(before)} → ${idOf(now)}` : undefined;
    return `${packageId(one)}  ${moved ?? (was === undefined ? is : `${was} → ${is}`)}\n`;
  };
  printResult(
    context,
    () => (changes.length === 0 ? `nothing to ${move ? 'move' : 'pin'}\n` : changes.map(text).join('')),
    () => ({
      format: 1,
      lockFile: workspace.lockFile,
      changes: changes.map(({ package: one, before, now }) => ({
        package: packageId(one),
        before: before ?? null,
        now,
      })),
    }),
  );
  return 0;
}
