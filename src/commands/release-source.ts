/** Where a command takes a release and its artifacts from, and whom it trusts: from options, else from the Buildfile at hand. */
import { dirname, resolve } from 'node:path';
import type { Release } from '../artifact/release.ts';
import type { BuildRequest } from '../build/request.ts';
import { type Opening, openRelease } from '../build/release.ts';
import { nothingSpecial } from '../build/pin-all.ts';
import { trustCheck } from '../buildfile/trust-checks.ts';
import { type CacheSpec, cacheProblems } from '../cache/cache-spec.ts';
import { cacheFolder } from '../cache/layout.ts';
import { trustOf } from '../cache/trust.ts';
import type { TrustOptions } from '../cache/trust-spec.ts';
import { messageOf, VbuildError } from '../model/error.ts';
import { exists, readIfThere } from '../system/files.ts';
import { hostPlatform } from '../system/platform.ts';
import { buildfileOf, type CommandContext, openProject, prefixOf } from './command.ts';
import { tiersOf } from './lower-tiers.ts';

interface Said {
  readonly cache: readonly CacheSpec[];
  readonly trust: TrustOptions | undefined;
  /** Absolute folder that paths of the caches are relative to. */
  readonly folder: string;
}

/** What the options say, and where they do not, the Buildfile, if there is one. */
async function said(context: CommandContext): Promise<Said> {
  const { cwd, line } = context;
  const { from, trust: trustFile } = line.options;
  const trust = trustFile === undefined ? undefined : trustIn(resolve(cwd, trustFile));
  const cache = from === undefined ? undefined : [cacheNamed(from)];
  const path = buildfileOf(context);
  if ((cache !== undefined && trust !== undefined) || (line.options.file === undefined && !exists(path)))
    return { cache: cache ?? [], trust, folder: cwd };
  const { build } = await openProject(context);
  return {
    cache: cache ?? build.cache,
    trust: trust ?? build.trust,
    folder: cache === undefined ? dirname(path) : cwd,
  };
}

/** For commands that open releases. */
export const openingOf = async (context: CommandContext): Promise<Opening> => openingFrom(await said(context), context);

async function openingFrom({ cache, trust, folder }: Said, context: CommandContext): Promise<Opening> {
  const tiers = await tiersOf(cache, folder, context, trust);
  return { cwd: context.cwd, tiers, trust: trust && trustOf(trust), signal: context.signal };
}

/** The release that `--release` names, and what a run by it is about: no Buildfile, only caches, trust and the prefix. */
export async function releaseRequest(
  context: CommandContext,
  wanted: string,
): Promise<{ readonly release: Release; readonly request: BuildRequest }> {
  const { cwd, env, line, reporter, signal, signing } = context;
  const from = await said(context);
  const { cache, trust, folder } = from;
  const release = await openRelease(wanted, await openingFrom(from, context));
  // Where nobody says otherwise, the artifacts lie where the release says.
  const specs = cache.length > 0 ? cache : release.cache.map((spec) => specIn(spec, wanted));
  const { cacheDir, noInstall, offline, keepGenerations } = line.options;
  const request: BuildRequest = {
    build: { packages: [], defaults: [], cache: specs, mirrors: [], ...(trust && { trust }) },
    targets: [],
    workspace: {
      buildfile: '',
      folder: cache.length > 0 ? folder : cwd,
      lockFile: '',
      state: '',
      cache: cacheDir === undefined ? cacheFolder(env) : resolve(cwd, cacheDir),
    },
    prefix: prefixOf(context),
    platform: hostPlatform(),
    options: {
      ...nothingSpecial,
      noBuild: true,
      noInstall,
      offline,
      ...(keepGenerations !== undefined && { keepGenerations }),
    },
    environment: env,
    publishing: { files: [], named: [], signing },
    emit: (event) => reporter.event(event),
    signal,
  };
  return { release, request };
}

function specIn(spec: Release['cache'][number], wanted: string): CacheSpec {
  const [problem] = cacheProblems(spec);
  if (problem === undefined) return spec as unknown as CacheSpec;
  throw new VbuildError('release-refused', 'Release is not acceptable', {
    facts: { release: wanted, found: `its cache: ${problem}` },
    mend: 'name the cache with --from',
  });
}

/** `s3://BUCKET/PREFIX`, a URL, or a folder. @throws {VbuildError} `usage` */
function cacheNamed(text: string): CacheSpec {
  const [, bucket, prefix] = /^s3:\/\/([^/]+)(?:\/(.+?))?\/?$/.exec(text) ?? [];
  const spec: CacheSpec =
    bucket !== undefined
      ? { kind: 's3', bucket, ...(prefix !== undefined && { prefix }) }
      : /^https?:\/\//.test(text)
        ? { kind: 'http', url: text }
        : { kind: 'directory', path: text };
  const isStrange = spec.kind === 'directory' && /^[a-z][a-z\d+.-]*:\/\//i.test(text);
  const problem = isStrange ? 'no cache has such an address' : cacheProblems(spec)[0];
  if (problem === undefined) return spec;
  throw new VbuildError('usage', 'Cache cannot be named so', {
    facts: { expected: 's3://BUCKET/PREFIX, a URL or a folder', found: text, problem },
    mend: 'correct --from',
  });
}

/** JSON with the same words as the option `trust` of a Buildfile. @throws {VbuildError} `usage` */
function trustIn(file: string): TrustOptions {
  const invalid = (found: string): VbuildError =>
    new VbuildError('usage', 'File does not say whom to trust', {
      where: { file },
      facts: { expected: '{ "keys": [{ "name": …, "publicKey": …, "role": … }] }', found },
      mend: 'write it as the option trust of a Buildfile, in JSON',
    });
  const text = readIfThere(file);
  if (text === undefined) throw invalid('no such file');
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw invalid(messageOf(error));
  }
  const [mistake] = trustCheck(data, 'trust');
  if (mistake !== undefined) throw invalid(`${mistake.headline}: ${Object.values(mistake.facts ?? {}).join(', ')}`);
  return data as TrustOptions;
}
