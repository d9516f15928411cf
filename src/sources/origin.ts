/** Where a pinned source comes from, in the words that tools share: package URLs and addresses (pure). */
import type { Digest } from '../model/digest.ts';
import { shown } from '../model/passwords.ts';
import type { Pin } from './source.ts';
import { isPath } from './version-control.ts';

/** Nothing in it is a place that only this machine can reach, and no address holds a password. */
export interface Origin {
  /** Package URL of exactly what is pinned, where a registry, a distribution or a forge knows it by a name of its own. */
  readonly purl?: string;
  /** Repository and commit, such as `git+https://host/path@commit`, with the folder that is the source as `#folder` behind it. */
  readonly repository?: string;
  /** In the order in which they are unpacked; without an address where the pin has none. */
  readonly archives?: readonly { readonly name: string; readonly digest: Digest; readonly url?: string }[];
}

const encoded = (text: string): string => encodeURIComponent(text).replaceAll('%3A', ':');

/**
 * A package URL.
 *
 * @param path What follows the type, such as `debian/zlib`: parts are joined by slashes.
 * @see package-url/purl-spec, "Rules for each purl component".
 */
export function packageUrl(
  type: string,
  path: readonly string[],
  version: string,
  qualifiers: Readonly<Record<string, string | undefined>> = {},
): string {
  const given = Object.entries(qualifiers)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encoded(value)}`]))
    .sort();
  const end = given.length === 0 ? '' : `?${given.join('&')}`;
  return `pkg:${type}/${path.map(encoded).join('/')}@${encoded(version)}${end}`;
}

const isPublic = (url: string): boolean => !isPath(url) && !url.startsWith('file:');

/** Of a source kept in version control. @param tool Such as `git`. */
export function repositoryOrigin(
  tool: string,
  { url, subdir }: { readonly url: string; readonly subdir?: string },
  commit: string,
): Origin {
  if (!isPublic(url)) return {};
  // `host:path`, as git and ssh write it.
  const [, host, path = ''] = /^(?:[^/@:]+@)?([^/:]+):(?!\/\/)\/?(.*)$/.exec(url) ?? [];
  const address = host === undefined ? shown(url) : `ssh://${host}/${path}`;
  const folder = subdir === undefined ? '' : `#${subdir}`;
  return { repository: `${tool}+${address}@${commit}${folder}`, ...forge(address, commit) };
}

/** Forges that package URLs have a type for. */
function forge(address: string, commit: string): Pick<Origin, 'purl'> {
  const [, type, owner, name] =
    /^\w+:\/\/(github|bitbucket)\.(?:com|org)\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(address) ?? [];
  if (type === undefined || owner === undefined || name === undefined) return {};
  return { purl: packageUrl(type, [owner.toLowerCase(), name.toLowerCase()], commit) };
}

/** Of archives. @param places For each archive where it may be had. */
export function archiveOrigin({ files = [] }: Pin, places: readonly (readonly string[])[] = []): Origin {
  return {
    archives: files.map(({ name, digest }, at) => {
      const url = places[at]?.find((place) => /^https?:/.test(place));
      return { name, digest, ...(url !== undefined && { url: shown(url) }) };
    }),
  };
}
