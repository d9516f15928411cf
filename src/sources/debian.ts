/** Upstream trees as Debian's archive keeps them, from the repositories that the machine's own apt is set up for. */
import { dirname, join } from 'node:path';
import { isDigest } from '../model/digest.ts';
import { VbuildError } from '../model/error.ts';
import type { Apt, Indexes } from '../system/apt.ts';
import type { OfferedFile } from '../system/apt-output.ts';
import { acquire, findAll, whereabouts } from './debian-download.ts';
import { hasUpstream, roleOf, unpackDebianFile } from './debian-files.ts';
import { lackingFacts, nothingFound, searchOffers } from './debian-search.ts';
import { isOfUpstream } from './debian-version.ts';
import { archiveOrigin, packageUrl } from './origin.ts';
import type { Pin, PinnedFile, SourceContext, SourceKind } from './source.ts';

export interface DebianSpec {
  readonly kind: 'debian';
  /** Name of the source package, which is not always that of the binary package (`zlib`, not `zlib1g`). */
  readonly name: string;
  /** Whether Debian's own patches are applied, before those of the Buildfile. */
  readonly patches: boolean;
  /** Debian's full version (`1:2.1.5-2`); when not given, the newest one that has the package's upstream version. */
  readonly version?: string;
}

/**
 * A source package of the distribution, as the machine's own apt configuration serves it; Debian's patches only when asked for.
 *
 * Bringing it may end with `debian-source` where apt does not offer it in the version of the package, `source-missing` where the pinned one
 * is not to be had, `download-failed`, `pin-mismatch`, `archive-refused`, and `tool-missing` without apt.
 *
 * @param name Of the source package, which is not always that of the binary package (`zlib`, not `zlib1g`).
 */
export const debian = (
  name: string,
  options: { readonly patches?: boolean; readonly version?: string } = {},
): DebianSpec => ({
  kind: 'debian',
  name,
  ...options,
  patches: options.patches ?? false,
});

/** What the lock file holds of a Debian source. */
interface DebianPin extends Pin {
  readonly kind: 'debian';
  readonly version: string;
  readonly source: string;
  readonly debianVersion: string;
  readonly patches: boolean;
  readonly files: readonly PinnedFile[];
}

/** Pins are made seldom, and an update that finds nothing new costs one small file per repository. */
const usualAgeMs = 2 * 60 * 60 * 1000;

export const debianKind: SourceKind<DebianSpec> = {
  kind: 'debian',
  options: ['name', 'patches', 'version'],

  // Which of the two it takes is known only when the archives have been found.
  needs: () => ['bzip2', 'xz'],

  problems({ name, patches, version }) {
    return [
      ...(typeof name === 'string' && /^[a-z0-9][a-z0-9+.-]+$/.test(name)
        ? []
        : ['name must be that of a Debian source package: lower-case letters, digits, `+`, `-`, `.`']),
      ...(typeof patches === 'boolean' ? [] : ['patches must be true or false']),
      ...(version === undefined || (typeof version === 'string' && /^(\d+:)?\d[\w.+~:-]*$/.test(version))
        ? []
        : ['version must be a full Debian version such as `1:2.1.5-2`']),
    ];
  },

  origin({ name, patches }, pin, distribution) {
    const { debianVersion } = pin as DebianPin;
    const [vendor = ''] = distribution.split('-');
    // Under this name others take it that the faults which that version fixes are fixed.
    const purl = packageUrl('deb', [vendor, name], debianVersion, { arch: 'source', distro: distribution });
    return { ...archiveOrigin(pin), ...(patches && { purl }) };
  },

  /** @throws {VbuildError} `debian-source`, `source-missing`, `download-failed`, `tool-missing` */
  async resolve(spec, context) {
    const apt = await aptOf(context);
    let indexes = await refreshed(apt, usualAgeMs, context);
    let search = await searchOffers(spec, apt, context);
    // Old indexes may not know a version yet, or still name files that the mirror has dropped.
    if (search.taken === undefined || search.lacking.length > 0) {
      const news = await refreshed(apt, 0, context);
      if (news.revision !== indexes.revision) search = await searchOffers(spec, apt, context);
      indexes = news;
    }
    if (search.taken === undefined) throw await nothingFound({ spec, search, indexes, apt, context });
    const { debianVersion, files } = search.taken;
    if (search.lacking.length > 0) {
      const facts = { ...lackingFacts(search.lacking), pinned: debianVersion };
      context.emit({
        type: 'notice',
        level: 'warning',
        code: 'debian-version-fallback',
        headline: 'Newest version on offer is not there in full, an older one is pinned',
        package: context.package,
        facts,
      });
    }
    const pinned = files.map(({ name, digest, sizeBytes }) => ({ name, digest, sizeBytes }));
    return {
      kind: 'debian',
      version: context.version,
      source: spec.name,
      debianVersion,
      patches: spec.patches,
      files: pinned,
    } satisfies DebianPin;
  },

  /** @throws {VbuildError} also `archive-refused` */
  async fetch(spec, pin, target, context) {
    const wanted = readPin(spec, pin, context);
    const found = await findAll(wanted.files, context);
    if (found.size < wanted.files.length) await bringBack(wanted, found, context);
    for (const { name } of wanted.files) {
      context.signal.throwIfAborted();
      await unpackDebianFile({ name, path: found.get(name) as string }, target);
    }
  },
};

/** The private state of apt, one for all packages. */
async function aptOf(context: SourceContext): Promise<Apt> {
  const { openApt } = await import('../system/apt.ts');
  return openApt({
    folder: join(dirname(context.state), 'apt'),
    environment: context.environment ?? {},
    signal: context.signal,
  });
}

async function refreshed(apt: Apt, maxAgeMs: number, context: SourceContext): Promise<Indexes> {
  if (context.offline) return { revision: 'offline', updatedHere: false };
  const indexes = await apt.refresh(maxAgeMs);
  if (indexes.updatedHere && indexes.trouble !== undefined) {
    context.emit({
      type: 'notice',
      level: 'warning',
      code: 'debian-index-trouble',
      headline: 'Some apt repositories could not be read',
      facts: { 'apt said': indexes.trouble },
    });
  }
  return indexes;
}

const described = (name: string, version: string, patches: boolean): string =>
  `${name} ${version}, ${patches ? 'with' : 'without'} Debian’s patches`;

/** The pin as fetch needs it. @throws {VbuildError} `pin-mismatch` when it was not made by this kind, or from another spec. */
function readPin(spec: DebianSpec, pin: Pin, context: SourceContext): DebianPin {
  const { source, debianVersion, patches, files = [] } = pin as Partial<DebianPin>;
  const sound =
    hasUpstream(files) &&
    files.every(({ name, digest }) => /^[\w.+~%-]+$/.test(name) && roleOf(name) !== undefined && isDigest(digest));
  const agrees =
    source === spec.name &&
    patches === spec.patches &&
    typeof debianVersion === 'string' &&
    isOfUpstream(debianVersion, context.version) &&
    (spec.version ?? debianVersion) === debianVersion;
  if (sound && agrees) return { ...(pin as DebianPin), files };
  throw new VbuildError('pin-mismatch', 'Pin does not belong to the source as the Buildfile has it', {
    facts: {
      expected: described(spec.name, spec.version ?? context.version, spec.patches),
      found: sound
        ? described(String(source), String(debianVersion), patches === true)
        : 'a pin whose files are not those of a Debian source package',
    },
    mend: `pin it anew with \`${updateCommand(context)}\``,
  });
}

/** Finds pinned files on the mirror that no store has, and adds them to `found`. @throws {VbuildError} `source-missing` */
async function bringBack(pin: DebianPin, found: Map<string, string>, context: SourceContext): Promise<void> {
  const gone = (): PinnedFile[] => pin.files.filter(({ name }) => !found.has(name));
  if (!context.offline) {
    const apt = await aptOf(context);
    const seen = new Set<string>();
    for (const maxAgeMs of [usualAgeMs, 0]) {
      const { revision } = await refreshed(apt, maxAgeMs, context);
      if (gone().length === 0 || seen.has(revision)) break;
      seen.add(revision);
      const offered: OfferedFile[] = [];
      for (const { version } of await apt.offers(pin.source)) offered.push(...(await apt.files(pin.source, version)));
      for (const file of gone()) {
        for (const place of whereabouts(file, offered)) {
          if (found.has(file.name)) break;
          await acquire([place], apt, context);
          for (const [name, path] of await findAll([file], context)) found.set(name, path);
        }
      }
    }
  }
  if (gone().length === 0) return;
  throw new VbuildError('source-missing', 'Pinned Debian version is not to be had', {
    facts: {
      pinned: `${pin.source} ${pin.debianVersion}`,
      missing: gone()
        .map(({ name, digest }) => `${name} (SHA-256 ${digest})`)
        .join(', '),
      searched: context.offline
        ? 'this machine and the caches that need no network'
        : 'this machine, the caches, the mirror',
    },
    mend: context.offline
      ? 'run once without --offline'
      : `pin a version that is on offer with \`${updateCommand(context)}\``,
  });
}

const updateCommand = (context: SourceContext): string => `vbuild update ${context.package.replace(/@.*$/, '')}`;
