/** Unpacking archives of about 40 MB, and one of many small files, beside GNU tar; made here, without a network. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, MakeBenchmarks } from './main.ts';
import { type Archive, packLargeTree, setAside, writeLargeTree, writeSmallFiles } from './trees.ts';

export const unpacking: MakeBenchmarks = async (folder) => {
  const trees = join(folder, 'trees');
  const [xz, gz, small] = ['for-xz', 'for-gz', 'small'].map((name) => join(trees, name, 'big-1.0'));
  if (xz === undefined || gz === undefined || small === undefined) throw new Error('three trees were named');
  const largest = writeLargeTree(xz, 122e6);
  const large = writeLargeTree(gz, 96e6);
  const many = writeSmallFiles(small, 20_000);
  const top = (tree: string): string => join(tree, '..');
  const archives: readonly (readonly [string, Archive])[] = [
    [`${largest} files, .tar.xz`, packLargeTree(top(xz), ['big-1.0'], join(folder, 'big.tar.xz'), 'xz -0 -T0')],
    [`${large} files, .tar.gz`, packLargeTree(top(gz), ['big-1.0'], join(folder, 'big.tar.gz'), 'gzip -6')],
    [`${many} small files, .tar.gz`, packLargeTree(top(small), ['big-1.0'], join(folder, 'small.tar.gz'), 'gzip -6')],
  ];
  rmSync(trees, { recursive: true });
  return archives.map(([what, { path, sizeBytes }]): Benchmark => {
    const into = join(folder, 'into');
    const prepare = (): void => {
      setAside(into);
      mkdirSync(into);
    };
    const ours = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'unpack.ts')];
    return {
      title: `Unpacking ${(sizeBytes / 1e6).toFixed(0)} MB: ${what}`,
      rounds: 5,
      contestants: [
        { name: 'tar -xf', argv: ['tar', '-xf', path, '-C', into], prepare },
        { name: 'vbuild, start of Node included', argv: [...ours, path, into], prepare },
      ],
    };
  });
};
