/** `vbuild status [TARGET…]`: one line per package: pin, patches, key, where it is, how long it took. */
import { diskOf } from '../build/disk.ts';
import { lastDurations } from '../build/durations.ts';
import { type Facts, gatherFacts, type PackageFacts } from '../build/facts.ts';
import { fullClosure } from '../build/graph.ts';
import { readFailure, readRecords } from '../build/history.ts';
import { standingReasons } from '../build/install-reasons.ts';
import { pinsHere } from '../build/pins-here.ts';
import { placesOf } from '../build/workspace.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import { type LockedSource, readLock } from '../buildfile/pins.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { currentGeneration } from '../install/generations.ts';
import { count } from '../model/count.ts';
import type { Reason } from '../model/event.ts';
import { because } from '../report/phrases.ts';
import { pinsHereText } from '../report/pins-text.ts';
import { printableLine } from '../report/printable.ts';
import { columns } from '../report/table.ts';
import { duration, pathFrom, shortened } from '../report/words.ts';
import { hostPlatform } from '../system/platform.ts';
import { type Command, type CommandContext, openProject, type Project, printResult } from './command.ts';

export const status: Command = async (context) => {
  const project = await openProject(context);
  const { build, workspace, prefix } = project;
  const { targets } = context.line;
  const packages = targets.length === 0 ? build.packages : fullClosure(selectTargets(build, targets));
  const lock = readLock(workspace.lockFile);
  const { known } = gatherFacts(fullClosure(packages), { lock, platform: hostPlatform(), workspace });
  const generation = currentGeneration(prefix);
  const disk = diskOf(build, workspace);
  const answers = context.line.options.cache ? await answersOf(packages, known, context, project) : undefined;
  const rows = packages.map((one) => {
    const places = placesOf(workspace, one);
    const facts = known.get(one);
    const installed = generation?.record?.packages[one.name];
    const [last] = readRecords(places);
    const onDisk = facts !== undefined && disk.has(one.name, facts.key);
    const { compile } = lastDurations(places);
    return {
      package: packageId(one),
      pin: pinOf(one, facts, lock.sources[packageId(one)]),
      patches: facts?.series.length ?? null,
      key: facts?.key ?? null,
      onDisk,
      ...(answers !== undefined && { answers: answers.get(one) ?? [] }),
      installed:
        installed === undefined || installed.version !== one.version
          ? ('no' as const)
          : installed.key === facts?.key
            ? ('yes' as const)
            : ('other' as const),
      last: last === undefined ? null : { outcome: last.outcome, endedAtMs: last.endedAtMs },
      compileMs: compile ?? null,
      // A failure of something else, or before it came to be there all the same, says nothing any more.
      failed: facts !== undefined && !onDisk && installed?.key !== facts.key && readFailure(places)?.key === facts.key,
    };
  });
  const number = generation?.number;
  const request = { ...project, platform: hostPlatform() };
  const install = standingReasons(request);
  const pins = await pinsHere(packages, request, context.signal);
  printResult(
    context,
    () =>
      columns(rows.map((row) => cells(row, number))) +
      installLine(pathFrom(context.cwd, prefix), install) +
      pinsHereText(pins),
    () => ({ format: 1, prefix, generation: number ?? null, install, packages: rows, ...(pins && { pinsHere: pins }) }),
  );
  return 0;
};

const installLine = (place: string, reasons: readonly Reason[]): string =>
  reasons.length === 0 ? '' : `${printableLine(`${place} is stale, it gets a new generation: ${because(reasons)}`)}\n`;

type Row = Readonly<{
  package: string;
  pin: string | null;
  patches: number | null;
  key: string | null;
  onDisk: boolean;
  answers?: readonly Answer[];
  installed: 'no' | 'yes' | 'other';
  compileMs: number | null;
  failed: boolean;
}>;

interface Answer {
  readonly tier: string;
  readonly answer: string;
  readonly reason?: string;
}

/** What the caches of the Buildfile say to the keys of packages, by package. */
async function answersOf(
  packages: readonly Package[],
  known: Facts['known'],
  context: CommandContext,
  project: Project,
): Promise<ReadonlyMap<Package, readonly Answer[]>> {
  const [{ lowerTiers }, { inParallel }] = await Promise.all([
    import('./lower-tiers.ts'),
    import('../build/in-parallel.ts'),
  ]);
  const tiers = await lowerTiers(context, project);
  const asked = await inParallel(packages, async (one) => {
    const key = known.get(one)?.key;
    const answers = tiers.map(async (tier): Promise<Answer[]> => {
      if (key === undefined) return [];
      const answer = await tier.lookUp(one.name, key, context.signal);
      return [{ tier: tier.name, answer: answer.outcome, ...('reason' in answer && { reason: answer.reason }) }];
    });
    return [one, (await Promise.all(answers)).flat()] as const;
  });
  return new Map(asked);
}

/** Where its artifact is: on the disk, and if they were asked, in which caches. */
function whereabouts({ onDisk, answers = [] }: Row): string {
  const others = answers.flatMap(({ tier, answer }) =>
    answer === 'hit' ? [`in ${tier}`] : answer === 'absent' ? [] : [`${answer} by ${tier}`],
  );
  return [onDisk ? 'on disk' : 'not on disk', ...others].join(', ');
}

/** What stands for the source: the start of a commit, or of the digest of its tree. */
function pinOf(one: Package, facts: PackageFacts | undefined, locked: LockedSource | undefined): string | null {
  const source = facts?.source ?? (locked?.pin.kind === one.source.kind ? locked : undefined);
  return source === undefined ? null : (source.pin.commit ?? source.tree);
}

const cells = (row: Row, generation: number | undefined): string[] => [
  row.package,
  row.pin === null ? 'not pinned' : `pin ${shortened(row.pin)}`,
  row.patches === null ? '-' : count(row.patches, 'patch', 'patches'),
  row.key === null ? 'no key' : `key ${shortened(row.key)}`,
  whereabouts(row),
  {
    yes: `in generation ${generation ?? 0}`,
    other: `in generation ${generation ?? 0}${row.key === null ? '' : ' with another key'}`,
    no: 'not installed',
  }[row.installed],
  row.failed
    ? 'failed last'
    : row.compileMs === null
      ? 'never compiled here'
      : `compiled in ${duration(row.compileMs)}`,
];
