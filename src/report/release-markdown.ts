/** What differs between two releases, as Markdown for the ticket of a deployment (pure). */
import type { Release, ReleasedPackage } from '../artifact/release.ts';
import { dependencyPrefix, differences, parseKeyText } from '../key/fields.ts';
import type { Reason } from '../model/event.ts';
import { reason } from './phrases.ts';
import { shortened, size } from './words.ts';

/** Ends with a line feed. */
export function releaseMarkdown(before: Release, now: Release): string {
  const pairs = paired(before, now);
  const changed = pairs.filter(({ was, is }) => was?.key !== is?.key);
  const total = ({ packages }: Release): number => packages.reduce((sum, { body }) => sum + body.sizeBytes, 0);
  const facts = [
    ['Platform', sides(before.platform, now.platform)],
    ['Buildfile', sides(revisionOf(before), revisionOf(now))],
    ['To download', sides(size(total(before)), size(total(now)))],
    ['Packages', `${changed.length} of ${pairs.length} changed`],
  ] as const;
  const sections = [
    [`# ${text(now.name)} after ${text(before.name)}`, '', ...facts.map(([label, value]) => `- ${label}: ${value}`)],
    ...(changed.length === 0 ? [] : [table(changed), patchSection(changed), whySection(changed)]),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

interface Pair {
  readonly name: string;
  readonly was: ReleasedPackage | undefined;
  readonly is: ReleasedPackage | undefined;
}

/** In the order of the newer release, what is gone last. */
function paired(before: Release, now: Release): Pair[] {
  const named = ({ packages }: Release): Map<string, ReleasedPackage> =>
    new Map(packages.map((one) => [one.name, one]));
  const [old, current] = [named(before), named(now)];
  return [...new Set([...current.keys(), ...old.keys()])].map((name) => ({
    name,
    was: old.get(name),
    is: current.get(name),
  }));
}

function table(changed: readonly Pair[]): string[] {
  return [
    '| Package | Version | Download | Licences |',
    '| --- | --- | --- | --- |',
    ...changed.map(({ name, was, is }) => {
      const cells = [
        text(name),
        sides(was?.version, is?.version),
        sides(was && size(was.body.sizeBytes), is && size(is.body.sizeBytes)),
        sides(licencesOf(was), licencesOf(is)),
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    }),
  ];
}

function patchSection(changed: readonly Pair[]): string[] {
  const lines = changed.flatMap(({ name, was, is }) => {
    const [old, current] = [was?.patches ?? [], is?.patches ?? []];
    const added = current.filter((one) => !old.some((other) => other.name === one.name));
    const dropped = old.filter((one) => !current.some((other) => other.name === one.name));
    const edited = current.filter((one) => old.some((other) => other.name === one.name && other.digest !== one.digest));
    return [
      ...added.map((one) => `- ${text(name)}: added ${code(one.name)}`),
      ...dropped.map((one) => `- ${text(name)}: dropped ${code(one.name)}`),
      ...edited.map((one) => `- ${text(name)}: changed ${code(one.name)}`),
    ];
  });
  return lines.length === 0 ? [] : ['## Patches', '', ...lines];
}

function whySection(changed: readonly Pair[]): string[] {
  return [
    '## Why',
    '',
    ...changed.map(({ name, was, is }) => `- ${text(name)}: ${was && is ? why(was, is) : is ? 'is new' : 'is gone'}`),
  ];
}

/** What else a dependency went through is told at the dependency. */
function why(was: ReleasedPackage, is: ReleasedPackage): string {
  const all = differences(parseKeyText(was.keyText), parseKeyText(is.keyText));
  const own = all.filter(({ input }) => !input.startsWith(dependencyPrefix));
  const followed = all
    .filter(({ input }) => input.startsWith(dependencyPrefix))
    .map(({ input }) => input.slice(dependencyPrefix.length));
  const said = own.map((one: Reason) => code(reason(one)));
  return [...said, ...(followed.length > 0 ? [`follows ${followed.map(text).join(', ')}`] : [])].join('; ');
}

const revisionOf = ({ revision }: Release): string =>
  revision === undefined
    ? 'not under version control'
    : `${shortened(revision.commit)}${revision.ref === undefined ? '' : ` (${text(revision.ref)})`}${revision.clean ? '' : ', with modified files'}`;

const licencesOf = (one: ReleasedPackage | undefined): string | undefined =>
  one && (one.licences === undefined ? '-' : one.licences.join(', ') || 'none recognised');

/** One text where both sides are equal, else what it was and what it is. */
const sides = (before: string | undefined, now: string | undefined): string =>
  before === now ? (now ?? '') : `${before ?? '(none)'} → ${now ?? '(none)'}`;

/** What Markdown would take for more than letters is taken by its word. */
const text = (plain: string): string => plain.replace(/[\\`*_[\]<>#|]/g, '\\$&');

/** As code; a text that holds the sign for it gets more of them around it. */
function code(plain: string): string {
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${plain}${fence}` : `${fence} ${plain} ${fence}`;
}
