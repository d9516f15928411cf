/** `vbuild log PACKAGE [STAGE]`: what the steps of the last compilation printed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { KEPT_LOGS, logsIn } from '../build/logs.ts';
import { placesOf } from '../build/workspace.ts';
import { packageId } from '../buildfile/package.ts';
import { selectTargets } from '../buildfile/targets.ts';
import { stepGroups } from '../compile/recipe.ts';
import { VbuildError } from '../model/error.ts';
import { logMarkup } from '../report/log-markup.ts';
import { printable } from '../report/printable.ts';
import { readStamp } from '../stamps/stamp.ts';
import { readIfThere } from '../system/files.ts';
import { isLocked } from '../system/lock.ts';
import { type Command, openProject, printResult } from './command.ts';
import { wordAmong } from './word-among.ts';

/** `compile` is all of them. */
const parts = ['compile', ...stepGroups];
const pollMs = 200;

export const log: Command = async (context) => {
  const [name = '', word = 'compile'] = context.line.targets;
  const { build, workspace } = await openProject(context);
  const [one] = selectTargets(build, [name]);
  if (one === undefined) throw new Error('a target selects no package');
  const part = wordAmong(word, parts, 'There is no such log');
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
  const { plain } = logMarkup(context.env);
  const shownText = (text: string): string => plain(printable(text));
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

/** The parts of a log that belong to one group of steps, each with its head line. */
function partOf(text: string, part: string): string {
  if (part === 'compile') return text;
  const [, ...steps] = text.split(/^(?=# step \d+ of \d+, )/m);
  return steps.filter((step) => step.slice(0, step.indexOf('\n')).endsWith(`, ${part}`)).join('');
}
