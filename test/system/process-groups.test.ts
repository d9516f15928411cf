import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOrphans, recorded } from '../../src/system/process-groups.ts';
import { run } from '../../src/system/process.ts';
import { tempDir } from '../support/temp.ts';

const module = (name: string): string => JSON.stringify(join(import.meta.dirname, '../../src/system', name));
const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent/of-a-step' };

const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

async function untilDead(...pids: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 500 && pids.some(isAlive); tries += 1) await sleep(10);
  assert.deepEqual(pids.filter(isAlive), []);
}

async function numberIn(file: string): Promise<number> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (text.endsWith('\n')) return Number(text);
    await sleep(10);
  }
  throw new Error(`nothing in ${file}`);
}

/** Starts a process that runs a shell script as a recorded step, and waits until that has written the ids of what it left behind. */
async function runner(
  t: TestContext,
  script: string,
): Promise<{ child: ChildProcess; records: string; pids: number[] }> {
  const folder = tempDir(t);
  const records = join(folder, 'records');
  const program = `
    import { recordGroups, recorded } from ${module('process-groups.ts')};
    import { run } from ${module('process.ts')};
    using _records = recordGroups(${JSON.stringify(records)});
    await run({ ...recorded({ argv: ['/bin/bash', '-c', ${JSON.stringify(script)}], env: ${JSON.stringify(env)} }), cwd: ${JSON.stringify(folder)}, log: ${JSON.stringify(join(folder, 'log'))} });
    await new Promise(() => setTimeout(() => {}, 60_000));`;
  const file = join(folder, 'runner.mjs');
  writeFileSync(file, program);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const pids = [await numberIn(join(folder, 'a')), await numberIn(join(folder, 'b'))];
  return { child, records, pids };
}

const two = 'sleep 61 & echo $! >a; sleep 62 & echo $! >b; wait';

/** Kills a runner and the keeper of its step, neither of which sees the other end. */
async function killWithKeeper(child: ChildProcess, keeper: number): Promise<void> {
  child.kill('SIGSTOP');
  process.kill(keeper, 'SIGKILL');
  child.kill('SIGKILL');
  await untilDead(keeper);
}

/** Leaves two daemons: no parent, a session of their own, nothing of the step's environment, none of its files but what is said. */
const daemons = (files = '</dev/null >/dev/null 2>&1'): string =>
  [61, 62]
    .map((seconds, at) => {
      const name = at === 0 ? 'a' : 'b';
      return `here=$PWD; ( (cd / && exec env -i /usr/bin/setsid /bin/sh -c "echo \\$\\$ >$here/${name}; exec sleep ${seconds}" ${files}) & )`;
    })
    .join('; ') + '; until [ -s a ] && [ -s b ]; do sleep 0.01; done';

for (const [what, script] of [
  ['in its session', two],
  ['daemons', `${daemons()}; sleep 63`],
] as const) {
  test(`what a killed process had running ends with it: ${what}`, async (t) => {
    const { child, records, pids } = await runner(t, script);
    assert.ok(pids.every(isAlive));
    child.kill('SIGKILL');
    await untilDead(...pids, Number(readdirSync(records)[0]));
    assert.deepEqual(await endOrphans(records), []);
    assert.deepEqual(readdirSync(records), []);
  });
}

test('what a process had running that was killed with its keeper is ended by the next one, with all that it started', async (t) => {
  const { child, records, pids } = await runner(t, two);
  const keeper = Number(readdirSync(records)[0]);
  await killWithKeeper(child, keeper);
  assert.ok(pids.every(isAlive));
  assert.deepEqual(await endOrphans(records), [keeper]);
  await untilDead(...pids);
  assert.deepEqual(readdirSync(records), []);
  assert.deepEqual(await endOrphans(records), []);
});

test('a number that another process bears by now is left alone, and so is a record from another start of the machine', async (t) => {
  const { child, records, pids } = await runner(t, two);
  const [name = ''] = readdirSync(records);
  const record = readFileSync(join(records, name), 'utf8');
  const forge = async (change: (text: string) => string): Promise<void> => {
    writeFileSync(join(records, name), change(record));
    assert.deepEqual(await endOrphans(records), []);
    assert.deepEqual(readdirSync(records), [], 'a record that means nothing goes');
  };
  await forge((text) =>
    text.replace(/(\) \S+ (?:\S+ ){18})(\d+)/, (_, before: string, start: string) => before + (Number(start) - 1)),
  );
  await forge((text) => text.replace(/^./, (digit) => (digit === '0' ? '1' : '0')));
  await forge((text) => text.replace(/pid:\[\d/, 'pid:[9'));
  await forge(() => 'rubbish\n');
  await forge(() => '');
  assert.ok(pids.every(isAlive) && isAlive(Number(name)));
  await killWithKeeper(child, Number(name));
  // Its leader is gone: only what has its home is ended.
  await forge((text) => text.replace('/nonexistent/of-a-step', '/home/somebody'));
  assert.ok(pids.every(isAlive));
  writeFileSync(join(records, name), record);
  assert.deepEqual(await endOrphans(records), [Number(name)]);
  await untilDead(...pids);
});

test('endOrphans() of a folder that is not there, or holds anything else, does nothing', async (t) => {
  const folder = tempDir(t);
  assert.deepEqual(await endOrphans(join(folder, 'none')), []);
  mkdirSync(join(folder, 'records'));
  for (const name of ['1', '0', '-1', 'x', String(process.pid)])
    writeFileSync(join(folder, 'records', name), 'x\n\n1 (init) S 0 1 1\n');
  assert.deepEqual(await endOrphans(join(folder, 'records')), []);
});

const leavings: readonly (readonly [what: string, script: string])[] = [
  ['in its group', two],
  ['in sessions of their own', 'setsid sleep 61 & echo $! >a; setsid sleep 62 & echo $! >b; wait'],
  ['deaf to requests', `trap '' TERM; ${two}; wait`],
];
for (const [what, script] of leavings) {
  test(`an abort ends what a command started, ${what}`, async (t) => {
    const cwd = tempDir(t);
    const stop = new AbortController();
    const running = run({ argv: ['bash', '-c', script], cwd, env, signal: stop.signal });
    const pids = [await numberIn(join(cwd, 'a')), await numberIn(join(cwd, 'b'))];
    stop.abort();
    const { endedBy, exitStatus } = await running;
    assert.deepEqual([endedBy, exitStatus], ['abort', undefined]);
    assert.deepEqual(pids.filter(isAlive), []);
  });
}

for (const [how, end, status] of [
  ['ends', 'exit 0', 0],
  ['fails', 'exit 3', 3],
  ['is killed', 'kill -9 $$', 137],
] as const) {
  for (const [what, files] of [
    ['close all files', '</dev/null >/dev/null 2>&1'],
    ['keep its log open', ''],
  ] as const) {
    test(`daemons that ${what} do not outlive the step that ${how}, nor keep it from ending`, async (t) => {
      const cwd = tempDir(t);
      const log = join(cwd, 'log');
      const argv = ['/bin/bash', '-c', `${daemons(files)}; ${end}`];
      const { exitStatus, signal } = await run({ ...recorded({ argv, env }), cwd, log });
      assert.deepEqual([exitStatus, signal], [status, undefined]);
      const pids = [await numberIn(join(cwd, 'a')), await numberIn(join(cwd, 'b'))];
      assert.deepEqual(pids.filter(isAlive), []);
    });
  }
}

test('a step that is ended takes its daemons along, however deaf and busy they are', async (t) => {
  const cwd = tempDir(t);
  const busy = 'trap "" TERM; echo $$ >a; while :; do /bin/sleep 0.01; done';
  const argv = ['/bin/bash', '-c', `setsid bash -c '${busy}' & echo $! >b; trap "" TERM; while :; do sleep 0.1; done`];
  const stop = new AbortController();
  const running = run({ ...recorded({ argv, env }), cwd, log: join(cwd, 'log'), signal: stop.signal });
  const pids = [await numberIn(join(cwd, 'a')), await numberIn(join(cwd, 'b'))];
  stop.abort();
  assert.equal((await running).endedBy, 'abort');
  assert.deepEqual(pids.filter(isAlive), []);
});

test('a step has the environment and the files that it is given, whatever its keeper makes of them, and no deaf ear', async (t) => {
  const cwd = tempDir(t);
  const own = { ...env, LC_ALL: 'no_SUCH.UTF-8', PERL5OPT: '-Mnone', EMPTY: '', EQUALS: 'a=b c', LINES: 'a\nb' };
  const { stdout, stderr } = await run({ ...recorded({ argv: ['env', '-0'], env: own }), cwd });
  assert.deepEqual(
    stdout.split('\0').slice(0, -1),
    Object.entries(own).map(([name, value]) => `${name}=${value}`),
  );
  assert.equal(stderr, '');
  const umask = await run({ ...recorded({ argv: ['sh', '-c', 'umask; exec sh -c "trap"'], env }), cwd });
  assert.equal(umask.stdout.trim(), '0022');
  const ignored = await run({ ...recorded({ argv: ['grep', '^SigIgn', '/proc/self/status'], env }), cwd });
  assert.match(ignored.stdout, /\t0+$/);
  const missing = await run({ ...recorded({ argv: ['no-such-program'], env }), cwd });
  assert.deepEqual([missing.exitStatus, missing.stderr], [127, 'no-such-program: not found']);
});

test('of what a step could inherit it gets its streams and the pool of jobs, nothing else that happens to be open', () => {
  const looks = 'for one in 0 1 2 3 4 5 6 7; do [ ! -e "/proc/$$/fd/$one" ] || echo "$one"; done';
  const [file = '', ...args] = recorded({ argv: ['sh', '-c', looks], env }).argv;
  const open = openSync('/etc/passwd', 'r');
  const { stdout, stderr } = spawnSync(file, args, {
    stdio: ['ignore', 'pipe', 'pipe', open, open, 'ignore', open],
    env: {},
    encoding: 'utf8',
  });
  closeSync(open);
  assert.equal(stdout, '0\n1\n2\n3\n', stderr);
});

test('what a command leaves running when it ends is ended, and does not keep its output open', async (t) => {
  const cwd = tempDir(t);
  const { exitStatus, stdout, endedBy } = await run({ argv: ['bash', '-c', 'sleep 63 & echo $!; exit 4'], cwd, env });
  assert.deepEqual([exitStatus, endedBy], [4, undefined]);
  await untilDead(Number(stdout));
});

test('run() ends a command that takes too long, and one that falls silent, whatever it says then', async (t) => {
  const cwd = tempDir(t);
  const slow = await run({ argv: ['bash', '-c', 'trap "exit 0" TERM; sleep 60 & wait'], cwd, env, timeoutMs: 200 });
  assert.deepEqual([slow.endedBy, slow.exitStatus], ['timeout', undefined]);
  const chatty = 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done; ';
  const log = join(cwd, 'log');
  const silent = await run({ argv: ['bash', '-c', `${chatty} sleep 60`], cwd, env, log, silentTimeoutMs: 2500 });
  assert.equal(silent.endedBy, 'silence');
  assert.equal(readFileSync(log, 'utf8'), '1\n2\n3\n4\n5\n6\n');
  const neither = await run({
    argv: ['bash', '-c', chatty],
    cwd,
    env,
    log,
    silentTimeoutMs: 30_000,
    timeoutMs: 60_000,
  });
  assert.deepEqual([neither.endedBy, neither.exitStatus], [undefined, 0]);
});

test('run() does not start what is aborted before, or ends it at once', async () => {
  const { exitStatus, endedBy } = await run({ argv: ['sleep', '60'], cwd: '/', env, signal: AbortSignal.abort() });
  assert.deepEqual([exitStatus, endedBy], [undefined, 'abort']);
});
