import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { make } from '../../src/compile/make.ts';
import { place } from '../../src/compile/recipe.ts';
import { steps } from '../../src/compile/steps.ts';
import { VbuildError } from '../../src/model/error.ts';
import { exists } from '../../src/system/files.ts';
import { startJobserver } from '../../src/system/jobserver.ts';
import { tempDir, type WithCleanUp } from '../support/temp.ts';
import { type CompileOptions, compile, exportToCaller } from './compiled.ts';

/** The error that compiling ends with. */
async function failure(t: WithCleanUp, options: CompileOptions): Promise<VbuildError> {
  try {
    await compile(t, options);
  } catch (error) {
    assert.ok(error instanceof VbuildError, String(error));
    return error;
  }
  throw new Error('it did not fail');
}

test('a step sees the standard environment, PATH, and nothing of the caller', async (t) => {
  exportToCaller(t, {
    CFLAGS: '-DCALLER',
    CC: '/nonexistent',
    LD_RUN_PATH: '/caller',
    CALLER: '1',
    PYTHONPATH: '/caller',
  });
  const { log, root } = await compile(t, {
    tree: {},
    recipe: steps([{ group: 'prepare', run: ['env'] }], { env: { OWN: place.tree } }),
  });
  const seen = log.slice(log.indexOf('&& env)')).split('\n').slice(1, -1);
  const names = seen.map((line) => line.split('=')[0]).filter((name) => name !== 'PWD' && name !== 'OLDPWD');
  const expected =
    'ACLOCAL_PATH CFLAGS CMAKE_PREFIX_PATH CONFIG_SITE CPPFLAGS CXXFLAGS GIT_CEILING_DIRECTORIES HOME LC_ALL LDFLAGS OWN PATH PKG_CONFIG_LIBDIR PYTHONDONTWRITEBYTECODE PYTHONHASHSEED PYTHONNOUSERSITE SOURCE_DATE_EPOCH TERM TMPDIR TZ';
  assert.deepEqual(new Set(names), new Set(expected.split(' ')));
  assert.ok(!seen.join('\n').includes('aller'));
  assert.ok(seen.includes(`OWN=${root}/tree`));
});

test('a step that asks a question gets no answer, instead of waiting for one', async (t) => {
  const { log } = await compile(t, {
    tree: {},
    recipe: steps([{ group: 'configure', run: 'if read -r answer; then echo "got $answer"; else echo no answer; fi' }]),
  });
  assert.match(log, /^no answer$/m);
});

test('the modes of what is installed do not depend on the umask of the caller', async (t) => {
  const before = process.umask(0o077);
  t.after(() => void process.umask(before));
  const run = 'mkdir -p "$OUT/share"; touch "$OUT/share/file"';
  const { staged } = await compile(t, {
    tree: {},
    recipe: steps([{ group: 'install', run }], { env: { OUT: place.stage + place.prefix } }),
  });
  assert.equal(statSync(join(staged, 'share/file')).mode & 0o777, 0o644);
  assert.equal(statSync(join(staged, 'share')).mode & 0o777, 0o755);
  assert.equal(process.umask(), 0o077);
});

test('steps run in order, each in its folder, which is made', async (t) => {
  const recipe = steps([
    { group: 'configure', run: ['touch', 'here'], in: '../build/deep' },
    { group: 'build', run: ['touch', 'there'], in: 'sub' },
    { group: 'install', run: 'test -e ../build/deep/here && test -e sub/there' },
  ]);
  const { events } = await compile(t, { tree: {}, recipe });
  assert.deepEqual(
    events.map((event) => (event.type === 'step-started' ? `${event.group}: ${event.command}` : event.type)),
    ['configure: touch here', 'build: touch there', 'install: test -e ../build/deep/here && test -e sub/there'],
  );
});

test('a shell line stops at its first failure, also in a pipe and at an unset variable', async (t) => {
  for (const run of ['false; true', 'false | cat', 'echo "$UNSET_VARIABLE"; true']) {
    const error = await failure(t, { tree: {}, recipe: steps([{ group: 'build', run }]) });
    assert.equal(error.code, 'step-failed', run);
  }
});

test('a failed step names the command, how it ended, the first error of the compiler, the last lines and the log', async (t) => {
  const tree = {
    'good.c': 'int good;\n',
    'bad.c': 'int f(void) {\n  return nosuch;\n}\n',
    Makefile: 'all: good.o bad.o\n',
  };
  const error = await failure(t, { tree, recipe: make() });
  assert.equal(error.code, 'step-failed');
  assert.equal(error.facts['command'], 'make');
  assert.equal(error.facts['ended'], 'exit status 2');
  assert.match(error.facts['error'] ?? '', /^bad\.c:2:10: error: .*nosuch/);
  assert.match(error.facts['last lines'] ?? '', /make: \*\*\* /);
  assert.equal(error.where.package, 'probe@1');
  assert.match(readFileSync(error.facts['log'] ?? '', 'utf8'), /nosuch/);
});

test('no step runs after one that failed, and its error is not sought in the output of earlier ones', async (t) => {
  const recipe = steps([
    { group: 'configure', run: ['echo', 'conftest.c:1:1: error: only a test of configure'] },
    { group: 'build', run: 'echo "b.c:2:2: error: the real one"; exit 3' },
    { group: 'install', run: ['touch', '../ran'] },
  ]);
  const error = await failure(t, { tree: {}, recipe });
  assert.equal(error.facts['error'], 'b.c:2:2: error: the real one');
  assert.equal(error.facts['ended'], 'exit status 3');
  assert.equal(exists(join(error.facts['log'] ?? '', '../ran')), false);
});

test('a long program in a step is shown by its first line, and is in the log whole', async (t) => {
  const run = ['sh', '-c', 'echo first line\nexit 4\n', 'last word'];
  const error = await failure(t, { tree: {}, recipe: steps([{ group: 'build', run }]) });
  assert.equal(error.facts['command'], "sh -c 'echo first line …' 'last word'");
  assert.match(readFileSync(error.facts['log'] ?? '', 'utf8'), /echo first line\nexit 4\n/);
});

test('a program that is not there is an error that names it', async (t) => {
  const error = await failure(t, { tree: {}, recipe: steps([{ group: 'build', run: ['no-such-program', 'x'] }]) });
  assert.equal(error.facts['ended'], 'exit status 127');
  assert.match(error.facts['error'] ?? '', /no-such-program: not found/);
});

test('a step that a signal ended is said to have ended by it', async (t) => {
  const error = await failure(t, { tree: {}, recipe: steps([{ group: 'build', run: ['sh', '-c', 'kill -KILL $$'] }]) });
  assert.equal(error.facts['ended'], 'exit status 137, as after signal SIGKILL');
});

test('an interrupt ends the step and all that it started', async (t) => {
  const controller = new AbortController();
  const folder = tempDir(t);
  const pidFile = join(folder, 'pid');
  const timer = setInterval(() => exists(pidFile) && controller.abort(), 20);
  t.after(() => clearInterval(timer));
  const run = `sleep 300 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`;
  const error = await failure(t, { tree: {}, recipe: steps([{ group: 'build', run }]), signal: controller.signal });
  assert.equal(error.code, 'interrupted');
  // The signal is sent to all at once, but each ends in its own time.
  const running = join('/proc', readFileSync(pidFile, 'utf8').trim(), 'exe');
  for (let tries = 0; exists(running) && tries < 500; tries += 1) await sleep(20);
  assert.equal(exists(running), false);
});

test('a symlink in the tree cannot lead a step out of the work folder', async (t) => {
  const outside = tempDir(t);
  const recipe = steps([
    { group: 'prepare', run: ['ln', '-s', outside, 'build'] },
    { group: 'build', run: ['touch', 'x'], in: 'build/deeper' },
  ]);
  const error = await failure(t, { tree: {}, recipe });
  assert.equal(error.code, 'step-failed');
  assert.equal(error.facts['leads'], outside);
  assert.deepEqual(readdirSync(outside), []);
});

test('a work folder that is itself reached through a symlink is no obstacle', async (t) => {
  const link = join(tempDir(t), 'link');
  const { root } = await compile(t, { tree: {}, recipe: steps([{ group: 'build', run: ['true'] }]) });
  symlinkSync(root, link);
  const { runSteps } = await import('../../src/compile/run-steps.ts');
  await runSteps({
    steps: [{ group: 'build', run: ['touch', 'made'], in: '../build' }],
    environment: {},
    places: { root: link, tree: join(link, 'tree'), prefix: join(link, 'prefix'), stage: join(link, 'stage') },
    log: join(link, 'log'),
    emit: () => {},
    package: 'probe@1',
    signal: new AbortController().signal,
    jobs: 1,
  });
  assert.ok(exists(join(root, 'build/made')));
});

test('the log repeats the steps when its own lines are pasted into an empty shell', async (t) => {
  const tree = { 'make "it".sh': 'echo "$CFLAGS|$LIST|$PWD" > "$1"\n' };
  const list = [{ group: 'build', run: ['sh', '../make "it".sh', "it's made"], in: 'sub dir' }] as const;
  const { log, root } = await compile(t, { tree, recipe: steps(list, { env: { LIST: `a'b $HOME\n"c"` } }) });
  const made = join(root, 'tree/sub dir', "it's made");
  const first = readFileSync(made, 'utf8');
  rmSync(made);
  const { status, stderr } = spawnSync('env', ['-i', 'bash', '-e'], { input: log, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.equal(readFileSync(made, 'utf8'), first);
});

const showing = { Makefile: 'all:\n\t@echo "flags=$(MAKEFLAGS) name=$(NAME) level=$(MAKELEVEL)"\n' };

test('make variables and flags of the caller reach no make below', async (t) => {
  exportToCaller(t, {
    MAKEFLAGS: 'e -k -- NAME=caller',
    MFLAGS: '-k',
    MAKELEVEL: '3',
    MAKEOVERRIDES: 'NAME=caller',
    GNUMAKEFLAGS: '-k',
    NAME: 'caller',
  });
  const { log } = await compile(t, { tree: showing, recipe: make({ install: [] }), jobs: 1 });
  assert.match(log, /^flags= ?(-j1)?(?: --jobserver\S*)? name= level=0$/m);
});

test('makes that build run as many jobs as they are told, and those that install run one', async (t) => {
  const rule = (target: string): string =>
    `${target}:\n\t@: > ${target}.here; n=0; while [ ! -e $(OTHER).here ] && [ $$n -lt 100 ]; do sleep 0.05; n=$$((n+1)); done; ls $(OTHER).here\n`;
  const tree = {
    Makefile: `all: a b\na: OTHER=b\nb: OTHER=a\n${rule('a')}${rule('b')}install:\n\t@echo "install $(MAKEFLAGS)."\n`,
  };
  const { log } = await compile(t, { tree, recipe: make(), jobs: 2 });
  assert.match(log, /^install .*-- DESTDIR=/m);
  assert.doesNotMatch(log, /^install [^/]*-j/m);
});

test('makes share the tokens of a job server, without a word of warning', async (t) => {
  using server = await startJobserver(tempDir(t), 2);
  await server.take(AbortSignal.timeout(5000));
  const tree = { Makefile: 'all:\n\t@$(MAKE) -f sub.mk a b\n', 'sub.mk': 'a b:\n\t@echo $@ $(MAKEFLAGS)\n' };
  const { log } = await compile(t, { tree, recipe: make({ install: ['all'] }), jobs: 2, jobserver: server });
  assert.match(log, /^a .*--jobserver-auth=3,3/m);
  assert.doesNotMatch(log, /warning/);
  await server.take(AbortSignal.timeout(5000));
});
