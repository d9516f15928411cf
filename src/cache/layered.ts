/** A cache made of caches: the disk first, then the others in order, and whatever is found lands on the disk, verified. */
import type { SealedManifest } from '../artifact/sealed.ts';
import type { ContentKey, Digest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Answer, BlobRef, CacheTier, Fetched, Lack, Wanted } from './cache.ts';
import type { DiskCache } from './disk.ts';
import { push } from './push.ts';
import type { FetchedTree } from './tree-fetch.ts';

/** What one tier said of one key; `tier` is its name. After a hit, a second answer says why its body was no good. */
export interface TierAnswer {
  readonly tier: string;
  readonly name: string;
  readonly key: ContentKey;
  readonly answer: Answer;
}

/** `body` is the absolute path of verified bytes in the disk cache; `tier` says where they came from. */
export type FetchedArtifact =
  | ({ readonly outcome: 'done'; readonly body: string; readonly tier: string } & SealedManifest)
  | Lack;

/** `path` is absolute, of verified bytes in the disk cache. */
export type FetchedBlob = { readonly outcome: 'done'; readonly path: string } | Lack;

/** Where no tier has it, the most telling reason is the answer: rejected, then unreachable, then absent; it begins with the tier's name. */
export interface LayeredCache {
  /** Tells every tier what is going to be looked up, as far as the disk does not have it; see `CacheTier`. */
  foresee(wanted: readonly Wanted[], signal: AbortSignal): Promise<void>;
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
  /** What `fetchArtifact` would find, with nothing written; a body that lies in a lower tier is taken to be good. */
  foreseeArtifact(name: string, key: ContentKey, signal: AbortSignal): Promise<FetchedArtifact>;
  /** Brings a blob, such as a source's archive, into the disk cache. @throws {VbuildError} `disk-trouble` */
  fetchBlob(blob: BlobRef, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<FetchedBlob>;
  /** Fills an empty folder (absolute path) with a tree of a source, from the first tier that has it whole; see `fetchTreeFrom`. */
  fetchTree(tree: Digest, into: string, signal: AbortSignal): Promise<FetchedTree>;
}

/**
 * Made once per run: what the lower tiers answered is remembered in memory for its lifetime and no longer, so that an
 * artifact that appears in a bucket is seen by the next run. The disk is asked each time.
 *
 * @param lower    In the order in which they are asked.
 * @param onAnswer Sees every answer of every tier as it comes; those that are only remembered are not told again.
 * @param onUnfilled Called for a tier that could not take in what was found behind it.
 */
export function layeredCache(
  disk: DiskCache,
  lower: readonly CacheTier[],
  onAnswer: (answer: TierAnswer) => void = () => {},
  onUnfilled: (tier: string, error: VbuildError) => void = () => {},
): LayeredCache {
  const remembered = new Map<string, Answer>();
  const unfillable = new Set<CacheTier>();

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
    sealed: SealedManifest,
    signal: AbortSignal,
    progress: (doneBytes: number) => void,
  ): Promise<Fetched> {
    const { manifest, signer, bytes } = sealed;
    if (tier === disk) {
      if ((await disk.blobs.find(manifest.body.digest)) !== undefined) return { outcome: 'done' };
      disk.setAside(manifest.package.name, manifest.key, signer);
      return { outcome: 'rejected', reason: 'its body was damaged' };
    }
    const fetched = await bring(tier, manifest.body, signal, progress);
    if (fetched.outcome === 'absent')
      return { outcome: 'rejected', reason: `its body ${manifest.body.digest} is not there` };
    if (fetched.outcome === 'done') {
      await disk.putManifest({ manifest, signer, bytes }, signal);
      await fill(lower.slice(0, lower.indexOf(tier)), { manifest, signer, bytes }, signal);
    }
    return fetched;
  }

  /** Tiers that stand before the one that had it get it too; one that cannot take it is told once, and left alone from then on. */
  async function fill(tiers: readonly CacheTier[], sealed: SealedManifest, signal: AbortSignal): Promise<void> {
    for (const tier of tiers) {
      if (unfillable.has(tier) || !(await tier.fillable?.(signal))) continue;
      try {
        await push({ sealed, bodyFile: disk.blobs.pathOf(sealed.manifest.body.digest) }, tier, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof VbuildError)) throw error;
        unfillable.add(tier);
        onUnfilled(tier.name, error);
      }
    }
  }

  return {
    async fetchTree(tree, into, signal) {
      const { fetchTreeFrom } = await import('./tree-fetch.ts');
      return fetchTreeFrom(tree, into, {
        disk,
        tiers: [disk, ...lower],
        bring: (tier, blob) => bring(tier, blob, signal),
        signal,
      });
    },
    async foresee(wanted, signal) {
      const open = wanted.filter(({ name, key }) => !disk.has(name, key));
      await Promise.all(lower.map(async (tier) => tier.foresee?.(open, signal)));
    },
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
        const { manifest, signer, bytes } = answer;
        const { digest, sizeBytes } = manifest.body;
        const fetched = await bodyFrom(tier, answer, signal, (doneBytes) => progress?.(doneBytes, sizeBytes));
        if (fetched.outcome === 'done')
          return { outcome: 'done', manifest, signer, bytes, body: disk.blobs.pathOf(digest), tier: tier.name };
        lacks.push([tier.name, tell(tier, name, key, fetched)]);
      }
      return mostTelling(lacks);
    },
    async foreseeArtifact(name, key, signal) {
      const lacks: NamedLack[] = [];
      for (const tier of [disk, ...lower]) {
        const answer =
          tier === disk
            ? tell(disk, name, key, await disk.peek(name, key, signal))
            : await ask(tier, name, key, signal);
        if (answer.outcome === 'hit') {
          const { manifest, signer, bytes } = answer;
          return {
            outcome: 'done',
            manifest,
            signer,
            bytes,
            body: disk.blobs.pathOf(manifest.body.digest),
            tier: tier.name,
          };
        }
        lacks.push([tier.name, answer]);
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
