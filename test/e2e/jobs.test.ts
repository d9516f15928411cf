/** One budget of jobs for everything below a run, what becomes of steps that hang, and what a run says at its end about what it left undone. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { loggedJob, mostAtOnce } from '../support/job-log.ts';
import { removeTree, type Tree } from '../support/temp.ts';
import { runProgram, startProgram, vbuildBin, workspace, type Workspace } from '../support/vbuild.ts';

// Steps wait for files of a test here, and write into some, which would be hidden from them.
process.env['VBUILD_SANDBOX'] = 'off';

interface Made {
  readonly name: string;
  readonly deps?: readonly string[];
  /** A makefile whose first target is built by `make`. */
  readonly makefile?: string;
  /** Steps in place of that make, as they stand in a Buildfile. */
  readonly steps?: string;
}

/** Packages that are made by steps of their own and install one empty file. */
function project(packages: readonly Made[]): Tree {
  const define = ({
    name,
    deps = [],
    steps = "{ group: 'build', run: ['make'] }",
  }: Made): string => `const ${name} = definePackage('${name}', {
  version: '1', source: directory('${name}'), deps: [${deps.join(', ')}],
  recipe: steps([${steps}, { group: 'install', run: 'install -D /dev/null @stage@@prefix@/share/${name}' }], { tools: ['make'] }),
});`;
  const names = packages.map(({ name }) => name).join(', ');
  return {
    ...Object.fromEntries(packages.map(({ name, makefile = '' }) => [`${name}/Makefile`, makefile])),
    'Buildfile.ts': `import { defineBuild, definePackage, directory, steps } from 'vbuild';
${packages.map(define).join('\n')}
export default defineBuild({ packages: [${names}], defaults: [${names}] });
`,
  };
}

const targets = (count: number): string => Array.from({ length: count }, (_, at) => `t${at}`).join(' ');
const makefile = (log: string, count = 6): string => `all: ${targets(count)}\nt%:\n${loggedJob(log)}`;
const logOf = (site: Workspace): string => join(site.home, 'jobs.log');
const names = ['a', 'b', 'c', 'd', 'e'];

test('makes of several packages and everything below them never run more jobs than -j', async (t) => {
  const site = workspace(t, {});
  const log = logOf(site);
  site.write(project(names.map((name) => ({ name, makefile: makefile(log) }))));
  insistOnSuccess(await site.run(['-j3']));
  assert.equal(mostAtOnce(log), 3);
});

test('of what could start, the package that took longest before is compiled first, as its earlier artifact tells', async (t) => {
  const site = workspace(t, {});
  const stamps = join(site.path, '.vbuild/Buildfile/stamps');
  const base = {
    name: 'base',
    steps: `{ group: 'build', run: 'until [ -e ${stamps}/quick_1/patch ] && [ -e ${stamps}/slow_1/patch ]; do sleep 0.05; done' }`,
  };
  const graph = (text: string): Tree =>
    project([base, ...['quick', 'slow'].map((name) => ({ name, deps: ['base'], makefile: text }))]);
  site.write(graph('all:\n'));
  insistOnSuccess(await site.run(['-j1']));
  // The work folder forgets it; the cache says that it took ten minutes.
  removeTree(join(site.path, '.vbuild'));
  const artifacts = join(site.home, '.cache/vbuild/v1/artifacts/slow');
  const [manifest = ''] = readdirSync(artifacts, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.json'));
  const told = readFileSync(join(artifacts, manifest), 'utf8');
  writeFileSync(join(artifacts, manifest), told.replace(/"durationMs": \d+/, '"durationMs": 600000'));
  site.write({ ...graph('all:\n\t@true\n'), 'base/more': 'changed' });
  const run = insistOnSuccess(eventsOf(await site.run(['-j1', '--json'])));
  assert.deepEqual(
    run.events.flatMap(({ type, stage, package: id }) => (type === 'stage-started' && stage === 'compile' ? [id] : [])),
    ['base@1', 'slow@1', 'quick@1'],
  );
});

test('steps that cannot share take what is free, and the others wait', async (t) => {
  const site = workspace(t, {});
  const log = logOf(site);
  const greedy = `{ group: 'build', run: 'echo share @jobs@; for i in $(seq @jobs@); do (echo + >>${log}; sleep 0.2; echo - >>${log}) & done; wait' }`;
  site.write(
    project(names.map((name, at) => (at % 2 === 0 ? { name, steps: greedy } : { name, makefile: makefile(log) }))),
  );
  insistOnSuccess(await site.run(['-j3']));
  const most = mostAtOnce(log);
  assert.ok(most > 1 && most <= 3, `${most} at once`);
});

test('no token is lost to makes that fail, or are killed while others hold tokens; the end tells what was left undone', async (t) => {
  const site = workspace(t, {});
  const log = logOf(site);
  const held = join(site.home, 'held');
  const logs = join(site.path, '.vbuild/Buildfile/logs');
  // The make dies while it holds every token there is; its jobs are ended with it.
  const dying = `all: x y z\nx y:\n\t@echo >>'${held}'; sleep 60\nz:\n\t@while [ $$(wc -l <'${held}') -lt 2 ]; do sleep 0.02; done; kill -9 $$PPID; sleep 60\n`;
  const until = `{ group: 'prepare', run: 'until grep -q Killed ${logs}/dies_1/1.log; do sleep 0.05; done' }`;
  const last = join(site.home, 'last.log');
  site.write(
    project([
      { name: 'dies', makefile: dying },
      { name: 'fails', makefile: `all: t0 t1 bad\nt%:\n${loggedJob(log)}bad:\n\tfalse\n` },
      ...names.map((name) => ({ name, makefile: makefile(log) })),
      { name: 'witness', steps: until },
      { name: 'after', deps: ['dies'] },
      { name: 'last', deps: [...names, 'witness'], makefile: makefile(last, 9) },
    ]),
  );
  const run = eventsOf(await site.run(['-j4', '-k', '--json']));
  assert.equal(run.exitStatus, 1, run.stderr);
  assert.ok(mostAtOnce(log) <= 4);
  assert.equal(mostAtOnce(last), 4, 'all tokens are there again');
  const failed = run.events.filter(({ type }) => type === 'package-failed').map((event) => event.package);
  assert.deepEqual(new Set(failed), new Set(['dies@1', 'fails@1']));
  const skipped = run.events.filter(({ type }) => type === 'package-skipped');
  assert.deepEqual(
    skipped.map(({ package: id, because }) => [id, because]),
    [['after@1', 'dies@1']],
  );
  const told = await site.run(['-j4', '-k']);
  assert.match(told.stderr, /after@1 +skipped +\(dies@1\)/);
  assert.match(told.stderr, /not ready: 2 packages failed, 1 skipped/);
});

test('a step that takes too long is ended', async (t) => {
  const steps = "{ group: 'build', run: ['make'], timeout: 1 }";
  const site = workspace(t, project([{ name: 'hangs', makefile: 'all: x y\nx y:\n\t@echo begun; sleep 60\n', steps }]));
  const { errors, exitStatus } = eventsOf(await site.run(['--json']));
  assert.equal(exitStatus, 1);
  assert.deepEqual(
    errors.map(({ code, headline, facts }) => [code, headline, facts['timeout']]),
    [['step-failed', 'A step took too long', '1 s']],
  );
});

test('run from a makefile, it is part of the budget of that make, and gives back what it took', async (t) => {
  const site = workspace(t, {});
  const log = logOf(site);
  site.write(project(names.map((name) => ({ name, makefile: makefile(log) }))));
  const outer = `all: vbuild x1 x2 x3 x4\nvbuild:\n\t+'${vbuildBin}' --json >'${site.home}/events'\nalone:\n\t'${vbuildBin}' --json --no-cache >'${site.home}/alone'\nx%:\n${loggedJob(log)}`;
  site.write({ 'outer.mk': outer });
  const make = (...args: readonly string[]): ReturnType<typeof runProgram> =>
    runProgram(['make', '--no-print-directory', '-f', 'outer.mk', ...args], { cwd: site.path, home: site.home });
  const { exitStatus, stderr } = await make('-j3');
  assert.equal(exitStatus, 0, stderr);
  // make counts its tokens at the end, and complains about lost ones.
  assert.equal(stderr, '');
  assert.equal(mostAtOnce(log), 3);
  assert.ok(!readFileSync(join(site.home, 'events'), 'utf8').includes('jobserver-unavailable'));

  site.write({ 'a/more': 'changed' });
  await make('-j3', 'alone');
  assert.match(readFileSync(join(site.home, 'alone'), 'utf8'), /"code":"jobserver-unavailable".*begin the line/);
});

const forced: readonly (readonly [how: string, timeout: string, signals: readonly NodeJS.Signals[], kill: string])[] = [
  ['a step took too long', ', timeout: 5', [], ''],
  ['a make of a step was killed', '', [], 'while [ $$(wc -l <$(held)) -lt 3 ]; do sleep 0.02; done; kill -9 $$PPID;'],
  ['vbuild was interrupted', '', ['SIGTERM'], ''],
  ['vbuild was interrupted twice', '', ['SIGTERM', 'SIGTERM'], ''],
];
for (const [how, timeout, signals, kill] of forced) {
  test(`the make above has all its jobs again after ${how}`, async (t) => {
    const site = workspace(t, {});
    const [held, later, pid] = [join(site.home, 'held'), join(site.home, 'later'), join(site.home, 'pid')];
    // Deaf to the polite request, so that its make has to be killed while it holds every job there is.
    const deaf = `held=${held}\nall: w x y z\nw x y:\n\t@trap '' TERM; echo >>$(held); sleep 60\nz:\n\t@trap '' TERM; echo >>$(held); ${kill} sleep 60\n`;
    site.write(project([{ name: 'deaf', makefile: deaf, steps: `{ group: 'build', run: ['make']${timeout} }` }]));
    site.write({
      'outer.mk': `all: ${targets(8)}\nt%: vbuild\n${loggedJob(later)}vbuild:\n\t-+@echo $$$$ >'${pid}'; exec '${vbuildBin}'\n`,
    });
    const argv = ['make', '--no-print-directory', '-j4', '-f', 'outer.mk'];
    const { child, ended } = startProgram(argv, { cwd: site.path, home: site.home });
    const count = (): number => (existsSync(held) ? readFileSync(held, 'utf8').length : 0);
    while (count() < 4 && child.exitCode === null) await sleep(10);
    for (const signal of signals) process.kill(Number(readFileSync(pid, 'utf8')), signal);
    const { exitStatus, stderr } = await ended;
    assert.equal(exitStatus, 0, stderr);
    // make counts its tokens at the end, and complains about lost ones.
    assert.doesNotMatch(stderr, /INTERNAL/);
    assert.match(stderr, signals.length > 0 ? /Error 143/ : /Error 1 /);
    assert.equal(mostAtOnce(later), 4);
  });
}

test('a limit of the load reaches the makes below', async (t) => {
  const site = workspace(t, project([{ name: 'a', makefile: 'all:\n\t@echo "flags $(MAKEFLAGS)"\n' }]));
  insistOnSuccess(await site.run(['-j3', '-l', '5000']));
  assert.match(site.read('.vbuild/Buildfile/logs/a_1/1.log'), /^flags .*-l5000 /m);
});

test('a step that waits for input gets its end, and one without a word for long is ended', async (t) => {
  const site = workspace(
    t,
    project([
      {
        name: 'asks',
        steps: `{ group: 'build', run: 'if read -r answer; then exit 9; fi; test ! -t 0; ! : </dev/tty' }`,
      },
      { name: 'sleeps', steps: `{ group: 'build', run: 'echo begun; sleep 60', silentTimeout: 1 }` },
    ]),
  );
  const run = eventsOf(await site.run(['-k', '--json']));
  assert.deepEqual(
    run.errors.map(({ headline, where, facts }) => [headline, where.package, facts['silentTimeout']]),
    [['A step fell silent', 'sleeps@1', '1 s']],
    run.stderr,
  );
});

test('a timeout that is no number of seconds is refused, and the others are shown', async (t) => {
  const site = workspace(
    t,
    project([{ name: 'a', steps: `{ group: 'build', run: 'true', timeout: 60, silentTimeout: 2.5, in: 'x' }` }]),
  );
  const { stdout } = insistOnSuccess(await site.run(['show', 'a']));
  assert.match(stdout, /build +true +\(in x, at most 60 s, silent at most 2\.5 s\)/);
  site.write(
    project([{ name: 'a', steps: `{ group: 'build', run: 'true', timeout: 0, silentTimeout: '5' as never }` }]),
  );
  const { exitStatus, stderr } = await site.run(['list']);
  assert.equal(exitStatus, 2);
  assert.match(stderr, /timeout 0/);
  assert.match(stderr, /silentTimeout "5"/);
});

const processesIn = (word: string): string[] =>
  readdirSync('/proc').filter((id) => {
    try {
      return /^\d+$/.test(id) && readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(word);
    } catch {
      return false;
    }
  });

/** Seconds to sleep for, that no other run of these tests on this machine sleeps for. */
const [hiding, orphaned] = [`54${process.pid}`, `65${process.pid}`];

const stubborn = (file: string): string =>
  `{ group: 'build', run: 'trap "" TERM INT HUP; touch ${file}; (trap "" TERM; setsid sleep ${hiding} &) ; while :; do sleep 0.1; done' }`;

/** A run whose step has begun. @param padded `1` for one without a namespace. */
async function startDeaf(t: TestContext, padded: string) {
  const site = workspace(t, {});
  const begun = join(site.home, 'begun');
  site.write(project([{ name: 'deaf', steps: stubborn(begun) }]));
  const env = { VBUILD_PADDED: padded };
  const started = startProgram([vbuildBin], { cwd: site.path, home: site.home, env });
  while (!existsSync(begun)) await sleep(20);
  return { site, begun, ...started };
}

for (const [interrupts, padded] of [
  [1, ''],
  [2, ''],
  [1, '1'],
  [2, '1'],
] as const) {
  test(`after ${interrupts} interrupt${interrupts > 1 ? 's' : ''} nothing runs any more, however deaf it is and wherever it hides${padded ? ', without a namespace, too' : ''}`, async (t) => {
    const { begun, child, ended } = await startDeaf(t, padded);
    for (let sent = 0; sent < interrupts; sent += 1) {
      child.kill('SIGINT');
      await sleep(50);
    }
    assert.equal((await ended).exitStatus, 130);
    assert.deepEqual(processesIn(begun), []);
    assert.deepEqual(processesIn(hiding), []);
  });
}

for (const [what, padded] of [
  ['in a namespace', ''],
  ['without one', '1'],
] as const) {
  test(`steps of a run that is killed end with it, ${what}, and the next run finds nothing`, async (t) => {
    const { site, begun, child, ended } = await startDeaf(t, padded);
    child.kill('SIGKILL');
    await ended;
    while (processesIn(begun).length + processesIn(hiding).length > 0) await sleep(10);
    site.write(project([{ name: 'deaf', steps: `{ group: 'build', run: 'true' }` }]));
    const run = insistOnSuccess(eventsOf(await site.run(['--json'])));
    assert.ok(run.warnings.every(({ code }) => code !== 'orphans-ended'));
  });
}

test('steps of a run that was killed with its keepers are ended by the next one, which says so', async (t) => {
  const site = workspace(t, {});
  const begun = join(site.home, 'begun');
  site.write(project([{ name: 'deaf', steps: `{ group: 'build', run: 'touch ${begun}; sleep ${orphaned}; true' }` }]));
  const { child, ended } = startProgram([vbuildBin], { cwd: site.path, home: site.home, env: { VBUILD_PADDED: '1' } });
  while (!existsSync(begun)) await sleep(20);
  child.kill('SIGSTOP');
  for (const keeper of readdirSync(join(site.path, '.vbuild/Buildfile/steps'))) process.kill(Number(keeper), 'SIGKILL');
  child.kill('SIGKILL');
  await ended;
  assert.ok(processesIn(orphaned).length > 0);
  site.write(project([{ name: 'deaf', steps: `{ group: 'build', run: 'true' }` }]));
  const run = insistOnSuccess(eventsOf(await site.run(['--json'])));
  assert.ok(run.warnings.some(({ code }) => code === 'orphans-ended'));
  assert.deepEqual(processesIn(orphaned), []);
});
