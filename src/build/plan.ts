/** Facts → what a run will do, and how long that may take (pure). */
import type { Plan, PlannedPackage } from '../model/plan.ts';
import { forecast, limitsFor, packageJobs, packageOf } from './jobs.ts';

/** What a package is expected to take that nobody has compiled before, in milliseconds. */
export const guessMs = 15_000;

interface PlanFacts
  extends Pick<
    Plan,
    'targets' | 'assumed' | 'packages' | 'install' | 'installOpen' | 'pushTo' | 'uploads' | 'withheld'
  > {
  /** The `-j` number. */
  readonly jobs: number;
}

/** Adds what follows from the packages together: sums, the forecast, the critical path. */
export function planOf({ jobs, ...facts }: PlanFacts): Plan {
  const built = facts.packages.filter(({ outcome }) => outcome === 'built');
  const work = built.map((one) => ({
    id: one.package,
    after: one.after,
    prepareMs: expectedMs(one, ['fetch', 'patch']),
    makeMs: expectedMs(one, ['compile', 'pack']),
  }));
  const { totalMs, criticalPath } = forecast(packageJobs(work), limitsFor(jobs));
  return {
    ...facts,
    transferBytes: facts.packages.reduce((sum, { transferBytes = 0 }) => sum + transferBytes, 0),
    expectedMs: totalMs,
    criticalPath: [...new Set(criticalPath.map(packageOf))],
    guessed: built.filter(isGuessed).map((one) => one.package),
  };
}

const expectedMs = ({ stages }: PlannedPackage, among: readonly string[]): number =>
  stages
    .filter(({ stage }) => among.includes(stage))
    .reduce((sum, { stage, expectedMs: known = stage === 'compile' ? guessMs : 0 }) => sum + known, 0);

const isGuessed = ({ stages }: PlannedPackage): boolean =>
  stages.some(({ stage, expectedMs: known }) => stage === 'compile' && known === undefined);
