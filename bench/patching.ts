/** Applying real Debian series beside GNU patch, which takes one process for each patch; the sources come through apt. */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dpkgOptions, fetchCorpus } from '../test/support/debian-corpus.ts';
import { smallPackages } from '../test/patches/corpus.ts';
import type { MakeBenchmarks } from './main.ts';

const vbuild = resolve(import.meta.dirname, '../bin/vbuild');
const title = 'Patching';
/** Enough for a picture, few enough for a short download. */
const packagesWanted = 12;

export const patching: MakeBenchmarks = async (folder) => {
  const fetched = await fetchCorpus(smallPackages, join(folder, 'corpus'), packagesWanted).catch((error: unknown) =>
    String(error),
  );
  if (typeof fetched === 'string') return [{ title, why: `because the sources are not to be had: ${fetched}` }];
  const { packages } = fetched;
  const [pristine, trees] = [join(folder, 'pristine'), join(folder, 'trees')];
  for (const { name, tree } of packages)
    cpSync(tree, join(pristine, name), { recursive: true, verbatimSymlinks: true });
  const prepare = (): void => {
    rmSync(trees, { recursive: true, force: true });
    cpSync(pristine, trees, { recursive: true, verbatimSymlinks: true });
  };
  const script = (name: string, lines: readonly string[]): string => {
    const path = join(folder, name);
    writeFileSync(path, `set -e\n${lines.join('\n')}\n`);
    return path;
  };
  const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
  const options = [...dpkgOptions, '--no-backup-if-mismatch', '--reject-file=-', '-s'].join(' ');
  const byGnu = packages.flatMap(({ name, patches }) =>
    patches.map(({ path }) => `patch ${options} -d ${quoted(join(trees, name))} -i ${quoted(path)}`),
  );
  const byVbuild = packages.map(
    ({ name, patches }) =>
      `${quoted(vbuild)} patch apply -s --dialect dpkg -d ${quoted(join(trees, name))} ${patches.map(({ path }) => quoted(path)).join(' ')}`,
  );
  const list = join(folder, 'list.json');
  writeFileSync(list, JSON.stringify(packages.map(({ name, patches }) => ({ tree: join(trees, name), patches }))));
  const inOneProcess = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'patch.ts'),
    list,
  ];
  const patches = packages.reduce((sum, one) => sum + one.patches.length, 0);
  return [
    {
      title: `${title}: ${packages.length} Debian packages, ${patches} patches`,
      rounds: 7,
      contestants: [
        { name: 'patch, once for each patch', argv: ['sh', script('gnu', byGnu)], prepare },
        { name: 'as in a build, one process for all', argv: inOneProcess, prepare },
        { name: 'vbuild patch apply, once for each package', argv: ['sh', script('vbuild', byVbuild)], prepare },
      ],
    },
  ];
};
