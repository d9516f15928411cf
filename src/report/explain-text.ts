/** Explanations in words (pure; escaping included). */
import { count } from '../model/count.ts';
import type {
  Change,
  Explanation,
  FileChange,
  Influence,
  LastRun,
  MissExplanation,
  Root,
} from '../model/explanation.ts';
import type { Reason } from '../model/event.ts';
import { nameOf } from '../model/package-id.ts';
import { answered, because, inputName, reason, spared } from './phrases.ts';
import { printable } from './printable.ts';
import { duration, list, pathFrom, shortened } from './words.ts';

interface ExplainWords {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Absolute; paths inside it are shown relative to it. */
  readonly cwd: string;
  readonly prefix: string;
}

/** Values longer than this are cut. */
const mostText = 120;
/** Of the reasons for a new generation. */
const mostReasons = 8;

const ago = (ms: number, { nowMs }: ExplainWords): string => `${duration(Math.max(0, nowMs - ms))} ago`;
const key = (text: string): string => shortened(text);
const text = (lines: readonly string[]): string => lines.map((line) => `${printable(line)}\n`).join('');

/** Ends with a line feed. */
export function explanationText(given: Explanation, at: ExplainWords): string {
  const { lastRun, failure } = given;
  return text([
    `${given.package} ${verdict(given, at)}`,
    ...rootLines(given.roots),
    ...(given.state === 'stale' ? [] : installLines(given, at)),
    ...(failure === undefined ? [] : failureLines(failure, given, at)),
    ...(lastRun === undefined ? [] : lastRunLines(lastRun, at)),
  ]);
}

function verdict(
  { state, unpinned, generation, otherGeneration, base, roots, lastRun, onDisk }: Explanation,
  at: ExplainWords,
): string {
  const place = pathFrom(at.cwd, at.prefix);
  switch (state) {
    case 'fresh': {
      const gone = onDisk ? '' : '; its artifact is no longer on the disk';
      if (generation !== undefined)
        return `is fresh: nothing differs, it is installed in generation ${generation} of ${place}${gone}`;
      return roots.length === 0
        ? `is fresh: nothing differs; it is not installed in ${place}`
        : `is made ready, but it differs from what is installed in ${place}`;
    }
    case 'ready':
      return 'is not made ready from what is here now, but its artifact is on the disk, to be restored';
    case 'open': {
      const lack = `${list(unpinned)} ${unpinned.length === 1 ? 'has no pin' : 'have no pins'}`;
      return unpinned.length === 0
        ? 'has no content key yet: its tools have no pins for this platform; vbuild lock makes them'
        : `has no content key yet: ${lack}; vbuild lock makes them`;
    }
    case 'stale': {
      if (base === undefined && otherGeneration !== undefined)
        return `is stale: generation ${otherGeneration} of ${place} has it with another key, and nothing tells any more what that one was made from`;
      if (base === undefined) return 'is stale: it was never made ready here';
      const then =
        base.from === 'prefix'
          ? `what is installed in ${place}`
          : `what it was last ${lastRun?.outcome ?? 'built'} from`;
      return roots.length === 0
        ? `is stale: nothing differs from ${then}, but its artifact is no longer on the disk`
        : `is stale: it differs from ${then}`;
    }
    default:
      return state satisfies never;
  }
}

/** What is of the package itself comes first. */
function installLines({ package: id, install }: Explanation, at: ExplainWords): string[] {
  if (install === undefined) return [];
  const of = (own: boolean): Reason[] => install.reasons.filter(({ input }) => (nameOf(input) === nameOf(id)) === own);
  const reasons = [...of(true), ...of(false)];
  const more = reasons.length - mostReasons;
  return [
    `${pathFrom(at.cwd, at.prefix)} is stale, it gets a new generation:`,
    ...reasons.slice(0, mostReasons).map((one) => `  ${reason(one, mostText)}`),
    ...(more > 0 ? [`  ${more} more`] : []),
  ];
}

function lastRunLines(run: LastRun, at: ExplainWords): string[] {
  const head = `last ${run.outcome} ${ago(run.endedAtMs, at)} in ${duration(run.durationMs)}`;
  const first = run.stages.find(({ reasons }) => reasons.length > 0);
  const why = run.roots.length > 0 ? '' : first === undefined ? '' : `: ${because(first.reasons)}`;
  return [
    `${head}${why}${run.roots.length > 0 ? ', because of' : ''}`,
    ...rootLines(run.roots),
    ...(run.equal === undefined ? [] : [`  ${spared(run.equal)}`]),
    ...(run.answers.length === 0
      ? []
      : [
          `  caches then: ${run.answers.map((one) => `${one.tier} ${answered(one)}${one.equal ? ' by equal trees' : ''}`).join('; ')}`,
        ]),
  ];
}

function failureLines({ error, endedAtMs, key: failed }: LastRun, now: Explanation, at: ExplainWords): string[] {
  const stage = error?.stage === undefined ? '' : ` in stage ${error.stage}`;
  const what = `failed ${ago(endedAtMs, at)}${stage}: ${error?.headline ?? 'unknown'} (see vbuild log ${nameOf(now.package)})`;
  if (now.key !== undefined && failed !== now.key) return [`something else that it was ${what}`];
  return [now.state === 'stale' || now.state === 'open' ? `last run ${what}` : `before it was there, it ${what}`];
}

/** Ends with a line feed. */
export function missText(given: MissExplanation): string {
  const { answers, nearest, relatives, notListed } = given;
  const widest = Math.max(...answers.map(({ tier }) => tier.length));
  const told = [
    `${given.package} has key ${key(given.key)}`,
    ...answers.map((one) => `  ${one.tier.padEnd(widest)}  ${answered(one)}`),
  ];
  if (answers.some(({ answer }) => answer === 'hit')) return text(told);
  return text([
    ...told,
    ...notListed.map((tier) => `${tier} cannot be listed, so nothing is known of what else it has`),
    ...(nearest === undefined
      ? ['there is no other artifact of it to compare with']
      : [
          `nearest of ${count(relatives, 'other artifact')}: ${nearest.package} ${nearest.tier === 'disk' ? 'on the disk' : `in ${nearest.tier}`}, key ${key(nearest.key)}, built ${nearest.builtAt}; ${nearest.equal} of ${nearest.fields} fields are equal`,
          'for a hit these would have to be equal (there → here):',
          ...rootLines(nearest.roots),
        ]),
  ]);
}

/** Ends with a line feed. @param file As the user wrote it. */
export function influenceText(file: string, isThere: boolean, influences: readonly Influence[]): string {
  const decides = isThere ? 'decides' : 'is not there; if it were, it would decide';
  if (influences.length === 0) return text([`${file} ${decides} no package`]);
  const roles = [...new Set(influences.map(({ as }) => as))];
  return text(
    roles.map((role) => {
      const decided = influences.filter(({ as }) => as === role);
      const names = decided.map((one) => one.package);
      const further = [...new Set(decided.flatMap(({ reaches }) => reaches))].filter((name) => !names.includes(name));
      const through = names.length === 1 ? 'it' : 'them';
      const more = further.length === 0 ? '' : `, and through ${through} ${list(further)}`;
      return `${file} ${decides} ${list(names)} as ${names.length === 1 ? 'its' : 'their'} ${role}${more}`;
    }),
  );
}

/** Packages in which just the same changed, such as a tool or our own rules, are told together. */
function rootLines(roots: readonly Root[]): string[] {
  const alike = Map.groupBy(roots, ({ changes }) => JSON.stringify(changes));
  return [...alike.values()].flatMap((group) => {
    const [{ package: name, through, changes } = { package: '', through: [], changes: [] }] = group;
    const head =
      group.length > 1
        ? `each of ${group.map((one) => one.package).join(', ')}`
        : `${name}${through.length === 0 ? '' : `, through ${through.toReversed().join(', ')}`}`;
    return [
      `  ${head}`,
      ...(changes.length === 0 ? ['    differs, but it is no longer known what it was made from then'] : []),
      ...changes.flatMap(changeLines).map((line) => `    ${line}`),
    ];
  });
}

function changeLines(change: Change): string[] {
  switch (change.kind) {
    case 'patch': {
      const { what, place, from, to, content } = change;
      const name = `patch ${place}, ${content.file},`;
      switch (what) {
        case 'added':
          return [`${name} is new`];
        case 'dropped':
          return [`${name} is gone`];
        case 'moved':
          return [`${name} moved in the series: ${from} → ${to}`];
        case 'stripped':
          return [`${name} has another strip level: ${from} → ${to}`];
        case 'changed':
          return [`${name} changed: ${digests(content)}`, ...contentLines(content)];
        default:
          return what satisfies never;
      }
    }
    case 'source':
      return [
        `source changed: ${key(change.before)} → ${key(change.now)}`,
        ...change.reasons.map(
          ({ input, before = 'none', now = 'none' }) =>
            `  ${input}: ${shortened(before, mostText)} → ${shortened(now, mostText)}`,
        ),
        ...(change.files ?? []).flatMap((file) => [
          `  ${file.file} ${fileWords(file)}`,
          ...contentLines(file).map((line) => `  ${line}`),
        ]),
        ...(change.moreFiles === undefined ? [] : [`  and ${change.moreFiles} more`]),
      ];
    case 'value':
      return [valueLine(change)];
    default:
      return change satisfies never;
  }
}

function fileWords(file: FileChange): string {
  const { before = file.before && 'file', now = file.now && 'file' } = file.nature ?? {};
  const content = file.before === file.now ? '' : digests(file);
  if (before === undefined) return now === 'file' ? 'is new' : `is new: ${now}`;
  if (now === undefined) return 'is gone';
  if (before === now && content !== '') return `changed: ${content}`;
  return `changed: ${before} → ${now}${file.before === undefined || file.now === undefined || content === '' ? '' : `; ${content}`}`;
}

const digests = ({ before, now, first }: FileChange): string =>
  `${key(before ?? 'none')} → ${key(now ?? 'none')}${first === undefined ? '' : `, first in line ${first.line} at byte ${first.byte}`}`;

const contentLines = ({ diff }: FileChange): string[] =>
  diff === undefined || diff === '' ? [] : diff.split('\n').map((line) => `  ${line}`);

function valueLine({ input, before, now, words }: Extract<Change, { kind: 'value' }>): string {
  const name = inputName(input);
  if (before === undefined) return `${name} is new: ${shortened(now ?? '', mostText)}`;
  if (now === undefined) return `${name} is gone, it was ${shortened(before, mostText)}`;
  if (words === undefined) return `${name}: ${shortened(before, mostText)} → ${shortened(now, mostText)}`;
  const marked = words.map((piece) => {
    if (piece.in === 'before') return `[-${piece.text}-]`;
    return piece.in === 'now' ? `{+${piece.text}+}` : cutInside(piece.text);
  });
  return `${name}: ${marked.join('')}`;
}

/** What both have need not be read whole. */
const cutInside = (same: string): string => (same.length <= 60 ? same : `${same.slice(0, 28)}…${same.slice(-28)}`);
