/** `vbuild lock` makes pins, `vbuild update` moves them; neither builds anything. */
import type { PinChange } from '../build/pin-all.ts';
import { packageId } from '../buildfile/package.ts';
import type { LockedSource } from '../buildfile/pins.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { VbuildError } from '../model/error.ts';
import { hostPlatform, platformSpelling } from '../system/platform.ts';
import { type Command, type CommandContext, openProject, printResult } from './command.ts';

export const lock: Command = (context) => pin(context, false);
export const update: Command = (context) => pin(context, true);

/** Tells pins apart whose words are the same: by their archives, or else by the tree. */
const idOf = ({ pin: { files }, tree }: LockedSource): string =>
  (files?.map(({ digest }) => digest) ?? [tree]).map((digest) => digest.slice(0, 12)).join(' ');

async function pin(context: CommandContext, move: boolean): Promise<number> {
  const { line, env, reporter, signal } = context;
  const host = hostPlatform();
  const platform = line.options.platform === undefined ? host : platformNamed(line.options.platform);
  const elsewhere = platform !== host;
  const project = await openProject(context);
  const { build, workspace } = project;
  const targets = line.targets.length === 0 ? build.packages : selectTargets(build, line.targets);
  const [{ pinAll }, { describePin }] = await Promise.all([
    import('../build/pin-all.ts'),
    import('../build/fetch-stage.ts'),
  ]);
  const { offline } = line.options;
  const emit: Parameters<typeof pinAll>[0]['emit'] = (event) => reporter.event(event);
  const at = { workspace, platform, elsewhere, environment: env, offline };
  const { sources, tools } = await pinAll({ build, targets, ...at, move, emit, signal });
  const text = ({ package: one, before, now }: PinChange): string => {
    const [was, is] = [before && describePin(before.pin), describePin(now.pin)];
    const [old, id] = [before && idOf(before), idOf(now)];
    const words = was !== is ? `${was} → ${is}` : old === id ? `${is}  unchanged` : `${is}  ${old} → ${id}`;
    return `${packageId(one)}  ${was === undefined ? is : words}\n`;
  };
  const lines = [
    ...sources.map(text),
    // Those of this machine are what its programs say; those of another one come from somewhere.
    ...Object.entries(elsewhere ? tools : {}).map(([tool, now]) => `${tool}  ${now}  (${platform})\n`),
  ];
  printResult(
    context,
    () => (lines.length === 0 ? `nothing to ${move ? 'move' : 'pin'}\n` : lines.join('')),
    () => ({
      format: 1,
      lockFile: workspace.lockFile,
      platform,
      tools,
      changes: sources.map(({ package: one, before, now }) => ({
        package: packageId(one),
        before: before ?? null,
        now,
      })),
    }),
  );
  return 0;
}

/** @throws {VbuildError} `usage` */
function platformNamed(name: string): string {
  if (platformSpelling.test(name)) return name;
  throw new VbuildError('usage', 'Platform has no such name', {
    facts: { expected: 'system, architecture and C library, then the release of the distribution', found: name },
    mend: 'write it as in --platform "linux-x64-glibc debian-12"',
  });
}
