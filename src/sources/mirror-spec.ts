/** How a Buildfile names mirrors: rules from the beginnings of URLs to other places (pure). */
import type { Digest } from '../model/digest.ts';
import { isPath } from './version-control.ts';

export interface MirrorOptions {
  /**
   * Where the mirror is: an `http:`, `https:`, `file:` or, for archives, `s3:` URL, a folder (absolute, or relative to that of the
   * Buildfile), or for a repository whatever its tool takes.
   */
  readonly to: string;
  /** Whether it is asked `before` the place that the Buildfile names, or `after` that one failed; `before` when not given. */
  readonly when?: 'before' | 'after';
  /**
   * How things are called there: by `name`, so that what stands behind `from` in a URL stands behind `to`; or by `digest`, each
   * archive under its SHA-256 as 64 hexadecimal digits. `name` when not given.
   */
  readonly by?: 'name' | 'digest';
}

export interface MirrorRule extends MirrorOptions {
  readonly kind: 'mirror';
  readonly from: string;
}

/**
 * A mirror of all that lies below a URL. Several rules are asked in the order of the Buildfile. What comes from a mirror must be what is
 * pinned, to the byte; what has no pin yet is believed as if the place itself had answered. A mirror that fails is passed over: a run ends
 * with the error of the place itself, but for `pin-mismatch`, of which the first one is told.
 *
 * @param from The beginning of URLs as sources in the Buildfile have them, up to a slash or a colon, such as `https://github.com/`.
 */
export const mirror = (from: string, options: MirrorOptions): MirrorRule => ({ kind: 'mirror', from, ...options });

/** Another place, or the one that the Buildfile names itself. */
interface Place {
  readonly url: string;
  readonly isMirror: boolean;
}

/** What a kind of source can do with places. */
export interface Reach {
  /** Whether it brings archives, which can lie in buckets and under their digests. */
  readonly archives: boolean;
  /** Of the archive that is sought, where it is known. */
  readonly digest?: Digest | undefined;
}

/** Where to look for what the Buildfile says is at `url`, in this order, nothing twice. Relative paths stay as the Buildfile has them. */
export function placesFor(url: string, rules: readonly MirrorRule[], reach: Reach): Place[] {
  const mirrored = (when: 'before' | 'after'): string[] =>
    rules.flatMap((rule) => ((rule.when ?? 'before') === when ? mirrorOf(url, rule, reach) : []));
  const others = (urls: readonly string[]): Place[] => urls.map((one) => ({ url: one, isMirror: true }));
  const all = [...others(mirrored('before')), { url, isMirror: false }, ...others(mirrored('after'))];
  return all.filter((one, at) => all.findIndex((other) => other.url === one.url) === at);
}

function mirrorOf(url: string, { from, to, by }: MirrorRule, { archives, digest }: Reach): string[] {
  if (!url.startsWith(from) || (/^s3:/i.test(to) && !archives)) return [];
  const top = /[/:]$/.test(to) ? to : `${to}/`;
  if (by === 'digest') return archives && digest !== undefined ? [top + digest] : [];
  const rest = url.slice(from.length);
  const name = decoded(rest);
  // A name that climbs would not lie below the mirror's top.
  if (name === undefined || name.split('/').includes('..')) return [];
  if (isPath(to)) return [top + name];
  // The same file as below the folder itself: an escaped slash parts folders there as well.
  return [top + (/^file:/i.test(to) ? rest.replaceAll(/%2f/gi, '/') : rest)];
}

/** The name of a file as a URL spells it; undefined for what no file can be called. */
function decoded(text: string): string | undefined {
  try {
    const name = decodeURIComponent(text);
    return name.includes('\0') ? undefined : name;
  } catch {
    return undefined;
  }
}
