/** Looks through the offers of Debian's indexes for the one to pin, and says why there is none. */
import { VbuildError } from '../model/error.ts';
import type { Apt, Indexes } from '../system/apt.ts';
import type { OfferedFile, SourceOffer } from '../system/apt-output.ts';
import type { DebianSpec } from './debian.ts';
import { acquire } from './debian-download.ts';
import { debianFormats, hasUpstream, neededFiles } from './debian-files.ts';
import { compareDebianVersions, isOfUpstream, upstreamVersion } from './debian-version.ts';
import type { SourceContext } from './source.ts';

interface Search {
  /** Every version in the indexes, newest first. */
  readonly offers: readonly SourceOffer[];
  /** The newest version that fits and is there in full. */
  readonly taken?: { readonly debianVersion: string; readonly files: readonly OfferedFile[] };
  /** Newer versions that fit, with the files that are nowhere to be had. */
  readonly lacking: readonly { readonly version: string; readonly files: readonly string[] }[];
}

/** Looks through the indexes as they are; the files of what is taken lie in the blob store afterwards. */
export async function searchOffers(spec: DebianSpec, apt: Apt, context: SourceContext): Promise<Search> {
  const offers = (await apt.offers(spec.name)).sort((a, b) => compareDebianVersions(b.version, a.version));
  const lacking: { version: string; files: string[] }[] = [];
  for (const { version, format } of offers) {
    if (!isOfUpstream(version, context.version) || (spec.version !== undefined && spec.version !== version)) continue;
    if (!debianFormats.includes(format)) {
      throw new VbuildError('debian-source', 'Format of the Debian source package is not known', {
        facts: { package: `${spec.name} ${version}`, expected: debianFormats.join(', '), found: format },
        mend: 'name another version, or use tarball() or git()',
      });
    }
    const needed = neededFiles(await apt.files(spec.name, version), spec.patches);
    if (!hasUpstream(needed)) {
      throw new VbuildError('debian-source', 'Debian source package has no upstream archive with a SHA-256', {
        facts: { package: `${spec.name} ${version}`, found: needed.map(({ name }) => name).join(', ') || 'no archive' },
        mend: 'name another version, or use tarball() or git()',
      });
    }
    const missing = await acquire(needed, apt, context);
    if (missing.length === 0) return { offers, taken: { debianVersion: version, files: needed }, lacking };
    lacking.push({ version, files: missing });
  }
  return { offers, lacking };
}

interface Failure {
  readonly spec: DebianSpec;
  readonly search: Search;
  readonly indexes: Indexes;
  readonly apt: Apt;
  readonly context: SourceContext;
}

/** Why there is nothing to pin: no files, no such version, or no such package. */
export async function nothingFound({
  spec,
  search: { offers, lacking },
  indexes,
  apt,
  context,
}: Failure): Promise<VbuildError> {
  const trouble: Record<string, string> = indexes.trouble === undefined ? {} : { 'apt said': indexes.trouble };
  if (lacking.length > 0) {
    return new VbuildError('source-missing', 'Files of the Debian source package are not to be had', {
      facts: {
        ...lackingFacts(lacking),
        searched: context.offline
          ? 'this machine and the caches that need no network'
          : 'this machine, the caches, the mirror',
        ...trouble,
      },
      mend: context.offline
        ? 'run once without --offline'
        : 'try again when the mirror is complete, or use tarball() or git()',
    });
  }
  if (offers.length > 0) {
    const upstream = [...new Set(offers.map(({ version }) => upstreamVersion(version)))];
    return new VbuildError('debian-source', 'Debian offers another version than the Buildfile asks for', {
      facts: {
        expected:
          spec.version === undefined
            ? `${spec.name} ${context.version}`
            : `${spec.name} ${spec.version}, of upstream version ${context.version}`,
        found: upstream.join(', '),
        'on offer': offers.map(({ version }) => version).join(', '),
        ...trouble,
      },
      mend: `give the package a version that is on offer (${upstream.join(' or ')}), or use tarball() or git()`,
    });
  }
  const others = (await apt.sourcesOf(spec.name)).filter((name) => name !== spec.name);
  return new VbuildError('debian-source', 'Debian source package is not on offer', {
    facts: {
      expected: `a source package ${spec.name}`,
      found: context.offline
        ? 'none in the indexes kept from the last run'
        : 'none in the repositories of this machine',
      ...trouble,
    },
    mend:
      others.length > 0
        ? `name its source package: ${others.join(' or ')}`
        : indexes.trouble === undefined && !context.offline
          ? 'check the name against `apt-cache showsrc`, and the repositories in sources.list'
          : context.offline
            ? 'run once without --offline'
            : 'see that `apt-get update` works on this machine',
  });
}

/** What the mirror does not have, by version. */
export const lackingFacts = (lacking: Search['lacking']): Record<string, string> =>
  Object.fromEntries(lacking.map(({ version, files }) => [`missing of ${version}`, files.join(', ')]));
