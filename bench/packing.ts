/** Artifacts of 70 and 280 MB: packing, unpacking with every check, and hashing, beside GNU tar with zstd and sha256sum; made here. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark, MakeBenchmarks } from './main.ts';
import { setAside, writeLargeTree } from './trees.ts';

const script = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'artifact.ts')];

export const packing: MakeBenchmarks = async (folder) => {
  const sizes = [70e6, 280e6];
  const parts = sizes.map((bytes) => benchmarksFor(join(folder, String(bytes)), bytes));
  return parts.flat();
};

function benchmarksFor(folder: string, bytes: number): Benchmark[] {
  const [tree, body, manifest] = ['tree', 'large.tar.zst', 'manifest.json'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const files = writeLargeTree(tree, bytes);
  execFileSync(script[0] ?? '', [...script.slice(1), 'describe', tree, body, manifest]);
  const what = `${bytes / 1e6} MB, ${files} files`;
  const [packed, unpacked] = [join(folder, 'packed'), join(folder, 'unpacked')];
  // As bin/start.mjs has it: else stripping types is most of what is measured.
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const noFile = (): void => setAside(packed);
  const noFolder = (): void => setAside(unpacked);
  const emptyFolder = (): void => {
    setAside(unpacked);
    mkdirSync(unpacked);
  };
  return [
    {
      title: `Packing: ${what}`,
      rounds: 5,
      contestants: [
        {
          name: 'tar, zstd -3',
          argv: [
            'tar',
            '-C',
            tree,
            '--sort=name',
            '--mtime=@0',
            '--owner=0',
            '--group=0',
            '-I',
            'zstd -3',
            '-cf',
            packed,
            '.',
          ],
          prepare: noFile,
        },
        {
          name: 'vbuild, digest and start of Node included',
          argv: [...script, 'pack', tree, packed],
          env,
          prepare: noFile,
        },
      ],
      targets: [{ of: 'vbuild, digest and start of Node included', to: 'tar, zstd -3', atMost: 1.3 }],
    },
    {
      title: `Unpacking an artifact: ${what}`,
      rounds: 5,
      contestants: [
        { name: 'tar, zstd', argv: ['tar', '-I', 'zstd', '-xf', body, '-C', unpacked], prepare: emptyFolder },
        {
          name: 'vbuild, every digest verified',
          argv: [...script, 'unpack', body, manifest, unpacked],
          env,
          prepare: noFolder,
        },
      ],
      targets: [{ of: 'vbuild, every digest verified', to: 'tar, zstd', atMost: 1.3 }],
    },
    {
      title: `Hashing: ${what}`,
      rounds: 5,
      contestants: [
        {
          name: 'find, sha256sum',
          argv: ['sh', '-c', 'find "$0" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum', tree],
        },
        { name: 'vbuild, start of Node included', argv: [...script, 'hash', tree], env },
      ],
    },
  ];
}
