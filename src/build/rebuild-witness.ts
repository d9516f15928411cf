/** What caches have under the key of a package that was built twice: whether it is what comes out here. */
import { join } from 'node:path';
import type { Both } from '../artifact/causes.ts';
import { type Difference, treeDifferences } from '../artifact/tree-difference.ts';
import type { Manifest } from '../artifact/manifest.ts';
import type { Signer } from '../artifact/signer.ts';
import { unpackVerified } from '../artifact/unpack.ts';
import type { CacheTier, Lack } from '../cache/cache.ts';
import type { ContentKey, Digest } from '../model/digest.ts';
import { makeFolder } from '../system/files.ts';
import { type Built, builtUnder } from './rebuild-twice.ts';
import type { Run } from './run.ts';

/** An artifact that was there before. */
export interface Witness {
  /** The cache that has it. */
  readonly tier: string;
  readonly signer: Signer;
  readonly tree: Digest;
  /** When it was built: ISO 8601, UTC. */
  readonly startedAt: string;
  /** Which of the two builds it is equal to. */
  readonly equals: 'both' | 'first' | 'second' | 'neither';
  /** Dependencies of which it was compiled against another tree than the two builds. */
  readonly against: readonly string[];
  /** What it has otherwise than the first build; empty where it is equal to one of them. */
  readonly differences: readonly Difference[];
}

/** @returns Also the trees that differ, unpacked, each with a name. */
export async function witnesses(
  { id, key, name }: { readonly id: string; readonly key: ContentKey; readonly name: string },
  builds: Both<Built>,
  tiers: readonly CacheTier[],
  { top, run }: { readonly top: string; readonly run: Run },
): Promise<{
  readonly witnesses: readonly Witness[];
  readonly trees: readonly (readonly [name: string, path: string])[];
}> {
  const found: Witness[] = [];
  const trees: (readonly [string, string])[] = [];
  for (const [at, tier] of tiers.entries()) {
    const tell = ({ outcome: answer, ...more }: Lack): void =>
      run.emit({ type: 'cache-looked-up', package: id, key, tier: tier.name, answer, ...more });
    const answer = await tier.lookUp(name, key, run.signal);
    if (answer.outcome !== 'hit') {
      tell(answer);
      continue;
    }
    const { manifest, signer } = answer;
    const equals = equalTo(manifest.tree, builds);
    const tree = join(top, 'witness', String(at));
    if (equals === 'neither') {
      const lack = await bring(manifest, tier, tree, run);
      if (lack !== undefined) {
        tell(lack);
        continue;
      }
      trees.push([tier.name.replaceAll(/[^\w.-]+/g, '_'), tree]);
    }
    found.push({
      tier: tier.name,
      signer,
      tree: manifest.tree,
      startedAt: manifest.build.startedAt,
      equals,
      against: otherTrees(manifest, builds[0].manifest),
      differences:
        equals === 'neither' ? treeDifferences([builds[0].tree, tree], [builds[0].under, builtUnder(manifest)]) : [],
    });
  }
  return { witnesses: found, trees };
}

function equalTo(tree: Digest, [first, second]: Both<Built>): Witness['equals'] {
  const [isFirst, isSecond] = [first.manifest.tree === tree, second.manifest.tree === tree];
  return isFirst && isSecond ? 'both' : isFirst ? 'first' : isSecond ? 'second' : 'neither';
}

/** @returns Why it cannot be had, if so. */
async function bring(manifest: Manifest, tier: CacheTier, into: string, { signal }: Run): Promise<Lack | undefined> {
  const bodyFile = `${into}.body`;
  makeFolder(join(into, '..'));
  const fetched = await tier.fetchBlob(manifest.body, bodyFile, signal);
  if (fetched.outcome === 'absent') return { outcome: 'rejected', reason: 'its body is not there' };
  if (fetched.outcome !== 'done') return fetched;
  await unpackVerified({ manifest, bodyFile, into });
  return undefined;
}

function otherTrees({ against = [] }: Manifest, built: Manifest): string[] {
  const trees = new Map((built.against ?? []).map(({ name, tree }) => [name, tree]));
  return against.flatMap(({ name, tree }) => (trees.get(name) === tree ? [] : [name]));
}
