/** Packages of the npm registry that the user's npm is set up for: one exact version, with the integrity hash that the registry states. */
import { VbuildError } from '../model/error.ts';
import { shown } from '../model/passwords.ts';
import { archiveOrigin, packageUrl } from './origin.ts';
import type { Pin, PinnedFile, SourceContext, SourceKind } from './source.ts';
import type { Call, UserTool } from './user-tool.ts';

export interface NpmSpec {
  readonly kind: 'npm';
  readonly name: string;
  readonly version: string;
}

/**
 * The tarball of one exact version of an npm package, without what it depends on; none of its scripts is run. Registry, credentials,
 * proxies and authorities are those of npm's own configuration, as `npm config list` shows it in the Buildfile's folder.
 *
 * Bringing it may end with `npm-failed`, `source-missing`, `archive-refused`, `tool-missing`, with `pin-mismatch` for other bytes than the
 * registry states or the lock file pins, and under `--offline` with `download-failed`.
 */
export const npm = (name: string, version: string): NpmSpec => ({ kind: 'npm', name, version });

interface NpmPin extends Pin {
  readonly kind: 'npm';
  readonly version: string;
  /** As the registry states it: `sha512-` and base64. */
  readonly integrity: string;
  readonly files: readonly [PinnedFile];
}

export const npmKind: SourceKind<NpmSpec> = {
  kind: 'npm',
  options: ['name', 'version'],

  problems: ({ name, version }) => [
    ...(typeof name === 'string' &&
    /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/i.test(name) &&
    name[0] !== '-'
      ? []
      : ['name must be that of an npm package, such as `left-pad` or `@types/node`']),
    ...(typeof version === 'string' && /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/.test(version)
      ? []
      : ['version must be an exact version such as `1.2.3`, not a range or a tag']),
  ],

  loosened: (spec) => spec,

  origin: ({ name, version }, pin) => ({ ...archiveOrigin(pin), purl: packageUrl('npm', name.split('/'), version) }),

  /** @throws {VbuildError} `source-missing`, `npm-failed`, `download-failed`, `tool-missing`, `pin-mismatch` */
  async resolve(spec, context) {
    refuseOffline(spec, context);
    const integrity = await statedIntegrity(spec, context);
    const file = await context.alone(`archive ${integrity}`, async (turn) => {
      const left = turn.left === undefined ? undefined : (JSON.parse(turn.left) as PinnedFile);
      if (left !== undefined && (await context.blobs.find(left.digest)) !== undefined) return left;
      const brought = await bring(spec, integrity, context);
      turn.leave(JSON.stringify(brought));
      return brought;
    });
    return { kind: 'npm', version: spec.version, integrity, files: [file] } satisfies NpmPin;
  },

  async fetch(spec, pin, target, context) {
    const { integrity, file } = readPin(pin);
    let path = await context.findBlob(file.digest);
    if (path === undefined) {
      refuseOffline(spec, context);
      path = await context.alone(`archive ${file.digest}`, async () => {
        const there = await context.blobs.find(file.digest);
        if (there !== undefined) return there;
        const found = await bring(spec, integrity, context);
        if (found.digest !== file.digest) throw otherBytes(spec, file.digest, found.digest);
        return context.blobs.pathOf(found.digest);
      });
    }
    const { unpackArchive } = await import('../system/archive.ts');
    // As npm itself: whatever the top folder is called, it goes.
    await unpackArchive({ file: path, into: target.tree, name: file.name, strip: 1 });
  },
};

function readPin(pin: Pin): { readonly integrity: string; readonly file: PinnedFile } {
  const { integrity, files } = pin as Partial<NpmPin>;
  if (typeof integrity === 'string' && files?.[0] !== undefined) return { integrity, file: files[0] };
  throw new VbuildError('lock-file-invalid', 'Pin of an npm package names no integrity or no file', {
    mend: 'pin it anew with vbuild update',
  });
}

function refuseOffline(spec: NpmSpec, { offline }: SourceContext): void {
  if (offline)
    throw new VbuildError('download-failed', 'Package is not here and may not be downloaded', {
      facts: { package: idOf(spec), reason: 'vbuild runs offline' },
      mend: 'run once without --offline',
    });
}

const idOf = ({ name, version }: NpmSpec): string => `${name}@${version}`;

const tool: UserTool = {
  program: 'npm',
  debianPackage: 'npm',
  env: { NO_COLOR: '1' },
  drops: /^(npm_package_|npm_lifecycle_|npm_config_(dry_run|json|workspaces?|ignore_scripts)$)/i,
};

/** Nothing is run, nobody is asked, and nothing but the answer is written. */
const settings = [
  '--json',
  '--ignore-scripts',
  '--no-workspaces',
  '--no-dry-run',
  '--no-update-notifier',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

/** What npm prints as JSON. @throws {VbuildError} by npm's own code for what went wrong. */
async function ask(spec: NpmSpec, args: readonly string[], context: SourceContext): Promise<unknown> {
  const { callTool } = await import('./user-tool.ts');
  const call: Call = { args: [...args, ...settings], cwd: context.buildfileFolder, transfers: true };
  const { exitStatus, stdout, stderr } = await callTool(tool, call, context);
  const answer = parsed(stdout);
  if (exitStatus === 0) return answer;
  const trouble = (answer as { error?: { code?: unknown; summary?: unknown } } | undefined)?.error;
  const code = typeof trouble?.code === 'string' ? trouble.code : 'unknown';
  const said = shown(typeof trouble?.summary === 'string' ? trouble.summary : stderr.trim().slice(-1000));
  const facts = { package: idOf(spec), 'npm said': said, code };
  if (code === 'E404' || code === 'ETARGET' || code === 'ENOVERSIONS')
    throw new VbuildError('source-missing', 'Registry has no such version of the package', {
      facts,
      mend: 'correct name and version, and see with `npm config get registry` which registry is asked',
    });
  if (code === 'EINTEGRITY')
    throw new VbuildError('pin-mismatch', 'Package is not the one that the registry states', {
      facts,
      mend: 'find out what stands between you and the registry, or tell those who run it',
    });
  throw new VbuildError('npm-failed', 'Package cannot be had with npm', {
    facts,
    mend:
      code === 'E401' || code === 'E403' || code === 'ENEEDAUTH'
        ? 'log in with `npm login`, or put a token into your .npmrc'
        : 'check the network and npm’s configuration with `npm ping`',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // npm says nothing at all for what it does not have
  }
}

/** The strongest hash that the registry states. */
async function statedIntegrity(spec: NpmSpec, context: SourceContext): Promise<string> {
  const dist = (await ask(spec, ['view', idOf(spec), 'dist'], context)) as
    | { readonly integrity?: unknown; readonly shasum?: unknown }
    | undefined;
  const { integrity, shasum } = dist ?? {};
  const sha512 =
    typeof integrity === 'string' ? integrity.split(/\s+/).find((one) => one.startsWith('sha512-')) : undefined;
  if (sha512 !== undefined) return sha512.replace(/\?.*$/, '');
  // Packages from before 2017 have nothing better; the pin of the file itself is a SHA-256 all the same.
  if (typeof shasum === 'string' && /^[0-9a-f]{40}$/.test(shasum))
    return `sha1-${Buffer.from(shasum, 'hex').toString('base64')}`;
  throw new VbuildError('source-missing', 'Registry states no such version with a hash', {
    facts: { package: idOf(spec) },
    mend: 'correct name and version, and see with `npm config get registry` which registry is asked',
  });
}

/** Downloads the tarball into the blob store. @throws {VbuildError} `pin-mismatch` unless it has this integrity. */
async function bring(spec: NpmSpec, integrity: string, context: SourceContext): Promise<PinnedFile> {
  const { digestFile, fileStat, moveFile, namesIn, readBytes, temporaryFolder } = await import('../system/files.ts');
  const { createHash } = await import('node:crypto');
  using scratch = temporaryFolder('npm', context.state);
  await ask(spec, ['pack', idOf(spec), `--pack-destination=${scratch.path}`], context);
  const name = namesIn(scratch.path).find((one) => one.endsWith('.tgz'));
  if (name === undefined) throw new Error('npm pack ended well, but left no tarball');
  const file = `${scratch.path}/${name}`;
  const algorithm = integrity.slice(0, integrity.indexOf('-'));
  const found = `${algorithm}-${createHash(algorithm).update(readBytes(file)).digest('base64')}`;
  if (found !== integrity) throw otherBytes(spec, integrity, found);
  const digest = await digestFile(file);
  const sizeBytes = fileStat(file)?.sizeBytes ?? 0;
  const temporary = context.blobs.temporaryPath();
  moveFile(file, temporary);
  context.blobs.add(temporary, digest);
  return { name, digest, sizeBytes };
}

const otherBytes = (spec: NpmSpec, expected: string, found: string): VbuildError =>
  new VbuildError('pin-mismatch', 'Package is not the one that was pinned', {
    facts: { package: idOf(spec), expected, found },
    mend: 'find out why the registry has other bytes; if the change is meant, pin it anew with vbuild update',
  });
