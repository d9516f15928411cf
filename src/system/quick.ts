/**
 * The quickest answer: a command that had nothing to do last time has nothing to do now, if nothing that it looked at has changed.
 * An index derived from all the rest; it can be thrown away at any time. Imports next to nothing, because every start pays for it.
 */
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { cachePlace } from '../model/cache-place.ts';

/** How many numbers tell one state of a file from another. */
const markLength = 5;

/** Any change of content or rights moves the second one, whatever the first one is set to. Nothing there is all zeros. */
function mark(marks: Float64Array, at: number, stat: Stats | undefined): void {
  marks[at] = stat?.mtimeMs ?? 0;
  marks[at + 1] = stat?.ctimeMs ?? 0;
  marks[at + 2] = stat?.size ?? 0;
  marks[at + 3] = stat?.ino ?? 0;
  marks[at + 4] = stat?.mode ?? 0;
}

const isMarked = (marks: Float64Array, at: number, stat: Stats | undefined): boolean =>
  stat === undefined
    ? marks[at + 4] === 0
    : marks[at + 1] === stat.ctimeMs &&
      marks[at] === stat.mtimeMs &&
      marks[at + 2] === stat.size &&
      marks[at + 3] === stat.ino &&
      marks[at + 4] === stat.mode;

interface Link {
  readonly path: string;
  /** As written. */
  readonly target: string;
  /** Where it leads to in the end; undefined when nothing is there. That place is among the marked paths. */
  readonly end?: string;
}

/** The first line of an index. Behind it are the marks as they lie in memory, and then the paths, with a zero byte between them. */
interface Head {
  /** The command line and folder that were answered; a file name alone could be another's. */
  readonly asked: string;
  /** Variables that the Buildfile read, with their values then. */
  readonly environment: readonly (readonly [name: string, value: string | null])[];
  /** Folders with where they really lie. */
  readonly places: readonly (readonly [folder: string, real: string])[];
  readonly links: readonly Link[];
  /** How many paths are marked, and their length with what is between them. */
  readonly count: number;
  readonly pathBytes: number;
  readonly answer: string;
}

export interface Question {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Bump when the meaning of what is remembered changes. */
const format = 2;

/** Absolute; undefined where there is no place for it. */
function placeOf(asked: string, env: Question['env']): string | undefined {
  const cache = cachePlace(env);
  if (cache === undefined) return undefined;
  // FNV-1a: a name is all that is wanted, what was asked stands in the file itself.
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(asked)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return `${cache}/quick/${hash.toString(16)}.index`;
}

const askedBy = ({ argv, cwd }: Question): string => JSON.stringify([format, cwd, process.version, ...argv]);

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

/** What the command printed when it had nothing to do, if that still holds. */
export function quickAnswer(question: Question): string | undefined {
  const asked = askedBy(question);
  const place = placeOf(asked, question.env);
  if (place === undefined) return undefined;
  try {
    const bytes = readFileSync(place);
    const headEnd = bytes.indexOf(10);
    const head = JSON.parse(bytes.toString('utf8', 0, headEnd)) as Head;
    const marksEnd = headEnd + 1 + head.count * markLength * Float64Array.BYTES_PER_ELEMENT;
    const marks = new Float64Array(new Uint8Array(bytes.subarray(headEnd + 1, marksEnd)).buffer);
    const paths = bytes.toString('utf8', marksEnd).split('\0');
    const holds =
      head.asked === asked &&
      paths.length === head.count &&
      bytes.length === marksEnd + head.pathBytes &&
      head.environment.every(([name, value]) => (question.env[name] ?? null) === value) &&
      head.places.every(([folder, real]) => realpathSync.native(folder) === real) &&
      head.links.every(isAsItWas) &&
      paths.every((path, at) => isMarked(marks, at * markLength, statOf(path)));
    return holds ? head.answer : undefined;
  } catch {
    // None, or half of one: the long way knows the answer too.
    return undefined;
  }
}

const isAsItWas = ({ path, target, end }: Link): boolean => readlinkSync(path) === target && endOf(path) === end;

/** Where a path leads to with all links followed; undefined when nothing is there. */
function endOf(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : realpathSync.native(path);
}

export interface Remembered {
  /** Absolute paths of everything that the answer rests on, absent ones included; of a link, what it leads to counts as well. */
  readonly files: readonly string[];
  /** Absolute paths of folders of which it matters where they really lie. */
  readonly places: readonly string[];
  /** Names of the variables that it rests on. */
  readonly environment: readonly string[];
  readonly answer: string;
  /** Milliseconds since 1970, before the first of the files was looked at. */
  readonly startedMs: number;
}

/** The coarsest time stamps of a file system in use. */
const coarsestMs = 2000;

/**
 * Remembers an answer. What changed after it was looked at, or so shortly before that another change may leave the same times, is not as
 * the answer has it: nothing is remembered then.
 */
export function rememberAnswer(
  question: Question,
  { files, places, environment, answer, startedMs }: Remembered,
): void {
  const asked = askedBy(question);
  const place = placeOf(asked, question.env);
  // A clock that was set meanwhile dates changes as it likes.
  const clockMovedMs = Math.abs(Date.now() - performance.timeOrigin - performance.now());
  if (place === undefined || clockMovedMs > coarsestMs / 2) return;
  try {
    const links: Link[] = [];
    const stats = new Map<string, Stats | undefined>();
    for (const path of files) {
      const stat = statOf(path);
      if (stat?.isSymbolicLink() === true) {
        const end = endOf(path);
        links.push({ path, target: readlinkSync(path), ...(end !== undefined && { end }) });
        if (end !== undefined) stats.set(end, statOf(end));
      } else stats.set(path, stat);
    }
    const marks = new Float64Array(stats.size * markLength);
    let at = 0;
    for (const stat of stats.values()) {
      if (stat !== undefined && stat.ctimeMs >= startedMs - coarsestMs) return;
      mark(marks, at, stat);
      at += markLength;
    }
    const paths = Buffer.from([...stats.keys()].join('\0'));
    const head: Head = {
      asked,
      environment: environment.map((name) => [name, question.env[name] ?? null]),
      places: places.map((folder) => [folder, realpathSync.native(folder)]),
      links,
      count: stats.size,
      pathBytes: paths.length,
      answer,
    };
    mkdirSync(place.slice(0, place.lastIndexOf('/')), { recursive: true, mode: 0o700 });
    const temporary = `${place}.${process.pid}.tmp`;
    writeFileSync(
      temporary,
      Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), Buffer.from(marks.buffer), paths]),
    );
    renameSync(temporary, place);
  } catch {
    // Only slower the next time.
  }
}
