/** A plan in words (pure; escaping included). */
import { count } from '../model/count.ts';
import type { Plan, PlannedPackage, PlannedStage } from '../model/plan.ts';
import { because } from './phrases.ts';
import { printableLine } from './printable.ts';
import { duration, list, numberOfEach, pathFrom, size } from './words.ts';

/** Ends with a line feed. @param at.cwd Absolute; paths inside it are shown relative to it. */
export function planText(
  plan: Plan,
  at: { readonly cwd: string; readonly prefix: string; readonly jobs: number },
): string {
  const busy = plan.packages.some(({ outcome }) => outcome !== 'fresh') || plan.install !== undefined;
  const place = pathFrom(at.cwd, at.prefix);
  if (!busy && plan.pushTo.length === 0) {
    const are = plan.targets.length === 1 ? 'is' : 'are';
    const assumed = plan.assumed === undefined ? '' : `if ${list(plan.assumed)}: `;
    return `${printableLine(`${assumed}${list(plan.targets)} ${are} fresh in ${place}`)}: nothing to do\n`;
  }
  const column = Math.max(...plan.packages.map((one) => one.package.length));
  const lines = [
    ...(plan.assumed === undefined ? [] : [`if ${list(plan.assumed)}:`]),
    ...plan.packages.flatMap((one) => [
      `${one.package.padEnd(column)}  ${[one.outcome.padEnd(8), ...notes(one)].join('  ')}`.trimEnd(),
      ...sharedReasons(one.stages).map(([stages, why]) => `  ${stages.join(', ')}: ${why}`),
    ]),
    ...(plan.install === undefined ? [] : [`${place} gets a new generation: ${because(plan.install.reasons)}`]),
    ...(plan.installOpen ? [`whether ${place} gets a new generation is open until then`] : []),
    ...pushLines(plan),
    ...openLine(plan),
    summary(plan, at.jobs),
    ...(plan.criticalPath.length > 1 ? [`critical path: ${plan.criticalPath.join(' → ')}`] : []),
    ...(plan.guessed.length > 0 ? [`a guess, for want of an earlier build: ${list(plan.guessed)}`] : []),
  ];
  return lines.map((line) => `${printableLine(line)}\n`).join('');
}

/** What goes where, and what is held back for the same reason together. */
function pushLines({ pushTo, uploads = [], withheld = [] }: Plan): string[] {
  const sent = pushTo.map((tier) => {
    const to = uploads.filter((one) => one.tier === tier);
    const bytes = to.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
    const open = to.filter(({ sizeBytes }) => sizeBytes === undefined).length;
    const amount = [
      ...(bytes > 0 ? [size(bytes)] : []),
      ...(open > 0 ? [`the size of ${open === to.length ? 'which' : open} is not known yet`] : []),
    ];
    return to.length === 0
      ? `nothing is pushed to ${tier}`
      : `${count(to.length, 'artifact')} pushed to ${tier}, sources where they lack: ${amount.join(', ')}`;
  });
  const held = [...Map.groupBy(withheld, ({ reason }) => reason)].map(
    ([reason, those]) => `not pushed: ${list(those.map((one) => one.package))}: ${reason}`,
  );
  return [...sent, ...held];
}

function openLine({ packages }: Plan): string[] {
  const open = packages.flatMap((one) => (one.unlessEqual === true ? [one.package] : []));
  return open.length === 0
    ? []
    : [`not compiled if what ${open.length === 1 ? 'it rests' : 'they rest'} on comes out equal: ${list(open)}`];
}

function notes({ outcome, tier, transferBytes = 0, equal = [], missed, stages, unpinned }: PlannedPackage): string[] {
  switch (outcome) {
    case 'fresh':
      return [];
    case 'restored':
      return [
        [
          `from ${tier ?? 'a cache'}`,
          ...(transferBytes > 0 ? [size(transferBytes)] : []),
          ...(equal.length > 0 ? [`made with an equal ${list(equal)}`] : []),
        ].join(', '),
      ];
    case 'open':
      return [
        unpinned
          ? 'the lock file has no pin for its source: pinned first, then taken from a cache or built'
          : 'rests on what has no pin yet: taken from a cache or built',
      ];
    case 'built': {
      const known = stages.flatMap(({ expectedMs }) => expectedMs ?? []);
      const time = known.length === 0 ? [] : [`about ${duration(known.reduce((sum, ms) => sum + ms, 0))}`];
      const why = {
        absent: 'no cache has it',
        'not-asked': 'caches are not asked',
        unreachable: missed?.reason ?? 'unreachable',
        rejected: missed?.reason ?? 'rejected',
        unfit: missed?.reason ?? 'unfit',
      }[missed?.answer ?? 'absent'];
      return [[...time, why].join(', ')];
    }
    default:
      return outcome satisfies never;
  }
}

/** Stages that run for the same reasons share a line. */
function sharedReasons(stages: readonly PlannedStage[]): (readonly [stages: string[], why: string])[] {
  const shared: (readonly [string[], string])[] = [];
  for (const { stage, reasons } of stages) {
    const why = because(reasons);
    const last = shared.at(-1);
    if (last?.[1] === why) last[0].push(stage);
    else shared.push([[stage], why]);
  }
  return shared;
}

function summary({ packages, transferBytes, expectedMs }: Plan, jobs: number): string {
  const words = {
    unpinned: 'to pin first',
    open: 'open until then',
    built: 'to build',
    restored: 'to restore',
    fresh: 'fresh',
  } as const;
  const counts = numberOfEach(
    ['unpinned', 'open', 'built', 'restored', 'fresh'] as const,
    packages.map(({ outcome, unpinned }) => (outcome === 'open' && unpinned ? 'unpinned' : outcome)),
  ).map(([outcome, number]) => `${number} ${words[outcome]}`);
  const time = packages.some(({ outcome }) => outcome === 'built')
    ? [`about ${duration(expectedMs)} with ${count(jobs, 'job')}`]
    : [];
  const bytes = transferBytes > 0 ? [`${size(transferBytes)} to transfer`] : [];
  return [list(counts), ...time, ...bytes].join(', ');
}
