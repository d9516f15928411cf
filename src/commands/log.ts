/** `vbuild log PACKAGE [STAGE]`: what the steps of the last compilation printed, or what another stage did the last time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { KEPT_LOGS, logsIn } from '../build/logs.ts';
import { placesOf, type Workspace } from '../build/workspace.ts';
import { readFailure, readRecords } from '../build/history.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { VbuildError } from '../model/error.ts';
import { logMarkup } from '../report/log-markup.ts';
import { because } from '../report/phrases.ts';
import { printable, printableLine } from '../report/printable.ts';
import { duration } from '../report/words.ts';
import { readStamp } from '../stamps/stamp.ts';
import { readIfThere } from '../system/files.ts';
import { isLocked } from '../system/lock.ts';
import { type Command, type CommandContext, openProject, printResult } from './command.ts';
import { logParts, toldStages } from './log-parts.ts';
import { wordAmong } from './word-among.ts';

const pollMs = 200;

export const log: Command = async (context) => {
  const [name = '', word = 'compile'] = context.line.targets;
  const { build, workspace } = await openProject(context);
  const [one] = selectTargets(build, [name]);
  if (one === undefined) throw new Error('a target selects no package');
  const part = wordAmong(word, logParts, 'There is no such log');
  const stage = toldStages.find((each) => each === part);
  if (stage !== undefined) return stageLog(stage, one, workspace, context);
  const places = placesOf(workspace, one);
  const logs = logsIn(places.logs);
  const path = logs.at(-1);
  if (path === undefined) {
    throw new VbuildError('not-ready', 'Package has no log', {
      where: { package: packageId(one) },
      facts: { expected: `one of the last ${KEPT_LOGS} compilations in ${places.logs}`, found: 'none' },
      mend: 'it was never compiled here; see why with vbuild why',
    });
  }
  const read = (): string => partOf(readIfThere(path) ?? '', part);
  const shownText = (text: string): string => logMarkup(context.env).plain(printable(text));
  if (!context.line.options.follow) {
    printResult(
      context,
      () => shownText(read()),
      () => ({ format: 1, package: packageId(one), log: path, earlier: logs.slice(0, -1), part, text: read() }),
    );
    return 0;
  }
  const lock = join(workspace.state, 'lock');
  const isRunning = async (): Promise<boolean> =>
    readStamp(places.stamps, 'compile') === undefined && (await isLocked(lock));
  for (let shown = 0, running = true; ; await sleep(pollMs, undefined, { signal: context.signal })) {
    // Asked before the last reading, so that nothing is lost in between.
    running = await isRunning();
    const text = read();
    // A line that is not complete yet may end in half a character.
    const end = running ? text.lastIndexOf('\n') + 1 : text.length;
    if (end > shown) context.stdout.write(shownText(text.slice(shown, end)));
    shown = Math.max(shown, end);
    if (!running) return 0;
  }
};

/** What one of the other stages did when it last ran, as far as the last runs of the package are remembered. */
function stageLog(
  stage: (typeof toldStages)[number],
  one: Package,
  workspace: Workspace,
  context: CommandContext,
): number {
  const places = placesOf(workspace, one);
  const failure = readFailure(places);
  const id = packageId(one);
  for (const { endedAtMs, stages, error } of [...(failure === undefined ? [] : [failure]), ...readRecords(places)]) {
    const ran = stages.find((each) => each.stage === stage);
    if (ran === undefined) continue;
    const { reasons, durationMs, detail, lines = [] } = ran;
    const failed = durationMs === undefined ? error?.headline : undefined;
    const ended = failed === undefined ? `took ${duration(durationMs ?? 0)}` : `failed: ${failed}`;
    const text = [
      `${stage} of ${id} ${ended}${detail === undefined ? '' : ` (${detail})`}, in a run that ended ${new Date(endedAtMs).toISOString()}`,
      ...(reasons.length === 0 ? [] : [`  because ${because(reasons)}`]),
      ...lines.map((each) => `  ${each}`),
    ];
    printResult(
      context,
      () => logMarkup(context.env).plain(text.map((each) => `${printableLine(each)}\n`).join('')),
      () => ({ format: 1, package: id, part: stage, endedAtMs, ...ran, ...(failed !== undefined && { failed }) }),
    );
    return 0;
  }
  throw new VbuildError('not-ready', `Stage ${stage} did not run here of late`, {
    where: { package: id },
    facts: { expected: `a run of it in what is remembered in ${places.history}`, found: 'none' },
    mend: `see with vbuild why ${one.name} what became of the package instead`,
  });
}

/** The parts of a log that belong to one group of steps, each with its head line. */
function partOf(text: string, part: string): string {
  if (part === 'compile') return text;
  const [, ...steps] = text.split(/^(?=# step \d+ of \d+, )/m);
  return steps.filter((step) => step.slice(0, step.indexOf('\n')).endsWith(`, ${part}`)).join('');
}
