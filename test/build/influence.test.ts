import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { influenceOf } from '../../src/build/influence.ts';
import { workspaceOf } from '../../src/build/workspace.ts';
import { validate } from '../../src/buildfile/validate.ts';
import { defineBuild, definePackage, directory, git, make } from '../../src/index.ts';
import { tempDir, writeTree } from '../support/temp.ts';

/** What decides `own` (a folder with a series), `bare` (a folder, its patches without a series file) and `far` (a git repository here). */
const rows: readonly (readonly [file: string, decided: Readonly<Record<string, string>>])[] = [
  ['Buildfile.ts', { own: 'Buildfile', bare: 'Buildfile', far: 'Buildfile' }],
  // By the pins of their tools, also where there is no pin of a source.
  ['Buildfile.lock', { own: 'lock file', bare: 'lock file', far: 'lock file' }],
  ['own', { own: 'source' }],
  ['own/main.c', { own: 'source' }],
  ['own/not-there.c', { own: 'source' }],
  ['own/.git/config', {}],
  ['own/sub/.vbuild/x', {}],
  ['patches/own', { own: 'series' }],
  ['patches/own/series', { own: 'series' }],
  ['patches/own/one.patch', { own: 'patch' }],
  ['patches/own/left.patch', {}],
  ['patches/own/not-there.patch', {}],
  ['patches/bare/not-there.patch', { bare: 'patch' }],
  ['patches/bare/series', { bare: 'series' }],
  ['patches/bare/README', {}],
  ['far/main.c', {}],
  ['far', {}],
];

test('influenceOf() says which packages a file decides, and of one that is not there which it would', (t) => {
  const site = tempDir(t, 'influence');
  writeTree(site, {
    'Buildfile.ts': '',
    'Buildfile.lock': `${JSON.stringify({ lock: 1, sources: {}, tools: { 'debian-13-amd64': { cc: '14.2' } } })}\n`,
    'own/main.c': '',
    'own/.git/config': '',
    'far/main.c': '',
    'patches/own/series': 'one.patch\n',
    'patches/own/one.patch': '',
    'patches/own/left.patch': '',
    'patches/bare/a.patch': '',
  });
  mkdirSync(join(site, 'bare'));
  writeFileSync(join(site, 'bare/main.c'), '');
  const recipe = make();
  const own = definePackage('own', { version: '1', source: directory('own'), patches: 'patches/own', recipe });
  const bare = definePackage('bare', { version: '1', source: directory('bare'), patches: 'patches/bare', recipe });
  const far = definePackage('far', { version: '1', source: git('far', { rev: 'v1' }), recipe });
  const build = validate(defineBuild({ packages: [own, bare, far] }));
  const workspace = workspaceOf(join(site, 'Buildfile.ts'), undefined, join(site, 'cache'));
  for (const [file, decided] of rows) {
    const influences = influenceOf(join(site, file), { build, workspace, buildFiles: [] });
    assert.deepEqual(
      Object.fromEntries(influences.map(({ package: id, as }) => [id.replace(/@.*/, ''), as])),
      decided,
      file,
    );
  }
});
