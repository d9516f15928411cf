/** The lock file: what every source and tool resolved to, stable and sorted so that two edits merge as text. */
import { join, parse } from 'node:path';
import { canonicalJson } from '../key/fields.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { VbuildError, messageOf } from '../model/error.ts';
import { dataWithoutPasswords } from '../model/passwords.ts';
import type { Pin } from '../sources/source.ts';
import { readIfThere, writeAtomically } from '../system/files.ts';
import { isRecord } from './checks.ts';

export interface LockedSource {
  /** The source as the Buildfile wrote it when it was pinned, without passwords; another one now is pinned anew. */
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

const emptyLock: Lock = { sources: {}, tools: {} };

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
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw invalid(/^[<=>]{7}/m.test(text) ? 'a merge conflict' : messageOf(error), error);
  }
  const found = strangeness(data);
  if (found !== undefined) throw invalid(found);
  const { sources, tools } = data as Lock;
  return { sources, tools };
}

/** The first thing in a lock that vbuild never writes. What a pin means is for the kind of its source to judge. */
function strangeness(data: unknown): string | undefined {
  if (!isRecord(data)) return 'no object';
  const { lock, sources, tools } = data;
  if (lock !== 1) return `lock format ${JSON.stringify(lock)}`;
  if (!isRecord(sources)) return 'sources that are not listed by package';
  for (const [id, locked] of Object.entries(sources)) {
    if (!isRecord(locked) || !isDigestText(locked['tree']) || !isPin(locked['pin'])) return `no tree or pin for ${id}`;
    if (locked['series'] !== undefined && !isDigestText(locked['series'])) return `no digest as series of ${id}`;
  }
  if (!isRecord(tools)) return 'tools that are not listed by platform';
  const strange = Object.entries(tools).find(([, pins]) => !isRecord(pins) || !Object.values(pins).every(isText));
  return strange && `no versions of tools for ${strange[0]}`;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isDigestText = (value: unknown): boolean => isText(value) && isDigest(value);

const isPin = (pin: unknown): boolean =>
  isRecord(pin) &&
  isText(pin['kind']) &&
  [pin['version'], pin['commit']].every((fact) => fact === undefined || isText(fact)) &&
  (pin['files'] === undefined || (Array.isArray(pin['files']) && pin['files'].every(isPinnedFile)));

const isPinnedFile = (file: unknown): boolean =>
  isRecord(file) &&
  isText(file['name']) &&
  isDigestText(file['digest']) &&
  Number.isSafeInteger(file['sizeBytes']) &&
  (file['signedBy'] === undefined || isText(file['signedBy']));

/** The text of a lock: two spaces, keys in code-unit order at every level, one value per line. */
export const lockText = ({ sources, tools }: Lock): string =>
  `${JSON.stringify({ lock: 1, ...(JSON.parse(canonicalJson({ sources, tools })) as object) }, undefined, 2)}\n`;

export const writeLock = (path: string, lock: Lock): void => writeAtomically(path, lockText(lock));

/** What the lock and all that is noted of a run say of a source. Another password leads to the same source. */
export const notedSpec = (spec: unknown): unknown => dataWithoutPasswords(spec);

/** Whether a pin was made for this very source. */
export const pinnedFor = (locked: LockedSource | undefined, spec: unknown): locked is LockedSource =>
  locked !== undefined && canonicalJson(locked.spec) === canonicalJson(notedSpec(spec));
