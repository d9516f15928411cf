/** Stamp files: readable evidence of what a stage last ended with, one line per input. */
import { join } from 'node:path';
import type { Field } from '../key/fields.ts';
import type { Digest } from '../model/digest.ts';
import { diskTrouble } from '../model/disk-trouble.ts';
import type { StageName } from '../model/event.ts';
import {
  type FileStat,
  digestFileSync,
  exists,
  fileStat,
  moveIntoPlace,
  readIfThere,
  removeTree,
  replaceFile,
  writeAtomically,
} from '../system/files.ts';

/** A value that a stage rests on; with `file` (absolute), the value is the digest of that file's content. */
export interface Input {
  readonly name: string;
  readonly value: string;
  readonly file?: { readonly path: string; readonly stat: FileStat };
}

/** Inputs without the files behind them. */
export const fieldsOf = (inputs: readonly Input[]): Field[] => inputs.map(({ name, value }) => [name, value]);

export interface Stamp {
  readonly stage: StageName;
  /** `name@version` */
  readonly package: string;
  /** Milliseconds since 1970, when the stage had ended. */
  readonly endedAtMs: number;
  readonly durationMs: number;
  readonly inputs: readonly Input[];
  /** What the stage made, by name, such as the digest of a tree. */
  readonly results: Readonly<Record<string, string>>;
}

const pathOf = (folder: string, stage: StageName): string => join(folder, stage);

/**
 * Text of a stamp: a head line of JSON, then `["name","value"]` per input, with `{mtimeNs,ctimeNs,sizeBytes,inode,path}` behind the
 * value of a file.
 */
export function stampText(stamp: Stamp): string {
  const { inputs, ...head } = stamp;
  const lines = inputs.map(({ name, value, file }) =>
    JSON.stringify(
      file
        ? [
            name,
            value,
            {
              path: file.path,
              mtimeNs: String(file.stat.mtimeNs),
              ctimeNs: String(file.stat.ctimeNs),
              sizeBytes: file.stat.sizeBytes,
              inode: String(file.stat.inode),
            },
          ]
        : [name, value],
    ),
  );
  return [JSON.stringify({ stamp: 1, ...head }), ...lines, ''].join('\n');
}

/** A stamp's text read back; `undefined` when it is not one, which counts as no stamp at all. */
export function parseStamp(text: string): Stamp | undefined {
  try {
    const [head, ...lines] = text.trimEnd().split('\n');
    const { stamp, ...rest } = JSON.parse(head ?? '') as { stamp: number } & Omit<Stamp, 'inputs'>;
    if (stamp !== 1) return undefined;
    type Line = [string, string, { path: string; mtimeNs: string; ctimeNs: string; sizeBytes: number; inode: string }?];
    const inputs = lines.map((line): Input => {
      const [name, value, file] = JSON.parse(line) as Line;
      if (!file) return { name, value };
      const { path, sizeBytes } = file;
      const [mtimeNs, ctimeNs, inode] = [BigInt(file.mtimeNs), BigInt(file.ctimeNs), BigInt(file.inode)];
      return { name, value, file: { path, stat: { mtimeNs, ctimeNs, sizeBytes, inode } } };
    });
    return { ...rest, inputs };
  } catch {
    return undefined;
  }
}

/** @param folder Absolute folder of one package's stamps. */
export function readStamp(folder: string, stage: StageName): Stamp | undefined {
  const text = readIfThere(pathOf(folder, stage));
  return text === undefined ? undefined : parseStamp(text);
}

/** Written after the stage's outputs are complete, never before. */
export function writeStamp(folder: string, stamp: Stamp): void {
  // First, so that a kill in between leaves nothing that no later run takes away.
  removeTree(asidePath(folder, stamp.stage));
  writeAtomically(pathOf(folder, stamp.stage), stampText(stamp));
}

/** What is known of a stage without a stamp. Nothing is fresh by it. */
export interface Aside {
  /** How its last run ended; `cut-off` also while it runs. */
  readonly ended: 'cut-off' | 'failed' | 'by-hand';
  /** What it last ended well with, if it ever did. */
  readonly last: Stamp | undefined;
}

const asidePath = (folder: string, stage: StageName): string => `${pathOf(folder, stage)}.aside`;

/**
 * Takes the stamp away before the stage touches anything, and notes how it ended since; a disk that takes no note does without. A stamp
 * becomes its own note by one rename, so that never both are there.
 */
export function setAside(folder: string, stage: StageName, ended: Aside['ended']): void {
  const [stamp, aside] = [pathOf(folder, stage), asidePath(folder, stage)];
  const isThere = exists(stamp);
  if (isThere) moveIntoPlace(stamp, aside);
  if (isThere && ended === 'cut-off') return;
  try {
    replaceFile(aside, JSON.stringify({ ended, last: noteIn(folder, stage)?.last }));
  } catch (error) {
    if (diskTrouble(error) === undefined) throw error;
  }
}

export function readAside(folder: string, stage: StageName): Aside | undefined {
  const note = noteIn(folder, stage);
  return note && { ended: note.ended, last: note.last === undefined ? undefined : parseStamp(note.last) };
}

function noteIn(folder: string, stage: StageName): { ended: Aside['ended']; last?: string } | undefined {
  const text = readIfThere(asidePath(folder, stage));
  if (text === undefined) return undefined;
  if (parseStamp(text) !== undefined) return { ended: 'cut-off', last: text };
  try {
    return JSON.parse(text) as ReturnType<typeof noteIn>;
  } catch {
    return undefined;
  }
}

/** Two seconds: the coarsest time stamps of a file system in use. A file changed that close to a stamp may have changed after it. */
const racyMs = 2000;

/**
 * The digest of a file as an input, without reading it when an earlier stamp knows it by times, size and inode.
 * A file one of whose times lies within two seconds of that stamp, or after it, is read all the same.
 *
 * @param path Absolute; must exist.
 * @param known Earlier stamps that may list this file.
 * @throws the system's error when the file cannot be read.
 */
export function fileInput(
  name: string,
  path: string,
  known: readonly (Stamp | undefined)[],
): Input & { readonly value: Digest } {
  const stat = fileStat(path);
  if (!stat) throw Object.assign(new Error(`No such file: ${path}`), { code: 'ENOENT' });
  for (const stamp of known) {
    if (stamp === undefined) continue;
    const sureBeforeNs = BigInt(Math.floor(stamp.endedAtMs - racyMs)) * 1_000_000n;
    if (stat.mtimeNs >= sureBeforeNs || stat.ctimeNs >= sureBeforeNs) continue;
    const match = stamp.inputs.find(({ file }) => file?.path === path && sameStat(file.stat, stat));
    if (match) return { name, value: match.value as Digest, file: { path, stat } };
  }
  return { name, value: digestFileSync(path), file: { path, stat } };
}

const sameStat = (a: FileStat, b: FileStat): boolean =>
  a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.sizeBytes === b.sizeBytes && a.inode === b.inode;
