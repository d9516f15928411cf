/** `vbuild cache gc`: the disk cache down to its quota, or a bucket down to what lock files reach. */
import { resolve } from 'node:path';
import { count } from '../model/count.ts';
import { VbuildError } from '../model/error.ts';
import { columns } from '../report/table.ts';
import { list, size } from '../report/words.ts';
import { type Command, type CommandContext, openProject, printResult } from './command.ts';

const defaultQuota = '20G';
const defaultAgeDays = 30;
const dayMs = 24 * 60 * 60 * 1000;

export const cacheGc: Command = (context) => {
  const { tier, delete: remove, olderThan, quota, dryRun } = context.line.options;
  if (tier !== undefined) {
    if (quota !== undefined) throw misplaced('--quota is about the local disk', 'leave out --quota or --tier');
    if (dryRun && remove) throw misplaced('--dry-run and --delete contradict each other', 'leave one of them out');
    return sweepBucket(context, tier);
  }
  const stray = context.line.targets[0] ?? (remove ? '--delete' : olderThan === undefined ? undefined : '--older-than');
  if (stray !== undefined)
    throw misplaced(`${stray} is about a bucket`, 'name one with --tier; without it the local disk is swept');
  return sweepLocal(context, bytesIn(quota ?? defaultQuota));
};

async function sweepLocal(context: CommandContext, quotaBytes: number): Promise<number> {
  const { dryRun } = context.line.options;
  const { workspace } = await openProject(context);
  const { sweepDisk } = await import('../build/sweep-disk.ts');
  const { swept, keptBytes, inUseBytes } = await sweepDisk(workspace.cache, quotaBytes, dryRun);
  const freed = swept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  printResult(
    context,
    () =>
      [
        columns(
          swept.map(({ kind, what, sizeBytes, usedMs }) => [
            kind,
            what,
            size(sizeBytes),
            `last used ${new Date(usedMs).toISOString().slice(0, 10)}`,
          ]),
        ),
        `${dryRun ? 'would remove' : 'removed'} ${size(freed)}; ${size(keptBytes)} ${dryRun ? 'would stay' : 'stay'} in ${workspace.cache}, ${size(inUseBytes)} of it in use by prefixes\n`,
        keptBytes > quotaBytes
          ? `note: that is more than ${size(quotaBytes)}; the rest is in use, or was within the last hour\n`
          : '',
      ].join(''),
    () => ({
      format: 1,
      type: 'cache-swept',
      cache: workspace.cache,
      dryRun,
      quotaBytes,
      swept,
      keptBytes,
      inUseBytes,
    }),
  );
  return 0;
}

async function sweepBucket(context: CommandContext, name: string): Promise<number> {
  const { line, cwd, env, signal } = context;
  const { build, workspace } = await openProject(context);
  const [{ tierOf }, { reachedBy }, { LEAST_AGE_MS, sweepTier }, { withReleases }] = await Promise.all([
    import('../cache/tiers.ts'),
    import('../build/reach.ts'),
    import('../build/sweep-tier.ts'),
    import('../build/reach-releases.ts'),
  ]);
  const tiers = build.cache.map((spec) =>
    tierOf(spec, { folder: workspace.folder, environment: env, trust: undefined }),
  );
  const tier = tiers.find((one) => one.name === name);
  if (tier === undefined)
    throw misplaced('There is no such cache', 'name one of those that the Buildfile has', {
      expected: tiers.map((one) => one.name).join(', ') || 'none',
      found: name,
    });
  const ageMs = (line.options.olderThan ?? defaultAgeDays) * dayMs;
  if (ageMs < LEAST_AGE_MS)
    throw misplaced(
      'Objects as young as that may be part of a push',
      `give --older-than ${LEAST_AGE_MS / dayMs} at least`,
    );
  const lockFiles = line.targets.length === 0 ? [workspace.lockFile] : line.targets.map((path) => resolve(cwd, path));
  const remove = line.options.delete;
  const byLocks = await reachedBy(lockFiles, { build, workspace });
  const { releases, reached } = await withReleases(tier, byLocks, signal);
  const { swept, kept, keptBytes, young, unfinished } = await sweepTier(tier, reached, { ageMs, remove, signal });
  const freed = swept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  printResult(
    context,
    () =>
      [
        columns(
          swept.map((one) => [one.name, size(one.sizeBytes), new Date(one.modifiedMs).toISOString().slice(0, 10)]),
        ),
        ...byLocks.open.map((one) => `note: nothing is reached of ${one}: it has no pin\n`),
        releases.length > 0 ? `kept for ${count(releases.length, 'release')}: ${list(releases)}\n` : '',
        `${remove ? 'removed' : 'would remove'} ${count(swept.length, 'object')}, ${size(freed)}; ${count(kept, 'object')}, ${size(keptBytes)} ${remove ? 'stay' : 'would stay'}${young > 0 ? `, ${young} of them for their age alone` : ''}\n`,
        unfinished > 0 ? `gave up ${count(unfinished, 'upload')} that had never ended\n` : '',
        remove || swept.length === 0 ? '' : 'run it again with --delete to remove them\n',
      ].join(''),
    () => ({
      format: 1,
      type: 'cache-swept',
      cache: tier.name,
      dryRun: !remove,
      lockFiles,
      open: byLocks.open,
      releases,
      swept,
      kept,
      keptBytes,
      young,
      unfinished,
    }),
  );
  return 0;
}

/** Such as `500M`, `20G` or plain bytes, in decimal units as sizes are shown. @throws {VbuildError} `usage` */
function bytesIn(text: string): number {
  // A number alone most likely lacks its unit, and as bytes would remove nearly all.
  const [, number, unit = ''] = /^(?=0$|.*[a-z])(\d+(?:\.\d+)?) ?([kMGT]?)B?$/i.exec(text) ?? [];
  if (number === undefined)
    throw misplaced('Quota is not a size', 'give it as in --quota 20G', {
      expected: 'a number and its unit, such as 500M or 20G, or 0',
      found: text,
    });
  return Math.round(Number(number) * 1000 ** ' kmgt'.indexOf(unit === '' ? ' ' : unit.toLowerCase()));
}

const misplaced = (headline: string, mend: string, facts: Readonly<Record<string, string>> = {}): VbuildError =>
  new VbuildError('usage', headline, { facts, mend });
