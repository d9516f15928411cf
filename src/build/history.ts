/**
 * What each package was last made ready from, kept as long as the work folder: with it a change can be shown to the byte, also when the
 * stamps are gone because a stage failed. Nothing decides by it; without it explanations are shorter and estimates are guesses.
 */
import { dirname, join } from 'node:path';
import { type ContentKey, type Digest, digestOf } from '../model/digest.ts';
import type { ErrorCode } from '../model/error.ts';
import type { BuildEvent, Reason, StageName } from '../model/event.ts';
import { makeFolder, namesIn, readBytes, readOwnJson, removeTree, replaceFile } from '../system/files.ts';
import type { Package } from '../buildfile/package.ts';
import { parseKeyText } from '../key/fields.ts';
import type { PackageFacts } from './facts.ts';
import { type PackagePlaces, placesOf, type Workspace } from './workspace.ts';
import { packageFolder } from './graph.ts';

/** One patch of ours as it was. */
export interface RecordedPatch {
  readonly name: string;
  readonly digest: Digest;
  readonly strip: number;
}

/** One time that a package was made ready, or failed to be. */
export interface ReadyRecord {
  readonly format: 1;
  /** `name@version`. */
  readonly package: string;
  readonly outcome: 'built' | 'restored' | 'failed';
  /** Milliseconds since 1970. */
  readonly endedAtMs: number;
  readonly durationMs: number;
  readonly key: ContentKey;
  /** The readable text whose SHA-256 is the key. */
  readonly keyText: string;
  readonly source: { readonly spec: unknown; readonly pin: unknown };
  readonly patches: readonly RecordedPatch[];
  /** The stages that ran for it, with why; without a duration for the one that failed. */
  readonly stages: readonly {
    readonly stage: StageName;
    readonly reasons: readonly Reason[];
    readonly durationMs?: number;
    /** As its last event told. */
    readonly detail?: string;
    readonly lines?: readonly string[];
  }[];
  /** What the caches answered. */
  readonly answers: readonly {
    readonly tier: string;
    readonly answer: Extract<BuildEvent, { type: 'cache-looked-up' }>['answer'];
    readonly reason?: string;
    /** Whether it was asked for an artifact that was made of the same, under whatever key: told of the one that was taken. */
    readonly equal?: true;
  }[];
  /** Of a restored one: dependencies that came out equal, so that it was not compiled again. */
  readonly equal?: readonly string[];
  readonly error?: { readonly code: ErrorCode; readonly headline: string; readonly stage?: string };
}

/** What a stage of a package did when it last ran, however the run went on. */
export type StageRecord = ReadyRecord['stages'][number] & {
  /** When the run of the package ended; milliseconds since 1970. */
  readonly endedAtMs: number;
  /** The headline of the error that it ended with. */
  readonly failed?: string;
};

/** How many records of a package stay. */
const kept = 5;
/** Larger patches are told apart by their digests only. */
const largestPatchBytes = 1_000_000;

const failureName = 'failed.json';
/** Apart from the records, of which each failure replaces that of the one before. */
const stageFile = (history: string, stage: StageName): string => join(history, 'stages', `${stage}.json`);
const inputsIn = (folder: string): string => join(folder, 'inputs');

/** Adds a record and keeps the patches that it names; the record of an earlier failure goes. */
export function writeRecord({ places, patches }: PackageFacts, record: ReadyRecord): void {
  const folder = places.history;
  for (const { input } of patches) {
    const { file, value: digest } = input;
    if (file === undefined || readInput(places, digest) !== undefined) continue;
    const bytes = readBytes(file.path);
    // Edited meanwhile: these are not the bytes that were applied.
    if (bytes.length <= largestPatchBytes && digestOf(bytes) === digest)
      replaceFile(join(inputsIn(folder), digest), bytes);
  }
  makeFolder(folder);
  const { endedAtMs, error } = record;
  for (const one of record.stages) {
    const failed = one.durationMs === undefined && error !== undefined ? { failed: error.headline } : {};
    writeStage(places, { ...one, endedAtMs, ...failed });
  }
  const text = `${JSON.stringify(record, undefined, 1)}\n`;
  if (record.outcome === 'failed') return replaceFile(join(folder, failureName), text);
  const name = `${String(record.endedAtMs).padStart(15, '0')}.json`;
  replaceFile(join(folder, name), text);
  removeTree(join(folder, failureName));
  for (const old of recordNames(folder).slice(kept)) removeTree(join(folder, old));
  const own = new Set<string>(record.patches.map(({ digest }) => digest));
  const others = namesIn(inputsIn(folder)).filter((input) => !own.has(input));
  if (others.length === 0) return;
  const named = new Set<string>(readRecords(places).flatMap((one) => one.patches.map(({ digest }) => digest)));
  for (const input of others) if (!named.has(input)) removeTree(join(inputsIn(folder), input));
}

const recordNames = (folder: string): string[] =>
  namesIn(folder)
    .filter((name) => /^\d{15}\.json$/.test(name))
    .reverse();

/** The times that a package became ready, newest first. */
export const readRecords = ({ history }: Pick<PackagePlaces, 'history'>): ReadyRecord[] =>
  recordNames(history).flatMap((name) => readRecord(join(history, name)) ?? []);

/** How its last run failed, if it did. */
export const readFailure = ({ history }: Pick<PackagePlaces, 'history'>): ReadyRecord | undefined =>
  readRecord(join(history, failureName));

/** Remembers what a stage of a package did, in place of what it did before. */
export function writeStage({ history }: Pick<PackagePlaces, 'history'>, did: StageRecord): void {
  const file = stageFile(history, did.stage);
  makeFolder(dirname(file));
  replaceFile(file, `${JSON.stringify(did)}\n`);
}

/** What one of its stages did the last time, if it is remembered. */
export function readStage({ history }: Pick<PackagePlaces, 'history'>, stage: StageName): StageRecord | undefined {
  const data = readOwnJson<StageRecord>(stageFile(history, stage));
  return data?.stage === stage && typeof data.endedAtMs === 'number' && Array.isArray(data.reasons)
    ? (data as StageRecord)
    : undefined;
}

/** One that is spoilt counts as none. */
function readRecord(path: string): ReadyRecord | undefined {
  const data = readOwnJson<ReadyRecord>(path);
  if (data?.format !== 1 || typeof data.keyText !== 'string' || !Array.isArray(data.patches)) return undefined;
  try {
    parseKeyText(data.keyText);
    return data as ReadyRecord;
  } catch {
    return undefined;
  }
}

/** The bytes of a patch that a record names, if they were kept. */
export function readInput({ history }: Pick<PackagePlaces, 'history'>, digest: string): Buffer | undefined {
  try {
    const bytes = readBytes(join(inputsIn(history), digest));
    return digestOf(bytes) === digest ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The places of every version of a package that has a history here, that of its own first. */
export function historiesOf(workspace: Workspace, one: Package): readonly Pick<PackagePlaces, 'history'>[] {
  const top = join(workspace.state, 'history');
  const own = packageFolder(one);
  const others = namesIn(top).filter((name) => name.startsWith(`${one.name}_`) && name !== own);
  return [placesOf(workspace, one), ...others.map((name) => ({ history: join(top, name) }))];
}
