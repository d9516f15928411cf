/** Two states of a graph → what differs and where that began (pure). */
import { isStep, longestCommon, stepDifferences } from '../key/aligned.ts';
import { dependencyPrefix, differences, type Field } from '../key/fields.ts';
import type { Digest } from '../model/digest.ts';
import type { Reason } from '../model/event.ts';
import type { Change, Root } from '../model/explanation.ts';
import type { RecordedPatch } from './history.ts';

/** What one package rested on at one time. */
export interface Snapshot {
  /** `name@version`. */
  readonly package: string;
  readonly fields: readonly Field[];
  /** With their names, where those are known. */
  readonly patches?: readonly RecordedPatch[];
  /** As JSON, where they are known. */
  readonly source?: { readonly spec: string; readonly pin: string };
}

/** Finds the state of a dependency by its name and content key. */
export type SnapshotOf = (name: string, key: string) => Snapshot | undefined;

/**
 * The packages in which the difference between two states of one package began, each once, by the shortest way to it. A dependency
 * counts by its key, so that one that moved is explained by what moved in it.
 */
export function rootCauses(before: Snapshot, now: Snapshot, snapshotOf: SnapshotOf): Root[] {
  const roots = new Map<string, Root>();
  let wave: { before: Snapshot | undefined; now: Snapshot; through: readonly string[] }[] = [
    { before, now, through: [] },
  ];
  const seen = new Set<string>([now.package]);
  while (wave.length > 0) {
    const next: typeof wave = [];
    for (const pair of wave) {
      const changes = pair.before === undefined ? [] : changesBetween(pair.before, pair.now);
      const moved = pair.before === undefined ? [] : movedDependencies(pair.before, pair.now);
      if (changes.length > 0 || pair.before === undefined)
        roots.set(pair.now.package, { package: pair.now.package, through: pair.through, changes });
      const through = pair.now === now ? [] : [...pair.through, pair.now.package];
      for (const one of moved) {
        const state = snapshotOf(one.name, one.now) ?? { package: one.name, fields: [] };
        if (seen.has(state.package)) continue;
        seen.add(state.package);
        const was = state.fields.length === 0 ? undefined : snapshotOf(one.name, one.before);
        next.push({ before: was, now: state, through });
      }
    }
    wave = next;
  }
  return [...roots.values()];
}

interface MovedDependency {
  readonly name: string;
  readonly before: string;
  readonly now: string;
}

/** Dependencies that both states have, by other keys. */
export const movedDependencies = (before: Snapshot, now: Snapshot): MovedDependency[] =>
  differences(before.fields, now.fields).flatMap(({ input, before: was, now: is }) =>
    input.startsWith(dependencyPrefix) && was !== undefined && is !== undefined
      ? [{ name: input.slice(dependencyPrefix.length), before: was, now: is }]
      : [],
  );

/** Everything of a package's own that differs: source first, then patches, then steps, then the rest in the order of the key text. */
export function changesBetween(before: Snapshot, now: Snapshot): Change[] {
  const moved = new Set(movedDependencies(before, now).map(({ name }) => dependencyPrefix + name));
  const rest = differences(before.fields, now.fields).filter(
    ({ input }) => !/^(source|patch|step)\./.test(input) && !moved.has(input),
  );
  return [
    ...sourceChanges(before, now),
    ...patchChanges(patchesOf(before), patchesOf(now)),
    ...stepDifferences(stepsOf(before), stepsOf(now)).map(valueChange),
    ...rest.map(valueChange),
  ];
}

const valueChange = ({ input, before, now }: Reason): Change => ({
  kind: 'value',
  input,
  ...(before !== undefined && { before }),
  ...(now !== undefined && { now }),
});

const valueOf = ({ fields }: Snapshot, name: string): string | undefined =>
  fields.find(([field]) => field === name)?.[1];

function sourceChanges(before: Snapshot, now: Snapshot): Change[] {
  const trees = (one: Snapshot): string =>
    [valueOf(one, 'source.tree'), valueOf(one, 'source.series')].filter((part) => part !== undefined).join(' ');
  const [was, is] = [trees(before), trees(now)];
  if (was === is) return [];
  const known = (one: Snapshot): Field[] =>
    one.source === undefined
      ? []
      : [
          ['source', one.source.spec],
          ['pin', one.source.pin],
        ];
  const reasons = before.source && now.source ? differences(known(before), known(now)) : [];
  return [{ kind: 'source', before: was, now: is, reasons }];
}

function patchesOf(one: Snapshot): readonly RecordedPatch[] {
  if (one.patches !== undefined) return one.patches;
  return one.fields.flatMap(([name, value]) =>
    /^patch\.\d+$/.test(name)
      ? [{ name, digest: value as Digest, strip: Number(valueOf(one, `${name}.strip`) ?? 1) }]
      : [],
  );
}

function patchChanges(before: readonly RecordedPatch[], now: readonly RecordedPatch[]): Change[] {
  // Names decide who is who where both sides have them; without, a patch is known by its place.
  const named = (patches: readonly RecordedPatch[]): boolean => patches.every(({ name }) => !/^patch\.\d+$/.test(name));
  const label = named(before) && named(now) ? ({ name }: RecordedPatch) => name : (_: RecordedPatch, at: number) => at;
  const was = new Map(calledAsNow(before, now).map((patch, at) => [label(patch, at), { patch, place: at + 1 }]));
  const is = new Map(now.map((patch, at) => [label(patch, at), { patch, place: at + 1 }]));
  const kept = longestCommon([...was.keys()], [...is.keys()]);
  const changes: Change[] = [];
  for (const [key, { patch, place }] of is) {
    const old = was.get(key);
    const file = patch.name;
    if (old === undefined) {
      changes.push({ kind: 'patch', what: 'added', place, content: { file, now: patch.digest } });
      continue;
    }
    const content = { file, before: old.patch.digest, now: patch.digest };
    if (old.patch.digest !== patch.digest) changes.push({ kind: 'patch', what: 'changed', place, content });
    if (old.patch.strip !== patch.strip)
      changes.push({ kind: 'patch', what: 'stripped', place, from: old.patch.strip, to: patch.strip, content });
    if (!kept.has(key)) changes.push({ kind: 'patch', what: 'moved', place, from: old.place, to: place, content });
  }
  for (const [key, { patch, place }] of was) {
    if (!is.has(key))
      changes.push({ kind: 'patch', what: 'dropped', place, content: { file: patch.name, before: patch.digest } });
  }
  return changes;
}

/** The name of a patch is no input: one that has only another name now is the same patch. */
function calledAsNow(before: readonly RecordedPatch[], now: readonly RecordedPatch[]): readonly RecordedPatch[] {
  const names = (patches: readonly RecordedPatch[]): Set<string> => new Set(patches.map(({ name }) => name));
  const [old, kept] = [names(before), names(now)];
  const fresh = now.filter(({ name }) => !old.has(name));
  return before.map((patch) => {
    const at = kept.has(patch.name) ? -1 : fresh.findIndex(({ digest }) => digest === patch.digest);
    return at < 0 ? patch : { ...patch, name: (fresh.splice(at, 1) as [RecordedPatch])[0].name };
  });
}

const stepsOf = ({ fields }: Snapshot): readonly Field[] => fields.filter(isStep);
