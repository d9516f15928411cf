/** What a program needs in its environment to find the content of a prefix. */
import { join } from 'node:path';
import { currentGeneration } from '../install/generations.ts';
import { VbuildError } from '../model/error.ts';
import { exists, namesIn } from '../system/files.ts';

/** Search paths, each with its folders of a tree. */
const searchPaths: readonly (readonly [variable: string, folders: readonly string[]])[] = [
  ['PATH', ['bin', 'sbin']],
  ['PKG_CONFIG_PATH', ['lib/pkgconfig', 'share/pkgconfig']],
  ['CMAKE_PREFIX_PATH', ['.']],
  ['ACLOCAL_PATH', ['share/aclocal']],
  ['MANPATH', ['share/man']],
];

/** An empty part means the standard places to these, which must stay. */
const keepsStandard = new Set(['MANPATH']);

/**
 * Search paths with the folders of a prefix in front of what they hold already. The link of the prefix is resolved here, so that
 * who uses the result stays in one generation.
 *
 * @param prefix Absolute path of the link.
 * @throws {VbuildError} `not-ready` when nothing is installed there.
 */
export function prefixEnvironment(
  prefix: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const generation = currentGeneration(prefix);
  if (generation === undefined) {
    throw new VbuildError('not-ready', 'Nothing is installed in the prefix', {
      where: { file: prefix },
      mend: 'run vbuild first, or name the prefix with --prefix',
    });
  }
  const tree = generation.path;
  const pythons = namesIn(join(tree, 'lib')).filter((name) => /^python\d/.test(name));
  const paths: typeof searchPaths = [
    ...searchPaths,
    ['PYTHONPATH', pythons.map((name) => `lib/${name}/site-packages`)],
  ];
  return Object.fromEntries(
    paths.flatMap(([variable, folders]) => {
      const found = folders.map((folder) => join(tree, folder)).filter(exists);
      if (found.length === 0) return [];
      const before = env[variable];
      const rest = before !== undefined && before !== '' ? [before] : keepsStandard.has(variable) ? [''] : [];
      return [[variable, [...found, ...rest].join(':')] as const];
    }),
  );
}
