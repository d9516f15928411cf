/** Reads a Buildfile: runs its TypeScript as it is, without a compiler, a bundler or `node_modules` beside it. */
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { VbuildError } from '../model/error.ts';
import { entryAt, exists, fileStat, namesIn, realPath } from '../system/files.ts';
import { watchEnvironment } from '../system/environment-reads.ts';
import { recordFrom, recordedFiles } from './hooks.ts';
import { describe } from './describe.ts';
import { type BuildDefinition, definitionOf } from './package.ts';

export interface LoadedBuildfile {
  /** The default export, not yet checked: `validate()` comes next. */
  readonly definition: BuildDefinition;
  /** Absolute paths of the Buildfile and of every file that it pulls in through imports, vbuild itself left out; symlinks followed. */
  readonly files: readonly string[];
  /** The same, save the Buildfile, as the imports name them: absolute, symlinks not followed. */
  readonly names: readonly string[];
  /** Names of the environment variables that it read; undefined when that cannot be said, or when it can look at other things than its imports. */
  readonly environment: readonly string[] | undefined;
}

/**
 * Imports a Buildfile. A file is evaluated once in the life of a process, as Node does with modules.
 *
 * @param path Absolute.
 * @throws {VbuildError} `buildfile-missing` when there is none; `buildfile-invalid`, with file and line, when it cannot be
 *   read as TypeScript, imports what is not there, throws, never ends, or does not export a build by default.
 */
export async function loadBuildfile(path: string): Promise<LoadedBuildfile> {
  const file = fileStat(path) && realPath(path);
  if (file === undefined || entryAt(file)?.type === 'directory') throw missing(path);
  const url = pathToFileURL(file).href;
  recordFrom(url);
  let exported: { readonly default?: unknown };
  using reads = watchEnvironment();
  try {
    exported = await settled(import(url), path);
  } catch (thrown) {
    const { loadError } = await import('./load-error.ts');
    throw await loadError(thrown, recordedFiles(url));
  }
  const files = recordedFiles(url);
  const closed = files.every(({ looksAround }) => !looksAround);
  return {
    definition: checkedDefault(exported, path),
    files: files.map((one) => one.file),
    names: files.flatMap(({ names }) => names),
    environment: closed ? reads.names() : undefined,
  };
}

/** The promise's result; an error when nothing is left that could still settle it, where Node would just end. */
async function settled<T>(promise: Promise<T>, path: string): Promise<T> {
  const idle = Promise.withResolvers<never>();
  const giveUp = (): void =>
    idle.reject(
      new VbuildError('buildfile-invalid', 'Buildfile waits for what never comes', {
        where: { file: path },
        facts: { expected: 'every await at the top level to end' },
        mend: 'take out the await that never ends',
      }),
    );
  process.once('beforeExit', giveUp);
  try {
    return await Promise.race([promise, idle.promise]);
  } finally {
    process.off('beforeExit', giveUp);
  }
}

function missing(path: string): VbuildError {
  const folder = dirname(path);
  const others = namesIn(folder).filter((name) => /^Buildfile.*\.m?ts$/.test(name) && name !== basename(path));
  const above = others.length === 0 ? folderAbove(folder, basename(path)) : undefined;
  return new VbuildError('buildfile-missing', 'There is no such Buildfile', {
    where: { file: path },
    facts: { expected: path, found: others.length > 0 ? others.join(', ') : `no Buildfile in ${folder}` },
    mend:
      others[0] !== undefined
        ? `name the one you mean: -f ${join(folder, others[0])}`
        : above !== undefined
          ? `run vbuild in the folder that has one: -C ${above}`
          : 'write a first one with: vbuild init',
  });
}

/** The nearest folder above that has a file of this name. */
function folderAbove(folder: string, name: string): string | undefined {
  const above = dirname(folder);
  if (above === folder) return undefined;
  return exists(join(above, name)) ? above : folderAbove(above, name);
}

function checkedDefault(exported: { readonly default?: unknown }, path: string): BuildDefinition {
  const { default: value, ...others } = exported;
  const definition = definitionOf(value);
  if (definition?.kind === 'build') return value as BuildDefinition;
  const built = Object.entries(others).find(([, other]) => definitionOf(other)?.kind === 'build')?.[0];
  const found =
    'default' in exported ? (definition ? 'a package' : describe(value)) : built ? `the build as ${built}` : 'none';
  throw new VbuildError('buildfile-invalid', 'Buildfile does not export a build', {
    where: { file: path, ...(definition && { line: definition.line }) },
    facts: { expected: 'a default export, made by defineBuild()', found },
    mend: 'end the Buildfile with: export default defineBuild({ packages: [...] })',
  });
}
