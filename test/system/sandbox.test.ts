import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { findNamespace, inNamespace, mountPoint, type Namespace } from '../../src/system/namespace.ts';
import { type Finished, run } from '../../src/system/process.ts';
import { type Reached, reachedFor } from '../../src/system/sandbox.ts';
import { tempDir } from '../support/temp.ts';

const seen = join(mountPoint, 'test', 'p'.repeat(80));
const env = { PATH: '/usr/bin:/bin' };

const command = (namespace: Namespace, host: string, text: string, network = false): Promise<Finished> =>
  run({ argv: inNamespace({ namespace, host, seen, network }, seen, ['/bin/sh', '-c', text]), cwd: host, env });

const by = (await waysHere()).map((way): Namespace => ({ by: way, processes: true, sealed: true }));
const none = by.length === 0 ? 'this machine forbids namespaces' : false;

/** Whether the machine has what looks into homes are noted with. */
const watched = ((): boolean => {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
    return true;
  } catch {
    return false;
  }
})();

async function waysHere(): Promise<readonly Namespace['by'][]> {
  const ways: Namespace['by'][] = [];
  await test('what this machine allows', async (t) => {
    const folder = tempDir(t);
    const found = await findNamespace(folder, seen, true);
    if (found?.sealed === true) ways.push(found.by);
    const user = { by: 'user', processes: true, sealed: true } as const;
    if (found?.by === 'root' && (await command(user, folder, 'true')).exitStatus === 0) ways.push('user');
  });
  return ways;
}

for (const namespace of none === false ? by : [{ by: 'user' } as const]) {
  describe(`a sealed namespace by ${namespace.by}`, { skip: none }, () => {
    const sealed = async (host: string, text: string): Promise<Finished & { readonly reached: Reached }> => {
      const finished = await command(namespace, host, text);
      return { ...finished, reached: reachedFor(host, 'build-host') };
    };
    const nothing: Reached = { names: [], addresses: false, homes: [], files: [] };

    test('the system is there, what users have is not, and what a command writes for itself stays its own', async (t) => {
      const host = tempDir(t);
      writeFileSync(join(host, 'here'), 'here\n');
      const secret = join(host, '../secret-of-another-folder');
      const { stdout, stderr, reached } = await sealed(
        host,
        `cat here; ls /usr/bin/env; ls -A /srv | grep -v : ; ls ${host} 2>&1 | wc -l; echo x >/tmp/x && echo made >out; test -e ${secret} || echo hidden`,
      );
      assert.equal(stdout, 'here\n/usr/bin/env\n1\nhidden', stderr);
      assert.deepEqual(reached, nothing);
      assert.equal(existsSync(join(host, 'out')), true);
      assert.equal(existsSync(join(host, '.reached')), false);
    });

    test('nothing of the system can be written to, not even by root', async (t) => {
      const places = ['/', '/etc/', '/opt/', '/usr/local/', '/var/lib/'].map((folder) => `${folder}vbuild-was-here`);
      const { stdout, stderr } = await sealed(
        tempDir(t),
        `for one in ${places.join(' ')}; do touch "$one" && echo "$one" && rm "$one"; done; touch /tmp/x /var/tmp/x /dev/shm/vbuild-x && rm /dev/shm/vbuild-x && echo done`,
      );
      assert.equal(stdout, 'done', stderr);
    });

    test('servers of the machine are out of reach, one of its own is not', async (t) => {
      const server = createServer((_, response) => response.end('outside')).listen(0, '127.0.0.1');
      t.after(() => server.close());
      await new Promise((listening) => server.once('listening', listening));
      const { port } = server.address() as AddressInfo;
      const own = `import http.server, threading, urllib.request as u
s = http.server.HTTPServer(('127.0.0.1', 0), type('H', (http.server.BaseHTTPRequestHandler,), {'do_GET': lambda h: (h.send_response(204), h.end_headers()), 'log_message': lambda *a: None}))
threading.Thread(target=s.serve_forever, daemon=True).start()
print(u.urlopen('http://127.0.0.1:%d' % s.server_port).status)`;
      const { stdout, stderr, reached } = await sealed(
        tempDir(t),
        `curl -s http://127.0.0.1:${port}/ || echo refused; python3 -c "${own}"`,
      );
      assert.equal(stdout, 'refused\n204', stderr);
      assert.deepEqual(reached, nothing);
    });

    test('the names of hosts that it asks for are noted, its own aside, and so is a packet for another machine', async (t) => {
      const asked = await sealed(
        tempDir(t),
        'getent hosts files.example.org; getent hosts files.example.org; getent hosts build-host; getent hosts localhost',
      );
      assert.deepEqual(asked.reached, { ...nothing, names: ['files.example.org'] });
      const sent = await sealed(tempDir(t), 'curl -s http://192.0.2.1/; true');
      assert.deepEqual(sent.reached, { ...nothing, addresses: true });
    });

    test('files that it writes into the folders of users are noted', async (t) => {
      const { exitStatus, reached } = await sealed(
        tempDir(t),
        'mkdir -p /srv/cache/pip && echo x >"/srv/cache/pip/a b"; exit 7',
      );
      assert.equal(exitStatus, 7);
      assert.deepEqual(reached, { ...nothing, files: ['/srv/cache/pip/a b'] });
      const home = await sealed(tempDir(t), 'mkdir -p /root/.cache && echo x >"/root/.cache/a b"; exit 7');
      assert.equal(home.exitStatus, 7);
      assert.deepEqual(
        home.reached,
        watched ? { ...nothing, homes: ['/root/.cache'] } : { ...nothing, files: ['/root/.cache/a b'] },
      );
    });

    test('what it looks for in homes is not there, and noted if it would be', {
      skip: !watched && 'no FUSE',
    }, async (t) => {
      const ofRoot = process.getuid?.() === 0 ? readdirSync('/root').slice(0, 1) : [];
      for (const [text, homes] of [
        ...ofRoot.map((name) => [`test -e "/root/${name}"`, [`/root/${name}`]] as const),
        ['cat /root/.nobody-has-this ~mail/x; cd /root', []],
        ['ls -A /root; find /home', ['/root', '/home']],
        ['for one in /home/*; do cat "$one/.ssh/config"; done', ['/home']],
        [
          'rm -rf /root/.x; ln -s x /root/link; touch /root/made; mkdir /home/none',
          ['/root/link', '/root/made', '/home/none'],
        ],
        ['ls -ld /root /home; ls /; df /root; stat -f /home; test -d /root', []],
      ] as const) {
        const { reached, stdout, stderr } = await sealed(tempDir(t), `${text}; true`);
        assert.deepEqual(reached, { ...nothing, homes }, text);
        assert.doesNotMatch(stdout + stderr, /not connected|Function not implemented/);
      }
    });

    // Only root can take it away.
    if (namespace.by === 'root')
      test('without FUSE, what is still there of what it wrote into a home is noted all the same', async (t) => {
        const host = tempDir(t);
        const writes = 'mkdir -p /root/.cache && echo x >/root/.cache/left && ls -A /root';
        const own = inNamespace({ namespace, host, seen }, seen, ['/bin/sh', '-c', writes]);
        const without = 'if [ -e /dev/fuse ]; then mount --bind /dev/null /dev/fuse; fi && exec "$@"';
        const argv = ['unshare', '--mount', '--', 'sh', '-c', without, 'sh', ...own];
        const finished = await run({ argv, cwd: host, env });
        assert.equal(finished.stdout, '.cache', finished.stderr);
        assert.deepEqual(reachedFor(host, 'build-host'), { ...nothing, files: ['/root/.cache/left'] });
      });

    test('many that look at once are all answered', { skip: !watched && 'no FUSE' }, async (t) => {
      const looks =
        'for one in $(seq 400); do test ! -e "/root/$1.$one" || exit 9; mkdir "/root/$1.$one" 2>/dev/null && exit 9; done; exit 0';
      const { exitStatus, reached } = await sealed(
        tempDir(t),
        `for each in 1 2 3 4; do sh -c '${looks}' look "$each" & done; wait`,
      );
      assert.equal(exitStatus, 0);
      assert.equal(reached.homes.length, 1600);
    });

    test('where the network is granted, it is the machine’s, and users’ folders stay hidden', async (t) => {
      const server = createServer((_, response) => response.end('outside')).listen(0, '127.0.0.1');
      t.after(() => server.close());
      await new Promise((listening) => server.once('listening', listening));
      const { port } = server.address() as AddressInfo;
      const { stdout } = await command(
        namespace,
        tempDir(t),
        `curl -s http://127.0.0.1:${port}/; ls -A /root /srv | grep -v :`,
        true,
      );
      assert.equal(stdout, 'outside');
    });

    test('what an earlier command noted is not told of the next one', async (t) => {
      const host = tempDir(t);
      writeFileSync(join(host, '.reached'), 'name left.example.org\n');
      assert.deepEqual((await sealed(host, 'true')).reached, nothing);
    });
  });
}
