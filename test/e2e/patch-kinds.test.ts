/** Patches on sources that come by programs of their own: checked, opened, changed, saved and carried over, whatever the kind. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commitAllBzr, makeBzrBranch } from '../support/bzr-server.ts';
import { inGit } from '../support/git-server.ts';
import { commitAllHg, makeHgRepository } from '../support/hg-server.ts';
import { npmRegistry } from '../support/npm-registry.ts';
import { commitAllSvn, makeSvnRepository } from '../support/svn-server.ts';
import { tempDir, type Tree, writeTree } from '../support/temp.ts';
import { upstreamTarball } from '../support/upstream.ts';
import { type Ended, workspace } from '../support/vbuild.ts';

const text = (first: string): string => [first, ...'bcdefghij'.split('')].map((line) => `${line}\n`).join('');
const content: Tree = { 'a.txt': text('a') };
const later: Tree = { 'a.txt': text('A') };
const patch = 'Subject: Change the end\n\n--- a/a.txt\n+++ b/a.txt\n@@ -8,3 +8,3 @@\n h\n i\n-j\n+J\n';

test('patches of Mercurial, Subversion, Bazaar, npm and generated sources live as all others do', async (t) => {
  const top = tempDir(t, 'kinds');
  const at = (path: string): string => join(top, path);
  makeHgRepository(at('hg'), content);
  const copy = makeSvnRepository(at('svn'), content);
  makeBzrBranch(at('bzr'), content);
  const registry = await npmRegistry(t);
  const offer = (version: string, tree: Tree): void => {
    const archive = upstreamTarball(at(version), tree);
    registry.publish([{ name: 'up', version: '1.0.0', tarball: readFileSync(archive) }]);
  };
  offer('1', content);
  writeTree(at('made'), content);
  const sources = {
    mercurial: `mercurial('${at('hg')}', { rev: 'default' })`,
    subversion: `subversion('${at('svn/trunk')}')`,
    bazaar: `bazaar('${at('bzr')}', { rev: 'revno:1' })`,
    npm: "npm('up', '1.0.0')",
    generated: `generated({ steps: ['cp ${at('made/a.txt')} .'] })`,
  };
  const kinds = Object.keys(sources);
  const buildfile = Object.entries(sources)
    .map(
      ([kind, source]) =>
        `definePackage('${kind}-up', { version: '1', source: ${source}, patches: 'patches/${kind}', recipe })`,
    )
    .join(',\n');
  const site = workspace(t, {
    'Buildfile.ts': `import { ${[...kinds, 'defineBuild', 'definePackage', 'steps'].join(', ')} } from 'vbuild';
const recipe = steps([{ group: 'build', run: ['true'] }]);
export default defineBuild({ packages: [${buildfile}] });
`,
    ...Object.fromEntries(kinds.map((kind) => [`patches/${kind}/end.patch`, patch])),
  });
  registry.configure(site.path);
  const vbuild = async (...args: string[]): Promise<Ended> => {
    const ended = await site.run(args);
    assert.equal(ended.exitStatus, 0, `vbuild ${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
    return ended;
  };
  const applying = ({ stdout }: Ended): number => stdout.match(/1 patch applies/g)?.length ?? 0;

  assert.equal(applying(await vbuild('patch', 'check')), kinds.length);
  for (const kind of kinds) {
    const folder = (await vbuild('patch', 'edit', `${kind}-up`)).stdout.trim();
    const file = join(folder, 'a.txt');
    assert.equal(readFileSync(file, 'utf8'), text('a').replace('j', 'J'), kind);
    writeFileSync(file, readFileSync(file, 'utf8').replace('J', kind));
    inGit(folder, 'commit', '--quiet', '--all', '--amend', '--no-edit');
    await vbuild('patch', 'save', `${kind}-up`);
    assert.match(
      site.read(`patches/${kind}/end.patch`),
      new RegExp(`^Subject: Change the end\n[^]*^-j\n\\+${kind}\n`, 'm'),
    );
  }

  writeTree(at('hg'), later);
  commitAllHg(at('hg'), 'later');
  writeTree(join(copy, 'trunk'), later);
  commitAllSvn(copy);
  commitAllBzr(at('bzr'), later);
  offer('2', later);
  writeTree(at('made'), later);
  site.write({ 'Buildfile.ts': site.read('Buildfile.ts').replace('revno:1', 'revno:2') });
  await vbuild('update');
  for (const kind of kinds) {
    const { stdout } = await vbuild('patch', 'rebase', `${kind}-up`);
    assert.match(stdout, /1 patch applies as before/, kind);
  }
  assert.equal(applying(await vbuild('patch', 'check')), kinds.length);
});
