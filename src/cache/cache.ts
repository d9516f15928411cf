/** The contract of a cache tier: where finished artifacts are looked up, fetched from and put. */
import type { Manifest } from '../artifact/manifest.ts';
import type { ContentKey, Digest } from '../model/digest.ts';

/** Why a tier has nothing to give. */
export type Lack =
  /** The tier itself says that it is not there. */
  | { readonly outcome: 'absent' }
  /** The tier could not be asked. */
  | { readonly outcome: 'unreachable'; readonly reason: string }
  /** Something is there that cannot be used. */
  | { readonly outcome: 'rejected'; readonly reason: string };

/** Never just "miss": a caller can always tell why there is nothing. */
export type Answer = { readonly outcome: 'hit'; readonly manifest: Manifest } | Lack;

/** What became of bringing a body or a blob to this machine. */
export type Fetched = { readonly outcome: 'done' } | Lack;

/** A blob as a manifest or a pin names it. */
export interface BlobRef {
  readonly digest: Digest;
  /** Where it is known, a tier that offers more or fewer bytes is not read to its end. */
  readonly sizeBytes?: number;
}

/** Every method throws the reason of `signal` once that is aborted, and nothing else for what the tier does, save where said. */
export interface CacheTier {
  /** As shown to people: `disk`, `s3://bucket/prefix`. */
  readonly name: string;
  /** Whether `--push` writes to it; whether it may is for the tier itself to say. */
  readonly writable: boolean;
  /** Asks for the manifest of a key; a hit is well-formed and bears this name and key. Never throws for trouble of the tier. */
  lookUp(name: string, key: ContentKey, signal: AbortSignal): Promise<Answer>;
  /** Writes the blob to `into` (absolute; must not exist), verified against its digest; on anything but `done` nothing is left there. */
  fetchBlob(blob: BlobRef, into: string, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<Fetched>;
  /** Makes a blob present. @throws {VbuildError} `upload-failed` */
  putBlob(digest: Digest, file: string, signal: AbortSignal): Promise<void>;
  /** Publishes a manifest whose body is present; one that is there already and valid is left. @throws {VbuildError} `upload-failed` */
  putManifest(manifest: Manifest, signal: AbortSignal): Promise<void>;
}
