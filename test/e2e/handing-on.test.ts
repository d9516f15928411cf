/** What a closure is made of, said in a form that other tools read, and gathered so that somebody else can make it again. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { treeDigest } from '../../src/system/tree-digest.ts';
import { checkIn } from '../support/check-in.ts';
import { cycloneDxProblems } from '../support/cyclonedx.ts';
import { insistOnSuccess } from '../support/events.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { upstreamTarball } from '../support/upstream.ts';
import { type Workspace, workspace } from '../support/vbuild.ts';

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software.
`;

const buildfile = `import { defineBuild, definePackage, git, steps, tarball } from 'vbuild';
import { recipe } from './recipe.ts';

const leaf = definePackage('leaf', {
  version: '1.0',
  source: tarball('upstream/leaf-1.0.tar.gz'),
  patches: ['patches/CVE-2024-12345.patch', { file: 'patches/more/ümlaut #1, 50%.patch', strip: 0 }],
  recipe: recipe('leaf'),
});
const gen = definePackage('gen', { version: '2', source: git('gen', { rev: 'main' }), recipe: recipe('gen') });
const app = definePackage('app', {
  version: '3',
  source: git('app', { rev: 'main' }),
  deps: [leaf],
  buildDeps: [gen],
  recipe: recipe('app'),
});
export default defineBuild({ packages: [leaf, gen, app], defaults: [app] });
`;

function site(t: Parameters<typeof workspace>[0]): Workspace {
  const made = workspace(t, {
    'Buildfile.ts': buildfile,
    'recipe.ts': `import { steps, type Recipe } from 'vbuild';
export const recipe = (name: string): Recipe =>
  steps([{ group: 'install', run: \`install -D -m 644 text "@stage@@prefix@/share/\${name}"\` }]);
`,
    'patches/CVE-2024-12345.patch': 'Subject: refuse it\n\n--- a/text\n+++ b/text\n@@ -1 +1 @@\n-one\n+two\n',
    // Bytes that are no UTF-8.
    'patches/more/ümlaut #1, 50%.patch': Buffer.from('--- text\n+++ text\n@@ -1 +1 @@\n-two\n+zw\xf6i\n', 'latin1'),
    'gen/text': 'gen\n',
    'app/text': 'app\n',
    'app/COPYING': mit,
    'app/parts/zip/LICENSE': 'Boost Software License - Version 1.0',
  });
  upstreamTarball(join(made.path, 'upstream'), { text: 'one\n', 'LICENSE.md': mit }, 'leaf-1.0.tar.gz');
  for (const folder of ['gen', 'app']) checkIn(join(made.path, folder));
  return made;
}

interface Bom {
  readonly serialNumber: string;
  readonly components: readonly {
    readonly name: string;
    readonly scope: string;
    readonly purl: string;
    readonly licenses?: readonly unknown[];
    readonly evidence?: unknown;
    readonly pedigree?: {
      readonly patches: readonly {
        readonly diff: {
          readonly text: { readonly content: string; readonly encoding?: string };
          readonly url: string;
        };
        readonly resolves?: readonly unknown[];
      }[];
    };
    readonly properties: readonly { readonly name: string; readonly value: string }[];
  }[];
  readonly dependencies: readonly unknown[];
}

test('vbuild sbom says what a closure is made of, by the schema of CycloneDX', async (t) => {
  const made = site(t);
  const env = { SOURCE_DATE_EPOCH: '1700000000' };
  const { stdout } = insistOnSuccess(await made.run(['sbom'], { env }));
  const bom = JSON.parse(stdout) as Bom;
  assert.deepEqual(cycloneDxProblems(bom), []);
  assert.deepEqual(
    bom.components.map(({ name, scope }) => [name, scope]),
    [
      ['leaf', 'required'],
      ['gen', 'excluded'],
      ['app', 'required'],
    ],
  );
  const [leaf, gen, app] = bom.components;
  assert.match(leaf?.purl ?? '', /^pkg:generic\/leaf@1\.0\?checksum=sha256:[0-9a-f]{64}$/);
  assert.deepEqual(leaf?.licenses, [{ license: { id: 'MIT', acknowledgement: 'declared' } }]);
  const patches = leaf?.pedigree?.patches ?? [];
  assert.deepEqual(
    patches.map(({ diff, resolves }) => [diff.url, resolves]),
    [
      ['patches/CVE-2024-12345.patch', [{ type: 'security', id: 'CVE-2024-12345' }]],
      ['patches/more/ümlaut%20%231,%2050%25.patch', undefined],
    ],
  );
  assert.deepEqual(
    patches.map(({ diff: { text } }) => Buffer.from(text.content, text.encoding === 'base64' ? 'base64' : 'utf8')),
    patches.map(({ diff: { url } }) => readFileSync(join(made.path, decodeURIComponent(url)))),
  );
  assert.equal(gen?.licenses, undefined);
  assert.deepEqual(app?.licenses, [{ license: { id: 'MIT', acknowledgement: 'declared' } }]);
  assert.deepEqual(app?.evidence, { licenses: [{ license: { id: 'BSL-1.0' } }, { license: { id: 'MIT' } }] });
  assert.deepEqual(bom.dependencies, [
    { ref: 'subject', dependsOn: ['app@3'] },
    { ref: 'leaf@1.0', dependsOn: [] },
    { ref: 'gen@2', dependsOn: [] },
    { ref: 'app@3', dependsOn: ['leaf@1.0'] },
  ]);
  const lock = JSON.parse(made.read('Buildfile.lock')) as { sources: Record<string, { tree: string }> };
  const { packages } = JSON.parse((await made.run(['show', 'app', '--json'])).stdout) as {
    packages: { contentKey: string }[];
  };
  const said = Object.fromEntries(app?.properties.map(({ name, value }) => [name, value]) ?? []);
  assert.equal(said['vbuild:source:tree'], lock.sources['app@3']?.tree);
  assert.equal(said['vbuild:key'], packages[0]?.contentKey);

  assert.equal((await made.run(['sbom', '--offline'], { env })).stdout, stdout, 'the same again, offline');
  assert.ok(!stdout.includes(made.path), 'no path of the machine');
  assert.ok(!existsSync(join(made.path, 'vendor')), 'nothing is built');
  const now = JSON.parse((await made.run(['sbom'])).stdout) as Bom;
  assert.notEqual(now.serialNumber, bom.serialNumber);
});

test('what vbuild legal wrote is enough to make the patched sources again, with tar and patch', async (t) => {
  const made = site(t);
  const { stdout, stderr } = insistOnSuccess(await made.run(['legal', 'out']));
  assert.match(
    stdout,
    /^leaf@1\.0 +1 source file +2 patches +1 licence text +MIT\ngen@2 .* -\napp@3 .* 2 licence texts +BSL-1\.0 MIT\n$/,
  );
  assert.match(stderr, /^warning: No licence text is in the source\n {2}package +gen@2$/m);
  const out = join(made.path, 'out');
  const legal = JSON.parse(readFileSync(join(out, 'legal.json'), 'utf8')) as {
    packages: {
      package: string;
      sources: { path: string }[];
      patches: { path: string; by: string }[];
      licences: { path: string; ids: string[] }[];
    }[];
  };
  for (const { path } of legal.packages.flatMap(({ sources, patches, licences }) => [
    ...sources,
    ...patches,
    ...licences,
  ]))
    assert.ok(existsSync(join(out, path)), path);
  assert.equal(readFileSync(join(out, 'app_3/licences/COPYING'), 'utf8'), mit);
  assert.deepEqual(readdirSync(join(out, 'project')).sort(), ['Buildfile.lock', 'Buildfile.ts', 'recipe.ts']);
  assert.equal(
    readFileSync(join(out, 'leaf_1.0/patches/series'), 'utf8'),
    'CVE-2024-12345.patch\n2-ümlaut-1,-50%.patch -p0\n',
  );

  insistOnSuccess(await made.run(['app']));
  for (const { package: id, sources } of legal.packages) {
    const own = id.replace('@', '_');
    const tree = join(tempDir(t, 'again'), own);
    mkdirSync(tree);
    for (const { path } of sources)
      execFileSync('tar', ['-xf', join(out, path), ...(path.endsWith('.zst') ? [] : ['--strip-components=1'])], {
        cwd: tree,
      });
    const series = join(out, own, 'patches/series');
    for (const row of existsSync(series) ? readFileSync(series, 'utf8').trimEnd().split('\n') : []) {
      const [name = '', strip = '-p1'] = row.split(' ');
      execFileSync('patch', ['--no-backup-if-mismatch', '--silent', strip, '-i', join(out, own, 'patches', name)], {
        cwd: tree,
      });
    }
    assert.equal(treeDigest(tree), treeDigest(join(made.path, '.vbuild/Buildfile/trees', own, 'patched')), id);
  }
});

test('vbuild legal replaces what it wrote, and nothing else', async (t) => {
  const made = site(t);
  insistOnSuccess(await made.run(['legal', 'out', 'leaf']));
  writeFileSync(join(made.path, 'out/left'), '');
  insistOnSuccess(await made.run(['legal', 'out', 'leaf', '--json']));
  assert.deepEqual(readdirSync(join(made.path, 'out')).sort(), ['README', 'leaf_1.0', 'legal.json', 'project']);
  writeTree(made.path, { 'mine/notes': 'x', file: 'x' });
  for (const name of ['mine', 'file', '.']) {
    const { exitStatus, stderr } = await made.run(['legal', name]);
    assert.equal(exitStatus, 2, stderr);
    assert.match(stderr, /^error: Folder holds something else already$/m);
  }
  assert.equal(made.read('mine/notes'), 'x');
});
