/** What can make two builds of one text differ, told from the two texts and from what is known of the builds (pure). */

import { isAscii, isUtf8 } from 'node:buffer';

/** Why a file differs, in the order in which it is told. */
export const differenceKinds = [
  'missing',
  'extra',
  'type',
  'target',
  'mode',
  'order',
  'time',
  'path',
  'host',
  'user',
  'jobs',
  'locale',
  'build-id',
  'random',
  'other',
] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/** What one build could see; what is not known of it is left out. */
export interface BuiltUnder {
  /** Between these two times, in milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Absolute paths of its folders, outer ones last; those of two builds correspond in their order. */
  readonly paths: readonly string[];
  readonly host?: string;
  readonly user?: { readonly name: string; readonly uid: number; readonly gid: number; readonly group: string };
  /** How many jobs it was to run, and how many processors it saw. */
  readonly jobs?: readonly number[];
  /** Values of the locale variables of the caller. */
  readonly locales?: readonly string[];
}

export type Both<T> = readonly [first: T, second: T];

/** Letters, digits and what joins them in names, paths, dates and times. */
export const wordCharacter = /[\w.:+/@-]/;

/** Why two different texts (latin1, so that each byte is a character) stand in one place; `other` where nothing is known to give both. */
export function causesOf(texts: Both<string>, built: Both<BuiltUnder>): readonly DifferenceKind[] {
  const named: DifferenceKind[] = [];
  let [x, y] = texts;
  for (const [kind, swap] of swaps) {
    const [nextX, nextY] = [swap(x, built[0], built[1]), swap(y, built[1], built[0])];
    // A word that stands in one of them alone is no cause: both builds have one.
    if (nextX === x || nextY === y) continue;
    [x, y] = [nextX, nextY];
    named.push(kind);
  }
  if (x === y) return named;
  const whole = singleCause(x, y, built);
  if (whole !== undefined) return [...named, whole];
  const [partsX, partsY] = [x.split(/([a-zA-Z0-9]+)/), y.split(/([a-zA-Z0-9]+)/)];
  if (partsX.length !== partsY.length) return [...named, 'other'];
  const parts = partsX.flatMap((part, at): DifferenceKind[] => {
    const other = partsY[at] ?? '';
    return part === other ? [] : [singleCause(part, other, built) ?? 'other'];
  });
  return [...new Set([...named, ...parts])];
}

/** Replaces what is one build's own by the same symbol as the other's. */
type Swap = (text: string, own: BuiltUnder, other: BuiltUnder) => string;

const swaps: readonly (readonly [DifferenceKind, Swap])[] = [
  [
    'path',
    (text, { paths }, { paths: others }) =>
      paths.reduce(
        (so, path, at) =>
          // A path that lost its first slash is one as well.
          others[at] === undefined || others[at] === path ? so : so.replaceAll(path.slice(1), `\0path${at}`),
        text,
      ),
  ],
  ['host', (text, { host }, other) => swapped(text, host, other.host, 'host')],
  ['user', (text, { user }, other) => swapped(text, user?.name, other.user?.name, 'user')],
  [
    'locale',
    (text, { locales = [] }, { locales: others = [] }) =>
      locales.reduce((so, locale, at) => swapped(so, locale, others[at], 'locale'), text),
  ],
];

function swapped(text: string, own: string | undefined, other: string | undefined, symbol: string): string {
  if (own === undefined || other === undefined || own === other || own.length < 2) return text;
  const parts = text.split(own);
  // Inside of another word it means nothing.
  return parts.reduce(
    (so, part) => `${so}${/[a-zA-Z0-9]$/.test(so) || /^[a-zA-Z0-9]/.test(part) ? own : `\0${symbol}`}${part}`,
  );
}

function singleCause(x: string, y: string, [first, second]: Both<BuiltUnder>): DifferenceKind | undefined {
  if (isUser(x, first) && (isUser(y, second) || second.user === undefined)) return 'user';
  if (x === first.host && second.host === undefined) return 'host';
  if (isOwnNumber(x, first.jobs) && isOwnNumber(y, second.jobs)) return 'jobs';
  if (isTime(x, first) && isTime(y, second)) return 'time';
  if (isSpeltOtherwise(x, y) || isSpeltOtherwise(y, x)) return 'locale';
  if (isRandom(x) && isRandom(y)) return 'random';
  return undefined;
}

const isUser = (text: string, { user }: BuiltUnder): boolean =>
  user !== undefined && [user.name, user.group, String(user.uid), String(user.gid)].includes(text);

const isOwnNumber = (text: string, numbers: readonly number[] = []): boolean => {
  const digits = /^\D*(\d+)\D*$/.exec(text)?.[1];
  return digits !== undefined && numbers.includes(Number(digits));
};

/** Whether one text is UTF-8 and the other the same in Latin-1, or in ASCII with plain quotes and `?` for what that lacks. */
function isSpeltOtherwise(one: string, other: string): boolean {
  const bytes = Buffer.from(one, 'latin1');
  if (isAscii(bytes) || !isUtf8(bytes)) return false;
  const text = bytes.toString('utf8');
  const plain = text.replaceAll(/[‘’“”`'"]/g, '"').replaceAll(/[^\0-\x7f]+|\?+/g, '?');
  return text === other || plain === other.replaceAll(/[`'"]/g, '"').replaceAll(/\?+/g, '?');
}

const isRandom = (text: string): boolean =>
  /^\d+$/.test(text) ||
  /^[0-9a-f]{6,}$/i.test(text) ||
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ||
  /^(tmp[._-]?|cc)\w{6,}$/.test(text) ||
  /^(?=\w*\d)(?=\w*[a-zA-Z])\w{8,}$/.test(text);

/** How far a clock may be from ours, and a file from the moment when it was written. */
const toleranceMs = 2000;

/** Whether a number of seconds since 1970 lies in the time of a build. */
export const isTimeOf = (seconds: number, { fromMs, toMs }: BuiltUnder): boolean =>
  seconds * 1000 >= fromMs - toleranceMs && seconds * 1000 <= toMs + toleranceMs;

/** Whether a text is a time of a build, or what differs between such times: a number of seconds, a date, a time of day, a part of them. */
function isTime(text: string, built: BuiltUnder): boolean {
  const epoch = /^\D?(1\d{9})(?:\.?\d{3}|\.?\d{6}|\.?\d{9})?\D?$/.exec(text)?.[1];
  if (epoch !== undefined && isTimeOf(Number(epoch), built)) return true;
  const [, hour, minute, second] = /(?:^|\D)(\d{1,2}):(\d{2})(?::(\d{2}))?/.exec(text) ?? [];
  if (hour !== undefined && minute !== undefined)
    return withinHour(Number(minute) * 60 + Number(second ?? 0), second === undefined ? 59 : 0, built);
  // As dates are written; a lone digit may be anything.
  return /^\d\d$/.test(text) ? isPartOfTime(Number(text), built) : dateWords(built).has(text.toLowerCase());
}

/** Minutes and seconds are the same in nearly every time zone. @param slack Seconds that the text does not tell. */
function withinHour(seconds: number, slack: number, { fromMs, toMs }: BuiltUnder): boolean {
  const length = (toMs - fromMs + 2 * toleranceMs) / 1000;
  if (length >= 3600) return true;
  const begin = ((fromMs - toleranceMs) / 1000) % 3600;
  return (seconds - begin + 3600 + slack) % 3600 <= length + slack;
}

/** Whether a small number is one of the fields of a time. */
function isPartOfTime(number: number, { fromMs, toMs }: BuiltUnder): boolean {
  for (let at = fromMs - toleranceMs; at <= toMs + toleranceMs; at += 1000) {
    const date = new Date(at);
    const fields = [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate()];
    if (fields.includes(number)) return true;
  }
  return false;
}

/** What dates of the days of a build are written with. */
function dateWords({ fromMs, toMs }: BuiltUnder): ReadonlySet<string> {
  const words = new Set<string>();
  const dayMs = 86_400_000;
  for (let at = fromMs - dayMs; at <= toMs + dayMs; at += dayMs) {
    const date = new Date(at);
    const [year = '', month = '', day = ''] = date.toISOString().slice(0, 10).split('-');
    const name = (options: Intl.DateTimeFormatOptions): string =>
      date.toLocaleDateString('en', { timeZone: 'UTC', ...options }).toLowerCase();
    const names = [name({ month: 'long' }), name({ weekday: 'long' })];
    const joined = ['', '-', '.', '/'].flatMap((by) => [
      [year, month, day].join(by),
      [day, month, year].join(by),
      [month, day, year].join(by),
    ]);
    for (const word of [year, ...names, ...names.map((long) => long.slice(0, 3)), ...joined]) words.add(word);
  }
  return words;
}
