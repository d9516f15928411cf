/** What a finished run says about where its time went: who worked on what side by side, and the chain that decided its length (pure). */
import type { RunPackage, RunRecord, Work } from '../model/run-record.ts';

/** One piece of work of one package; installing belongs to none. */
export interface Item {
  readonly package: string;
  readonly work: Work;
}

const laneKinds = ['cache', 'prepare', 'worker', 'push', 'install'] as const;

type LaneKind = (typeof laneKinds)[number];

/** Work that was done one after another. */
export interface Lane {
  readonly kind: LaneKind;
  /** From 1 on among those of its kind. */
  readonly number: number;
  readonly items: readonly Item[];
}

const kindOf: Readonly<Record<Work['what'], LaneKind>> = {
  restore: 'cache',
  fetch: 'prepare',
  patch: 'prepare',
  compile: 'worker',
  pack: 'worker',
  push: 'push',
  install: 'install',
};

function itemsOf({ packages, installed, targets }: RunRecord): Item[] {
  const items = packages.flatMap((one) => one.work.map((work) => ({ package: one.package, work })));
  if (installed === undefined) return items;
  const { startMs, endMs, reasons } = installed;
  return [
    ...items,
    { package: targets.join(' '), work: { what: 'install', startMs, endMs, reasons, steps: [], failed: false } },
  ];
}

/** The fewest lanes in which nothing overlaps; a package stays in its lane where it can. */
export function lanesOf(record: RunRecord): Lane[] {
  const lanes: { kind: LaneKind; items: Item[]; freeMs: number }[] = [];
  for (const item of itemsOf(record).sort((a, b) => a.work.startMs - b.work.startMs)) {
    const kind = kindOf[item.work.what];
    const free = lanes.filter((lane) => lane.kind === kind && lane.freeMs <= item.work.startMs);
    const lane = free.find(({ items }) => items.at(-1)?.package === item.package) ??
      free[0] ?? { kind, items: [], freeMs: 0 };
    if (lane.items.length === 0) lanes.push(lane);
    lane.items.push(item);
    lane.freeMs = item.work.endMs;
  }
  return laneKinds.flatMap((kind) =>
    lanes.filter((lane) => lane.kind === kind).map(({ items }, at) => ({ kind, number: at + 1, items })),
  );
}

/** One link of the chain that decided how long a run took. */
export interface Link extends Item {
  /** How long nothing of the chain went on before it, in milliseconds. */
  readonly waitedMs: number;
  /** What it could not begin before: its own earlier stage, a dependency, a worker that was free, or nothing. */
  readonly after: 'stage' | 'dependency' | 'worker' | 'nothing';
}

/** A worker counts as what was waited for only beyond this. */
const noticeableMs = 50;

/** From the work that ended last back to the start, always by what ended last of all that it had to wait for; uploads aside. */
export function criticalPath(record: RunRecord): Link[] {
  const items = itemsOf(record).filter(({ work }) => work.what !== 'push');
  const packages = new Map(record.packages.map((one) => [one.package, one]));
  const latest = (among: readonly Item[]): Item | undefined =>
    among.reduce<Item | undefined>(
      (best, one) => (best === undefined || one.work.endMs > best.work.endMs ? one : best),
      undefined,
    );
  const chain: Link[] = [];
  // What takes no time at all could come before itself.
  const seen = new Set<Item>();
  for (let item = latest(items); item !== undefined; ) {
    const { work, package: id } = item;
    seen.add(item);
    const earlier = items.filter((one) => !seen.has(one) && one.work.endMs <= work.startMs);
    const own = latest(earlier.filter((one) => one.package === id));
    const needed =
      work.what === 'compile' ? everythingUnder(id, packages) : work.what === 'install' ? packages : undefined;
    const dependency = needed && latest(earlier.filter((one) => needed.has(one.package) && one.package !== id));
    const before = latest([own, dependency].filter((one) => one !== undefined));
    const waitedMs = work.startMs - (before?.work.endMs ?? 0);
    const worker =
      work.what === 'compile' && waitedMs > noticeableMs
        ? latest(
            earlier.filter((one) => kindOf[one.work.what] === 'worker' && one.work.endMs > (before?.work.endMs ?? 0)),
          )
        : undefined;
    const previous = worker ?? before;
    chain.push({
      ...item,
      waitedMs: work.startMs - (previous?.work.endMs ?? 0),
      after:
        previous === undefined ? 'nothing' : previous === worker ? 'worker' : previous === own ? 'stage' : 'dependency',
    });
    item = previous;
  }
  return chain.reverse();
}

function everythingUnder(id: string, packages: ReadonlyMap<string, RunPackage>): Map<string, RunPackage> {
  const found = new Map<string, RunPackage>();
  const visit = (one: string): void => {
    for (const needed of packages.get(one)?.needs ?? []) {
      const package_ = packages.get(needed);
      if (package_ === undefined || found.has(needed)) continue;
      found.set(needed, package_);
      visit(needed);
    }
  };
  visit(id);
  return found;
}

export const lengthOf = ({ startMs, endMs }: Work): number => endMs - startMs;

/** How long the stages of a package took now and the time before, where both are known. */
export function comparison({
  work,
  before,
}: Pick<RunPackage, 'work' | 'before'>): { readonly nowMs: number; readonly beforeMs: number } | undefined {
  const pairs = work.flatMap((one) => {
    const last = one.what === 'restore' || one.what === 'push' || one.failed ? undefined : before[one.what];
    return last === undefined ? [] : [[lengthOf(one), last] as const];
  });
  if (pairs.length === 0) return undefined;
  return {
    nowMs: pairs.reduce((sum, [now]) => sum + now, 0),
    beforeMs: pairs.reduce((sum, [, last]) => sum + last, 0),
  };
}
