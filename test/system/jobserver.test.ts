import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Jobserver,
  joinJobserver,
  jobsAbove,
  type ParentPool,
  parentPool,
  startJobserver,
} from '../../src/system/jobserver.ts';
import { run } from '../../src/system/process.ts';
import { loggedJob, mostAtOnce } from '../support/job-log.ts';
import { tempDir } from '../support/temp.ts';

const env = { PATH: '/usr/bin:/bin' };
const never = new AbortController().signal;

const makeflags: readonly (readonly [text: string | undefined, pool: ParentPool | undefined])[] = [
  [undefined, undefined],
  ['', undefined],
  ['kn', undefined],
  [' -j4', undefined],
  [' -j4 --jobserver-auth=3,4', { jobs: 4, by: { descriptors: [3, 4] } }],
  ['k -j8 -l3 --jobserver-fds=5,6 -- A=--jobserver-auth=1,2', { jobs: 8, by: { descriptors: [5, 6] } }],
  [' -j --jobserver-auth=3,4', { jobs: 1, by: { descriptors: [3, 4] } }],
  [' -j2 --jobserver-auth=fifo:/tmp/GMfifo1', { jobs: 2, by: { fifo: '/tmp/GMfifo1' } }],
  [' -j2 --jobserver-auth=9,10 --jobserver-auth=3,4', { jobs: 2, by: { descriptors: [3, 4] } }],
];
for (const [text, pool] of makeflags)
  test(`parentPool() of ${text ?? 'nothing'}`, () => assert.deepEqual(parentPool(text), pool));

for (const [text, jobs] of [
  [undefined, undefined],
  ['s', undefined],
  [' -j', undefined],
  ['s -j1', 1],
  [' -j3 --jobserver-auth=3,4 -- A=-j1', 3],
] as const)
  test(`jobsAbove() of ${text ?? 'nothing'}`, () => assert.equal(jobsAbove(text), jobs));

test('joinJobserver() finds no pool where its descriptors are closed, or are something else by now', (t) => {
  assert.equal(joinJobserver({ jobs: 4, by: { descriptors: [997, 998] } }), undefined);
  assert.equal(joinJobserver({ jobs: 4, by: { descriptors: [-2, -2] } }), undefined);
  assert.equal(joinJobserver({ jobs: 4, by: { fifo: join(tempDir(t), 'none') } }), undefined);
});

test('a pool gives out as many tokens as there are, and waits for one to come back', async (t) => {
  using server = await startJobserver(tempDir(t), 3);
  await server.take(never);
  assert.equal(server.takeFree(9), 2);
  const waiting = server.take(never);
  assert.equal(server.takeFree(1), 0);
  server.give();
  await waiting;
  const stop = new AbortController();
  const givenUp = server.take(stop.signal);
  stop.abort();
  await assert.rejects(givenUp, { name: 'AbortError' });
  server.give(3);
  assert.equal(server.takeFree(9), 3);
});

/** Starts a make that takes every token there is, and holds them. */
async function hoard(server: Jobserver, folder: string, signal: AbortSignal): Promise<void> {
  const makefile = 'all: a b c d\n%:\n\ttouch $@; sleep 60\n';
  await run({
    argv: ['make', '-f', '-'],
    input: makefile,
    cwd: folder,
    env: { ...env, MAKEFLAGS: ` -j3 --jobserver-auth=3,3` },
    descriptor: server.descriptor,
    signal,
  });
}

test('tokens that a killed make held are there again once nothing runs, and not before', async (t) => {
  const folder = tempDir(t);
  using server = await startJobserver(folder, 3);
  await server.take(never);
  const stop = new AbortController();
  // An own session of its own, so that it is ended by SIGKILL while it holds two tokens of the pool.
  const held = hoard(server, folder, stop.signal);
  const files = (): string[] => readdirSync(folder).filter((name) => /^[a-d]$/.test(name));
  while (files().length < 3) await new Promise((done) => setTimeout(done, 10));
  const make = execFileSync('pgrep', ['-f', '-n', '^make -f -$'], { encoding: 'utf8' }).trim();
  process.kill(Number(make), 'SIGKILL');
  await held;
  assert.equal(server.takeFree(9), 0, 'they are lost as far as the pipe can tell');
  await server.take(AbortSignal.timeout(50)).then(
    () => assert.fail('there is none'),
    () => {},
  );
  server.give();
  assert.equal(server.takeFree(9), 3);
});

test('after suspicion none is given out until all of ours are back', async (t) => {
  using server = await startJobserver(tempDir(t), 4);
  assert.equal(server.takeFree(2), 2);
  server.suspect();
  assert.equal(server.takeFree(2), 0);
  server.give();
  assert.equal(server.takeFree(2), 0);
  server.give();
  assert.equal(server.takeFree(9), 4);
});

test('a pool has a name in a folder, through which others take and give the same tokens', async (t) => {
  const [own, seen] = [tempDir(t), tempDir(t)];
  using server = await startJobserver(own, 3);
  await server.take(never);
  assert.ok(server.nameIn(seen));
  assert.ok(!server.nameIn(join(seen, 'none')));
  using other = joinJobserver({ jobs: 2, by: { fifo: join(seen, 'jobserver') } });
  assert.ok(other);
  assert.deepEqual([other.borrow(), other.borrow(), other.borrow()], [true, true, false]);
  assert.equal(server.takeFree(9), 0);
  assert.equal(other.giveBack(1), 1);
  assert.equal(server.takeFree(9), 1);
  server.give();
  assert.ok(other.borrow());
  assert.equal(other.giveBack(), 2);
  assert.equal(server.takeFree(9), 2);
});

test('what is borrowed from the make above is offered below, taken back where nobody wants it, and all given back whatever was lost', async (t) => {
  const [own, up] = [tempDir(t), tempDir(t)];
  using top = await startJobserver(up, 4);
  assert.equal(top.takeFree(1), 1);
  const above = joinJobserver({ jobs: 4, by: { fifo: join(up, 'jobserver') } });
  assert.ok(above);
  const server = await startJobserver(own, 4, above);
  const pipe = join(own, 'jobserver');
  using below = joinJobserver({ jobs: 4, by: { fifo: pipe } });
  assert.ok(below);
  await server.take(never);
  assert.equal(server.inUse(), 1, 'the one that came with being started');
  // Nobody wants any: now and then one is offered, and the make above has it again.
  const seen = new Set<number>();
  while (seen.size < 2) {
    seen.add(above.borrowed());
    await sleep(5);
  }
  assert.deepEqual(seen, new Set([0, 1]));
  // Somebody does, as a make that waits for the next one each time.
  const want = async (count: number): Promise<void> => {
    while (below.borrowed() < count) if (!below.borrow()) await sleep(1);
  };
  await want(3);
  assert.equal(top.inUse(), 4);
  assert.ok(!below.borrow());
  below.giveBack();
  while (above.borrowed() > 1) await sleep(5);
  await want(2);
  // It is killed, and its tokens with it.
  server.suspect();
  server.give();
  assert.equal(above.borrowed(), 0);
  assert.equal(top.inUse(), 1);
  server[Symbol.dispose]();
  assert.equal(top.takeFree(9), 3);
});

/** Joins the make that started it, runs some makes at once below, each with a token, and tells what it found. */
const joiner = (module: string): string => `
import { joinJobserver, parentPool, startJobserver } from ${JSON.stringify(join(module, 'jobserver.ts'))};
import { run } from ${JSON.stringify(join(module, 'process.ts'))};
const pool = parentPool(process.env.MAKEFLAGS);
const above = pool && joinJobserver(pool);
if (!above) { console.log('no pool'); process.exit(); }
const server = await startJobserver(process.cwd(), pool.jobs, above);
const never = new AbortController().signal;
await Promise.all([1, 2, 3].map(async () => {
  await server.take(never);
  await run({ argv: ['make', '-f', 'inner.mk'], cwd: process.cwd(), env: { PATH: process.env.PATH, MAKEFLAGS: ' -j' + server.jobs + ' --jobserver-auth=3,3' }, descriptor: server.descriptor });
  server.give();
}));
server[Symbol.dispose]();
console.log('joined', server.jobs);
`;

test('below a make, its pool is shared: never more jobs than its -j in all, and it gets every token back', (t) => {
  const folder = tempDir(t);
  const job = loggedJob(join(folder, 'log'));
  writeFileSync(join(folder, 'join.mjs'), joiner(join(import.meta.dirname, '../../src/system')));
  writeFileSync(join(folder, 'inner.mk'), `all: a b c d e f\n%:\n${job}`);
  const node = `'${process.execPath}' --disable-warning=ExperimentalWarning`;
  writeFileSync(
    join(folder, 'outer.mk'),
    `all: vbuild x1 x2 x3 x4\nvbuild:\n\t+@${node} join.mjs\nx%:\n${job}alone:\n\t@${node} join.mjs\n`,
  );
  const make = (...args: readonly string[]): { stdout: string; stderr: string } =>
    spawnSync('make', ['-f', 'outer.mk', '--no-print-directory', ...args], { cwd: folder, encoding: 'utf8', env });
  const { stdout, stderr } = make('-j3');
  assert.equal(stdout, 'joined 3\n', stderr);
  // make itself counts its tokens when it ends, and would complain here.
  assert.equal(stderr, '');
  const most = mostAtOnce(join(folder, 'log'));
  assert.ok(most > 1 && most <= 3, `${most} at once`);
  assert.equal(make('-j3', 'alone').stdout, 'no pool\n', 'a line without + gets no pool');
  assert.ok(!existsSync(join(folder, 'vbuild')));
});
