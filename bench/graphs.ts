/** Synthetic graphs of many packages in which nothing is to be done: what it costs to find that out, to plan, and to go through all stages. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { graphOf, writeGraph, writeStamps } from './graph-files.ts';
import { fillState } from './graph-state.ts';
import type { Benchmark, MakeBenchmarks } from './main.ts';

const vbuild = resolve(import.meta.dirname, '../bin/vbuild');
const sizes = [100, 1000, 10_000];

export const graphs: MakeBenchmarks = async (folder) => {
  const all: Benchmark[] = [];
  for (const size of sizes) {
    const cwd = join(folder, String(size));
    await makeProject(cwd, size);
    all.push(...benchmarks(cwd, size));
  }
  return all;
};

/** A project in which all three tools have nothing to do. */
async function makeProject(top: string, size: number): Promise<void> {
  const nodes = graphOf(size);
  const cache = join(top, 'cache');
  mkdirSync(cache, { recursive: true });
  writeGraph(top, nodes);
  writeStamps(top, nodes);
  await fillState(top, cache);
  const run = (argv: readonly [string, ...string[]]): Buffer =>
    execFileSync(argv[0], argv.slice(1), {
      cwd: top,
      env: { ...process.env, VBUILD_CACHE: cache },
      maxBuffer: 2 ** 28,
    });
  run(['ninja']);
  run([vbuild, '-s']);
  // What changed in the last two seconds is looked at closely each time.
  await sleep(2500);
  run([vbuild]);
}

function benchmarks(cwd: string, size: number): Benchmark[] {
  const env = { VBUILD_CACHE: join(cwd, 'cache') };
  const what = `${size.toLocaleString('en')} packages of five stages`;
  const rounds = size > 1000 ? 5 : 11;
  const node = { name: 'node -e 0', argv: [process.execPath, '-e', '0'] };
  const contestant = (name: string, ...argv: string[]) => ({ name, argv, cwd, env });
  return [
    {
      title: `Up to date: ${what}`,
      rounds,
      contestants: [
        node,
        contestant('vbuild', vbuild),
        contestant('make -q', 'make', '-q'),
        contestant('make -q, no implicit rules', 'make', '-q', '-rR'),
        contestant('ninja', 'ninja'),
      ],
      targets: [
        ...(size === 1000 ? [{ of: 'vbuild', to: 'node -e 0', atMost: 2.5 }] : []),
        ...(size === 10_000
          ? [
              { of: 'vbuild', to: 'make -q', atMost: 0.15 },
              { of: 'vbuild', to: 'ninja', atMost: 3 },
              { of: 'vbuild', peakMb: 300 },
            ]
          : []),
      ],
    },
    {
      title: `Plan: ${what}, nothing to do`,
      rounds,
      contestants: [
        contestant('make -n', 'make', '-n'),
        contestant('ninja -n', 'ninja', '-n'),
        contestant('vbuild plan', vbuild, 'plan'),
      ],
    },
    {
      title: `A whole run: ${what}, nothing to do, every artifact looked up`,
      rounds,
      contestants: [
        contestant('make', 'make'),
        contestant('ninja', 'ninja'),
        contestant('vbuild --no-install', vbuild, '--no-install'),
      ],
    },
  ];
}
