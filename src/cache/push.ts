/** Publishing an artifact: what a reader can see is complete, whenever the pusher dies. */
import type { SealedManifest } from '../artifact/sealed.ts';
import type { Digest } from '../model/digest.ts';
import type { CacheTier } from './cache.ts';

export interface Pushed {
  readonly sealed: SealedManifest;
  /** Absolute. */
  readonly bodyFile: string;
  /** Archives of its source, by absolute paths: so that it can be built when upstream is gone. Asked for only where they are needed. */
  readonly archives?: () => Promise<readonly { readonly digest: Digest; readonly file: string }[]>;
}

export interface PushOptions {
  /** What is there and cannot be used is replaced. */
  readonly repair?: boolean;
  /** Archives are completed beside a manifest that is there already, too. */
  readonly thorough?: boolean;
}

/**
 * Makes an artifact present in a tier: its blobs first, then the manifest. What is there already is left, if it is valid.
 * Those of its dependencies must be there before; their order is the caller's.
 *
 * @returns Whether there was anything to do.
 * @throws {VbuildError} `upload-failed`, naming the object.
 */
export async function push(
  { sealed, bodyFile, archives }: Pushed,
  tier: CacheTier,
  signal: AbortSignal,
  { repair = false, thorough = false }: PushOptions = {},
): Promise<boolean> {
  const held = await tier.holds(sealed, signal);
  if (held && !thorough) return false;
  const body = { digest: sealed.manifest.body.digest, file: bodyFile };
  const blobs = [...((await archives?.()) ?? []), ...(held ? [] : [body])];
  const outcomes = await Promise.all(blobs.map(({ digest, file }) => tier.putBlob(digest, file, signal, repair)));
  if (held) return outcomes.includes('written');
  await tier.putManifest(sealed, signal, repair);
  // What was only renewed, a sweeper that had looked just before may have taken away all the same.
  const renewed = blobs.filter((_, at) => outcomes[at] === 'renewed');
  await Promise.all(renewed.map(({ digest, file }) => tier.putBlob(digest, file, signal)));
  return true;
}
