/** A cache made of caches: the disk first, then the others in order, and whatever is found lands on the disk, verified. */
import { equalKey, type Standing } from '../artifact/equal.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { type SealedManifest, standingIn } from '../artifact/sealed.ts';
import type { ContentKey, Digest, EqualKey } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Answer, BlobRef, CacheTier, Fetched, Lack, Wanted } from './cache.ts';
import { bringer } from './bring.ts';
import type { DiskCache } from './disk.ts';
import type { Asked } from './layout.ts';
import { type Judge, mostTelling, type NamedLack, type Unfit } from './lacks.ts';
import { push } from './push.ts';
import type { FetchedTree } from './tree-fetch.ts';

/** An artifact that is sought: by its content key, or (`equal`) as one that was made of the same to the byte. */
interface Sought {
  readonly name: string;
  readonly key: ContentKey;
  readonly equal?: EqualKey;
}

/** What one tier said of one artifact; `tier` is its name. After a hit, a second answer says why its body was no good. */
export interface TierAnswer extends Sought {
  readonly tier: string;
  readonly answer: Answer;
}

/** `tier` says where it came from, and `madeFrom` is the key text of what was compiled: another one's where that is only equal. */
export type FetchedArtifact =
  | ({
      readonly outcome: 'done';
      readonly tier: string;
      readonly madeFrom: string;
    } & SealedManifest)
  | Unfit
  | Lack;

/** `path` is absolute, of verified bytes in the disk cache. */
type FetchedBlob = { readonly outcome: 'done'; readonly path: string } | Lack;

/** Where no tier has it, the most telling reason is the answer: unfit, rejected, unreachable, then absent; it begins with the tier's name. */
export interface LayeredCache {
  /** Tells every tier what is going to be looked up, as far as the disk does not have it; see `CacheTier`. */
  foresee(wanted: readonly Wanted[], signal: AbortSignal): Promise<void>;
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
  /** The manifest that the first tier below the disk has for a key, if any: enough to tell what came of it. Nothing is written. */
  glimpse(name: string, key: ContentKey, signal: AbortSignal): Promise<Manifest | undefined>;
  /** What `fetchArtifact` would find, with nothing written; a body that lies in a lower tier is taken to be good. */
  foreseeArtifact(name: string, key: ContentKey, signal: AbortSignal): Promise<FetchedArtifact>;
  /**
   * Brings an artifact that was made of the same to the byte, and puts it into the disk cache under the key of the one that it stands in
   * for; that is also the key of the manifest in the answer.
   * @throws {VbuildError} `disk-trouble`
   */
  fetchEqual(
    name: string,
    standing: Standing,
    signal: AbortSignal,
    progress?: (doneBytes: number, totalBytes: number) => void,
  ): Promise<FetchedArtifact>;
  /** What `fetchEqual` would find, as `foreseeArtifact`. */
  foreseeEqual(name: string, standing: Standing, signal: AbortSignal): Promise<FetchedArtifact>;
  /** Brings a blob, such as a source's archive, into the disk cache. @throws {VbuildError} `disk-trouble` */
  fetchBlob(blob: BlobRef, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<FetchedBlob>;
  /** Fills an empty folder (absolute path) with a source's tree, from the first tier that has it whole; see `fetchTreeFrom`. @throws {VbuildError} `disk-trouble` */
  fetchTree(tree: Digest, into: string, signal: AbortSignal): Promise<FetchedTree>;
}

/**
 * Made once per run: what the lower tiers answered is remembered in memory for its lifetime and no longer, so that an
 * artifact that appears in a bucket is seen by the next run. The disk is asked each time.
 *
 * @param lower    In the order in which they are asked.
 * @param onAnswer Sees every answer of every tier as it comes; those that are only remembered are not told again.
 * @param onUnfilled Called for a tier that could not take in what was found behind it.
 * @param judge    Asked before a body is brought; what it finds unfit is left where it is. Everything is fit when not given.
 * @param trees    What the artifacts of these keys must have packed: another build of such a key is rejected, and asked for further down.
 */
export function layeredCache(
  disk: DiskCache,
  lower: readonly CacheTier[],
  onAnswer: (answer: TierAnswer) => void = () => {},
  onUnfilled: (tier: string, error: VbuildError) => void = () => {},
  judge: Judge = () => undefined,
  trees: ReadonlyMap<ContentKey, Digest> = new Map(),
): LayeredCache {
  const remembered = new Map<string, Answer>();
  const unfillable = new Set<CacheTier>();
  const bring = bringer(disk);

  const noteOf = (tier: CacheTier, { name, key, equal }: Sought): string =>
    `${lower.indexOf(tier)} ${name} ${equal === undefined ? key : `equal ${equal}`}`;
  async function ask(tier: CacheTier, sought: Sought, signal: AbortSignal): Promise<Answer> {
    const known = tier === disk ? undefined : remembered.get(noteOf(tier, sought));
    if (known !== undefined) return known;
    const { name, key, equal } = sought;
    const tree = trees.get(key);
    const answer =
      equal === undefined ? tier.lookUp(name, key, signal, tree) : tier.lookUpEqual(name, equal, signal, tree);
    return tell(tier, sought, await answer);
  }
  function tell<Told extends Answer>(tier: CacheTier, sought: Sought, answer: Told): Told {
    remembered.set(noteOf(tier, sought), answer);
    onAnswer({ ...sought, tier: tier.name, answer });
    return answer;
  }

  /** What is unfit is told as an answer of the tier's, too: it has nothing that could be used. */
  function judged(tier: CacheTier, sought: Sought, answer: Answer): Answer | Unfit {
    const judgement = answer.outcome === 'hit' ? judge(answer.manifest) : undefined;
    if (judgement === undefined) return answer;
    onAnswer({ ...sought, tier: tier.name, answer: { outcome: 'rejected', reason: judgement.reason } });
    return { outcome: 'unfit', ...judgement };
  }

  async function bodyFrom(
    tier: CacheTier,
    sought: Sought,
    sealed: SealedManifest,
    signal: AbortSignal,
    progress: (doneBytes: number) => void,
  ): Promise<Fetched> {
    const { manifest, signer } = sealed;
    if (tier === disk) {
      if ((await disk.blobs.find(manifest.body.digest)) !== undefined) return { outcome: 'done' };
      disk.setAside(askedFor(sought), signer);
      return { outcome: 'rejected', reason: 'its body was damaged' };
    }
    const fetched = await bring(tier, manifest.body, signal, progress);
    if (fetched.outcome === 'absent')
      return { outcome: 'rejected', reason: `its body ${manifest.body.digest} is not there` };
    if (fetched.outcome === 'done') {
      const equalOnly = sought.equal !== undefined;
      await disk.putEqual(sealed, signal);
      if (!equalOnly) await disk.putManifest(sealed, signal);
      await fill(lower.slice(0, lower.indexOf(tier)), sealed, equalOnly, signal);
    }
    return fetched;
  }

  /** Tiers that stand before the one that had it get it too; one that cannot take it is told once, and left alone from then on. */
  async function fill(
    tiers: readonly CacheTier[],
    sealed: SealedManifest,
    equalOnly: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const bodyFile = disk.blobs.pathOf(sealed.manifest.body.digest);
    for (const tier of tiers) {
      if (unfillable.has(tier) || !(await tier.fillable?.(signal))) continue;
      try {
        await push({ sealed, bodyFile }, tier, signal, { equalOnly });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof VbuildError)) throw error;
        unfillable.add(tier);
        onUnfilled(tier.name, error);
      }
    }
  }

  function foundIn(
    tier: CacheTier,
    { manifest, signer, bytes }: SealedManifest,
    standing: Standing | undefined,
  ): Extract<FetchedArtifact, { outcome: 'done' }> {
    const sealed = { manifest, signer, bytes };
    const as = standing === undefined ? sealed : standingIn(sealed, standing);
    return { outcome: 'done', ...as, tier: tier.name, madeFrom: manifest.keyText };
  }

  async function fetch(
    sought: Sought,
    standing: Standing | undefined,
    signal: AbortSignal,
    progress?: (doneBytes: number, totalBytes: number) => void,
  ): Promise<FetchedArtifact> {
    const lacks: NamedLack[] = [];
    for (const tier of [disk, ...lower]) {
      const answer = judged(tier, sought, await ask(tier, sought, signal));
      if (answer.outcome !== 'hit') {
        lacks.push([tier.name, answer]);
        continue;
      }
      const { sizeBytes } = answer.manifest.body;
      const fetched = await bodyFrom(tier, sought, answer, signal, (doneBytes) => progress?.(doneBytes, sizeBytes));
      if (fetched.outcome !== 'done') {
        lacks.push([tier.name, tell(tier, sought, fetched)]);
        continue;
      }
      const found = foundIn(tier, answer, standing);
      if (standing !== undefined) await disk.putManifest(found, signal);
      return found;
    }
    return mostTelling(lacks);
  }

  async function foreseeOne(
    sought: Sought,
    standing: Standing | undefined,
    signal: AbortSignal,
  ): Promise<FetchedArtifact> {
    const lacks: NamedLack[] = [];
    for (const tier of [disk, ...lower]) {
      const said =
        tier === disk
          ? tell(disk, sought, await disk.peek({ ...askedFor(sought), tree: trees.get(sought.key) }, signal))
          : await ask(tier, sought, signal);
      const answer = judged(tier, sought, said);
      if (answer.outcome === 'hit') return foundIn(tier, answer, standing);
      lacks.push([tier.name, answer]);
    }
    return mostTelling(lacks);
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
    async glimpse(name, key, signal) {
      if (disk.has(name, key)) return undefined;
      for (const tier of lower) {
        const answer = await ask(tier, { name, key }, signal);
        if (answer.outcome === 'hit' && judge(answer.manifest) === undefined) return answer.manifest;
      }
      return undefined;
    },
    fetchArtifact: (name, key, signal, progress) => fetch({ name, key }, undefined, signal, progress),
    foreseeArtifact: (name, key, signal) => foreseeOne({ name, key }, undefined, signal),
    async fetchEqual(name, standing, signal, progress) {
      const sought = equalTo(name, standing);
      return sought === undefined ? { outcome: 'absent' } : fetch(sought, standing, signal, progress);
    },
    async foreseeEqual(name, standing, signal) {
      const sought = equalTo(name, standing);
      return sought === undefined ? { outcome: 'absent' } : foreseeOne(sought, standing, signal);
    },
    async fetchBlob(blob, signal, progress) {
      const path = disk.blobs.pathOf(blob.digest);
      if ((await disk.blobs.find(blob.digest)) !== undefined) return { outcome: 'done', path };
      const lacks: NamedLack<Lack>[] = [];
      for (const tier of lower) {
        const fetched = await bring(tier, blob, signal, progress);
        if (fetched.outcome === 'done') return { outcome: 'done', path };
        lacks.push([tier.name, fetched]);
      }
      return mostTelling(lacks);
    },
  };
}

function equalTo(name: string, { key, keyText, against }: Standing): Sought | undefined {
  const equal = equalKey(keyText, against);
  return equal === undefined ? undefined : { name, key, equal };
}

const askedFor = ({ name, key, equal }: Sought): Asked => (equal === undefined ? { name, key } : { name, equal });
