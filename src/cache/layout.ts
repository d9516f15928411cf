/** Where things lie in a cache: the same names in a bucket, under its prefix, as on disk, under its folder. */
import { type Signer, UNSIGNED } from '../artifact/signer.ts';
import { cachePlace } from '../model/cache-place.ts';
import type { ContentKey, Digest, EqualKey } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';

/** Holds all that is ours, relative to the tier's top. */
export const ourFolder = 'v1';

/** The folder of all manifests, relative to the tier's top. */
export const artifactsFolder = `${ourFolder}/artifacts`;

/** Holds a folder for each key of a package, relative to the tier's top. */
export const manifestsFolder = (name: string): string => `${artifactsFolder}/${part(name)}`;

/** Holds the manifests of a key, one for each signer, relative to the tier's top. */
export const keyFolder = (name: string, key: ContentKey): string => `${manifestsFolder(name)}/${part(key)}`;

/** Of a package's manifest, relative to the tier's top. */
export const manifestObject = (name: string, key: ContentKey, signer: Signer = UNSIGNED): string =>
  `${keyFolder(name, key)}/${part(signer)}.json`;

/** The names that an object's name is made of; undefined for one that is no manifest's. @param object Relative to the tier's top. */
export function manifestNamed(
  object: string,
): { readonly name: string; readonly key: ContentKey; readonly signer: Signer } | undefined {
  const [, name, key, signer] = /^v1\/artifacts\/([^/]+)\/([0-9a-f]{64})\/([^/.]+)\.json$/.exec(object) ?? [];
  return name === undefined || key === undefined || signer === undefined
    ? undefined
    : { name, key: key as ContentKey, signer };
}

/** The folder of all manifests by the trees that they rest on, relative to the tier's top. */
export const equalFolder = `${ourFolder}/equal`;

/** Holds a folder for each such key of a package, relative to the tier's top. */
export const equalsFolder = (name: string): string => `${equalFolder}/${part(name)}`;

/**
 * What a manifest is asked for by: the content key of its artifact, or the key over the trees that it rests on; `tree` is the one that
 * it must have, where that matters.
 */
export type Asked = { readonly name: string; readonly tree?: Digest | undefined } & (
  | { readonly key: ContentKey }
  | { readonly equal: EqualKey }
);

/** Holds the manifests that are asked for in one way, one for each signer, relative to the tier's top. */
export const folderFor = (asked: Asked): string =>
  'key' in asked ? keyFolder(asked.name, asked.key) : `${equalsFolder(asked.name)}/${part(asked.equal)}`;

/** One of them, relative to the tier's top. */
export const objectFor = (asked: Asked, signer: Signer): string => `${folderFor(asked)}/${part(signer)}.json`;

/** Whose a manifest is; undefined for what is none. @param file Its name within its folder. */
export const signerIn = (file: string): Signer | undefined => /^([^/.]+)\.json$/.exec(file)?.[1];

/** The names that such an object's name is made of; undefined for another one's. @param object Relative to the tier's top. */
export function equalNamed(
  object: string,
): { readonly name: string; readonly equal: EqualKey; readonly signer: Signer } | undefined {
  const [, name, equal, signer] = /^v1\/equal\/([^/]+)\/([0-9a-f]{64})\/([^/.]+)\.json$/.exec(object) ?? [];
  return name === undefined || equal === undefined || signer === undefined
    ? undefined
    : { name, equal: equal as EqualKey, signer };
}

/** The folder of all blobs, relative to the tier's top. */
export const blobFolder = `${ourFolder}/blobs`;

/** Of a body or an archive, relative to the tier's top; as `blobStore` has it on disk. */
export const blobObject = (digest: Digest): string => `${blobFolder}/sha256/${digest.slice(0, 2)}/${part(digest)}`;

/** The folder of what says where trees of sources lie packed, relative to the tier's top. */
export const sourcesFolder = `${ourFolder}/sources`;

/** Says which blob a tree of a source is packed in, relative to the tier's top. */
export const sourceObject = (tree: Digest): string => `${sourcesFolder}/sha256/${tree.slice(0, 2)}/${part(tree)}.json`;

/** The tree that such an object is about; undefined for one of another name. */
export function sourceNamed(object: string): Digest | undefined {
  const tree = /^v1\/sources\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})\.json$/.exec(object)?.[1];
  return tree === undefined ? undefined : (tree as Digest);
}

/** The folder of all releases, relative to the tier's top. */
export const releasesFolder = `${ourFolder}/releases`;

/** Of a release, in the place of its signer, relative to the tier's top. */
export const releaseObject = (name: string, signer: Signer): string =>
  `${releasesFolder}/${part(name)}/${part(signer)}.json`;

/** The names that a release's object is made of; undefined for one that is none. @param object Relative to the tier's top. */
export function releaseNamed(object: string): { readonly name: string; readonly signer: Signer } | undefined {
  const [, name, signer] = /^v1\/releases\/([^/]+)\/([^/.]+)\.json$/.exec(object) ?? [];
  return name === undefined || signer === undefined ? undefined : { name, signer };
}

/** A name below a bucket's prefix. */
export const below = (prefix: string | undefined, object: string): string =>
  prefix === undefined || prefix === '' ? object : `${prefix}/${object}`;

/** Names are checked where they are written down; one that gets here and would leave its folder is a bug. */
function part(name: string): string {
  if (name === '' || name.startsWith('.') || /[/\\\p{Cc}]/u.test(name))
    throw new Error(`not a name for an object: ${JSON.stringify(name)}`);
  return name;
}

/**
 * The folder of the disk cache, absolute: `VBUILD_CACHE`, else `vbuild` in `XDG_CACHE_HOME`, else in `.cache` of `HOME`.
 *
 * @param env The environment; an empty value counts as not set, and a relative XDG_CACHE_HOME too, as its specification wants.
 * @throws {VbuildError} `usage` when no absolute folder comes of it.
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const place = cachePlace(env);
  if (place !== undefined) return place;
  const { VBUILD_CACHE: own, HOME: home } = env;
  const mend = 'set VBUILD_CACHE to the absolute path of a folder';
  if (own)
    throw new VbuildError('usage', 'Cache folder is not an absolute path', { facts: { VBUILD_CACHE: own }, mend });
  throw new VbuildError('usage', 'No place for the cache is known', { facts: { HOME: home ?? 'not set' }, mend });
}
