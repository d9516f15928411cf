import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../../src/system/files.ts';
import { startJobserver } from '../../src/system/jobserver.ts';
import { findNamespace, inNamespace, mountPoint, type Namespace } from '../../src/system/namespace.ts';
import { type Command, type Finished, run } from '../../src/system/process.ts';
import { tempDir } from '../support/temp.ts';

const seen = join(mountPoint, 'test', 'p'.repeat(80));
const env = { PATH: '/usr/bin:/bin' };

/** Ways that work here; as root there are two. */
const ways = await waysHere();
const none = ways.length === 0 ? 'this machine forbids mount namespaces' : false;

async function waysHere(): Promise<readonly Namespace['by'][]> {
  using folder = temporaryFolder('vbuild-test');
  const by = (await findNamespace(folder.path, seen))?.by;
  if (by !== 'root') return by === undefined ? [] : [by];
  const argv = inNamespace({ namespace: { by: 'user' }, host: folder.path, seen }, seen, ['true']);
  return (await run({ argv, cwd: '/', env })).exitStatus === 0 ? ['root', 'user'] : ['root'];
}

const bare = (argv: readonly string[]): Promise<Finished> => run({ argv, cwd: '/', env });

test('findNamespace() finds a way, or that there is none, without a trace on the machine', async (t) => {
  const before = readFileSync('/proc/self/mountinfo', 'utf8');
  await findNamespace(tempDir(t), seen);
  assert.equal(readFileSync('/proc/self/mountinfo', 'utf8'), before);
  assert.equal(existsSync(seen), false);
});

test('findNamespace() finds no way where the machine forbids all', { skip: none }, async (t) => {
  const folder = tempDir(t);
  const script = `import { findNamespace } from ${JSON.stringify(join(import.meta.dirname, '../../src/system/namespace.ts'))};
    process.stdout.write(String((await findNamespace(${JSON.stringify(folder)}, ${JSON.stringify(seen)}))?.by));`;
  const node = [process.execPath, '--input-type=module-typescript', '-e', script];
  const forbid = 'echo 0 > /proc/sys/user/max_mnt_namespaces && exec "$@"';
  const outer = ['unshare', '--user', '--map-root-user', '/bin/sh', '-c', forbid, 'sh'];
  const { stdout, stderr } = await bare([...outer, ...node]);
  assert.equal(stdout, 'undefined', stderr);
});

for (const by of ways.length === 0 ? (['user'] as const) : ways) {
  describe(`inNamespace() by ${by}`, { skip: none }, () => {
    const bind = (host: string, argv: readonly string[], more: Partial<Command> = {}): Promise<Finished> =>
      run({ argv: inNamespace({ namespace: { by }, host, seen }, seen, argv), cwd: host, env, ...more });
    const shell = (host: string, text: string, more: Partial<Command> = {}): Promise<Finished> =>
      bind(host, ['/bin/sh', '-c', text], more);

    test('a folder of any name is seen at its other path, and what is written there stays', async (t) => {
      for (const name of ['plain', `a 'b' "c" $d;\n(é)`, 'long'.repeat(60)]) {
        const host = join(tempDir(t), name);
        mkdirSync(host);
        writeFileSync(join(host, 'here'), 'before');
        const { stdout, stderr } = await shell(host, 'pwd -P; cat here; echo after > here');
        assert.equal(stdout, `${seen}\nbefore`, stderr);
        assert.equal(readFileSync(join(host, 'here'), 'utf8'), 'after\n');
      }
    });

    test('a folder that itself lies below the mount point is no obstacle', async (t) => {
      const host = tempDir(t);
      mkdirSync(join(host, 'inner'));
      const inner = { namespace: { by }, host: join(seen, 'inner'), seen };
      const { stdout, stderr } = await bind(
        host,
        inNamespace(inner, seen, ['/bin/sh', '-c', 'pwd -P; echo made > file']),
      );
      assert.equal(stdout, seen, stderr);
      assert.equal(readFileSync(join(host, 'inner/file'), 'utf8'), 'made\n');
    });

    test('the command has the ids of the caller and no right more than it', async (t) => {
      const told = ['/bin/sh', '-c', 'id -u; id -g; grep ^Cap /proc/self/status'];
      const [outside, inside] = [await bare(told), await bind(tempDir(t), told)];
      const [uid, gid, ...rights] = inside.stdout.split('\n');
      assert.deepEqual([uid, gid], outside.stdout.split('\n').slice(0, 2));
      // Those of root in a user namespace of its own are rights over that namespace alone; see the next test.
      if (by === 'root') assert.deepEqual(rights, outside.stdout.split('\n').slice(2));
      else if (uid !== '0') assert.match(rights.join(), /CapPrm:\t0+,CapEff:\t0+,/);
    });

    test('the command gets the environment that it was given and nothing else', async (t) => {
      const { stdout } = await bind(tempDir(t), ['/usr/bin/env'], {
        env: { PATH: `${seen}/bin:/usr/bin:/bin`, A: 'b c' },
      });
      assert.deepEqual(stdout.split('\n').sort(), ['A=b c', `PATH=${seen}/bin:/usr/bin:/bin`]);
    });

    test('programs of the folder, first on the PATH, take no part in the set-up', async (t) => {
      const host = tempDir(t);
      mkdirSync(join(host, 'bin'));
      for (const name of ['mount', 'unshare', 'sh'])
        writeFileSync(join(host, 'bin', name), '#!/bin/sh\necho ours\n', { mode: 0o755 });
      const { stdout } = await bind(host, ['unshare'], { env: { PATH: `${seen}/bin:/usr/bin:/bin` } });
      assert.equal(stdout, 'ours');
    });

    test('descriptor 3 is inherited, and stdin has nothing to read', async (t) => {
      const host = tempDir(t);
      using server = await startJobserver(host, 2);
      const { stdout, stderr } = await shell(host, 'head -c 1 <&3; echo; read -r answer || echo none', {
        descriptor: server.descriptor,
      });
      assert.equal(stdout, '+\nnone', stderr);
    });

    test('an abort ends the command and all that it started', async (t) => {
      const host = tempDir(t);
      const controller = new AbortController();
      const pidFile = join(host, 'pid');
      const timer = setInterval(() => existsSync(pidFile) && controller.abort(), 20);
      t.after(() => clearInterval(timer));
      const ended = await shell(host, 'sleep 300 & echo $! > new; mv new pid; wait', { signal: controller.signal });
      assert.equal(ended.exitStatus, undefined);
      const running = join('/proc', readFileSync(pidFile, 'utf8').trim(), 'exe');
      for (let tries = 0; existsSync(running) && tries < 500; tries += 1) await sleep(20);
      assert.equal(existsSync(running), false);
    });

    if (by === 'user') {
      test('what was mounted cannot be undone by what runs in it', async (t) => {
        const undo = await shell(tempDir(t), `cd /; umount ${seen} || umount ${mountPoint}; test -e ${seen}`);
        assert.match(undo.stderr, /must be superuser|not permitted/);
        assert.equal(undo.exitStatus, 0);
      });
    }

    test('the exit status is that of the command, and a folder that is gone is an error of the set-up', async (t) => {
      const host = tempDir(t);
      assert.equal((await shell(host, 'exit 7')).exitStatus, 7);
      const gone = await bind(join(host, 'gone'), ['true'], { cwd: host });
      assert.notEqual(gone.exitStatus, 0);
      assert.match(gone.stderr, /gone/);
    });
  });
}
