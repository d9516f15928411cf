/** Finds out what of a bucket or folder no given lock file reaches any more, and removes it when that is asked for. */
import { equalKeyOf, ownFields } from '../artifact/equal.ts';
import type { Manifest } from '../artifact/manifest.ts';
import type { CacheTier, TierObjects } from '../cache/cache.ts';
import {
  artifactsFolder,
  blobFolder,
  blobObject,
  equalFolder,
  equalNamed,
  manifestNamed,
  objectFor,
  sourceNamed,
  sourcesFolder,
} from '../cache/layout.ts';
import type { ContentKey, Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { ListedObject } from '../system/objects.ts';

export interface Reached {
  /** The key text of every artifact, by `NAME KEY`. */
  readonly artifacts: ReadonlyMap<string, string>;
  /** Archives of sources. */
  readonly archives: ReadonlySet<Digest>;
  /** Trees of sources, by their own digests. */
  readonly trees: ReadonlySet<Digest>;
}

interface TierSweep {
  /** Relative to the tier's top; what names blobs before the blobs, in the order in which they are to go. */
  readonly swept: readonly ListedObject[];
  readonly kept: number;
  readonly keptBytes: number;
  /** Not reached either, and too young to be sure that nobody is pushing what needs them. */
  readonly young: number;
  /** Uploads that were given up. */
  readonly unfinished: number;
}

/** Nobody pushes for this long, and whoever relies on an object that is older renews it first; in milliseconds. */
export const LEAST_AGE_MS = 2 * 24 * 60 * 60 * 1000;

/**
 * What is younger than `ageMs`, and all that it needs, stays. Manifests go before bodies, each after a last look at its age: what somebody
 * has put or renewed meanwhile stays too.
 *
 * @param ageMs    At least {@link LEAST_AGE_MS}.
 * @param remove   Without it, nothing is changed.
 * @throws {VbuildError} `cache-trouble`: whatever cannot be read stops it before anything is removed.
 */
export async function sweepTier(
  tier: CacheTier,
  reached: Reached,
  { ageMs, remove, signal }: { readonly ageMs: number; readonly remove: boolean; readonly signal: AbortSignal },
): Promise<TierSweep> {
  const { objects } = tier;
  if (objects === undefined)
    throw new VbuildError('usage', 'This cache cannot be swept', {
      facts: { cache: tier.name },
      mend: 'sweep the folder or bucket that it is handed out from',
    });
  const beforeMs = Date.now() - ageMs;
  const manifests = await objects.all(`${artifactsFolder}/`, signal);
  const sources = await objects.all(`${sourcesFolder}/`, signal);
  const equals = await objects.all(`${equalFolder}/`, signal);
  const blobs = await objects.all(`${blobFolder}/`, signal);
  const keep = await kept({ manifests, equals, sources }, reached, beforeMs, { tier, objects }, signal);
  const wanted = (one: ListedObject): boolean => keep.has(one.name);
  const old = (one: ListedObject): boolean => one.modifiedMs < beforeMs;
  const all = [...manifests, ...equals, ...sources, ...blobs];
  const candidates = all.filter((one) => !wanted(one) && old(one));
  const swept: ListedObject[] = [];
  for (const one of candidates) {
    signal.throwIfAborted();
    if (remove) {
      const now = await objects.stat(one.name, signal);
      if (now === undefined || now.modifiedMs >= beforeMs) continue;
      await objects.remove(one.name, signal);
    }
    swept.push(one);
  }
  const left = all.filter((one) => !swept.includes(one));
  return {
    swept,
    kept: left.length,
    keptBytes: left.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    young: left.filter((one) => !wanted(one)).length,
    unfinished: remove ? await objects.dropUnfinished(beforeMs, signal) : 0,
  };
}

/** Names of all that is reached or young, and of what these need in turn. */
async function kept(
  { manifests, equals, sources }: Readonly<Record<'manifests' | 'equals' | 'sources', readonly ListedObject[]>>,
  { artifacts, archives, trees }: Reached,
  beforeMs: number,
  { tier, objects }: { readonly tier: CacheTier; readonly objects: TierObjects },
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const keep = new Set([...archives].map(blobObject));
  const wantedTrees = new Set(trees);
  const read = async (place: Parameters<TierObjects['manifest']>[0], object: string): Promise<Manifest | undefined> => {
    const answer = await objects.manifest(place, signal);
    if (answer.outcome === 'unreachable') throw unreadable(object, answer.reason);
    // One that is damaged names nothing that could be kept for it.
    return answer.outcome === 'hit' ? answer.manifest : undefined;
  };
  const keepWhatItNeeds = (manifest: Manifest): void => {
    for (const digest of blobsOf(manifest)) keep.add(blobObject(digest));
    if (manifest.statement !== undefined) wantedTrees.add(manifest.statement.source.tree);
  };
  const placed = manifests.flatMap((one) => {
    const place = manifestNamed(one.name);
    return place === undefined ? [] : [{ ...place, object: one }];
  });
  const byArtifact = Map.groupBy(placed, ({ name, key }) => artifactName(name, key));
  const open = placed.flatMap(({ name, key, object }) =>
    artifacts.has(artifactName(name, key)) || object.modifiedMs >= beforeMs ? [artifactName(name, key)] : [],
  );
  const seen = new Set<string>();
  for (let artifact = open.pop(); artifact !== undefined; artifact = open.pop()) {
    if (seen.has(artifact)) continue;
    seen.add(artifact);
    for (const { object, ...place } of byArtifact.get(artifact) ?? []) {
      keep.add(object.name);
      const manifest = await read(place, object.name);
      if (manifest === undefined) continue;
      keepWhatItNeeds(manifest);
      const equal = equalKeyOf(manifest);
      if (equal !== undefined) keep.add(objectFor({ name: place.name, equal }, place.signer));
      open.push(...manifest.dependencies.map(({ name, key }) => artifactName(name, key)));
    }
  }
  // What is reached and has no manifest is found as an equal one, where that was made of the same but for its dependencies.
  const lacking = new Set(
    [...artifacts].flatMap(([artifact, text]) => (byArtifact.has(artifact) ? [] : [madeOf(artifact, text)])),
  );
  const names = new Set([...lacking].map((one) => one.slice(0, one.indexOf(' '))));
  for (const object of equals) {
    const place = equalNamed(object.name);
    if (place === undefined) continue;
    const isKept = keep.has(object.name) || object.modifiedMs >= beforeMs;
    const manifest = isKept || names.has(place.name) ? await read(place, object.name) : undefined;
    if (manifest === undefined || !(isKept || lacking.has(madeOf(place.name, manifest.keyText)))) continue;
    keep.add(object.name);
    keepWhatItNeeds(manifest);
  }
  for (const { name, modifiedMs } of sources) {
    const tree = sourceNamed(name);
    if (tree === undefined || !(wantedTrees.has(tree) || modifiedMs >= beforeMs)) continue;
    keep.add(name);
    const answer = await tier.lookUpTree(tree, signal);
    if (answer.outcome === 'unreachable') throw unreadable(name, answer.reason);
    if (answer.outcome === 'hit') keep.add(blobObject(answer.body.digest));
  }
  return keep;
}

const unreadable = (object: string, reason: string): VbuildError =>
  new VbuildError('cache-trouble', 'Cache cannot be used', {
    facts: { object, reason },
    mend: 'try again; nothing was removed',
  });
/** The name of a package, and all that is its own. @param artifact Begins with that name. */
const madeOf = (artifact: string, text: string): string =>
  `${artifact.split(' ')[0]} ${JSON.stringify(ownFields(text))}`;

const blobsOf = ({ body, statement }: Manifest): Digest[] => [
  body.digest,
  ...(statement === undefined ? [] : archivesIn(statement.source.pin)),
];

/** Digests of the archives that a pin names, which anybody may have written. */
export function archivesIn(pin: { readonly [fact: string]: unknown }): Digest[] {
  const { files } = pin;
  const archives = Array.isArray(files) ? (files as readonly { readonly digest?: unknown }[]) : [];
  return archives.flatMap(({ digest }) => (typeof digest === 'string' ? [digest as Digest] : []));
}

/** How an artifact is called in `Reached`. */
export const artifactName = (name: string, key: ContentKey): string => `${name} ${key}`;
