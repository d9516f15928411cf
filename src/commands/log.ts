/** `vbuild log PACKAGE [STAGE]`: what the steps of the last compilation printed, or what another stage did the last time. */
import { KEPT_LOGS, logsIn, writtenAtMs } from '../build/logs.ts';
import { placesOf, type Workspace } from '../build/workspace.ts';
import { readStage } from '../build/history.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import { selectTarget } from '../buildfile/targets.ts';
import { VbuildError } from '../model/error.ts';
import { logMarkup } from '../report/log-markup.ts';
import { because } from '../report/phrases.ts';
import { printable, printableLine } from '../report/printable.ts';
import { duration } from '../report/words.ts';
import { readIfThere } from '../system/files.ts';
import { type Command, type CommandContext, openProject, printResult } from './command.ts';
import { partOf, stepsIn, toldStages, logParts } from './log-parts.ts';
import { wordAmong } from './word-among.ts';

export const log: Command = async (context) => {
  const [name = '', word = 'compile'] = context.line.targets;
  const { build, workspace } = await openProject(context);
  const one = selectTarget(build, name);
  const part = wordAmong(word, logParts, 'There is no such log');
  const stage = toldStages.find((each) => each === part);
  if (stage !== undefined) return stageLog(stage, one, workspace, context);
  if (context.line.options.follow) {
    const { followed } = await import('./log-follow.ts');
    if (await followed(part, one, workspace, context)) return 0;
  }
  return lastLog(part, one, workspace, context);
};

function lastLog(part: string, one: Package, workspace: Workspace, context: CommandContext): number {
  const places = placesOf(workspace, one);
  const id = packageId(one);
  const logs = logsIn(places.logs);
  const path = logs.at(-1);
  if (path === undefined) {
    throw new VbuildError('not-ready', 'Package has no log', {
      where: { package: id },
      facts: { expected: `one of the last ${KEPT_LOGS} compilations in ${places.logs}`, found: 'none' },
      mend: 'it was never compiled here; see why with vbuild why',
    });
  }
  const writtenMs = writtenAtMs(path);
  const compiled = readStage(places, 'compile');
  // One that was written since then is of a run that was cut off or goes on, or of work by hand.
  const told = compiled !== undefined && writtenMs <= compiled.endedAtMs ? compiled : undefined;
  const outcome = told === undefined ? 'unknown' : told.failed === undefined ? 'ended' : 'failed';
  const whole = readIfThere(path) ?? '';
  const text = partOf(whole, part);
  if (text === '' && part !== 'compile') throw withoutStep(part, one, path, whole);
  if (!context.line.options.json) {
    const when = `written ${duration(Math.max(0, Date.now() - writtenMs))} ago`;
    const what = { ended: 'all of it passed', failed: `failed: ${told?.failed}`, unknown: 'not known to have ended' };
    context.reporter.event({
      type: 'notice',
      level: 'info',
      code: 'log-of',
      headline: `Log of a compilation of ${id}, ${when}, ${what[outcome]}`,
    });
  }
  printResult(
    context,
    () => logMarkup(context.env).plain(printable(text)),
    () => ({
      format: 1,
      package: id,
      log: path,
      earlier: logs.slice(0, -1),
      part,
      writtenAtMs: writtenMs,
      outcome,
      text,
    }),
  );
  return 0;
}

/** A failure before it, or the recipe, is why a log tells nothing of a group of steps. */
function withoutStep(part: string, one: Package, path: string, whole: string): VbuildError {
  const steps = stepsIn(whole);
  const isPlanned = one.recipe.steps.some(({ group }) => group === part);
  return new VbuildError('not-ready', isPlanned ? 'Step was not reached' : 'Recipe has no such step', {
    where: { package: packageId(one) },
    facts: {
      expected: `a step of ${part} in ${path}`,
      found: steps.length === 0 ? 'no step at all' : `it ends in step ${steps.at(-1)}`,
    },
    mend: isPlanned
      ? `see with vbuild log ${one.name} what came before it`
      : `all that was printed is in vbuild log ${one.name}`,
  });
}

/** What one of the other stages did when it last ran. */
function stageLog(
  stage: (typeof toldStages)[number],
  one: Package,
  workspace: Workspace,
  context: CommandContext,
): number {
  const places = placesOf(workspace, one);
  const id = packageId(one);
  const ran = readStage(places, stage);
  if (ran === undefined) {
    throw new VbuildError('not-ready', `Stage ${stage} did not run here of late`, {
      where: { package: id },
      facts: { expected: `a run of it in what is remembered in ${places.history}`, found: 'none' },
      mend: `see with vbuild why ${one.name} what became of the package instead`,
    });
  }
  const { endedAtMs, reasons, durationMs, detail, lines = [], failed } = ran;
  const ended = failed === undefined ? `took ${duration(durationMs ?? 0)}` : `failed: ${failed}`;
  const text = [
    `${stage} of ${id} ${ended}${detail === undefined ? '' : ` (${detail})`}, in a run that ended ${new Date(endedAtMs).toISOString()}`,
    ...(reasons.length === 0 ? [] : [`  because ${because(reasons)}`]),
    ...lines.map((each) => `  ${each}`),
  ];
  printResult(
    context,
    () => logMarkup(context.env).plain(text.map((each) => `${printableLine(each)}\n`).join('')),
    () => ({ format: 1, package: id, part: stage, ...ran }),
  );
  return 0;
}
