/**
 * The quickest answer: a command that had nothing to do last time has nothing to do now, if nothing that it looked at has changed.
 * An index derived from all the rest; it can be thrown away at any time. Imports next to nothing, because every start pays for it.
 */
import { lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { cachePlace } from '../model/cache-place.ts';

/** What tells whether a file is as it was: its times, size and place on disk; where a symlink points; `none` when nothing is there. */
function markOf(path: string): string {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return 'none';
  if (stat.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  return `${stat.mtimeNs} ${stat.ctimeNs} ${stat.size} ${stat.ino} ${stat.mode}`;
}

interface Remembered {
  /** The command line and folder that were answered; a file name alone could be another's. */
  readonly asked: string;
  /** Absolute paths with their marks. */
  readonly files: readonly (readonly [path: string, mark: string])[];
  /** Variables that the Buildfile read, with their values then. */
  readonly environment: readonly (readonly [name: string, value: string | null])[];
  readonly answer: string;
}

export interface Question {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Bump when the meaning of what is remembered changes. */
const format = 1;

/** Absolute; undefined where there is no place for it. */
function placeOf(asked: string, env: Question['env']): string | undefined {
  const cache = cachePlace(env);
  if (cache === undefined) return undefined;
  // FNV-1a: a name is all that is wanted, what was asked stands in the file itself.
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(asked)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return `${cache}/quick/${hash.toString(16)}.json`;
}

const askedBy = ({ argv, cwd }: Question): string => JSON.stringify([format, cwd, process.version, ...argv]);

/** What the command printed when it had nothing to do, if that still holds. */
export function quickAnswer(question: Question): string | undefined {
  const asked = askedBy(question);
  const place = placeOf(asked, question.env);
  if (place === undefined) return undefined;
  try {
    const remembered = JSON.parse(readFileSync(place, 'utf8')) as Remembered;
    const holds =
      remembered.asked === asked &&
      remembered.environment.every(([name, value]) => (question.env[name] ?? null) === value) &&
      remembered.files.every(([path, mark]) => markOf(path) === mark);
    return holds ? remembered.answer : undefined;
  } catch {
    // None, or half of one: the long way knows the answer too.
    return undefined;
  }
}

/**
 * Remembers an answer. Files that changed within the last two seconds may change again without another time, so that nothing is
 * remembered then.
 *
 * @param files Absolute paths of everything that the answer rests on, absent ones included.
 * @param environment Names of the variables that it rests on.
 */
export function rememberAnswer(
  question: Question,
  {
    files,
    environment,
    answer,
  }: { readonly files: readonly string[]; readonly environment: readonly string[]; readonly answer: string },
): void {
  const asked = askedBy(question);
  const place = placeOf(asked, question.env);
  if (place === undefined) return;
  const newestNs = BigInt(Date.now() - 2000) * 1_000_000n;
  const isRecent = (path: string): boolean =>
    (lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ctimeNs ?? 0n) > newestNs;
  if (files.some(isRecent)) return;
  const remembered: Remembered = {
    asked,
    files: files.map((path) => [path, markOf(path)]),
    environment: environment.map((name) => [name, question.env[name] ?? null]),
    answer,
  };
  try {
    mkdirSync(place.slice(0, place.lastIndexOf('/')), { recursive: true, mode: 0o700 });
    const temporary = `${place}.${process.pid}.tmp`;
    writeFileSync(temporary, JSON.stringify(remembered));
    renameSync(temporary, place);
  } catch {
    // Only slower the next time.
  }
}
