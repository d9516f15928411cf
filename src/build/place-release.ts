/** Puts a release where servers find it, under a name that is given once; a run that is repeated completes what an earlier one left. */
import { parseRelease, type Release, releaseText } from '../artifact/release.ts';
import { claimedSigner, openSealed } from '../artifact/sealed.ts';
import { type Signer, UNSIGNED } from '../artifact/signer.ts';
import type { CacheTier } from '../cache/cache.ts';
import { canonicalJson } from '../key/fields.ts';
import { throwAll, VbuildError } from '../model/error.ts';
import { bytesIfReadable } from '../system/files.ts';
import { writeOnce } from '../system/landing.ts';
import { kindOf } from '../system/tree-edit.ts';

interface Placing {
  /** Absolute path of the document. */
  readonly file: string;
  readonly tiers: readonly CacheTier[];
  readonly signer: Signer;
  /** Gives equal bytes for equal texts. */
  readonly seal: (text: string) => Uint8Array;
  readonly signal: AbortSignal;
}

interface Placed {
  /** As it lies there: one that was there already keeps the time at which it was made. */
  readonly release: Release;
  readonly isNewFile: boolean;
  /** The tiers that have it now. */
  readonly caches: readonly { readonly name: string; readonly outcome: 'written' | 'there' }[];
  /** Why others do not. */
  readonly failures: readonly VbuildError[];
}

/**
 * Writes the document and puts it into each tier, nothing of it where its name stands for something else in any of these places.
 *
 * @throws {VbuildError | VbuildErrors} `usage` for a file, `upload-failed` for tiers that have another release of this name.
 */
export async function placeRelease(release: Release, to: Placing): Promise<Placed> {
  const { file, tiers, seal } = to;
  const inFile = kindOf(file) === 'nothing' ? undefined : standing(bytesIfReadable(file), release, to);
  if (inFile?.differs !== undefined) throw taken(file, inFile.differs);
  const places = await Promise.all(tiers.map(async (tier) => ({ tier, there: await inTier(tier, release, to) })));
  throwAll(places.flatMap(({ tier, there }) => (there?.differs === undefined ? [] : [usedUp(tier, there.differs)])));
  const [first] = [inFile, ...places.map(({ there }) => there)].flatMap((one) =>
    one?.differs === undefined ? (one ?? []) : [],
  );
  const now = first ?? { release, bytes: seal(releaseText(release)) };
  if (inFile === undefined && !writeOnce(file, now.bytes)) throw taken(file, 'it came there just now');
  const caches: { name: string; outcome: 'written' | 'there' }[] = [];
  const failures: VbuildError[] = [];
  for (const { tier, there } of places) {
    try {
      const outcome = there === undefined ? await put(tier, now, to) : 'there';
      caches.push({ name: tier.name, outcome });
    } catch (thrown) {
      if (!(thrown instanceof VbuildError)) throw thrown;
      failures.push(thrown);
    }
  }
  return { release: now.release, isNewFile: inFile === undefined, caches, failures };
}

/** What lies in a place: this release, or what of it `differs`, as one clause. */
type Standing =
  | { readonly release: Release; readonly bytes: Uint8Array; readonly differs?: undefined }
  | { readonly differs: string };

/** Undefined where there is nothing, or nothing can be told. */
async function inTier(tier: CacheTier, release: Release, to: Placing): Promise<Standing | undefined> {
  const answer = await tier.releases?.get(release.name, to.signer, to.signal);
  return answer?.outcome === 'done' ? standing(answer.bytes, release, to) : undefined;
}

/** @param bytes Undefined for what cannot be read. */
function standing(bytes: Uint8Array | undefined, release: Release, { signer, seal }: Placing): Standing {
  if (bytes === undefined) return { differs: 'it cannot be read' };
  const claimed = claimedSigner(bytes);
  if (claimed !== signer) return { differs: claimed === UNSIGNED ? 'it is not signed' : `it is signed by ${claimed}` };
  const opened = openSealed(bytes, signer);
  if ('rejected' in opened) return { differs: opened.rejected };
  const parsed = parseRelease(opened.payload);
  if ('rejected' in parsed) return { differs: parsed.rejected };
  if (Buffer.compare(seal(Buffer.from(opened.payload).toString()), bytes) !== 0)
    return { differs: 'its signature does not hold' };
  const differing = differences(parsed.release, release);
  return differing.length === 0
    ? { release: parsed.release, bytes }
    : { differs: `it has another ${differing.join(', ')}` };
}

/** What two releases do not agree on; when they were made, and whether the sources were at hand then, is no matter. */
function differences(before: Release, now: Release): string[] {
  const whole = (['platform', 'targets', 'cache', 'revision'] as const).filter(
    (field) => canonicalJson(before[field]) !== canonicalJson(now[field]),
  );
  const packagesOf = ({ packages }: Release): Map<string, string> =>
    new Map(packages.map((one) => [`${one.name}@${one.version}`, canonicalJson({ ...one, licences: undefined })]));
  const [old, current] = [packagesOf(before), packagesOf(now)];
  const ids = [...new Set([...current.keys(), ...old.keys()])];
  return [...whole, ...ids.filter((id) => old.get(id) !== current.get(id))];
}

async function put(
  tier: CacheTier,
  { release, bytes }: { readonly release: Release; readonly bytes: Uint8Array },
  to: Placing,
): Promise<'written' | 'there'> {
  try {
    const outcome = await tier.releases?.put(release.name, to.signer, bytes, to.signal);
    if (outcome === 'written') return outcome;
  } catch (thrown) {
    to.signal.throwIfAborted();
    if (!(thrown instanceof VbuildError)) throw thrown;
    const { code, message, facts, mend } = thrown;
    throw new VbuildError(code, message, {
      facts: { cache: tier.name, ...facts },
      mend: `${mend}; then the same command completes it`,
      cause: thrown,
    });
  }
  // Somebody else was faster.
  const there = await inTier(tier, release, to);
  if (there === undefined || there.differs !== undefined) throw usedUp(tier, there?.differs ?? 'it cannot be read');
  return 'there';
}

const taken = (file: string, found: string): VbuildError =>
  new VbuildError('usage', 'There is a file already', {
    where: { file },
    facts: { expected: 'nothing, or this very release', found },
    mend: 'choose another name, or move it away',
  });

const usedUp = (tier: CacheTier, found: string): VbuildError =>
  new VbuildError('upload-failed', 'Another release of this name is there already', {
    facts: { cache: tier.name, expected: 'nothing, or this very release', found },
    mend: 'choose another name: what servers may have installed is never changed',
  });
