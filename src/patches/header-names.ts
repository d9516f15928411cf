/** File names in patch headers: quoting, dates, git's line of two names, leading parts dropped, and which of several names is meant. */

export interface HeaderName {
  /** `undefined` for `/dev/null` and for a header that gives none. */
  readonly name: string | undefined;
  /** The header says that the file was not there: `/dev/null` or a date of 1970-01-01. */
  readonly absent: boolean;
  /** Its date, in hours since 1970-01-01 00:00 UTC; one without a zone is taken to be UTC. Absent where the header has none. */
  readonly hours?: number;
}

/**
 * Reads what stands behind `--- ` or `+++ `: a name, C-quoted or up to the tab or else the first blank, then a date.
 *
 * @param rest latin1, without the line end.
 */
export function headerName(rest: string): HeaderName {
  const text = rest.trimStart();
  const quoted = text.startsWith('"') ? unquote(text) : undefined;
  const tab = text.indexOf('\t');
  const blank = text.search(/\s/);
  const end = tab !== -1 ? tab : blank !== -1 ? blank : text.length;
  const name = quoted ? quoted.name : text.slice(0, end);
  const date = quoted ? quoted.rest : text.slice(end);
  if (name === '/dev/null') return { name: undefined, absent: true };
  const hours = hoursOf(date);
  // Within a day or so: local times without a zone can be up to 26 hours off.
  const absent = hours !== undefined && hours > -25 && hours < 26;
  return { name: name === '' ? undefined : name, absent, ...(hours !== undefined && { hours }) };
}

/** The headers of one git section, gathered line by line. */
export interface GitHeaders {
  /** What stands behind `diff --git `. */
  readonly names: string;
  oldMode?: number;
  newMode?: number;
  created?: true;
  deleted?: true;
  move?: 'rename' | 'copy';
  from?: string;
  to?: string;
  /** A line says of the file what alone makes a patch to GNU patch; that it is similar to another one does not. */
  isPatch?: true;
  /** The `index` line names content for the new side. */
  hasContent?: boolean;
}

/** Takes one extended header in; false when the line is none. */
export function readGitHeader(into: GitHeaders, line: string): boolean {
  const match =
    /^(old mode|new mode|deleted file mode|new file mode) ([0-7]{1,7})$/.exec(line) ??
    /^(rename from|rename to|copy from|copy to|(?:dis)?similarity index) (.+)$/.exec(line) ??
    /^(index) ([0-9a-f]+\.\.[0-9a-f]+(?: [0-7]{1,7})?)$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) return false;
  const value = match[2];
  const mode = Number.parseInt(value, 8);
  const [kind, part] = match[1].split(' ');
  if (part !== 'index') into.isPatch = true;
  if (match[1] === 'old mode') into.oldMode = mode;
  else if (match[1] === 'new mode') into.newMode = mode;
  else if (kind === 'deleted') Object.assign(into, { deleted: true, oldMode: mode });
  else if (kind === 'new') Object.assign(into, { created: true, newMode: mode });
  else if (kind === 'rename' || kind === 'copy') Object.assign(into, { move: kind, [part ?? '']: wholeName(value) });
  else if (kind === 'index') {
    const [, fresh = '', both] = /\.\.([0-9a-f]+)(?: (\d+))?$/.exec(value) ?? [];
    into.hasContent = !/^(0+|e69de29.*)$/.test(fresh);
    if (both !== undefined) into.oldMode = into.newMode = Number.parseInt(both, 8);
  }
  return true;
}

/**
 * The two names of a git section, as with their prefixes. Unquoted names may hold blanks, so the line is cut where both halves agree:
 * behind their first part, or with the names of a rename or copy. `undefined` when it cannot be cut.
 */
export function gitNames({ names: rest, move, from, to }: GitHeaders): readonly [string, string] | undefined {
  const quoted = unquote(rest);
  if (quoted) return [quoted.name, wholeName(quoted.rest.trimStart())];
  const second = rest.endsWith('"') ? rest.indexOf(' "') : -1;
  if (second > 0) return [rest.slice(0, second), wholeName(rest.slice(second + 1))];
  return move === undefined ? cutAtSameName(rest) : cutAtNames(rest, from, to);
}

/** A name is at most 4096 bytes long: longer lines are not looked at. */
const longestLine = 2 * 4096 + 64;

function cutAtSameName(rest: string): readonly [string, string] | undefined {
  const slash = rest.indexOf('/');
  let secondSlash = slash;
  for (let cut = rest.indexOf(' '); cut !== -1 && rest.length < longestLine; cut = rest.indexOf(' ', cut + 1)) {
    if (secondSlash !== -1 && secondSlash < cut) secondSlash = rest.indexOf('/', cut);
    const names = [rest.slice(0, cut), rest.slice(cut + 1)] as const;
    const behindPrefix = slash !== -1 && slash < cut && secondSlash !== -1 && cut - slash === rest.length - secondSlash;
    if (names[0] === names[1] || (behindPrefix && rest.slice(slash, cut) === rest.slice(secondSlash))) return names;
  }
  return undefined;
}

function cutAtNames(rest: string, from = '', to = ''): readonly [string, string] | undefined {
  const cut = rest.length - to.length;
  // What stands before the blank ends in `from`; what stands behind it ends in `to`, with or without a prefix such as `b/`.
  const fits = (blank: number): boolean =>
    rest.endsWith(from, blank) &&
    ['/', undefined].includes(rest[blank - from.length - 1]) &&
    (blank === cut - 1 || rest[cut - 1] === '/');
  if (!rest.endsWith(to) || rest.length >= longestLine) return undefined;
  for (let blank = rest.lastIndexOf(' ', cut - 1); blank > 0; blank = rest.lastIndexOf(' ', blank - 1)) {
    if (fits(blank)) return [rest.slice(0, blank), rest.slice(blank + 1)];
  }
  return undefined;
}

/** A name that fills the rest of its line, such as after `rename from `. */
const wholeName = (text: string): string => (text.startsWith('"') ? (unquote(text)?.name ?? text) : text);

/** Drops leading parts; slashes in a row count as one. `undefined` when the name has too few parts. */
export function stripName(name: string, strip: number): string | undefined {
  const parts = name.split(/\/+/);
  return parts.length > strip ? parts.slice(strip).join('/') : undefined;
}

/** Of several names the one that GNU patch means: fewest parts, then the shortest last part, then the shortest, then the first. */
export function bestName(names: readonly string[]): string | undefined {
  const rank = (name: string): readonly number[] => {
    const parts = name.split(/\/+/);
    return [parts.length, parts.at(-1)?.length ?? 0, name.length];
  };
  return names
    .map((name, at) => ({ name, rank: [...rank(name), at] }))
    .sort((a, b) => {
      const differing = a.rank.findIndex((value, i) => value !== b.rank[i]);
      return (a.rank[differing] ?? 0) - (b.rank[differing] ?? 0);
    })[0]?.name;
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  '"': '"',
  '\\': '\\',
};

/** Reads a C string at the start of a text; octal escapes are bytes. */
function unquote(text: string): { readonly name: string; readonly rest: string } | undefined {
  const match = /^"((?:[^"\\]|\\[abtnvfr"\\]|\\[0-3][0-7]{2})*)"/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const name = match[1].replace(/\\(?:([0-3][0-7]{2})|(.))/g, (_all, octal: string | undefined, letter: string) =>
    octal === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return { name, rest: text.slice(match[0].length) };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const iso = /^\s*(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d)(?:\.\d*)?)?(?:\s*([+-])(\d\d):?(\d\d))?\s*$/;
const ctime = /^\s*[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d\d?) (\d\d):(\d\d):(\d\d) (\d{4})(?:\s*([+-])(\d\d)(\d\d))?\s*$/;

/** Since 1970-01-01 00:00 UTC; undefined for what is no date. */
function hoursOf(date: string): number | undefined {
  const a = iso.exec(date);
  const b = a ? null : ctime.exec(date);
  const fields = a
    ? [a[1], a[2], a[3], a[4], a[5], a[6]]
    : b
      ? [b[6], String(months.indexOf(b[1] ?? '') + 1), b[2], b[3], b[4], b[5]]
      : undefined;
  if (fields === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields.map((field) => Number(field ?? 0));
  const zone = (a ?? b)?.slice(7) ?? [];
  const zoneMinutes = (zone[0] === '-' ? -1 : 1) * (Number(zone[1] ?? 0) * 60 + Number(zone[2] ?? 0));
  return Date.UTC(year, month - 1, day, hour, minute, second) / 3_600_000 - zoneMinutes / 60;
}
