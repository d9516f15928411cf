/** The contract of a cache tier: where finished artifacts are looked up, fetched from and put. */
import type { SealedManifest } from '../artifact/sealed.ts';
import type { Signer } from '../artifact/signer.ts';
import type { ContentKey, Digest, EqualKey } from '../model/digest.ts';
import type { Asked } from './layout.ts';
import type { ListedObject, ObjectStat, Traffic } from '../system/objects.ts';

/** Why a tier has nothing to give. */
export type Lack =
  /** The tier itself says that it is not there. */
  | { readonly outcome: 'absent' }
  /** The tier could not be asked. */
  | { readonly outcome: 'unreachable'; readonly reason: string }
  /** Something is there that cannot be used. */
  | { readonly outcome: 'rejected'; readonly reason: string };

/** Never just "miss": a caller can always tell why there is nothing. */
export type Answer = ({ readonly outcome: 'hit' } & SealedManifest) | Lack;

/** What became of bringing a body or a blob to this machine. */
export type Fetched = { readonly outcome: 'done' } | Lack;

/** A blob as a manifest or a pin names it. */
export interface BlobRef {
  readonly digest: Digest;
  /** Where it is known, a tier that offers more or fewer bytes is not read to its end. */
  readonly sizeBytes?: number;
}

/** The answer to where the tree of a source lies packed. */
export type TreeAnswer = { readonly outcome: 'hit'; readonly body: Required<BlobRef> } | Lack;

/** An artifact as it is asked for. */
export interface Wanted {
  readonly name: string;
  readonly key: ContentKey;
}

/** The objects of a tier as such, for commands about the cache itself; names are relative to the tier's top. */
export interface TierObjects {
  /** All that begin with a prefix, in code-unit order. @throws {VbuildError} `cache-trouble` */
  all(prefix: string, signal: AbortSignal): Promise<readonly ListedObject[]>;
  /** @throws {VbuildError} `cache-trouble` */
  stat(object: string, signal: AbortSignal): Promise<ObjectStat | undefined>;
  /** The manifest that one signer has in a place, whatever the policy says of it. */
  manifest(place: Asked & { readonly signer: Signer }, signal: AbortSignal): Promise<Answer>;
  /** @throws {VbuildError} `cache-trouble` */
  remove(object: string, signal: AbortSignal): Promise<void>;
  /** Gives up uploads that were begun before a time (milliseconds since 1970) and never ended, where there is such a thing. @returns How many. @throws {VbuildError} `cache-trouble` */
  dropUnfinished(beforeMs: number, signal: AbortSignal): Promise<number>;
}

/** The releases that a tier holds, each under its name in the place of its signer. */
export interface TierReleases {
  /** The document as it is stored; nothing of it is looked into. */
  get(
    name: string,
    signer: Signer,
    signal: AbortSignal,
  ): Promise<{ readonly outcome: 'done'; readonly bytes: Uint8Array } | Lack>;
  /** @returns `there` when this signer has a release of this name there, which is left. @throws {VbuildError} `upload-failed` */
  put(name: string, signer: Signer, bytes: Uint8Array, signal: AbortSignal): Promise<'written' | 'there'>;
}

/**
 * Every method throws the reason of `signal` once that is aborted, `disk-trouble` where this machine's own disk fails or is full, and nothing
 * else for what the tier does, save where said. Names of packages are those of the Buildfile, without a version.
 */
export interface CacheTier {
  /** As shown to people: `disk`, `s3://bucket/prefix`. */
  readonly name: string;
  /** Whether `--push` writes to it; whether it may is for the tier itself to say. */
  readonly writable: boolean;
  /** Whether it takes in what was found in a tier behind it, so that it is nearer the next time; absent where it never does. */
  readonly fillable?: (signal: AbortSignal) => Promise<boolean>;
  /** What has passed between it and this process so far; absent for the local disk. */
  readonly traffic?: () => Readonly<Traffic>;
  /** Absent for one that cannot be listed and written to object by object. */
  readonly objects?: TierObjects;
  /** Absent for the local disk. */
  readonly releases?: TierReleases;
  /** Told of all that is going to be looked up, in any order, it may find out in fewer requests what is absent. Never throws for trouble of the tier. */
  foresee?(wanted: readonly Wanted[], signal: AbortSignal): Promise<void>;
  /**
   * Asks for a manifest of a key; a hit is well-formed, bears this name and key, and is acceptable. Never throws for trouble of the tier.
   *
   * @param tree What its artifact must have packed: of several builds of one key this one. Any will do when not given.
   */
  lookUp(name: string, key: ContentKey, signal: AbortSignal, tree?: Digest): Promise<Answer>;
  /** The same for the manifest of an artifact that was made of the same to the byte, whatever its content key is. */
  lookUpEqual(name: string, equal: EqualKey, signal: AbortSignal, tree?: Digest): Promise<Answer>;
  /**
   * Writes the blob to `into` (absolute; must not exist), verified against its digest; on anything but `done` nothing is left there. One
   * that came damaged is, for as long as the tier object lives, one that the tier does not hold.
   */
  fetchBlob(blob: BlobRef, into: string, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<Fetched>;
  /** Whether a manifest that is as good lies in the place of this one's signer, with its body. Never throws for trouble of the tier. */
  holds(sealed: SealedManifest, signal: AbortSignal): Promise<boolean>;
  /**
   * Makes a blob present, and safe for a while from being swept away as one that nobody needs.
   *
   * @param file   Absolute path of its bytes, which have this digest.
   * @param repair What is there and cannot be it is replaced.
   * @returns What it took: `renewed` for one that had been there for long.
   * @throws {VbuildError} `upload-failed`
   */
  putBlob(
    digest: Digest,
    file: string,
    signal: AbortSignal,
    repair?: boolean,
  ): Promise<'written' | 'renewed' | 'there'>;
  /** Asks which blob the tree of a source is packed in; whoever unpacks it still has to compare the tree. Never throws for trouble of the tier. */
  lookUpTree(tree: Digest, signal: AbortSignal): Promise<TreeAnswer>;
  /** Whether a packed tree lies there whole; if so, it is safe for a while from being swept away. Never throws for trouble of the tier. */
  holdsTree(tree: Digest, signal: AbortSignal): Promise<boolean>;
  /**
   * Says that a tree is packed in a blob which is present; what is said there already stays, if it can be used.
   *
   * @param repair What is there is replaced.
   * @throws {VbuildError} `upload-failed`
   */
  putTree(tree: Digest, body: Required<BlobRef>, signal: AbortSignal, repair?: boolean): Promise<void>;
  /**
   * Publishes a manifest whose body is present, in the place of its signer; one that is there already and valid is left.
   *
   * @param repair What is there and cannot be used is replaced.
   * @throws {VbuildError} `upload-failed`
   */
  putManifest(sealed: SealedManifest, signal: AbortSignal, repair?: boolean): Promise<void>;
  /**
   * Makes an artifact whose body is present known to those who look for an equal one. What is there in its signer's place is left; where
   * it is of no use, those build.
   *
   * @param repair What is there and cannot be used is replaced.
   * @throws {VbuildError} `upload-failed`
   */
  putEqual(sealed: SealedManifest, signal: AbortSignal, repair?: boolean): Promise<void>;
}
