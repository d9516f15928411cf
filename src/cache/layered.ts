/** A cache made of caches: the disk first, then the others in order, and whatever is found lands on the disk, verified. */
import type { Manifest } from '../artifact/manifest.ts';
import type { ContentKey } from '../model/digest.ts';
import type { Answer, BlobRef, CacheTier, Fetched, Lack } from './cache.ts';
import type { DiskCache } from './disk.ts';

/** What one tier said of one key; `tier` is its name. After a hit, a second answer says why its body was no good. */
export interface TierAnswer {
  readonly tier: string;
  readonly name: string;
  readonly key: ContentKey;
  readonly answer: Answer;
}

/** `body` is the absolute path of verified bytes in the disk cache; `tier` says where they came from. */
export type FetchedArtifact =
  | { readonly outcome: 'done'; readonly manifest: Manifest; readonly body: string; readonly tier: string }
  | Lack;

/** `path` is absolute, of verified bytes in the disk cache. */
export type FetchedBlob = { readonly outcome: 'done'; readonly path: string } | Lack;

/** Where no tier has it, the most telling reason is the answer: rejected, then unreachable, then absent; it begins with the tier's name. */
export interface LayeredCache {
  /** Asks the tiers in order until one has the key. */
  lookUp(name: string, key: ContentKey, signal: AbortSignal): Promise<Answer>;
  /**
   * Brings the body and then the manifest of a key into the disk cache, from the first tier that has them whole.
   * Any number of processes may do so at once.
   * @throws {VbuildError} `disk-trouble`
   */
  fetchArtifact(
    name: string,
    key: ContentKey,
    signal: AbortSignal,
    progress?: (doneBytes: number, totalBytes: number) => void,
  ): Promise<FetchedArtifact>;
  /** Brings a blob, such as a source's archive, into the disk cache. @throws {VbuildError} `disk-trouble` */
  fetchBlob(blob: BlobRef, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<FetchedBlob>;
}

/**
 * Made once per run: what the lower tiers answered is remembered in memory for its lifetime and no longer, so that an
 * artifact that appears in a bucket is seen by the next run. The disk is asked each time.
 *
 * @param lower    In the order in which they are asked.
 * @param onAnswer Sees every answer of every tier as it comes; those that are only remembered are not told again.
 */
export function layeredCache(
  disk: DiskCache,
  lower: readonly CacheTier[],
  onAnswer: (answer: TierAnswer) => void = () => {},
): LayeredCache {
  const remembered = new Map<string, Answer>();

  async function ask(tier: CacheTier, name: string, key: ContentKey, signal: AbortSignal): Promise<Answer> {
    const known = tier === disk ? undefined : remembered.get(`${lower.indexOf(tier)} ${name} ${key}`);
    return known ?? tell(tier, name, key, await tier.lookUp(name, key, signal));
  }
  function tell<Told extends Answer>(tier: CacheTier, name: string, key: ContentKey, answer: Told): Told {
    remembered.set(`${lower.indexOf(tier)} ${name} ${key}`, answer);
    onAnswer({ tier: tier.name, name, key, answer });
    return answer;
  }

  /** Through a name that nobody reads, so that a half-written body is never found. */
  async function bring(
    tier: CacheTier,
    blob: BlobRef,
    signal: AbortSignal,
    progress?: (doneBytes: number) => void,
  ): Promise<Fetched> {
    if ((await disk.blobs.find(blob.digest)) !== undefined) return { outcome: 'done' };
    const temporary = disk.blobs.temporaryPath();
    const fetched = await tier.fetchBlob(blob, temporary, signal, progress);
    if (fetched.outcome === 'done') disk.blobs.add(temporary, blob.digest);
    return fetched;
  }

  async function bodyFrom(
    tier: CacheTier,
    manifest: Manifest,
    signal: AbortSignal,
    progress: (doneBytes: number) => void,
  ): Promise<Fetched> {
    if (tier === disk) {
      if ((await disk.blobs.find(manifest.body.digest)) !== undefined) return { outcome: 'done' };
      disk.setAside(manifest.package.name, manifest.key);
      return { outcome: 'rejected', reason: 'its body was damaged' };
    }
    const fetched = await bring(tier, manifest.body, signal, progress);
    if (fetched.outcome === 'absent')
      return { outcome: 'rejected', reason: `its body ${manifest.body.digest} is not there` };
    if (fetched.outcome === 'done') await disk.putManifest(manifest, signal);
    return fetched;
  }

  return {
    async lookUp(name, key, signal) {
      const lacks: NamedLack[] = [];
      for (const tier of [disk, ...lower]) {
        const answer = await ask(tier, name, key, signal);
        if (answer.outcome === 'hit') return answer;
        lacks.push([tier.name, answer]);
      }
      return mostTelling(lacks);
    },
    async fetchArtifact(name, key, signal, progress) {
      const lacks: NamedLack[] = [];
      for (const tier of [disk, ...lower]) {
        const answer = await ask(tier, name, key, signal);
        if (answer.outcome !== 'hit') {
          lacks.push([tier.name, answer]);
          continue;
        }
        const { manifest } = answer;
        const { digest, sizeBytes } = manifest.body;
        const fetched = await bodyFrom(tier, manifest, signal, (doneBytes) => progress?.(doneBytes, sizeBytes));
        if (fetched.outcome === 'done')
          return { outcome: 'done', manifest, body: disk.blobs.pathOf(digest), tier: tier.name };
        lacks.push([tier.name, tell(tier, name, key, fetched)]);
      }
      return mostTelling(lacks);
    },
    async fetchBlob(blob, signal, progress) {
      const path = disk.blobs.pathOf(blob.digest);
      if ((await disk.blobs.find(blob.digest)) !== undefined) return { outcome: 'done', path };
      const lacks: NamedLack[] = [];
      for (const tier of lower) {
        const fetched = await bring(tier, blob, signal, progress);
        if (fetched.outcome === 'done') return { outcome: 'done', path };
        lacks.push([tier.name, fetched]);
      }
      return mostTelling(lacks);
    },
  };
}

type NamedLack = readonly [tier: string, lack: Lack];

function mostTelling(lacks: readonly NamedLack[]): Lack {
  for (const outcome of ['rejected', 'unreachable'] as const) {
    const reasons = lacks.flatMap(([tier, lack]) => (lack.outcome === outcome ? [`${tier}: ${lack.reason}`] : []));
    if (reasons.length > 0) return { outcome, reason: reasons.join('; ') };
  }
  return { outcome: 'absent' };
}
