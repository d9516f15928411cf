/** `kill -9` at every change that `vbuild patch save` makes visible: nobody ever takes a part of the series for the whole. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { inGit } from '../support/git-server.ts';
import { type KillPoint, pointsIn, runKilledAt } from '../support/killing.ts';
import { projectAt } from '../support/project.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { temporariesIn } from '../support/tiny.ts';
import type { Workspace } from '../support/vbuild.ts';

const names = ['one', 'two', 'three'] as const;
const files = {
  'Buildfile.ts': `import { defineBuild, definePackage, directory, steps } from 'vbuild';
const recipe = steps([{ group: 'install', run: ['install', '-D', '-m', '644', 'one', '@stage@@prefix@/share/one'] }]);
export default defineBuild({ packages: [definePackage('x', { version: '1', source: directory('source'), patches: 'patches', recipe })] });
`,
  'patches/series': `# ours\n${names.map((name) => `${name}.patch\n`).join('')}`,
  ...Object.fromEntries(
    names.flatMap((name) => [
      [`source/${name}`, 'first\n'],
      [`patches/${name}.patch`, `Subject: ${name}\n\n--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-first\n+second\n`],
    ]),
  ),
};

const editOf = (site: Workspace): string => join(site.path, '.vbuild/Buildfile/edit/x_1');
const isCutOff = (site: Workspace): boolean => existsSync(join(editOf(site), '.git/vbuild-save.json'));
const series = (site: Workspace): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(site.path, 'patches'))
      .sort()
      .map((name) => [name, readFileSync(join(site.path, 'patches', name), 'utf8')]),
  );

async function run(site: Workspace, ...args: readonly string[]): Promise<string> {
  const { exitStatus, stdout, stderr } = await site.run(args);
  assert.equal(exitStatus, 0, `vbuild ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout + stderr;
}

/** Opened, with every patch changed, the last one first, and a new one at the end. */
async function edited(top: string): Promise<Workspace> {
  const site = projectAt(join(top, 'site'), join(top, 'home'));
  writeTree(site.path, files);
  await run(site, 'patch', 'edit', 'x');
  const folder = editOf(site);
  const messages = names.map((name) => inGit(folder, 'log', '-1', '--format=%B', `--grep=${name}.patch`));
  inGit(folder, 'reset', '--quiet', '--hard', inGit(folder, 'rev-list', '--max-parents=0', 'HEAD'));
  for (const [at, name] of [...names.entries()].reverse()) {
    writeFileSync(join(folder, name), 'third\n');
    inGit(folder, 'commit', '--quiet', '--all', `--message=${messages[at]}`);
  }
  writeFileSync(join(folder, 'four'), 'new\n');
  inGit(folder, 'add', 'four');
  inGit(folder, 'commit', '--quiet', '--message=Four');
  return site;
}

/** What can be seen of a save: files that get their names, and the journal, which goes; and one that is half written. */
function sample(points: readonly KillPoint[]): KillPoint[] {
  const half = points.findIndex(({ name }) => /^write .*\/patches\//.test(name));
  return points.filter(
    ({ name }, at) => at === half || /^(rename .*\/patches\/|(rename|rm) .*\/\.git\/vbuild(-save)?\.json$)/.test(name),
  );
}

test('a save of patches that is killed leaves the series as it was, or is completed by the next command that may write', async (t) => {
  const top = tempDir(t);
  const folder = (name: string): string => {
    mkdirSync(join(top, name));
    return join(top, name);
  };
  const kept = folder('kept');
  const original = await edited(kept);
  const before = series(original);
  const copy = (name: string): Workspace => {
    cpSync(kept, join(top, name), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    return projectAt(join(top, name, 'site'), join(top, name, 'home'));
  };
  const whole = copy('whole');
  const points = sample(await pointsIn(whole, ['patch', 'save', 'x']));
  const after = series(whole);
  assert.deepEqual(Object.keys(after), ['four.patch', 'one.patch', 'series', 'three.patch', 'two.patch']);
  for (const name of ['one.patch', 'two.patch', 'three.patch', 'series'])
    assert.notEqual(after[name], before[name], name);
  t.diagnostic(`${points.length} points`);

  let partial = 0;
  const queue = points.map((point, at) => [at, point] as const);
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const [at, point] = item;
      const site = copy(`run${at}`);
      const where = `killed at ${point.count} ${point.name}`;
      const { signal, stderr } = await runKilledAt(site, point, ['patch', 'save', 'x']);
      assert.equal(signal, 'SIGKILL', `${where}: ${stderr}`);
      const cut = isCutOff(site);
      const isWhole = [before, after].some((one) => isDeepStrictEqual(one, series(site)));
      assert.ok(isWhole || cut, where);
      if (!isWhole && (partial += 1) < 3) {
        // One that may not write says so rather than go by a part.
        const looked = await site.run(['show', 'x']);
        assert.equal(looked.exitStatus, 1, where);
        assert.match(looked.stderr, /saved in part.*vbuild patch check x/s, where);
      }
      const next = cut ? (partial === 1 ? ['build', '--no-install'] : ['lock']) : ['patch', 'save', 'x'];
      assert.equal((await run(site, ...next)).includes('is completed now'), cut, where);
      assert.deepEqual(series(site), after, where);
      assert.equal(isCutOff(site), false, where);
      assert.deepEqual([...temporariesIn(join(site.path, 'patches')), ...temporariesIn(editOf(site))], [], where);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  assert.ok(partial > 2, `${partial} of the kills left the series in part`);
});
