/** Publishing an artifact: what a reader can see is complete, whenever the pusher dies. */
import type { SealedManifest } from '../artifact/sealed.ts';
import type { Digest } from '../model/digest.ts';
import { removeTree } from '../system/files.ts';
import type { BlobRef, CacheTier } from './cache.ts';

export interface Pushed {
  readonly sealed: SealedManifest;
  /** Absolute. */
  readonly bodyFile: string;
  /** Makes its source present, as `pushSource` does, so that it can be built when upstream is gone. Called only where that is needed. */
  readonly source?: () => Promise<readonly PutBlob[]>;
}

/** What became of a blob, and where it came from. */
export interface PutBlob {
  readonly digest: Digest;
  /** Absolute. */
  readonly file: string;
  readonly outcome: 'written' | 'renewed' | 'there';
}

/** A source as it lies on this machine. */
export interface SourceFiles {
  /** By absolute paths. */
  readonly archives: readonly { readonly digest: Digest; readonly file: string }[];
  /** A source that has no archives; packing it is asked for only where it is needed, and gives undefined where it is not on this machine. */
  readonly tree?: {
    readonly digest: Digest;
    readonly pack: () => Promise<(Required<BlobRef> & { readonly file: string }) | undefined>;
  };
}

interface PushOptions {
  /** What is there and cannot be used is replaced. */
  readonly repair?: boolean;
  /** Sources are completed beside a manifest that is there already, too, and what is known to those who look for an equal one. */
  readonly thorough?: boolean;
  /** Only for those: where nobody can sign a manifest of its content key. */
  readonly equalOnly?: boolean;
  /** Gives absolute paths at which nothing lies, for reading what others put in the place of a body; without it, its size decides. */
  readonly scratch?: () => string;
}

/**
 * Makes an artifact present in a tier: its blobs first, then what those find who look for an equal one, then the manifest. What is there
 * already is left, if it is valid. Those of its dependencies must be there before; their order is the caller's.
 *
 * @returns Whether there was anything to do.
 * @throws {VbuildError} `upload-failed`, naming the object.
 */
export async function push(
  { sealed, bodyFile, source }: Pushed,
  tier: CacheTier,
  signal: AbortSignal,
  options: PushOptions = {},
): Promise<boolean> {
  const { repair = false, thorough = false, equalOnly = false } = options;
  const { name } = sealed.manifest.package;
  if (repair && !equalOnly) {
    const there = await tier.lookUp(name, sealed.manifest.key, signal);
    if (there.outcome === 'hit') await comesDamaged(there.manifest.body, tier, signal, options);
  }
  const held = equalOnly ? false : await tier.holds(sealed, signal);
  if (held && !thorough) return false;
  const [fromSource, body] = await Promise.all([
    source?.() ?? [],
    held ? undefined : put(sealed.manifest.body, bodyFile, { tier, signal, options, judged: true }),
  ]);
  const blobs = body === undefined ? fromSource : [...fromSource, body];
  await tier.putEqual(sealed, signal, repair);
  if (held || equalOnly) return blobs.some(({ outcome }) => outcome === 'written');
  await tier.putManifest(sealed, signal, repair);
  // What was only renewed, a sweeper that had looked just before may have taken away all the same.
  const renewed = blobs.filter(({ outcome }) => outcome === 'renewed');
  await Promise.all(renewed.map((one) => tier.putBlob(one.digest, one.file, signal)));
  return true;
}

/**
 * Makes a source present in a tier: its archives under their digests, or its tree packed, and then what says where.
 *
 * @throws {VbuildError} `upload-failed`, naming the object.
 */
export async function pushSource(
  { archives, tree }: SourceFiles,
  tier: CacheTier,
  signal: AbortSignal,
  options: Pick<PushOptions, 'repair' | 'scratch'> = {},
): Promise<readonly PutBlob[]> {
  const { repair = false } = options;
  const to = { tier, signal, options, judged: repair };
  const blobs = await Promise.all(archives.map((archive) => put(archive, archive.file, to)));
  if (tree === undefined || (!repair && (await tier.holdsTree(tree.digest, signal)))) return blobs;
  const packed = await tree.pack();
  if (packed === undefined) return blobs;
  const blob = await put(packed, packed.file, to);
  await tier.putTree(tree.digest, packed, signal, repair);
  return [...blobs, blob];
}

interface Destination {
  readonly tier: CacheTier;
  readonly signal: AbortSignal;
  readonly options: Pick<PushOptions, 'repair' | 'scratch'>;
  /** Whether what lies there already is read: it may be damaged, which its size does not tell. */
  readonly judged: boolean;
}

async function put(blob: BlobRef, file: string, { tier, signal, options, judged }: Destination): Promise<PutBlob> {
  const { digest } = blob;
  const send = (): Promise<PutBlob['outcome']> => tier.putBlob(digest, file, signal, options.repair);
  const outcome = await send();
  const isDamaged = outcome !== 'written' && judged && (await comesDamaged(blob, tier, signal, options));
  return { digest, file, outcome: isDamaged ? await send() : outcome };
}

/** Reads a blob, so that the tier knows whether it still holds it. */
async function comesDamaged(
  blob: BlobRef,
  tier: CacheTier,
  signal: AbortSignal,
  { scratch }: Pick<PushOptions, 'scratch'>,
): Promise<boolean> {
  if (scratch === undefined) return false;
  const path = scratch();
  const { outcome } = await tier.fetchBlob(blob, path, signal);
  removeTree(path);
  return outcome === 'rejected';
}
