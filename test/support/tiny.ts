/** Projects whose packages only put texts together, so that hundreds of whole builds take minutes: what each installs tells all that went into it. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { type Installed, type Project, projectAt } from './project.ts';
import { removeTree, type Tree, writeTree } from './temp.ts';

export interface TinyPackage {
  /** Letters only. */
  readonly name: string;
  /** Names of packages that come before this one. */
  readonly deps: readonly string[];
  /** The one line of its source. */
  readonly source: string;
  /** What a patch makes of that line; no patch when not given. */
  readonly patched?: string;
  /** The value of a variable that its steps see. */
  readonly word: string;
  /** A line of its recipe. */
  readonly said: string;
  /** A word of its recipe that nothing comes of. */
  readonly unsaid?: string;
}

const quoted = (text: string): string => JSON.stringify(text);

function definition({ name, deps, patched, word, said, unsaid = '' }: TinyPackage): string {
  return `const ${name} = definePackage('${name}', {
  version: '1',
  source: directory('sources/${name}'),
  ${patched === undefined ? '' : `patches: 'patches/${name}',`}
  deps: [${deps.join(', ')}],
  recipe: steps(
    [
      { group: 'build', run: ${quoted(`: ${unsaid}; { echo "${name} $WORD"; echo "${said}"; cat line; for one in ${deps.join(' ')}; do sed 's/^/ /' "@prefix@/share/$one"; done; } >out`)} },
      { group: 'install', run: ['install', '-D', '-m', '644', 'out', '@stage@@prefix@/share/${name}'] },
    ],
    { env: { WORD: ${quoted(word)} } },
  ),
});`;
}

/** @param order The order of names in the list of packages. */
export function tinyFiles(packages: readonly TinyPackage[], order = packages.map(({ name }) => name)): Tree {
  const entries = packages.flatMap(({ name, source, patched }): [string, string][] => [
    [`sources/${name}/line`, `${source}\n`],
    ...(patched === undefined
      ? []
      : ([
          [`patches/${name}/series`, 'line.patch\n'],
          [`patches/${name}/line.patch`, `--- a/line\n+++ b/line\n@@ -1 +1 @@\n-${source}\n+${patched}\n`],
        ] satisfies [string, string][])),
  ]);
  const list = order.join(', ');
  return {
    ...Object.fromEntries(entries),
    'Buildfile.ts': `import { defineBuild, definePackage, directory, steps } from 'vbuild';
${packages.map(definition).join('\n')}
export default defineBuild({ packages: [${list}], defaults: [${packages.map(({ name }) => name).join(', ')}] });
`,
  };
}

/** Writes such a project in place of one that is there; what vbuild made stays. */
export function writeTiny(path: string, packages: readonly TinyPackage[], order?: readonly string[]): void {
  for (const folder of ['sources', 'patches']) removeTree(join(path, folder));
  writeTree(path, tinyFiles(packages, order === undefined ? undefined : [...order]));
}

export function tinyProject(top: string, packages: readonly TinyPackage[]): Project {
  const path = join(top, 'site');
  writeTree(path, tinyFiles(packages));
  return projectAt(path, join(top, 'home'));
}

/** A chain with one on the side, and a patch. */
export const tinyChain: readonly TinyPackage[] = [
  { name: 'one', deps: [], source: 'first', patched: 'premier', word: 'un', said: 'hello' },
  { name: 'two', deps: ['one'], source: 'second', word: 'deux', said: 'hello' },
  { name: 'three', deps: ['one', 'two'], source: 'third', word: 'trois', said: 'hello' },
];

/** Everything that tells one result from another: keys and trees as recorded, and the prefix as it lies there. */
export function resultOf(site: Project): { readonly installed: Installed; readonly prefix: string } {
  return { installed: site.installed(), prefix: treeDigest(join(site.path, readlinkSync(join(site.path, 'vendor')))) };
}

/** Every path that a build of this project left in its work folder and beside it, save what is numbered by run. */
export function pathsOf(site: Project): string[] {
  const all = readdirSync(site.path, { recursive: true }).map(String);
  return all
    .filter((path) => !/^(sources|patches)|\/(logs|history|traces)\/|^\.vendor\.generations|\.ts$/.test(path))
    .sort();
}

/** Names below a folder that no finished work bears. */
export const temporariesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => /\.tmp(\/|$)|incoming/.test(path) && statSync(join(folder, path), { throwIfNoEntry: false }));

/** What a program or a person reads in the prefix. */
export const said = (site: Project, name: string): string =>
  readFileSync(join(site.path, 'vendor/share', name), 'utf8');
