/** A prefix is a symbolic link to one of its generations: each is assembled aside, and one rename switches. */
import { basename, dirname, join, resolve } from 'node:path';
import type { ContentKey, Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Member } from '../prefix/assemble.ts';
import {
  makeFolder,
  moveIntoPlace,
  namesIn,
  readIfThere,
  realPath,
  removeTree,
  temporaryName,
  writeAtomically,
} from '../system/files.ts';
import type { LockHolder } from '../system/lock.ts';
import { removeTemporaries } from '../system/temporaries.ts';
import { kindOf, linkTarget, removeFile, replaceSymlink, syncFolder, syncTree } from '../system/tree-edit.ts';

/** How many generations stay, the current one among them: for rollback, and for programs that still run from them. */
export const KEPT_GENERATIONS = 4;

/** What a generation holds; kept beside it, so that its tree has only what the packages have. */
export interface GenerationRecord {
  readonly format: 1;
  /** By package name. */
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly key: ContentKey; readonly tree: Digest }>
  >;
  /** What the installer noted: when, by what, for which targets. */
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
  if (number === undefined) return undefined;
  const path = join(generationsFolder(prefix), String(number));
  return kindOf(path) === 'folder'
    ? { number, path, recordFile: recordPath(prefix, number), record: recordIn(recordPath(prefix, number)) }
    : undefined;
}

/** The records of all generations of a prefix that are there, for what must not be swept away. */
export const recordsOf = (prefix: string): GenerationRecord[] =>
  numbersIn(generationsFolder(prefix)).flatMap((number) => recordIn(recordPath(prefix, number)) ?? []);

export interface InstallRequest {
  /** Absolute path of the link; its parent folder is made. */
  readonly prefix: string;
  readonly members: readonly Member[];
  /** Kept in the generation's record, see `GenerationRecord`. */
  readonly notes: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called when another installer of this prefix is waited for. */
  readonly onWait?: (holder: LockHolder | undefined) => void;
}

/**
 * Assembles a new generation and switches to it. Until the switch, and whenever this fails or is killed, the old one stays as it was;
 * who resolved the link before keeps a whole tree. The last few generations are kept.
 *
 * @throws {VbuildError | VbuildErrors} `install-refused`: the place is taken, or the packages do not go together.
 */
export async function install({ prefix, members, notes, signal, onWait }: InstallRequest): Promise<Generation> {
  const folder = generationsFolder(prefix);
  currentNumber(prefix);
  const [{ acquireLock }, { assemble }] = await Promise.all([
    import('../system/lock.ts'),
    import('../prefix/assemble.ts'),
  ]);
  makeFolder(folder);
  await using _lock = await acquireLock(join(folder, 'lock'), { ...(signal && { signal }), ...(onWait && { onWait }) });
  // Of installers that were killed: there is none but us.
  removeTemporaries(folder);
  removeTemporaries(dirname(resolve(prefix)), { of: basename(resolve(prefix)) });
  const number = Math.max(0, currentNumber(prefix) ?? 0, ...numbersIn(folder)) + 1;
  const path = join(folder, String(number));
  const aside = temporaryName(path);
  try {
    await assemble({ members, into: aside, prefixPath: resolve(prefix), link: 'reflink-or-hardlink' });
    signal?.throwIfAborted();
    await syncTree(aside);
  } catch (error) {
    removeTree(aside);
    throw error;
  }
  const record = recordOf(members, notes);
  writeAtomically(recordPath(prefix, number), `${JSON.stringify(record, undefined, 1)}\n`);
  moveIntoPlace(aside, path);
  syncFolder(folder);
  switchTo(prefix, number);
  prune(folder, number);
  return { number, path, recordFile: recordPath(prefix, number), record };
}

function switchTo(prefix: string, number: number): void {
  // Only a link of ours may be replaced, whatever came here meanwhile.
  currentNumber(prefix);
  replaceSymlink(join(basename(generationsFolder(prefix)), String(number)), resolve(prefix));
  syncFolder(dirname(resolve(prefix)));
}

function prune(folder: string, current: number): void {
  const numbers = numbersIn(folder).filter((number) => number !== current);
  for (const number of numbers.sort((a, b) => b - a).slice(KEPT_GENERATIONS - 1)) {
    // Set aside by one rename first: a half removed generation never bears a generation's name.
    const aside = temporaryName(join(folder, String(number)));
    if (kindOf(join(folder, String(number))) === 'folder') moveIntoPlace(join(folder, String(number)), aside);
    removeTree(aside);
    if (kindOf(join(folder, `${number}.json`)) === 'file') removeFile(join(folder, `${number}.json`));
  }
}

/** Every number that a tree or a record bears. */
const numbersIn = (folder: string): number[] =>
  [...new Set(namesIn(folder).flatMap((name) => /^([1-9]\d{0,8})(\.json)?$/.exec(name)?.[1] ?? []))].map(Number);

/** @throws {VbuildError} `install-refused` */
function currentNumber(prefix: string): number | undefined {
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

const recordPath = (prefix: string, number: number): string => join(generationsFolder(prefix), `${number}.json`);

function recordOf(members: readonly Member[], notes: GenerationRecord['notes']): GenerationRecord {
  const packages = members.map(
    ({
      manifest: {
        package: { name, version },
        key,
        tree,
      },
    }) => [name, { version, key, tree }] as const,
  );
  return { format: 1, packages: Object.fromEntries(packages.sort(([a], [b]) => (a < b ? -1 : 1))), notes };
}

/** Our own file; one that a crash or a hand has spoilt counts as none. */
function recordIn(path: string): GenerationRecord | undefined {
  try {
    const data = JSON.parse(readIfThere(path) ?? 'null') as Partial<GenerationRecord> | null;
    return data?.format === 1 && typeof data.packages === 'object' && typeof data.notes === 'object'
      ? (data as GenerationRecord)
      : undefined;
  } catch {
    return undefined;
  }
}
