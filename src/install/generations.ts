/** A prefix is a symbolic link to one of its generations; which there are, and the one rename that switches between them. */
import { basename, dirname, join, resolve } from 'node:path';
import type { ContentKey, Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import { exists, fileStat, linkTarget, namesIn, readOwnJson, realPath } from '../system/files.ts';
import { kindOf, replaceSymlink, setTime, syncFolder } from '../system/tree-edit.ts';

/** What a generation holds; kept beside it, so that its tree has only what the packages have. */
export interface GenerationRecord {
  readonly format: 1;
  /** By package name. */
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly key: ContentKey; readonly tree: Digest }>
  >;
  /** What the installer noted: when, by what, for which targets; `replaced` is the number of the generation that was current before. */
  readonly notes: Readonly<Record<string, string>>;
}

export interface Generation {
  readonly number: number;
  /** Absolute path of its tree. */
  readonly path: string;
  /** Absolute path of its record, which may have been lost. */
  readonly recordFile: string;
  /** Undefined when it was lost or cannot be read. */
  readonly record: GenerationRecord | undefined;
}

/** Absolute path of the folder with the generations of a prefix: beside the link, so that both move together. */
export const generationsFolder = (prefix: string): string =>
  join(dirname(resolve(prefix)), `.${basename(resolve(prefix))}.generations`);

/** Absolute path of a prefix whose parent folder is there, links above it followed: it changes when the prefix is moved, and only then. */
export const placeOf = (prefix: string): string => join(realPath(dirname(resolve(prefix))), basename(resolve(prefix)));

/**
 * The generation that a prefix shows now; undefined when there is none yet, or when the one it names is gone.
 *
 * @param prefix Absolute path of the link.
 * @throws {VbuildError} `install-refused` when something that is not ours lies in its place.
 */
export function currentGeneration(prefix: string): Generation | undefined {
  const number = currentNumber(prefix);
  return number === undefined ? undefined : generationAt(prefix, number);
}

/** A generation by its number; undefined when it is not there. */
function generationAt(prefix: string, number: number): Generation | undefined {
  const path = join(generationsFolder(prefix), String(number));
  const recordFile = recordPath(prefix, number);
  return kindOf(path) === 'folder' ? { number, path, recordFile, record: recordIn(recordFile) } : undefined;
}

/** All that are there, oldest first. */
export const generationsOf = (prefix: string): Generation[] =>
  numbersIn(generationsFolder(prefix))
    .sort((a, b) => a - b)
    .flatMap((number) => generationAt(prefix, number) ?? []);

/** The records of all generations of a prefix that are there, for what must not be swept away. */
export const recordsOf = (prefix: string): GenerationRecord[] =>
  unlessShut([], () =>
    numbersIn(generationsFolder(prefix)).flatMap((number) => recordIn(recordPath(prefix, number)) ?? []),
  );

/**
 * An answer about a prefix of any site, whatever became of it.
 *
 * @param otherwise The answer where this user cannot look there.
 */
export function unlessShut<Answer>(otherwise: Answer, look: () => Answer): Answer {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return otherwise;
  }
}

/**
 * Makes a prefix show another of its generations. Only a link of ours is replaced, whatever came there meanwhile; the generation that
 * was current before bears the time of the switch, see `leftAtMs`.
 *
 * @throws {VbuildError} `install-refused`
 */
export function switchTo(prefix: string, number: number): void {
  const before = currentNumber(prefix);
  replaceSymlink(join(basename(generationsFolder(prefix)), String(number)), resolve(prefix));
  syncFolder(dirname(resolve(prefix)));
  if (before !== undefined && before !== number) setTime(recordPath(prefix, before), Date.now());
}

/** When a generation was last current, or made, in milliseconds since 1970; undefined when its record was lost. */
export function leftAtMs({ recordFile }: Generation): number | undefined {
  const stat = fileStat(recordFile);
  return stat && Number(stat.mtimeNs / 1_000_000n);
}

/**
 * The generation that a rollback leads to: the one that the current one replaced, so that one which was rolled back from is not come
 * back to; where that is gone, the newest older one. Undefined when there is none.
 */
export function previousGeneration(prefix: string): Generation | undefined {
  const current = currentGeneration(prefix);
  const number = current?.number ?? currentNumber(prefix);
  if (number === undefined) return undefined;
  const others = generationsOf(prefix).filter((one) => one.number < number);
  const replaced = Number(current?.record?.notes['replaced']);
  return others.find((one) => one.number === replaced) ?? others.at(-1);
}

/** Every number that a tree or a record bears. */
export const numbersIn = (folder: string): number[] =>
  [...new Set(namesIn(folder).flatMap((name) => /^([1-9]\d{0,8})(\.json|\.files)?$/.exec(name)?.[1] ?? []))].map(
    Number,
  );

/** The number that the link names, whether it is there or not. @throws {VbuildError} `install-refused` */
export function currentNumber(prefix: string): number | undefined {
  insistOnPlace(resolve(prefix));
  const kind = kindOf(prefix.replace(/(?<=.)\/+$/, ''));
  if (kind === 'nothing') return undefined;
  const target = kind === 'symlink' ? linkTarget(resolve(prefix)) : undefined;
  const [folder, number, ...rest] = (target ?? '').split('/');
  if (folder === basename(generationsFolder(prefix)) && rest.length === 0 && /^[1-9]\d{0,8}$/.test(number ?? ''))
    return Number(number);
  throw new VbuildError('install-refused', 'Place of the prefix is taken', {
    where: { file: prefix },
    facts: {
      expected: 'nothing, or a link to a generation',
      found: target === undefined ? `a ${kind === 'other' ? 'device or pipe' : kind}` : `a link to ${target}`,
    },
    mend: 'move it away, or choose another prefix with --prefix',
  });
}

/** @param prefix Absolute. @throws {VbuildError} `install-refused` where no prefix can lie. */
function insistOnPlace(prefix: string): void {
  const mend = 'choose another prefix with --prefix';
  if (/[:\p{Cc}]/u.test(prefix))
    throw new VbuildError('install-refused', 'Prefix cannot be called so', {
      facts: {
        prefix: JSON.stringify(prefix),
        found: 'a colon or a control character, which PATH and its like cannot hold',
      },
      mend,
    });
  const parent = dirname(prefix);
  if (/\/\.[^/]+\.generations(\/|$)/.test(exists(parent) ? realPath(parent) : parent))
    throw new VbuildError('install-refused', 'Prefix would lie among the generations of another one', {
      where: { file: prefix },
      facts: { found: 'it would be gone with them' },
      mend,
    });
}

/** Absolute. */
export const recordPath = (prefix: string, number: number): string => join(generationsFolder(prefix), `${number}.json`);

function recordIn(path: string): GenerationRecord | undefined {
  const data = readOwnJson<GenerationRecord>(path);
  const isWhole =
    data?.format === 1 &&
    isEach(data.notes, isText) &&
    isEach(data.packages, (one) => isEach(one, isText) && ['version', 'key', 'tree'].every((field) => field in one));
  return isWhole ? (data as GenerationRecord) : undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string';

const isEach = (data: unknown, is: (value: unknown) => boolean): data is object =>
  typeof data === 'object' && data !== null && !Array.isArray(data) && Object.values(data).every(is);
