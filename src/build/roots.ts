/** What a prefix is asked to hold, and whether it does (pure). */
import type { GenerationRecord } from '../install/generations.ts';
import { type Build, type Package, packageId } from '../buildfile/package.ts';
import { areFields, canonicalJson, differences, type Field } from '../key/fields.ts';
import { insistOnOnePrefix } from '../buildfile/targets.ts';
import type { Reason } from '../model/event.ts';
import { type ContentKey, digestOf } from '../model/digest.ts';
import { nameOf } from '../model/package-id.ts';
import { runClosure } from './graph.ts';

export interface Wanted {
  /** What was asked for by name, now or before, in the order of their ids: who asks for the same in another order asks for nothing new. */
  readonly roots: readonly Package[];
  /** Everything that reaches the prefix, each after its dependencies. */
  readonly packages: readonly Package[];
  /** Earlier roots that this Buildfile does not have. */
  readonly dropped: readonly string[];
  /** What the prefix was asked to hold until now, as its record notes it. */
  readonly earlier: string;
}

const noteOf = (roots: readonly Package[]): string => roots.map(packageId).join(' ');

const earlierRoots = (record: GenerationRecord | undefined): string => record?.notes['targets'] ?? '';

/** Whether a prefix is still asked to hold what it was when it was found out what it is to hold now. */
export const isSince = ({ earlier }: Wanted, record: GenerationRecord | undefined): boolean =>
  earlierRoots(record) === earlier;

const inOrder = (ids: string): string => ids.split(' ').sort().join(' ');

/**
 * A prefix keeps what was asked of it before: the targets of this run are added to the roots of the current generation,
 * and take the place of other versions of the same packages.
 *
 * @throws {VbuildError} `buildfile-invalid` when two versions of one package would meet in the prefix.
 */
export function wanted(
  targets: readonly Package[],
  packages: readonly Package[],
  record: GenerationRecord | undefined,
): Wanted {
  const earlier = earlierRoots(record)
    .split(' ')
    .filter((id) => id !== '');
  const asked = new Set(targets.map(({ name }) => name));
  const ids = new Map(packages.map((one) => [packageId(one), one]));
  // The first of a name, where there are several.
  const names = new Map(packages.map((one) => [one.name, one] as const).reverse());
  const kept = earlier.flatMap((id) => (asked.has(nameOf(id)) ? [] : (ids.get(id) ?? names.get(nameOf(id)) ?? [])));
  const roots = [...new Set([...kept, ...targets])].sort((a, b) => (packageId(a) < packageId(b) ? -1 : 1));
  insistOnOnePrefix(roots);
  return {
    roots,
    packages: runClosure(roots),
    dropped: earlier.filter((id) => !names.has(nameOf(id))),
    earlier: earlierRoots(record),
  };
}

/** What of a prefix is noted beside its packages. */
interface PrefixNotes {
  /** Where the prefix lies; its texts name where it lay when it was installed. */
  readonly place: string;
  /** Whom the Buildfile trusts, in short: who trusts others may want other artifacts for the same keys. */
  readonly trust: string;
  /** The same by name, for people: fields as JSON. */
  readonly trusted: string;
}

export function trustNotes({ trust }: Pick<Build, 'trust'> = {}): Pick<PrefixNotes, 'trust' | 'trusted'> {
  if (trust === undefined) return { trust: 'none', trusted: '[]' };
  const keys = trust.keys.map(({ publicKey, role }) => `${publicKey.trim()} ${role}`).sort();
  const named: Field[] = [
    ...trust.keys.map(({ name, publicKey, role }): Field => [`trusted key ${name}`, `${role} ${publicKey.trim()}`]),
    ...Object.entries(trust.require ?? {}).map(([what, value]): Field => [`trusted ${what}`, String(value)]),
  ];
  return {
    trust: digestOf(canonicalJson({ keys, require: trust.require ?? {} })).slice(0, 12),
    trusted: JSON.stringify(named),
  };
}

/** Which keys and requirements came and went, as far as the record names them. */
function trustDifferences(record: GenerationRecord, now: Pick<PrefixNotes, 'trust' | 'trusted'>): Reason[] {
  const none = trustNotes({});
  const { trust = none.trust, trusted = trust === none.trust ? none.trusted : undefined } = record.notes;
  if (trust === now.trust) return [];
  const named = trusted === undefined ? [] : differences(fieldsIn(trusted), fieldsIn(now.trusted));
  return named.length > 0 ? named : [{ input: 'trust', before: trust, now: now.trust }];
}

/** None in a note that hands have spoilt. */
function fieldsIn(text: string): Field[] {
  try {
    const data: unknown = JSON.parse(text);
    return areFields(data) ? data : [];
  } catch {
    return [];
  }
}

/** Why a prefix does not hold what is wanted, package by package; none when it does. */
export function prefixDifferences(
  record: GenerationRecord | undefined,
  { roots, packages }: Wanted,
  { place, ...trust }: PrefixNotes,
  keyOf: (one: Package) => ContentKey | undefined,
): Reason[] {
  return contentDifferences(
    record,
    packages.map((one): Field => [packageId(one), keyOf(one) ?? 'unknown']),
    { place, roots: noteOf(roots), trust },
  );
}

/** @param packages Id and key of each. @param noted What the installer notes of the whole; without `trust`, whoever was trusted will do. */
export function contentDifferences(
  record: GenerationRecord | undefined,
  packages: readonly Field[],
  noted: Pick<PrefixNotes, 'place'> & {
    readonly roots: string;
    readonly trust?: Pick<PrefixNotes, 'trust' | 'trusted'>;
  },
): Reason[] {
  // Of a first generation all else is new as well, which tells nobody anything.
  if (record === undefined) return differences([], packages);
  const { place, roots, trust } = noted;
  const before = Object.entries(record.packages).map(([name, { version, key }]): Field => [`${name}@${version}`, key]);
  const whole: Field[] = [
    ['place', record.notes['place'] ?? ''],
    ['asked for', inOrder(earlierRoots(record))],
  ];
  return [
    ...differences([...before, ...whole], [...packages, ['place', place], ['asked for', inOrder(roots)]]),
    ...(trust === undefined ? [] : trustDifferences(record, trust)),
  ];
}

/** What an installer notes in the record of a generation. */
export const notesFor = (
  { roots }: Wanted,
  buildfile: string,
  { place, trust, trusted }: PrefixNotes,
): GenerationRecord['notes'] => ({
  targets: noteOf(roots),
  place,
  trust,
  trusted,
  buildfile,
  installedAt: new Date().toISOString(),
});
