/** A release: one small document that says exactly which artifacts belong together, enough to install them by. */
import * as v from 'valibot';
import { parseKeyText } from '../key/fields.ts';
import type { ContentKey, Digest } from '../model/digest.ts';
import {
  body,
  checkedBy,
  digest,
  hasAllAgainst,
  hasKeyOfText,
  keyed,
  name,
  parseJson,
  resting,
  revision,
  word,
} from './checked.ts';
import type { Standing } from './equal.ts';
import type { Revision } from './manifest.ts';

export interface ReleasedPackage {
  readonly name: string;
  readonly version: string;
  readonly key: ContentKey;
  /** The readable text whose SHA-256 is the key. */
  readonly keyText: string;
  /** Digest of the packed tree, as in the manifest. */
  readonly tree: Digest;
  readonly body: { readonly digest: Digest; readonly sizeBytes: number; readonly unpackedBytes: number };
  /** What the source resolved to, as in the lock file. */
  readonly pin: { readonly kind: string; readonly [fact: string]: unknown };
  /** In their order. */
  readonly patches: readonly { readonly name: string; readonly digest: Digest }[];
  /** SPDX identifiers of the licences of the source, sorted; absent where they were not looked for. */
  readonly licences?: readonly string[];
  /** What it rests on, where caches have it only as one that was made of the same to the byte: it is found by that. */
  readonly standing?: Pick<Standing, 'dependencies' | 'against'>;
}

export interface Release {
  readonly format: 1;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly platform: string;
  /** What was asked for, each `name@version`. */
  readonly targets: readonly string[];
  /** Where the artifacts lie: cache tiers as a Buildfile names them, folders absolute. */
  readonly cache: readonly { readonly kind: string; readonly [option: string]: unknown }[];
  /** Of the Buildfile's checkout; absent outside of version control. */
  readonly revision?: Revision;
  /** All that belongs into the prefix, each after what it depends on. */
  readonly packages: readonly ReleasedPackage[];
}

/** How a release may be called: it becomes a part of file names and of addresses in a bucket. */
export const releaseNaming = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$/;

/** Longest document that is read, in bytes. */
export const LARGEST_RELEASE = 16 * 1024 * 1024;

export const releaseText = (release: Release): string => `${JSON.stringify(release, undefined, 1)}\n`;

const released = v.pipe(
  v.strictObject({
    name,
    version: name,
    ...keyed,
    tree: digest,
    body,
    pin: v.looseObject({ kind: word }),
    patches: v.array(v.strictObject({ name: word, digest })),
    licences: v.exactOptional(v.array(word)),
    standing: v.exactOptional(
      v.pipe(
        v.strictObject(resting),
        v.check((one) => hasAllAgainst(one), 'a dependency is not among what it was compiled against'),
      ),
    ),
  }),
  v.check((one) => hasKeyOfText(one), 'the key is not the SHA-256 of the key text'),
  v.check(({ name: one, version, keyText }) => {
    const fields = new Map(parseKeyText(keyText));
    return fields.get('package.name') === one && fields.get('package.version') === version;
  }, 'the key is that of another package'),
);

const schema = v.pipe(
  v.strictObject({
    format: v.literal(1),
    name: v.pipe(v.string(), v.regex(releaseNaming, 'expected the name of a release')),
    createdAt: v.pipe(v.string(), v.isoTimestamp()),
    platform: word,
    targets: v.array(word),
    cache: v.array(v.looseObject({ kind: word })),
    revision: v.exactOptional(revision),
    packages: v.pipe(
      v.array(released),
      v.minLength(1),
      v.check((all) => new Set(all.map((one) => one.name)).size === all.length, 'a package is there twice'),
    ),
  }),
  v.check(({ targets, packages }) => {
    const ids = new Set(packages.map((one) => `${one.name}@${one.version}`));
    return targets.every((id) => ids.has(id));
  }, 'a target is not among the packages'),
);

/** Reads a release that anybody may have written: every field is checked. @returns Or what is wrong with it, as one clause. */
export function parseRelease(bytes: Uint8Array): { readonly release: Release } | { readonly rejected: string } {
  const data = parseJson('the release', bytes);
  if ('rejected' in data) return data;
  const checked = checkedBy(schema, data.value, 'the release');
  return 'rejected' in checked ? checked : { release: checked.value };
}
