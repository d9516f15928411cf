/** The English of events: reasons, activities, and the last line of a run (pure; escaping is the caller's where nothing else is said). */
import type { VbuildError } from '../model/error.ts';
import type { BuildEvent, Outcome, Reason } from '../model/event.ts';
import { readable } from '../key/step-text.ts';
import { apart } from './apart.ts';
import type { Activity } from './progress.ts';
import { count } from '../model/count.ts';
import { printable } from './printable.ts';
import { columns } from './table.ts';
import { duration, list, pathFrom, size } from './words.ts';

type RunFinished = Extract<BuildEvent, { type: 'run-finished' }>;

/** What the last line needs to know beside the last event. */
interface RunFacts {
  readonly targets: readonly string[];
  /** Of the prefix, when this run switched it. */
  readonly generation: number | undefined;
  readonly failed: number;
  readonly skipped: number;
  readonly cwd: string;
}

/** The first two reasons, values cut, and how many more there are; empty when there is none. */
export function because(reasons: readonly Reason[]): string {
  const shown = reasons.slice(0, 2).map((each) => reason(each));
  const more = reasons.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

/** One reason in full; of values beyond `most` characters what differs. */
export function reason({ input, before, now }: Reason, most = 40): string {
  if (input === 'stamp' && now !== undefined) return now;
  if (before === undefined) return now === undefined ? input : `${input} is new`;
  if (now === undefined) return `${input} is gone`;
  return `${input}: ${apart(readable(input, before), readable(input, now), most).join(' → ')}`;
}

/** Why a package was not compiled again; empty when there is no such reason. @param equal Dependencies that came out equal. */
export const spared = (equal: readonly string[] = []): string =>
  equal.length === 0 ? '' : `${list(equal)} came out equal, so this was not compiled again`;

/** What a cache said: `absent`, `unreachable: no route to the host`. */
export const answered = ({ answer, reason: why }: { readonly answer: string; readonly reason?: string }): string =>
  `${answer}${why === undefined ? '' : `: ${why}`}`;

/** How far a transfer is: `orig.tar.xz: 1.2 MB of 3.4 MB`. */
export function transferred({ what, doneBytes, totalBytes }: NonNullable<Activity['transfer']>): string {
  return `${what}: ${size(doneBytes)}${totalBytes === undefined ? '' : ` of ${size(totalBytes)}`}`;
}

/** `9 built`, `7 restored and 2 built`, `3 fresh`; empty when there was nothing. */
export function outcomes(numbers: Readonly<Record<Outcome, number>>): string {
  const order = ['restored', 'built', 'fresh'] as const;
  return list(order.filter((outcome) => numbers[outcome] > 0).map((outcome) => `${numbers[outcome]} ${outcome}`));
}

/**
 * All that failed in few words, in the order in which it did, and what was not tried: the reports themselves may stand far above. Escaped.
 */
export function failureSummary(
  failed: ReadonlyMap<string, VbuildError>,
  skipped: readonly string[],
  cwd: string,
): string {
  const rows = [...failed].map(([name, { message, facts, where }]) => {
    const ended = facts['ended'] === undefined ? message : `${message}: ${facts['ended']}`;
    const [found = ended] = (facts['error'] ?? '').split('\n').filter((line) => line !== '');
    const place = facts['log'] ?? where.file;
    return ['', name, where.stage ?? '', place === undefined ? found : `${found}  (${pathFrom(cwd, place)})`];
  });
  const rest = skipped.length === 0 ? '' : `skipped: ${list(skipped, 8)}\n`;
  return `failed:\n${columns(rows)}${printable(rest)}`;
}

/** What is where and how long it took, in one line. */
export function lastLine(event: RunFinished, facts: RunFacts): string {
  const { targets, generation, cwd } = facts;
  const names = targets.length === 0 ? 'all' : list(targets);
  const are = targets.length === 1 ? 'is' : 'are';
  const took = duration(event.durationMs);
  const place = event.prefix === undefined ? '' : ` in ${pathFrom(cwd, event.prefix)}`;
  const done = outcomes(event.outcomes);
  const workDone = event.outcomes.built + event.outcomes.restored > 0;
  if (event.exitStatus === 0 && !workDone && generation === undefined)
    return `${names} ${are} fresh${place}: nothing to do`;

  const ready = event.prefix === undefined ? `${names} ${are} packed` : `${names} ready${place}`;
  const numbered = generation === undefined ? ready : `${ready} (generation ${generation})`;
  const total = done === '' ? took : `${done} in ${took}`;
  if (event.exitStatus === 0) return `${numbered}: ${total}`;
  if (event.exitStatus === 5) return `${numbered}, but an upload failed: ${total}`;
  if (event.exitStatus >= 128) return `interrupted after ${took}${done === '' ? '' : `: ${done}`}`;
  const losses = [
    ...(facts.failed > 0 ? [`${count(facts.failed, 'package')} failed`] : []),
    ...(facts.skipped > 0 ? [`${facts.skipped} skipped`] : []),
    ...(done === '' ? [] : [done]),
  ];
  return `${names} not ready${losses.length > 0 ? `: ${losses.join(', ')}` : ''} in ${took}`;
}

/** An input as people call it. */
export function inputName(input: string): string {
  const [first = '', ...rest] = input.split('.');
  const name = rest.join('.');
  switch (first) {
    case 'patch':
      return rest[1] === 'strip' ? `strip level of patch ${Number(rest[0])}` : `patch ${Number(name)}`;
    case 'env':
      return `variable ${name}`;
    case 'step':
      return `step ${Number(rest[0])}, ${rest[1] ?? ''}`;
    case 'tool':
      return `tool ${name}`;
    case 'dependency':
      return `dependency ${name}`;
    case 'rules':
      return `vbuild's own rules for stage ${name}`;
    case 'package':
      return name;
    case 'remove':
      return `pattern of remove ${Number(name)}`;
    case 'prefixInBinary':
      return `pattern of prefixInBinaries ${Number(name)}`;
    case 'hostLibrary':
      return `host library ${name}`;
    default:
      return input;
  }
}
