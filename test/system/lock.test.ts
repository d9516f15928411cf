import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { temporaryFolder } from '../../src/system/files.ts';
import { acquireLock, type LockHolder } from '../../src/system/lock.ts';

const folder = temporaryFolder('vbuild-test');
after(() => folder[Symbol.dispose]());

/** A process of its own that takes the lock, says so, and holds it until it is killed or its stdin ends. */
async function holder(path: string): Promise<ChildProcess> {
  const module = new URL('../../src/system/lock.ts', import.meta.url).href;
  const program = `const { acquireLock } = await import(${JSON.stringify(module)}); const lock = await acquireLock(${JSON.stringify(path)}); process.stdout.write('held'); process.stdin.resume(); process.stdin.on('end', () => process.exit());`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  assert.equal(String((await once(child.stdout, 'data'))[0]), 'held');
  return child;
}

describe('acquireLock()', () => {
  test('acquireLock() makes the folder, and gives the lock again when it was freed', async () => {
    const path = join(folder.path, 'a/b/lock');
    for (let round = 0; round < 3; round += 1) {
      await using _lock = await acquireLock(path, { onWait: () => assert.fail('nobody has it') });
    }
  });

  test('acquireLock() lets one holder in at a time, also within one process', async () => {
    const path = join(folder.path, 'one');
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        await using _lock = await acquireLock(path);
        most = Math.max(most, (inside += 1));
        await new Promise((done) => setTimeout(done, 5));
        inside -= 1;
      }),
    );
    assert.equal(most, 1);
  });

  test('acquireLock() tells this process where it has the lock itself, or has just got it', async () => {
    const path = join(folder.path, 'own');
    const told: (LockHolder | undefined)[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        await using _lock = await acquireLock(path, { removed: true, onWait: (who) => told.push(who) });
      }),
    );
    assert.ok(told.length > 0);
    assert.deepEqual([...new Set(told.map((who) => who?.pid))], [process.pid]);
  });

  test('acquireLock() tells who has it, waits, and gets it when that process is killed', async () => {
    const path = join(folder.path, 'killed');
    const child = await holder(path);
    let told: LockHolder | undefined;
    const lock = acquireLock(path, {
      onWait: (who) => {
        told = who;
        child.kill('SIGKILL');
      },
    });
    await (await lock)[Symbol.asyncDispose]();
    assert.equal(told?.pid, child.pid);
    assert.ok(!Number.isNaN(Date.parse(told?.since ?? '')));
  });

  test('acquireLock() gives up with the signal, and leaves no process behind that waits', async () => {
    const path = join(folder.path, 'given-up');
    const child = await holder(path);
    const stop = new AbortController();
    await assert.rejects(
      acquireLock(path, { signal: stop.signal, onWait: () => setTimeout(() => stop.abort(new Error('enough')), 20) }),
      (error) => error instanceof Error && error.message === 'enough',
    );
    child.stdin?.end();
    await once(child, 'exit');
    await using _lock = await acquireLock(path, { onWait: () => assert.fail('nobody has it') });
  });

  test('acquireLock() holds the file that bears the name, though another one was removed while it waited', async () => {
    const path = join(folder.path, 'removed');
    const first = await acquireLock(path);
    let second: AsyncDisposable | undefined;
    const waiting = acquireLock(path, { onWait: () => rmSync(path) }).then((lock) => (second = lock));
    while (await new Promise((done) => setTimeout(() => done(second !== undefined), 20))) assert.fail('it is held');
    await first[Symbol.asyncDispose]();
    await waiting;
    let third = false;
    const stop = new AbortController();
    await assert.rejects(acquireLock(path, { signal: stop.signal, onWait: () => ((third = true), stop.abort()) }));
    assert.ok(third, 'the second has the lock that others see');
    await second?.[Symbol.asyncDispose]();
  });

  test('acquireLock() hands what a holder left to those who waited, and to nobody afterwards', async () => {
    const path = join(folder.path, 'left');
    const first = await acquireLock(path, { removed: true });
    assert.equal(first.left, undefined);
    const waiting = [1, 2].map(async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return { waits: promise, lock: acquireLock(path, { removed: true, onWait: () => resolve() }) };
    });
    const others = await Promise.all(waiting);
    await Promise.all(others.map(({ waits }) => waits));
    first.leave('what was made');
    await first[Symbol.asyncDispose]();
    for (const { lock } of others) {
      await using turn = await lock;
      assert.equal(turn.left, 'what was made');
    }
    await using later = await acquireLock(path, { removed: true, onWait: () => assert.fail('nobody has it') });
    assert.equal(later.left, undefined);
  });

  test('acquireLock() lets one who waited do the work where the holder left nothing', async () => {
    const path = join(folder.path, 'nothing-left');
    const first = await acquireLock(path, { removed: true });
    const { promise, resolve } = Promise.withResolvers<void>();
    const second = acquireLock(path, { removed: true, onWait: () => resolve() });
    await promise;
    await first[Symbol.asyncDispose]();
    await using turn = await second;
    assert.equal(turn.left, undefined);
    const stop = new AbortController();
    let held = false;
    await assert.rejects(acquireLock(path, { signal: stop.signal, onWait: () => ((held = true), stop.abort()) }));
    assert.ok(held);
  });

  test('acquireLock() is not inherited by programs that are started meanwhile', async () => {
    const path = join(folder.path, 'inherited');
    const lock = await acquireLock(path);
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await lock[Symbol.asyncDispose]();
    await using _again = await acquireLock(path, { onWait: () => assert.fail('the child has it') });
    child.kill('SIGKILL');
  });
});
