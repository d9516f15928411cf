/** What is asked of a prefix that is filled from artifacts alone: by a Buildfile, or by a release. */
import type { Standing } from '../artifact/equal.ts';
import type { Release } from '../artifact/release.ts';
import { packageId } from '../buildfile/package.ts';
import type { GenerationRecord } from '../install/generations.ts';
import type { Field } from '../key/fields.ts';
import { VbuildError } from '../model/error.ts';
import type { ContentKey, Digest } from '../model/digest.ts';
import type { Reason } from '../model/event.ts';
import type { Facts, PackageFacts } from './facts.ts';
import { contentDifferences } from './roots.ts';
import type { Installing } from './start-run.ts';

/** An artifact as it is asked for. */
export interface Asked {
  /** `name@version`. */
  readonly id: string;
  readonly name: string;
  readonly key: ContentKey;
  /** Digest of the tree that it must have; any of this key will do when not given. */
  readonly tree?: Digest;
  /** Where it may be known: what it takes to find one that was made of the same to the byte. */
  readonly standing?: Standing;
}

export const askedFor = ({ id, key, package: { name } }: PackageFacts): Asked => ({ id, name, key });

export interface Deployment {
  /** Absolute path of the prefix. */
  readonly prefix: string;
  /** All that it is to hold. */
  readonly asked: readonly Asked[];
  /** Of all that these rest on, where they are known: with them, one that was made of the same to the byte will do. */
  readonly facts?: Facts;
  /** What was asked for by name. */
  readonly roots: readonly string[];
  /** @param place Where the prefix lies, its folder being there. */
  readonly notes: (place: string) => GenerationRecord['notes'];
  readonly reasons: readonly Reason[];
  /** Whether this was chosen for what the prefix holds; see `InstallRequest`. */
  readonly isSince?: (current: GenerationRecord | undefined) => boolean;
}

/** What a run is about that puts these into a prefix. */
export const installingOf = (prefix: string, asked: readonly Asked[]): Installing => ({
  prefix,
  packages: asked.map(({ id }) => id),
  trees: new Map(asked.flatMap(({ key, tree }) => (tree === undefined ? [] : [[key, tree] as const]))),
});

/** Everything that a release puts into a prefix, and nothing else: what was asked of the prefix before counts for nothing. */
export function deploymentOf(release: Release, prefix: string, reasons: readonly Reason[]): Deployment {
  return {
    prefix,
    asked: release.packages.map((one) => ({
      id: packageId(one),
      name: one.name,
      key: one.key,
      tree: one.tree,
      ...(one.standing !== undefined && { standing: { key: one.key, keyText: one.keyText, ...one.standing } }),
    })),
    roots: release.targets,
    notes: (place) => ({
      targets: release.targets.join(' '),
      place,
      release: release.name,
      platform: release.platform,
      installedAt: new Date().toISOString(),
    }),
    reasons,
  };
}

/** Why a prefix does not hold a release; none when it does. Another build of a key that is in it is another artifact. */
export function releaseDifferences(
  record: GenerationRecord | undefined,
  { packages, targets }: Release,
  place: string,
): readonly Reason[] {
  const keys = packages.map((one): Field => [packageId(one), one.key]);
  const otherBuilds = packages.flatMap(({ name, version, key, tree }): Reason[] => {
    const held = record?.packages[name];
    if (held?.version !== version || held.key !== key || held.tree === tree) return [];
    return [{ input: `${name}@${version} tree`, before: held.tree, now: tree }];
  });
  return [...contentDifferences(record, keys, { place, roots: targets.join(' ') }), ...otherBuilds];
}

/** @param own The platform of this host. @throws {VbuildError} `unfit-host` for a release of another kind of machine. */
export function insistOnMachine({ name, platform }: Release, own: string): void {
  if (platform.split(' ')[0] === own.split(' ')[0]) return;
  throw new VbuildError('unfit-host', 'Release is for another kind of machine', {
    facts: { release: name, expected: platform, found: own },
    mend: 'take the release for this platform',
  });
}
