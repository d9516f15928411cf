/** A synthetic project of many packages, and the same graph for GNU make and ninja: five stages each, the same inputs, the same edges. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Node {
  readonly name: string;
  readonly deps: readonly string[];
}

const groupSize = 10;
const stages = ['fetch', 'patch', 'compile', 'pack', 'install'] as const;
const nameOf = (at: number): string => `p${String(at).padStart(5, '0')}`;

/**
 * Groups of ten in which each package rests on the two before it, and the first on the last one of the group half as far: closures of some
 * dozens, as real projects have them.
 */
export const graphOf = (count: number): Node[] =>
  Array.from({ length: count }, (_, at) => {
    const [group, place] = [Math.floor(at / groupSize), at % groupSize];
    const deps = place > 0 ? [at - 1, at - 2].slice(0, place) : [Math.floor(group / 2) * groupSize + groupSize - 1];
    return { name: nameOf(at), deps: group + place === 0 ? [] : deps.map(nameOf) };
  });

/** The inputs that all three tools watch, and what tells each of them of the graph; nothing is built yet. */
export function writeGraph(top: string, nodes: readonly Node[]): void {
  for (const folder of ['upstream', 'stamps']) mkdirSync(join(top, folder), { recursive: true });
  for (const { name } of nodes) {
    mkdirSync(join(top, 'patches', name), { recursive: true });
    writeFileSync(join(top, 'upstream', `${name}.tar.gz`), '');
    writeFileSync(join(top, 'patches', name, 'series'), 'fix.patch\n');
    writeFileSync(join(top, 'patches', name, 'fix.patch'), `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-old\n+new\n`);
  }
  writeFileSync(join(top, 'Buildfile.ts'), buildfile(nodes));
  writeFileSync(join(top, 'Makefile'), makefile(nodes));
  writeFileSync(join(top, 'build.ninja'), ninjaFile(nodes));
}

/** Stamps as make leaves them: none older than what it rests on. */
export function writeStamps(top: string, nodes: readonly Node[]): void {
  const now = Date.now() / 1000;
  for (const { name } of nodes) {
    for (const stage of stages) {
      const path = join(top, stampOf(name, stage));
      writeFileSync(path, '');
      utimesSync(path, now, now);
    }
  }
}

const stampOf = (name: string, stage: (typeof stages)[number]): string => `stamps/${name}.${stage}`;

/** What each stage of a package rests on, by the stamp that it leaves. */
const edges = ({ name, deps }: Node): [stamp: string, inputs: string[]][] => {
  const [fetch, patch, compile, pack, install] = stages.map((stage) => stampOf(name, stage)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return [
    [fetch, [`upstream/${name}.tar.gz`]],
    [patch, [fetch, `patches/${name}/series`, `patches/${name}/fix.patch`]],
    [compile, [patch, ...deps.map((dep) => stampOf(dep, 'install'))]],
    [pack, [compile]],
    [install, [pack]],
  ];
};

const makefile = (nodes: readonly Node[]): string =>
  [
    `all: ${nodes.map(({ name }) => stampOf(name, 'install')).join(' ')}`,
    '.PHONY: all',
    ...nodes.flatMap((node) => edges(node).map(([stamp, inputs]) => `${stamp}: ${inputs.join(' ')}\n\t@touch $@`)),
    '',
  ].join('\n');

const ninjaFile = (nodes: readonly Node[]): string =>
  [
    'rule stage\n  command = :',
    ...nodes.flatMap((node) => edges(node).map(([stamp, inputs]) => `build ${stamp}: stage ${inputs.join(' ')}`)),
    `build all: phony ${nodes.map(({ name }) => stampOf(name, 'install')).join(' ')}\ndefault all`,
    '',
  ].join('\n');

const buildfile = (
  nodes: readonly Node[],
): string => `import { defineBuild, definePackage, steps, tarball } from 'vbuild';

${nodes
  .map(
    ({ name, deps }) => `const ${name} = definePackage('${name}', {
  version: '1.0',
  source: tarball('upstream/${name}.tar.gz'),
  patches: 'patches/${name}',
  deps: [${deps.join(', ')}],
  recipe: steps([
    { group: 'build', run: ['make'] },
    { group: 'install', run: ['make', 'install', 'DESTDIR=@stage@', 'PREFIX=@prefix@'] },
  ]),
});
`,
  )
  .join('')}
export default defineBuild({ packages: [${nodes.map(({ name }) => name).join(', ')}] });
`;
