/** Work by hand: shells in trees, steps run again over what failed, and that nothing of either ever counts as built. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import type { Tree, WithCleanUp } from '../support/temp.ts';
import { type Ended, runProgram, startProgram, vbuildBin, type Workspace, workspace } from '../support/vbuild.ts';

/** Two packages; `top` fails in its second step unless its tree holds `good`. */
const files = (more = ''): Tree => ({
  'base/word': 'base\n',
  'top/word': 'top\n',
  'Buildfile.ts': `import { defineBuild, definePackage, directory, steps } from 'vbuild';
const base = definePackage('base', {
  version: '1', source: directory('base'), ${more}
  recipe: steps([{ group: 'install', run: 'install -D -m 644 word @stage@@prefix@/share/base' }]),
});
const top = definePackage('top', {
  version: '1', source: directory('top'), deps: [base],
  recipe: steps([
    { group: 'configure', run: 'echo configured >>steps' },
    { group: 'build', run: 'echo built >>../steps; env | sort >../../seen; test -e good', in: 'sub' },
    { group: 'install', run: 'install -D -m 644 word @stage@@prefix@/share/top; cp -r . @stage@@prefix@/share/tree' },
  ], { env: { MARK: 'a b' } }),
});
export default defineBuild({ packages: [base, top], defaults: [top] });
`,
});

const site = (t: WithCleanUp, more = ''): Workspace => workspace(t, files(more));
const stamps = ({ path }: Workspace, id: string): readonly string[] =>
  globSync('*', { cwd: join(path, '.vbuild/Buildfile/stamps', id), exclude: ['*.aside'] }).sort();
const artifactsOf = ({ home }: Workspace, name: string): readonly string[] =>
  globSync(`.cache/vbuild/v1/artifacts/${name}/*`, { cwd: home });
const tree = ({ path }: Workspace, id: string): string => join(path, '.vbuild/Buildfile/build', id, 'root/tree');
const shell = async (one: Workspace, ...words: readonly string[]): Promise<Ended> =>
  insistOnSuccess(await one.run(['shell', ...words]));

test('steps run again over what a failed compilation left keep its objects, and make no stamp, no artifact, no installation', async (t) => {
  const one = site(t);
  const failed = eventsOf(await one.run(['--json']));
  assert.equal(failed.exitStatus, 1);
  assert.equal(failed.errors[0]?.facts['resume'], 'vbuild top --from build');
  const before = stamps(one, 'top_1');
  assert.deepEqual(before, ['fetch', 'patch']);
  writeFileSync(join(tree(one, 'top_1'), 'sub/good'), '');

  const resumed = eventsOf(await one.run(['top', '--from', 'build', '--json']));
  assert.equal(resumed.exitStatus, 3, resumed.stderr);
  assert.equal(readFileSync(join(tree(one, 'top_1'), 'steps'), 'utf8'), 'configured\nbuilt\nbuilt\n');
  assert.ok(resumed.events.some(({ code }) => code === 'resumed'));
  assert.deepEqual(stamps(one, 'top_1'), before);
  assert.deepEqual(artifactsOf(one, 'top'), []);
  assert.ok(!existsSync(join(one.path, 'vendor')));
  // And the next run begins anew, where the mending by hand is not.
  const next = eventsOf(await one.run(['--json']));
  assert.deepEqual([next.exitStatus, next.stages], [1, ['top@1 compile']]);
  assert.deepEqual(artifactsOf(one, 'top'), []);
});

test('a step that fails again when it is resumed is reported as any other, and so is what could not be packed', async (t) => {
  const one = site(t);
  await one.run([]);
  const again = eventsOf(await one.run(['top', '--from', 'build', '--json']));
  assert.deepEqual([again.exitStatus, again.errors.map(({ code }) => code)], [1, ['step-failed']]);
  writeFileSync(join(tree(one, 'top_1'), 'sub/good'), '');
  const seen = join(tree(one, 'top_1'), '../seen');
  const [, root = ''] = /HOME=(.*)\/home\n/.exec(readFileSync(seen, 'utf8')) ?? [];
  writeFileSync(join(tree(one, 'top_1'), 'word'), root);
  const refused = eventsOf(await one.run(['top', '--from', 'install', '--json']));
  assert.deepEqual([refused.exitStatus, refused.errors[0]?.code], [1, 'artifact-refused'], refused.stderr);
  assert.equal(refused.errors[0]?.where.stage, 'pack');
});

test('--from says what it needs: one package, a tree that was left, a step of that group; it never pushes', async (t) => {
  const one = site(t);
  for (const [args, status, said] of [
    [['--from', 'build'], 2, /about one package/],
    [['top', '--from', 'compile'], 2, /no such group/],
    [['top', '--from', 'build', '--push'], 2, /contradict/],
    [['top', '--from', 'build'], 3, /no tree to resume in/],
  ] as const) {
    const { exitStatus, stderr } = await one.run(args);
    assert.equal(exitStatus, status, stderr);
    assert.match(stderr, said);
  }
  await one.run([]);
  const check = await one.run(['top', '--from', 'check']);
  assert.equal(check.exitStatus, 2);
  assert.match(check.stderr, /expected +configure, build, install/);
});

test('a shell has the tree, the folder, the environment and the namespace of the step that failed', async (t) => {
  for (const env of [{}, { VBUILD_PADDED: '1' }]) {
    const one = site(t);
    await one.run([], { env });
    const seen = (await one.run(['shell', 'top', '--', 'sh', '-c', 'cat ../../seen; echo; env; pwd'], { env })).stdout;
    const [step = '', here = ''] = seen.split('\n\n');
    const variables = (text: string): readonly string[] =>
      text.split('\n').filter((line) => /^\w+=/.test(line) && !/^(PWD|OLDPWD|SHLVL|_|MAKEFLAGS)=/.test(line));
    assert.deepEqual(variables(here).toSorted(), variables(step).toSorted());
    assert.ok(variables(step).includes('MARK=a b'));
    assert.match(here, new RegExp(`^${/^PWD=(.*)$/m.exec(step)?.[1]}\n$`, 'm'));
    const piped = await runProgram(['sh', '-c', `echo 'echo "$MARK"; umask; exit 7' | '${vbuildBin}' shell top`], {
      cwd: one.path,
      home: one.home,
      env,
    });
    assert.deepEqual([piped.exitStatus, piped.stdout], [7, 'a b\n0022\n']);
  }
});

test('a shell of a package that has no tree gets a fresh one, in which the steps before its stage have run', async (t) => {
  const one = site(t);
  insistOnSuccess(await one.run(['base']));
  const { stdout } = await shell(
    one,
    'top',
    'build',
    '--',
    'sh',
    '-c',
    'cat ../steps ../../prefix/share/base ../word; pwd',
  );
  assert.match(stdout, /^configured\nbase\ntop\n\S+\/tree\/sub\n$/);
  const compile = await shell(one, 'base', '--', 'ls');
  assert.equal(compile.stdout, 'word\n');
  const fetched = await shell(one, 'top', 'fetch', '--', 'pwd');
  assert.equal(fetched.stdout, `${join(one.path, '.vbuild/Buildfile/trees/top_1/source')}\n`);
});

test('what was touched in a shell is in no artifact: compiled, packed, patched and fetched trees are made anew', async (t) => {
  const one = site(t);
  one.write({ 'top/sub/good': '' });
  // A package that is compiled, and whose packing fails.
  one.write({
    'Buildfile.ts': (files('hostLibraries: [],')['Buildfile.ts'] as string).replace(
      'cp -r .',
      'touch @stage@/stray; cp -r .',
    ),
  });
  const refused = eventsOf(await one.run(['--json']));
  assert.equal(refused.errors[0]?.code, 'artifact-refused');
  assert.deepEqual(stamps(one, 'top_1'), ['compile', 'fetch', 'patch']);
  await shell(
    one,
    'top',
    '--',
    'sh',
    '-c',
    'rm ../stage/stray; for f in $(find ../stage -name top); do echo touched >$f; done',
  );
  assert.ok(!stamps(one, 'top_1').includes('compile'));
  const again = eventsOf(await one.run(['--json']));
  assert.deepEqual(again.errors[0]?.code, 'artifact-refused');
  assert.ok(again.stages.includes('top@1 compile'));

  // One that was built and whose tree is kept.
  one.write(files());
  one.write({ 'top/sub/good': '' });
  insistOnSuccess(await one.run(['--keep']));
  await shell(one, 'top', 'install', '--', 'sh', '-c', 'echo touched >word');
  await shell(one, 'top', 'patch', '--', 'sh', '-c', 'echo touched >word');
  await shell(one, 'top', 'fetch', '--', 'sh', '-c', 'echo touched >word; touch more');
  rmSync(join(one.home, '.cache'), { recursive: true });
  const rebuilt = insistOnSuccess(eventsOf(await one.run(['--json', '--prefix', 'other'])));
  assert.ok(
    ['fetch', 'patch', 'compile'].every((stage) => rebuilt.stages.includes(`top@1 ${stage}`)),
    rebuilt.stages.join(),
  );
  assert.equal(readFileSync(join(one.path, 'other/share/top'), 'utf8'), 'top\n');
  assert.ok(!existsSync(join(one.path, 'other/share/tree/more')));
});

test('an interactive shell greets, and its function step lists the steps and runs one', async (t) => {
  const one = site(t);
  await one.run([]);
  const { stdout } = await runProgram(
    [
      'sh',
      '-c',
      `(echo step; echo 'touch good; step 2 && cat ../steps'; echo exit) | script -qec "'${vbuildBin}' shell top" /dev/null`,
    ],
    { cwd: one.path, home: one.home, env: { TERM: 'xterm' } },
  );
  assert.match(stdout, /Nothing that is done in this shell becomes an artifact/);
  assert.match(stdout, /top@1 build sub[#$] /);
  assert.match(stdout, /^2 {2}build {2}echo built/m);
  assert.match(stdout, /configured\r\nbuilt\r\nbuilt\r\n/);
});

test('a run waits for a shell that is open, and says so', async (t) => {
  const one = site(t);
  await one.run([]);
  const open = startProgram(
    [vbuildBin, 'shell', 'top', '--', 'sh', '-c', 'echo opened; until test -e end; do sleep 0.05; done'],
    {
      cwd: one.path,
      home: one.home,
    },
  );
  await open.says('opened');
  const waiting = startProgram([vbuildBin, '--json'], { cwd: one.path, home: one.home });
  await waiting.says('waiting-for-lock');
  writeFileSync(join(tree(one, 'top_1'), 'sub/end'), '');
  assert.equal((await open.ended).exitStatus, 0);
  assert.equal((await waiting.ended).exitStatus, 1);
});

test('vbuild clean frees trees, says what that was, and nothing is compiled again for it', async (t) => {
  const one = site(t);
  insistOnSuccess(await one.run(['base']));
  await one.run([]);
  const would = insistOnSuccess(await one.run(['clean', '-n', '--json']));
  const { removed, freedBytes, dryRun } = JSON.parse(would.stdout) as {
    removed: { kind: string; name: string; path: string; sizeBytes: number }[];
    freedBytes: number;
    dryRun: boolean;
  };
  assert.deepEqual(
    removed.map(({ kind, name }) => `${kind}/${name}`),
    ['build/top_1', 'trees/base_1', 'trees/top_1'],
  );
  assert.equal(
    freedBytes,
    removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  assert.ok(dryRun && freedBytes > 0 && removed.every(({ path }) => existsSync(path)));
  const named = insistOnSuccess(await one.run(['clean', 'base']));
  assert.match(named.stdout, /^\.vbuild\/Buildfile\/trees\/base_1 +\d+ B\nfreed \d+ B in \.vbuild\/Buildfile\n$/);
  assert.deepEqual(insistOnSuccess(eventsOf(await one.run(['base', '--json']))).stages, []);
  insistOnSuccess(await one.run(['clean', '--all']));
  assert.deepEqual(globSync('*/*', { cwd: join(one.path, '.vbuild/Buildfile') }), []);
  assert.equal(insistOnSuccess(await one.run(['clean', '--all'])).stdout, 'there is nothing to free\n');
  rmSync(join(one.path, '.vbuild'), { recursive: true });
  assert.deepEqual(insistOnSuccess(eventsOf(await one.run(['base', '--json']))).stages, []);
});
