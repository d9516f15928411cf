/** The contract of a cache tier: where finished artifacts are looked up, fetched from and put. */
import type { Manifest } from '../artifact/manifest.ts';
import type { ContentKey, Digest } from '../model/digest.ts';

/** Never just "miss": a caller can always tell why there is nothing. */
export type Answer =
  | { readonly outcome: 'hit'; readonly manifest: Manifest }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'unreachable'; readonly reason: string }
  | { readonly outcome: 'rejected'; readonly reason: string };

/** What became of bringing a body or a blob to this machine. */
export type Fetched = { readonly outcome: 'done' } | Exclude<Answer, { outcome: 'hit' }>;

export interface CacheTier {
  /** As shown to people: `disk`, `s3://bucket/prefix`. */
  readonly name: string;
  /** Whether `--push` writes to it. */
  readonly writable: boolean;
  /** Asks for the manifest of a key. Never throws for trouble of the tier. */
  lookUp(name: string, key: ContentKey, signal: AbortSignal): Promise<Answer>;
  /** Writes the blob to `into` (absolute; must not exist), verified against its digest; on anything but `done` nothing is left there. */
  fetchBlob(digest: Digest, into: string, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<Fetched>;
  /** Makes a blob present. @throws {VbuildError} `upload-failed` */
  putBlob(digest: Digest, file: string, signal: AbortSignal): Promise<void>;
  /** Publishes a manifest whose body is present. @throws {VbuildError} `upload-failed` */
  putManifest(manifest: Manifest, signal: AbortSignal): Promise<void>;
}
