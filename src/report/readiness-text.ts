/** What `check` found, in words (pure; escaping included). */
import { count } from '../model/count.ts';
import { type CheckedPackage, type Readiness, readinessStatus } from '../model/readiness.ts';
import { because } from './phrases.ts';
import { printableLine } from './printable.ts';
import { columns } from './table.ts';
import { list, numberOfEach, pathFrom, size } from './words.ts';

/** Ends with a line feed. @param cwd Absolute; a prefix inside it is shown relative to it. */
export function readinessText(readiness: Readiness, cwd: string): string {
  const { targets, prefix, packages, reasons } = readiness;
  const names = targets.length === 0 ? 'all' : list(targets);
  const are = targets.length === 1 ? 'is' : 'are';
  const place = prefix === undefined ? ' to be installed' : ` in ${pathFrom(cwd, prefix)}`;
  if (readinessStatus(readiness) === 0) return `${printableLine(`${names} ${are} ready${place}`)}\n`;
  const counts = numberOfEach(
    ['missing', 'unfit', 'available', 'installed'] as const,
    packages.map(({ state }) => state),
  ).map(([state, number]) => `${number} ${state}`);
  return [
    columns(packages.map((one) => [one.package, one.state, ...notes(one)])),
    ...(reasons.length === 0 || prefix === undefined
      ? []
      : [`${printableLine(`${pathFrom(cwd, prefix)} is not what is asked for: ${because(reasons)}`)}\n`]),
    `${printableLine(`${names} ${are} not ready${place}`)}: ${list(counts)} of ${count(packages.length, 'package')}\n`,
  ].join('');
}

function notes(one: CheckedPackage): string[] {
  switch (one.state) {
    case 'installed':
      return [];
    case 'available':
      return [`in ${one.tier}${one.transferBytes > 0 ? `, ${size(one.transferBytes)}` : ''}`];
    case 'unfit':
      return [one.reason];
    case 'missing':
      return [one.reason ?? 'no cache has it'];
    default:
      return one satisfies never;
  }
}
