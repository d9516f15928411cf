/** How a run ends that cannot succeed: the exit status, what is said, and what it leaves alone. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { probeTools } from '../../src/compile/probe-tools.ts';
import { debianPackagesOf, missingTools, toolNames } from '../../src/compile/tools.ts';
import { type EventsOf, insistOnSuccess } from '../support/events.ts';
import { allStages, appSays, leafPatch, type Project, project, projectAt } from '../support/project.ts';
import { upstreamTarball } from '../support/upstream.ts';
import { runProgram } from '../support/vbuild.ts';

const leafRecipe = "patches: 'patches/leaf',\n  recipe: make(options),";
const loneRecipe = "source: tarball('upstream/lone-1.0.tar.gz'),\n  recipe: make(options),";

/** A project in which leaf's compilation fails as many compilations do. */
function broken(t: TestContext): Project {
  const site = project(t);
  const step = 'echo compiling; echo "leaf.c:1:5: error: no such luck" >&2; exit 3';
  site.edit(
    'Buildfile.ts',
    leafRecipe,
    leafRecipe.replace('options', `{ ...options, before: [${JSON.stringify(step)}] }`),
  );
  return site;
}

const codes = ({ errors }: EventsOf): string[] => errors.map(({ code }) => code);
const compiled = ({ stages }: EventsOf): string[] => stages.filter((stage) => stage.endsWith(' compile'));

test('a failing step ends the run with status 1 and says what failed, how, and where to read on', async (t) => {
  const site = broken(t);
  const { exitStatus, stderr, stdout } = await site.run(['-j1']);
  assert.equal(exitStatus, 1);
  assert.equal(stdout, '');
  const log = /^ {2}log +(\S+)$/m.exec(stderr)?.[1] ?? '';
  assert.match(
    stderr,
    /^error: A step failed\n {2}package +leaf@1\.0, stage compile\n {2}step +1 of 3, prepare\n {2}command +echo compiling; /m,
  );
  assert.match(stderr, /^ {2}ended +exit status 3$/m);
  assert.match(stderr, /^ {2}error +leaf\.c:1:5: error: no such luck$/m);
  const summary =
    /^failed:\n {2}leaf@1\.0 {2}compile {2}leaf\.c:1:5: error: no such luck {2}\(\S+\.log\)\nskipped: .*branch@2\.0.*\n/m;
  assert.match(stderr, summary);
  assert.match(stderr, /^app and lone not ready: 1 package failed, .*\n$/m);
  assert.match(readFileSync(log, 'utf8'), /^compiling\nleaf\.c:1:5: error: no such luck$/m);
});

test('after a failure nothing new is started, and with -k all that does not rest on it is built; the prefix stays as it was', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build());
  const other = broken(t);
  site.write({ 'Buildfile.ts': other.read('Buildfile.ts') });
  site.edit('Buildfile.ts', loneRecipe, loneRecipe.replace('options', "{ ...options, env: { A: 'B' } }"));

  const stopped = await site.build(['-j1']);
  assert.deepEqual([stopped.exitStatus, codes(stopped)], [1, ['step-failed']]);
  assert.deepEqual(compiled(stopped), ['leaf@1.0 compile']);
  const skipped = stopped.events.filter(({ type }) => type === 'package-skipped');
  assert.deepEqual(skipped.map(({ package: id, because }) => `${id} ${because}`).sort(), [
    'app@1.0 leaf@1.0',
    'branch@2.0 leaf@1.0',
    'lone@1.0 leaf@1.0',
  ]);

  const went = await site.build(['-j1', '-k']);
  assert.deepEqual([went.exitStatus, codes(went)], [1, ['step-failed']]);
  assert.deepEqual(compiled(went), ['leaf@1.0 compile', 'lone@1.0 compile']);
  assert.deepEqual(went.outcomes, { fresh: 1, restored: 0, built: 1 });
  assert.equal(went.installs, 0);
  assert.equal(await site.output('bin/app'), appSays);
});

test('a failed step can be repeated as it was by the one line that the report gives, in the tree that was kept', async (t) => {
  for (const env of [{}, { VBUILD_PADDED: '1' }]) {
    const site = project(t);
    const step = 'test -e @tree@/mended && echo "$LEFT|$PATH|${MAKEFLAGS-}|$PWD" >@tree@/said';
    site.edit(
      'Buildfile.ts',
      leafRecipe,
      leafRecipe.replace('options', `{ ...options, env: { LEFT: "a'b $x" }, before: [${JSON.stringify(step)}] }`),
    );
    const [error] = (await site.build(['leaf'], { env })).errors;
    const { tree = '', repeat = '', log = '' } = error?.facts ?? {};
    const again = (): ReturnType<typeof runProgram> =>
      runProgram(['sh', '-c', repeat], { cwd: '/', home: site.home, env: { CFLAGS: 'of the caller' } });
    assert.equal((await again()).exitStatus, 1);
    writeFileSync(join(tree, 'mended'), '');
    assert.deepEqual(insistOnSuccess(await again()).stderr, '');
    const [, seen = ''] = /^export PATH=(\S+)$/m.exec(readFileSync(log, 'utf8')) ?? [];
    const [, folder = ''] = /^\(cd (\S+) && /m.exec(readFileSync(log, 'utf8')) ?? [];
    assert.equal(readFileSync(join(tree, 'said'), 'utf8'), `a'b $x|${seen}||${folder}\n`);
    // What was done by hand is gone with the next run, which begins with a tree of its own.
    assert.deepEqual(codes(await site.build(['leaf'], { env })), ['step-failed']);
    assert.ok(!existsSync(join(tree, 'mended')));
  }
});

test('every failure is told when it happens, and all of them once more at the end', async (t) => {
  const site = project(t);
  site.edit(
    'Buildfile.ts',
    loneRecipe,
    loneRecipe.replace('options', "{ ...options, before: ['kill -SEGV $BASHPID'], after: [] }"),
  );
  site.write({ 'patches/leaf/value.patch': leafPatch(3, 7) });
  const { stderr, exitStatus } = await site.run(['-k', '-j1']);
  assert.equal(exitStatus, 1);
  const at = (text: RegExp): number => stderr.search(text);
  const [patch, gen, step] = [at(/^error: Patch/m), at(/gen@0\.1 +built/), at(/^error: A step failed/m)];
  assert.ok(patch >= 0 && patch < gen && patch < step, stderr);
  assert.match(stderr, /^ {2}ended +exit status 139, as after signal SIGSEGV$/m);
  assert.match(
    stderr,
    /^failed:\n {2}leaf@1\.0 {2}patch +\S.* {2}\(patches\/leaf\/value\.patch\)\n {2}lone@1\.0 {2}compile {2}A step failed: exit status 139, as after signal SIGSEGV {2}\(\S+\)\nskipped: .*\n.*2 packages failed, 2 skipped.*\n$/m,
  );
});

test('a patch that does not fit ends the run with status 1, naming file, line, what was expected and what was found', async (t) => {
  const site = project(t);
  site.write({ 'patches/leaf/value.patch': leafPatch(3, 7) });
  const run = await site.build(['leaf']);
  assert.deepEqual([run.exitStatus, codes(run)], [1, ['patch-rejected']]);
  const [error] = run.errors;
  assert.deepEqual([error?.where.package, error?.where.stage], ['leaf@1.0', 'patch']);
  assert.equal(error?.where.file, join(site.path, 'patches/leaf/value.patch'));
  assert.match(error?.facts['expected'] ?? '', /return 7/);
  assert.match(error?.facts['found'] ?? '', /return 1/);
});

test('a patch folder without patches is told, with its package, before anything is fetched, and by a plan as well', async (t) => {
  const site = project(t);
  site.edit('Buildfile.ts', leafRecipe, leafRecipe.replace('patches/leaf', 'patches/none'));
  mkdirSync(join(site.path, 'patches/none'));
  for (const command of ['plan', 'build']) {
    const { exitStatus, stderr } = await site.run([command]);
    assert.equal(exitStatus, 2);
    assert.match(stderr, /^error: Patch folder holds no patch\n {2}package +leaf@1\.0\n {2}file +patches\/none\n/);
  }
  assert.equal(existsSync(join(site.path, 'Buildfile.lock')), false);
});

test('tools that are missing are found before anything is compiled and listed with the one command that installs them', async (t) => {
  const found = await probeTools(toolNames, AbortSignal.timeout(60_000));
  const missing = missingTools([{ package: 'app@1.0', tools: toolNames }], found);
  if (missing.length === 0) return t.skip('this machine has every tool that vbuild knows');
  const site = project(t);
  const tools = missing.map(({ tool }) => tool);
  site.edit('Buildfile.ts', 'deps: [branch],\n', `deps: [branch],\n  tools: ${JSON.stringify(tools)},\n`);
  const { exitStatus, stderr } = await site.run([]);
  assert.equal(exitStatus, 1);
  assert.match(stderr, /^error: (A tool is missing|\d+ tools are missing)$/m);
  for (const tool of tools) assert.match(stderr, new RegExp(`^  ${tool} +.*app@1\\.0`, 'm'));
  const command = `apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 ${debianPackagesOf(missing).join(' ')}`;
  assert.ok(stderr.includes(command), stderr);
  const run = await site.build([]);
  assert.deepEqual([run.exitStatus, codes(run), compiled(run)], [1, ['tool-missing'], []]);
  // Those that need none of them are not held up.
  insistOnSuccess(await site.build(['lone']));
});

test('an archive that is not the pinned one is refused with both digests', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.run(['lock']));
  const pinned = (
    JSON.parse(site.read('Buildfile.lock')) as { sources: Record<string, { pin: { files: { digest: string }[] } }> }
  ).sources['lone@1.0'];
  upstreamTarball(join(site.path, 'upstream'), { Makefile: 'install:\n\ttouch /tmp/never\n' }, 'lone-1.0.tar.gz');
  const elsewhere = projectAt(site.path, `${site.home}-other`);
  const run = await elsewhere.build(['lone', '--work', `${site.path}-work`]);
  assert.deepEqual([run.exitStatus, codes(run)], [1, ['pin-mismatch']]);
  const [error] = run.errors;
  const both = new RegExp(`^lone-1.0.tar.gz SHA-256 ${pinned?.pin.files[0]?.digest}; with the tree [0-9a-f]{64}$`);
  assert.match(error?.facts['expected'] ?? '', both);
  assert.match(error?.facts['found'] ?? '', /^lone-1.0.tar.gz SHA-256 [0-9a-f]{64}; with the tree [0-9a-f]{64}$/);
  assert.notEqual(error?.facts['found'], error?.facts['expected']);
  assert.deepEqual(compiled(run), []);
});

test('--frozen insists on a pin for everything: sources, tools, and the source as it is written now', async (t) => {
  const site = project(t);
  const bare = await site.build(['--frozen']);
  assert.equal(bare.exitStatus, 2, bare.stderr);
  assert.ok(codes(bare).includes('unpinned'), bare.stderr);
  assert.deepEqual(bare.stages, []);
  assert.ok(!existsSync(join(site.path, 'Buildfile.lock')));

  insistOnSuccess(await site.run(['lock']));
  const lock = site.read('Buildfile.lock');
  site.write({ 'Buildfile.lock': lock.replace(/"cc": "[^"]*"/, '"cc": "gcc 1.2.3"') });
  const moved = await site.build(['--frozen']);
  assert.deepEqual([moved.exitStatus, codes(moved)], [1, ['tool-mismatch']], moved.stderr);
  assert.deepEqual(moved.errors[0]?.facts['expected'], 'gcc 1.2.3');

  site.write({ 'Buildfile.lock': lock });
  cpSync(join(site.path, 'upstream/lone-1.0.tar.gz'), join(site.path, 'upstream/lone.tar.gz'));
  site.edit('Buildfile.ts', 'upstream/lone-1.0.tar.gz', 'upstream/lone.tar.gz');
  const other = await site.build(['--frozen']);
  assert.deepEqual([other.exitStatus, codes(other)], [2, ['frozen-lock']], other.stderr);
  assert.equal(other.errors[0]?.where.package, 'lone@1.0');
  assert.equal(site.read('Buildfile.lock'), lock);

  site.edit('Buildfile.ts', 'upstream/lone.tar.gz', 'upstream/lone-1.0.tar.gz');
  insistOnSuccess(await site.build(['--frozen']));
  assert.equal(site.read('Buildfile.lock'), lock);
});

test('without --frozen a tool of another version moves its pin, which is said, and the keys with it', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.run(['lock']));
  const lock = site.read('Buildfile.lock');
  site.write({ 'Buildfile.lock': lock.replace(/"cc": "[^"]*"/, '"cc": "gcc 1.2.3"') });
  const run = insistOnSuccess(await site.build(['lone']));
  assert.deepEqual(
    run.warnings.map(({ code, facts }) => [code, facts?.['before']]),
    [['tool-pin-moved', 'gcc 1.2.3']],
  );
  assert.equal(site.read('Buildfile.lock'), lock);
  assert.deepEqual(insistOnSuccess(await site.build(['lone'])).stages, []);

  // Who only looks says both: what the lock file comes to, and what a run here would make of it.
  site.write({ 'Buildfile.lock': lock.replace(/"cc": "[^"]*"/, '"cc": "gcc 1.2.3"') });
  for (const command of ['why', 'status', 'graph']) {
    assert.match(
      insistOnSuccess(await site.run([command, 'lone'])).stdout,
      /\nthis machine has cc gcc [\d.]+ \(the lock file pins gcc 1\.2\.3\): a run that .* moves the pin, and then lone@1\.0 is ready\n$/,
    );
  }
  const plan = insistOnSuccess(await site.run(['plan', 'lone']));
  assert.match(plan.stderr, /Pin of tool cc would move/);
  assert.match(plan.stdout, /nothing to do\n$/);
});

test('--no-build with nothing in the cache ends with status 3 and lists what is not ready; without pins with 2', async (t) => {
  const site = project(t);
  const unpinned = await site.build(['--no-build']);
  assert.equal(unpinned.exitStatus, 2, unpinned.stderr);
  insistOnSuccess(await site.run(['lock']));
  const run = await site.build(['--no-build']);
  assert.equal(run.exitStatus, 3);
  assert.deepEqual(run.stages, []);
  const missing = run.errors.map(({ code, where }) => `${code} ${where.package}`).sort();
  for (const id of ['app@1.0', 'branch@2.0', 'leaf@1.0', 'lone@1.0'])
    assert.ok(missing.includes(`not-ready ${id}`), missing.join('\n'));
  assert.ok(!existsSync(join(site.path, 'vendor')));
});

test('what is misspelt on the command line is an error of status 2 that says what was meant', async (t) => {
  const site = project(t);
  for (const [args, said] of [
    [['brunch'], /mend +say branch/],
    [['--jbos', '2'], /--jobs/],
    [['app', 'lone', '--prefx', 'x'], /--prefix/],
    [['lits'], /list/],
    [['-j0'], /jobs|-j/],
    [['-f', 'Buildfle.ts'], /Buildfile\.ts/],
  ] as const) {
    const { exitStatus, stderr } = await site.run(args);
    assert.equal(exitStatus, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, said);
  }
  assert.ok(!existsSync(join(site.path, '.vbuild')));
});

test('a folder of the project that is not there is told with its package', async (t) => {
  const site = project(t);
  site.edit('Buildfile.ts', 'make, place, tarball', 'directory, make, place, tarball');
  site.edit('Buildfile.ts', "tarball('upstream/lone-1.0.tar.gz')", "directory('none')");
  const { errors } = await site.build();
  assert.deepEqual(
    errors.map(({ code, where }) => [code, where.package]),
    [['source-missing', 'lone@1.0']],
  );
});

test('a push is refused before anything is done where no cache of the Buildfile takes it, and so is a plan of it', async (t) => {
  const site = project(t);
  const refused = async (facts: object): Promise<void> => {
    const run = await site.build(['--push']);
    assert.deepEqual([run.exitStatus, codes(run), run.errors[0]?.facts], [2, ['usage'], facts]);
    assert.equal((await site.run(['plan', '--push'])).exitStatus, 2);
    assert.equal(existsSync(join(site.path, 'Buildfile.lock')), false);
  };
  await refused({});
  site.edit('Buildfile.ts', 'make, place, tarball', 'httpCache, make, place, tarball');
  site.edit(
    'Buildfile.ts',
    'defaults: [app, lone]',
    "defaults: [app, lone], cache: [httpCache('http://127.0.0.1:9/v')]",
  );
  await refused({ found: 'http://127.0.0.1:9/v: for reading only' });
});

test('a Buildfile with five mistakes lists all five, each with its line', async (t) => {
  const site = project(t);
  site.edit(
    'Buildfile.ts',
    "version: '1.0',\n  source: tarball('upstream/leaf",
    "version: '',\n  source: tarball('upstream/leaf",
  );
  site.edit('Buildfile.ts', "patches: 'patches/leaf'", "patchs: 'patches/leaf'");
  site.edit('Buildfile.ts', 'deps: [leaf]', "deps: ['leaf']");
  site.edit('Buildfile.ts', "definePackage('gen'", "definePackage('list'");
  site.edit('Buildfile.ts', "'upstream/lone-1.0.tar.gz'", "'upstream/lone-1.0.tar.gz', { sha256: 'abc' }");
  const run = await site.build();
  assert.equal(run.exitStatus, 2);
  assert.equal(run.errors.length, 5, run.stderr);
  const lineOf = (text: string): number =>
    site
      .read('Buildfile.ts')
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1;
  assert.deepEqual(
    run.errors.map(({ where }) => [where.file, where.line]).sort(([, a], [, b]) => Number(a) - Number(b)),
    [
      "definePackage('leaf'",
      "definePackage('leaf'",
      "definePackage('branch'",
      "definePackage('list'",
      "definePackage('lone'",
    ].map((call) => [join(site.path, 'Buildfile.ts'), lineOf(call)]),
  );
  assert.match(run.stderr, /patchs[\s\S]*patches/);
});

test('a library that is needed but not declared is refused, naming the dependency to declare', async (t) => {
  const site = project(t);
  site.edit('Buildfile.ts', 'deps: [branch],\n  buildDeps: [gen],', 'buildDeps: [gen, branch],');
  const run = await site.build(['app']);
  assert.deepEqual([run.exitStatus, codes(run)], [1, ['artifact-refused']]);
  const [error] = run.errors;
  assert.deepEqual([error?.where.package, error?.where.stage, error?.where.file], ['app@1.0', 'pack', 'bin/app']);
  assert.equal(error?.facts['needs'], 'libbranch.so');
  assert.match(error?.mend ?? '', /move branch from `buildDeps` to `deps`/);
  assert.ok(!existsSync(join(site.path, 'vendor')));
});

test('a file that was installed outside the prefix is refused by name, and corrected it packs without more than its own stages', async (t) => {
  const site = project(t);
  site.edit(
    'Buildfile.ts',
    loneRecipe,
    loneRecipe.replace(
      'options',
      "{ ...options, after: [['mkdir', '-p', '@stage@/opt'], ['touch', '@stage@/opt/stray']] }",
    ),
  );
  const run = await site.build(['lone']);
  assert.deepEqual([run.exitStatus, codes(run)], [1, ['artifact-refused']]);
  assert.equal(run.errors[0]?.where.file, '/opt/stray');
  site.edit('Buildfile.ts', "after: [['mkdir', '-p', '@stage@/opt'], ['touch', '@stage@/opt/stray']]", 'after: []');
  const next = insistOnSuccess(await site.build(['lone']));
  assert.deepEqual(
    next.stages,
    allStages('lone@1.0').filter((stage) => !/ (fetch|patch)$/.test(stage)),
  );
});

test('a cache folder that is no folder is an error of status 1 that names it', async (t) => {
  const site = project(t);
  writeFileSync(join(site.path, 'file'), '');
  const { exitStatus, stderr } = await site.run(['lone', '--cache-dir', 'file']);
  assert.equal(exitStatus, 1, stderr);
  assert.match(stderr, /file/);
  assert.doesNotMatch(stderr, /bug/);
});
