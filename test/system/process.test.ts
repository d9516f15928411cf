import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../src/system/files.ts';
import { startJobserver } from '../../src/system/jobserver.ts';
import { run } from '../../src/system/process.ts';

const env = { PATH: '/usr/bin:/bin' };

test('run() gives a child a closed stdin and nothing but the given environment', async () => {
  process.env['VBUILD_LEAK'] = 'yes';
  const { stdout, exitStatus } = await run({ argv: ['sh', '-c', 'env; cat; echo end'], cwd: '/', env });
  delete process.env['VBUILD_LEAK'];
  assert.equal(exitStatus, 0);
  assert.match(stdout, /^PATH=\/usr\/bin:\/bin$/m);
  assert.doesNotMatch(stdout, /VBUILD_LEAK/);
  assert.match(stdout, /end$/);
});

test('run() reports an exit status, a signal, and a program that is not there', async () => {
  assert.equal((await run({ argv: ['sh', '-c', 'exit 3'], cwd: '/', env })).exitStatus, 3);
  assert.equal((await run({ argv: ['sh', '-c', 'kill -9 $$'], cwd: '/', env })).signal, 'SIGKILL');
  assert.equal((await run({ argv: ['no-such-program'], cwd: '/', env })).failure, 'ENOENT');
});

test('run() appends stdout and stderr to the log in the order written', async () => {
  using folder = temporaryFolder();
  const log = join(folder.path, 'log');
  await run({ argv: ['sh', '-c', 'echo a; echo b >&2; echo c'], cwd: '/', env, log });
  await run({ argv: ['sh', '-c', 'echo d'], cwd: '/', env, log });
  assert.equal(readFileSync(log, 'utf8'), 'a\nb\nc\nd\n');
});

test('run() ends the whole process group when it is aborted', async () => {
  const controller = new AbortController();
  const running = run({ argv: ['sh', '-c', 'sleep 60 & echo $!; wait'], cwd: '/', env, signal: controller.signal });
  setTimeout(() => controller.abort(), 300);
  const { stdout, exitStatus } = await running;
  assert.notEqual(exitStatus, 0);
  // Gone, or dead and waiting for init to take note.
  const sleeper = `/proc/${Number(stdout)}/stat`;
  assert.ok(!existsSync(sleeper) || readFileSync(sleeper, 'utf8').includes(') Z '));
});

test('two makes under one jobserver never run more jobs than there are tokens', async () => {
  using folder = temporaryFolder();
  const jobs = 3;
  using server = await startJobserver(folder.path, jobs);
  const makefile = `all: ${[...Array(8).keys()].map((at) => `t${at}`).join(' ')}\nt%:\n\t@echo + >> log; sleep 0.05; echo - >> log\n`;
  const one = async (): Promise<void> => {
    await server.take(AbortSignal.timeout(20_000));
    const { exitStatus, stderr } = await run({
      argv: ['make', '-f', '-'],
      input: makefile,
      cwd: folder.path,
      env: { ...env, MAKEFLAGS: `-j${jobs} --jobserver-auth=3,3` },
      descriptor: server.descriptor,
    });
    server.give();
    assert.equal(exitStatus, 0, stderr);
    assert.equal(stderr, '');
  };
  writeFileSync(join(folder.path, 'log'), '');
  await Promise.all([one(), one(), one()]);
  let running = 0;
  let most = 0;
  for (const sign of readFileSync(join(folder.path, 'log'), 'utf8').trim().split('\n')) {
    running += sign === '+' ? 1 : -1;
    most = Math.max(most, running);
  }
  assert.equal(running, 0);
  assert.ok(most <= jobs, `${most} jobs at once`);
  assert.ok(most > 1);
});
