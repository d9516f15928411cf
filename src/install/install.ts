/** Assembles a new generation of a prefix aside, switches to it, and removes old ones that nobody needs. */
import { basename, dirname, join, resolve } from 'node:path';
import { VbuildError } from '../model/error.ts';
import type { Member } from '../prefix/assemble.ts';
import { makeFolder, moveIntoPlace, removeTree, temporaryName, writeAtomically } from '../system/files.ts';
import { foldersInUse } from '../system/in-use.ts';
import { acquireLock, type LockHolder } from '../system/lock.ts';
import { removeTemporaries } from '../system/temporaries.ts';
import { kindOf, removeFile, syncFolder, syncTree } from '../system/tree-edit.ts';
import { equalFiles } from './equal-files.ts';
import {
  currentGeneration,
  currentNumber,
  type Generation,
  type GenerationRecord,
  generationsFolder,
  generationsOf,
  leftAtMs,
  numbersIn,
  placeOf,
  previousGeneration,
  recordPath,
  switchTo,
} from './generations.ts';
import { type HandChange, handChanges, listPath, listText } from './installed-files.ts';

/** Another installer has come between. */
export class PrefixMoved extends Error {
  override readonly name = 'PrefixMoved';
}

/** How many generations stay when nobody says otherwise, the current one among them: for rollback, and for programs that still run from them. */
export const KEPT_GENERATIONS = 4;

/** Who resolved the link before a switch has this long to read what it needs, in milliseconds. */
const readersMs = 60_000;

interface Switching {
  readonly signal?: AbortSignal;
  /** Called when another installer of this prefix is waited for. */
  readonly onWait?: (holder: LockHolder | undefined) => void;
  /** Told once of what somebody has changed in a generation that is left, or that would have been removed; that one is kept. */
  readonly onHandChanges?: (changed: Generation, changes: readonly HandChange[]) => void;
}

export interface InstallRequest extends Switching {
  /** Absolute path of the link; its parent folder is made. */
  readonly prefix: string;
  /** What it is to hold, or what unpacks that into a folder which is gone afterwards; called once no other installer is at work. */
  readonly members: readonly Member[] | ((scratch: string) => Promise<readonly Member[]>);
  /** Whether the members were chosen for what is there; asked once no other installer is at work. */
  readonly isSince?: (current: GenerationRecord | undefined) => boolean;
  /** Kept in the generation's record, see `GenerationRecord`. */
  readonly notes: Readonly<Record<string, string>>;
  /** Absolute paths of other prefixes of this user, whose files may be shared where the bytes are equal. */
  readonly peers?: readonly string[];
  /** How many generations stay, from 1 on; {@link KEPT_GENERATIONS} when not given. */
  readonly keep?: number;
  /** How long a generation stays after it was left, in milliseconds; a minute when not given. */
  readonly graceMs?: number;
}

/**
 * Assembles a new generation and switches to it. Until the switch, and whenever this fails or is killed, the old one stays as it was;
 * who resolved the link before keeps a whole tree. The last few generations are kept.
 *
 * @throws {VbuildError | VbuildErrors} `install-refused`: the place is taken, or the packages do not go together.
 * @throws {PrefixMoved} where the members were not chosen for what is there; nothing was done.
 */
export async function install(request: InstallRequest): Promise<Generation> {
  const { prefix, notes, peers = [], signal, onHandChanges } = request;
  const folder = generationsFolder(prefix);
  currentNumber(prefix);
  const { assemble } = await import('../prefix/assemble.ts');
  await using _lock = await lockGenerations(prefix, request);
  if (request.isSince?.(currentGeneration(prefix)?.record) === false) throw new PrefixMoved();
  // Of installers that were killed: there is none but us.
  removeTemporaries(folder);
  removeTemporaries(dirname(resolve(prefix)), { of: basename(resolve(prefix)) });
  const before = currentNumber(prefix);
  const number = Math.max(0, before ?? 0, ...numbersIn(folder)) + 1;
  const path = join(folder, String(number));
  const [aside, scratch] = [temporaryName(path), temporaryName(join(folder, 'unpacked'))];
  const record: { -readonly [Field in keyof GenerationRecord]: GenerationRecord[Field] } = {
    format: 1,
    packages: {},
    notes,
  };
  try {
    const members = typeof request.members === 'function' ? await request.members(scratch) : request.members;
    const prefixPath = resolve(prefix);
    const equal = equalFiles([prefixPath, ...peers], folder);
    const files = await assemble({ members, into: aside, prefixPath, link: 'reflink-or-hardlink', equal });
    signal?.throwIfAborted();
    await syncTree(aside);
    writeAtomically(listPath(prefix, number), listText(files));
    record.packages = packagesOf(members);
  } catch (error) {
    removeTree(aside);
    throw error;
  } finally {
    removeTree(scratch);
  }
  const replaced = currentGeneration(prefix);
  if (replaced !== undefined) {
    record.notes = { ...notes, replaced: String(replaced.number) };
    keepIfChanged(replaced, onHandChanges);
  }
  writeAtomically(recordPath(prefix, number), `${JSON.stringify(record, undefined, 1)}\n`);
  moveIntoPlace(aside, path);
  syncFolder(folder);
  switchTo(prefix, number);
  prune(prefix, request);
  return { number, path, recordFile: recordPath(prefix, number), record };
}

interface Switched {
  /** Number of the generation that was current before; undefined when there was none. */
  readonly before: number | undefined;
  readonly now: Generation;
}

/**
 * Makes an earlier generation current again, with one rename; nothing is assembled or removed.
 *
 * @param to Its number; the one that the current one replaced when not given.
 * @throws {VbuildError} `not-ready` when there is no such generation; `install-refused` when it was made for another place.
 */
export async function rollBack(prefix: string, to: number | undefined, switching: Switching = {}): Promise<Switched> {
  if (currentNumber(prefix) === undefined && generationsOf(prefix).length === 0) throw noGeneration(prefix, to);
  await using _lock = await lockGenerations(prefix, switching);
  const before = currentNumber(prefix);
  const left = currentGeneration(prefix);
  const now = to === undefined ? previousGeneration(prefix) : generationsOf(prefix).find(({ number }) => number === to);
  if (now === undefined) throw noGeneration(prefix, to);
  const madeFor = now.record?.notes['place'];
  if (madeFor !== undefined && madeFor !== placeOf(prefix))
    throw new VbuildError('install-refused', 'Generation was made for another place', {
      where: { file: now.path },
      facts: { expected: placeOf(prefix), found: madeFor },
      mend: 'install anew: the texts in it name that place',
    });
  switchTo(prefix, now.number);
  // Afterwards, as reading all of it takes a while; whoever is killed before it leaves it to the installation that would remove that one.
  if (left !== undefined && left.number !== now.number) keepIfChanged(left, switching.onHandChanges);
  return { before, now };
}

function noGeneration(prefix: string, to: number | undefined): VbuildError {
  const current = currentNumber(prefix);
  const there = generationsOf(prefix).flatMap(({ number }) => (number === current ? [] : [number]));
  return new VbuildError('not-ready', 'There is no generation to roll back to', {
    where: { file: prefix },
    facts: { ...(to !== undefined && { expected: String(to) }), found: there.join(', ') || 'none' },
    mend: there.length > 0 ? 'name one of these with --to, or install what is wanted' : 'install what is wanted',
  });
}

async function lockGenerations(prefix: string, { signal, onWait }: Switching): Promise<AsyncDisposable> {
  makeFolder(generationsFolder(prefix));
  const lock = join(generationsFolder(prefix), 'lock');
  return acquireLock(lock, { ...(signal && { signal }), ...(onWait && { onWait }) });
}

/** What somebody has changed by hand is never thrown away by us. @returns Whether there is such a thing. */
function keepIfChanged(one: Generation, tell: Switching['onHandChanges']): boolean {
  const changes = handChanges(one) ?? [];
  if (changes.length === 0) return false;
  tell?.(one, changes);
  if (one.record !== undefined) {
    const record = { ...one.record, notes: { ...one.record.notes, kept: 'changed by hand' } };
    writeAtomically(one.recordFile, `${JSON.stringify(record, undefined, 1)}\n`);
  }
  return true;
}

/** What goes: more than are wanted, left for long enough, unchanged by hand, and used by no process that we can see. */
function prune(
  prefix: string,
  {
    keep = KEPT_GENERATIONS,
    graceMs = readersMs,
    onHandChanges,
  }: Pick<InstallRequest, 'keep' | 'graceMs' | 'onHandChanges'>,
): void {
  const folder = generationsFolder(prefix);
  const current = currentGeneration(prefix);
  const left = new Map(generationsOf(prefix).map((one) => [one.number, one]));
  const stays = (number: number): boolean => {
    const one = left.get(number);
    // Of a tree whose record is lost nothing is known; of a record without its tree there is nothing to keep.
    if (one === undefined) return false;
    const isNeeded = String(number) === current?.record?.notes['replaced'] || one.record?.notes['kept'] !== undefined;
    return isNeeded || Date.now() - (leftAtMs(one) ?? 0) < graceMs;
  };
  const old = numbersIn(folder)
    .filter((number) => number !== current?.number)
    .sort((a, b) => b - a)
    .slice(keep - 1)
    .filter((number) => !stays(number));
  const pathOf = (number: number): string => join(folder, String(number));
  const used = old.length === 0 ? new Set() : foldersInUse(old.map(pathOf));
  for (const number of old) {
    if (used.has(pathOf(number))) continue;
    // Looked for once more: hands may have been at it since it was left.
    const one = left.get(number);
    if (one !== undefined && keepIfChanged(one, onHandChanges)) continue;
    // Set aside by one rename first: a half removed generation never bears a generation's name.
    const aside = temporaryName(pathOf(number));
    if (kindOf(pathOf(number)) === 'folder') moveIntoPlace(pathOf(number), aside);
    removeTree(aside);
    for (const file of [recordPath(prefix, number), listPath(prefix, number)])
      if (kindOf(file) === 'file') removeFile(file);
  }
}

function packagesOf(members: readonly Member[]): GenerationRecord['packages'] {
  const packages = members.map(
    ({
      manifest: {
        package: { name, version },
        key,
        tree,
      },
    }) => [name, { version, key, tree }] as const,
  );
  return Object.fromEntries(packages.sort(([a], [b]) => (a < b ? -1 : 1)));
}
