/** Publishing an artifact: what a reader can see is complete, whenever the pusher dies. */
import type { Manifest } from '../artifact/manifest.ts';
import type { CacheTier } from './cache.ts';

/**
 * Makes an artifact present in a tier: the body first, then the manifest. What is there already is left, if it is valid.
 * Those of its dependencies must be there before; their order is the caller's.
 *
 * @param bodyFile Absolute.
 * @throws {VbuildError} `upload-failed`, naming the object.
 */
export async function push(manifest: Manifest, bodyFile: string, tier: CacheTier, signal: AbortSignal): Promise<void> {
  await tier.putBlob(manifest.body.digest, bodyFile, signal);
  await tier.putManifest(manifest, signal);
}
