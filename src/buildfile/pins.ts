/** The lock file: what every source and tool resolved to, stable and sorted so that two edits merge as text. */
import { join, parse } from 'node:path';
import { canonicalJson } from '../key/fields.ts';
import type { Digest } from '../model/digest.ts';
import { VbuildError, messageOf } from '../model/error.ts';
import type { Pin } from '../sources/source.ts';
import { readIfThere, writeAtomically } from '../system/files.ts';

export interface LockedSource {
  /** The source as the Buildfile wrote it when it was pinned; another one now is pinned anew. */
  readonly spec: unknown;
  readonly pin: Pin;
  /** Digest of the unpacked tree. */
  readonly tree: Digest;
  /** Digest of the series that upstream ships, where the source has one. */
  readonly series?: Digest;
}

export interface Lock {
  /** By `name@version`. */
  readonly sources: Readonly<Record<string, LockedSource>>;
  /** Versions of tools by platform, then by tool name. */
  readonly tools: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const emptyLock: Lock = { sources: {}, tools: {} };

/** `Buildfile.lock` beside `Buildfile.ts`. */
export function lockPath(buildfilePath: string): string {
  const { dir, name } = parse(buildfilePath);
  return join(dir, `${name}.lock`);
}

/** @throws {VbuildError} `lock-file-invalid` */
export function readLock(path: string): Lock {
  const text = readIfThere(path);
  if (text === undefined) return emptyLock;
  const invalid = (found: string, cause?: unknown): VbuildError =>
    new VbuildError('lock-file-invalid', 'Lock file cannot be read', {
      where: { file: path },
      facts: { expected: 'the JSON that vbuild wrote', found },
      mend: 'take it from version control again, or remove it and run vbuild lock',
      cause,
    });
  let data: { lock?: unknown; sources?: unknown; tools?: unknown };
  try {
    data = JSON.parse(text) as typeof data;
  } catch (error) {
    throw invalid(/^[<=>]{7}/m.test(text) ? 'a merge conflict' : messageOf(error), error);
  }
  if (data.lock !== 1) throw invalid(`lock format ${JSON.stringify(data.lock)}`);
  for (const [id, locked] of Object.entries((data.sources ?? {}) as Record<string, Partial<LockedSource>>)) {
    if (typeof locked?.tree !== 'string' || typeof locked.pin?.kind !== 'string')
      throw invalid(`no tree or pin for ${id}`);
  }
  return { sources: (data.sources ?? {}) as Lock['sources'], tools: (data.tools ?? {}) as Lock['tools'] };
}

/** The text of a lock: two spaces, keys in code-unit order at every level, one value per line. */
export const lockText = ({ sources, tools }: Lock): string =>
  `${JSON.stringify({ lock: 1, ...(JSON.parse(canonicalJson({ sources, tools })) as object) }, undefined, 2)}\n`;

export const writeLock = (path: string, lock: Lock): void => writeAtomically(path, lockText(lock));

/** Whether a pin was made for this very source. */
export const pinnedFor = (locked: LockedSource | undefined, spec: unknown): locked is LockedSource =>
  locked !== undefined && canonicalJson(locked.spec) === canonicalJson(spec);
