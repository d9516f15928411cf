/** `vbuild patch check [TARGET…]`: whether the patches of packages apply to their pinned sources. */
import type { PatchReport } from '../patches/apply-series.ts';
import { packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { count } from '../model/count.ts';
import { lowestStatus } from '../model/error.ts';
import { problemsOf } from '../model/problems.ts';
import { exitStatusOf } from '../report/error-text.ts';
import { type Command, printResult } from './command.ts';
import { openForPatches } from './patch-context.ts';
import { patchData, patchLine } from './patch-report.ts';

export const patchCheck: Command = async (context) => {
  const { line, reporter, signal } = context;
  const { request } = await openForPatches(context);
  const { build } = request;
  const { checkPatches } = await import('../build/patch-check.ts');
  const targets =
    line.targets.length === 0
      ? build.packages.filter(({ patches }) => patches !== undefined)
      : selectTargets(build, line.targets);
  const checked: { readonly id: string; readonly reports?: readonly PatchReport[]; readonly code?: string }[] = [];
  const statuses: number[] = [];
  for (const one of targets) {
    const id = packageId(one);
    try {
      checked.push({ id, reports: await checkPatches(one, request) });
    } catch (thrown) {
      const problems = problemsOf(thrown);
      if (problems === undefined || signal.aborted) throw thrown;
      // One package's patches say nothing of another's.
      reporter.error(thrown);
      statuses.push(exitStatusOf(thrown));
      checked.push({ id, code: problems[0]?.code ?? '' });
    }
  }
  const text = ({ id, reports }: (typeof checked)[number]): string =>
    reports === undefined
      ? `${id}  does not apply\n`
      : `${id}  ${reports.length === 0 ? 'has no patches' : `${count(reports.length, 'patch', 'patches')} ${reports.length === 1 ? 'applies' : 'apply'}`}\n${reports.map((report) => `  ${patchLine(report)}`).join('')}`;
  printResult(
    context,
    () => checked.map(text).join(''),
    () => ({
      format: 1,
      packages: checked.map(({ id, reports, code }) => ({
        package: id,
        applies: reports !== undefined,
        ...(code !== undefined && { error: code }),
        patches: (reports ?? []).map(patchData),
      })),
    }),
  );
  return lowestStatus(statuses);
};
