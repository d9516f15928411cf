import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { findNamespace, inNamespace, mountPoint, type Namespace } from '../../src/system/namespace.ts';
import { type Finished, run } from '../../src/system/process.ts';
import { type Reached, reachedFor } from '../../src/system/sandbox.ts';
import { tempDir, type WithCleanUp } from '../support/temp.ts';

const workFolder = (t: WithCleanUp): string => {
  const folder = join(tempDir(t), 'root');
  mkdirSync(folder);
  return folder;
};

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
    const folder = workFolder(t);
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
      return { ...finished, reached: reachedFor(host, ['build-host']) };
    };
    const nothing: Reached = { names: [], addresses: [], homes: [], files: [] };

    test('the system is there, what users have is not, and what a command writes for itself stays its own', async (t) => {
      const host = workFolder(t);
      writeFileSync(join(host, 'here'), 'here\n');
      const secret = join(host, '../secret-of-another-folder');
      const { stdout, stderr, reached } = await sealed(
        host,
        `cat here; ls /usr/bin/env; ls -A /srv | grep -v : ; ls ${host} 2>&1 | wc -l; echo x >/tmp/x && echo made >out; test -e ${secret} || echo hidden`,
      );
      assert.equal(stdout, 'here\n/usr/bin/env\n1\nhidden', stderr);
      assert.deepEqual(reached, nothing);
      assert.equal(existsSync(join(host, 'out')), true);
      assert.equal(existsSync(`${host}.reached`), false);
    });

    test('nothing of the system can be written to, not even by root, nor be made so again', async (t) => {
      const places = ['/', '/etc/', '/opt/', '/usr/local/', '/var/lib/'].map((folder) => `${folder}vbuild-was-here`);
      const { stdout, stderr } = await sealed(
        workFolder(t),
        `for one in ${places.join(' ')}; do touch "$one" && echo "$one" && rm "$one"; done
mount -o remount,rw / && echo remounted; umount /tmp && echo uncovered; mknod disk b 254 0 && echo made a disk
for one in /proc/sys/kernel/core_pattern /sys/kernel/uevent_helper /proc/sysrq-trigger; do true >"$one" && echo "$one"; done
touch /tmp/x /var/tmp/x /dev/shm/vbuild-x && rm /dev/shm/vbuild-x && echo done`,
      );
      assert.equal(stdout, 'done', stderr);
    });

    test('what is mounted below folders of the system cannot be written to, either', {
      skip: process.getuid?.() !== 0 && 'needs root',
    }, async (t) => {
      const host = workFolder(t);
      const own = inNamespace({ namespace, host, seen }, seen, [
        '/bin/sh',
        '-c',
        'touch "/opt/a b/x" && echo written; cat "/opt/a b/there"; touch here',
      ]);
      const mounts = `mount -t tmpfs tops /opt && mkdir "/opt/a b" && mount -t tmpfs -o nosuid,nodev,noexec below "/opt/a b" && echo there >"/opt/a b/there" && exec "$@"`;
      const argv = ['unshare', '--mount', '--', 'sh', '-c', mounts, 'sh', ...own];
      const finished = await run({ argv, cwd: host, env });
      assert.equal(finished.stdout, 'there', finished.stderr);
      assert.deepEqual(reachedFor(host, []), nothing);
    });

    test('there are devices that every program needs, and none of the machine’s own', async (t) => {
      const { stdout, stderr } = await sealed(
        workFolder(t),
        `ls -A /dev; ls -A /dev/pts /dev/shm; head -c 3 /dev/zero | wc -c; echo in | cat /dev/stdin /dev/fd/0 >/dev/null; echo x >/dev/null; head -c 5 /dev/urandom | wc -c
python3 -c 'import multiprocessing as m, os, pty; a, b = pty.openpty(); os.write(b, b"x"); print(os.read(a, 9), os.ttyname(b)); m.Lock()'; ls /media`,
      );
      assert.equal(
        stdout,
        "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n/dev/pts:\nptmx\n\n/dev/shm:\n3\n5\nb'x' /dev/pts/0\ntest",
        stderr,
      );
    });

    test('sockets, shared memory and processes of the machine are out of reach, also where the network is granted', async (t) => {
      const abstract = createServer().listen('\0vbuild-abstract-socket');
      t.after(() => abstract.close());
      await new Promise((listening) => abstract.once('listening', listening));
      const look =
        'python3 -c \'import socket; socket.socket(socket.AF_UNIX).connect("\\0vbuild-abstract-socket"); print("connected")\'';
      const host = workFolder(t);
      const { stdout } = await command(
        namespace,
        host,
        `ls -A /run | grep -v resolv; ipcs -m | grep -c 0x; ls -d /proc/${process.pid} /proc/${process.ppid}; cat /proc/*/environ | grep -c HOME=; true`,
        true,
      );
      assert.equal(stdout, '0\n0');
      assert.equal((await sealed(host, `${look}; true`)).stdout, '');
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
        workFolder(t),
        `curl -s http://127.0.0.1:${port}/ || echo refused; python3 -c "${own}"`,
      );
      assert.equal(stdout, 'refused\n204', stderr);
      assert.deepEqual(reached, nothing);
    });

    test('the names of hosts that it asks for are noted, its own aside', async (t) => {
      for (const [text, names] of [
        [
          'getent hosts files.example.org; getent ahosts files.example.org; getent hosts build-host',
          ['files.example.org'],
        ],
        ['git clone https://git.example.org/x.git', ['git.example.org']],
        ['curl http://user:word@www.example.org:8080/', ['www.example.org']],
        [`perl -e 'use IO::Socket::INET; IO::Socket::INET->new("ftp.example.org:21")'`, ['ftp.example.org']],
      ] as const)
        assert.deepEqual((await sealed(workFolder(t), `${text}; true`)).reached, { ...nothing, names }, text);
    });

    test('addresses of other machines are noted with their ports, whoever asks for them and however it ends', async (t) => {
      const python = (text: string): string => `python3 -c 'import socket as s\n${text}'`;
      for (const [text, addresses] of [
        ['echo >/dev/tcp/192.0.2.1/80', ['192.0.2.1:80']],
        ['echo >/dev/tcp/2001:db8::1/443 || echo >/dev/tcp/198.51.100.7/1', ['[2001:db8::1]:443', '198.51.100.7:1']],
        ['echo x >/dev/udp/192.0.2.3/514; echo y >/dev/udp/fd00::3/514', ['192.0.2.3:514', '[fd00::3]:514']],
        ['curl -s http://192.0.2.1/ http://[2001:db8::2]:8080/', ['192.0.2.1:80', '[2001:db8::2]:8080']],
        ['git clone git://192.0.2.9/x.git', ['192.0.2.9:9418']],
        [python('s.create_connection(("::ffff:192.0.2.4", 25))'), ['192.0.2.4:25']],
        [python('s.socket(s.AF_INET6, s.SOCK_DGRAM).sendto(b"x", ("ff02::fb", 5353))'), ['[ff02::fb]:5353']],
        [python('c = s.socket(); c.setblocking(False); c.connect_ex(("192.0.2.5", 443))'), ['192.0.2.5:443']],
        ['for one in $(seq 300); do echo x >/dev/udp/127.0.0.1/9; done; echo >/dev/tcp/192.0.2.6/22', ['192.0.2.6:22']],
      ] as const) {
        const finished = await sealed(workFolder(t), `exec bash -c "$(cat <<'END'\n${text}\nexit 0\nEND\n)"`);
        assert.deepEqual([finished.exitStatus, finished.reached], [0, { ...nothing, addresses }], text);
      }
    });

    test('nobody who stays on the loopback, looks around, or asks what machine this is, is noted', async (t) => {
      const looks = `import multiprocessing, platform, socket as s, threading
for family, own in ((s.AF_INET, '127.0.0.1'), (s.AF_INET6, '::1'), (s.AF_INET, '127.0.0.7')):
    with s.socket(family) as server:
        server.bind((own, 0)); server.listen()
        with s.create_connection(server.getsockname()[:2]) as c: c.sendall(b'x' * 100000)
    with s.socket(family, s.SOCK_DGRAM) as u: u.sendto(b'x', (own, 9))
for family, other in ((s.AF_INET, '192.0.2.1'), (s.AF_INET6, '2001:db8::1')):
    with s.socket(family, s.SOCK_DGRAM) as u: u.connect((other, 53)); print(u.getsockname()[0])
a, b = s.socketpair(); a.sendall(b'x')
with s.socket(s.AF_UNIX) as u: u.bind('\\0abstract'); u.listen()
m = s.socket(s.AF_INET, s.SOCK_DGRAM); m.setsockopt(s.IPPROTO_IP, s.IP_ADD_MEMBERSHIP, s.inet_aton('224.1.1.1') + s.inet_aton('127.0.0.1'))
s.getfqdn(); s.gethostbyname(s.gethostname()); s.getaddrinfo(s.gethostname(), 80); s.gethostbyaddr('127.0.0.1'); s.getnameinfo(('::1', 80), 0)
s.getfqdn('127.0.0.1'); platform.node(); multiprocessing.Manager().shutdown()
`;
      const host = workFolder(t);
      writeFileSync(join(host, 'looks.py'), looks);
      const { exitStatus, stdout, stderr, reached } = await sealed(
        host,
        'hostname; hostname -f; uname -a; getent hosts localhost; getent ahosts "$(hostname)"; python3 looks.py | tail -2 >addresses; cat addresses; sleep 2',
      );
      assert.equal(exitStatus, 0, stderr);
      assert.match(stdout, /\n127\.0\.0\.1\n::1$/);
      assert.deepEqual(reached, nothing);
    });

    test('a command can neither see the note nor take anything out of it', async (t) => {
      const { stdout, reached } = await sealed(
        workFolder(t),
        'getent hosts files.example.org; ls -A . ..; ls /proc/self/fd; true >../.reached; true >.reached; for one in /proc/[0-9]*/fd/*; do true >"$one"; done; exit 0',
      );
      assert.doesNotMatch(stdout, /reached|^9$/m);
      assert.deepEqual(reached.names, ['files.example.org']);
    });

    test('files that it writes into the folders of users are noted', async (t) => {
      const { exitStatus, reached } = await sealed(
        workFolder(t),
        'mkdir -p /srv/cache/pip && echo x >"/srv/cache/pip/a b"; exit 7',
      );
      assert.equal(exitStatus, 7);
      assert.deepEqual(reached, { ...nothing, files: ['/srv/cache/pip/a b'] });
      const home = await sealed(workFolder(t), 'mkdir -p /root/.cache && echo x >"/root/.cache/a b"; exit 7');
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
        const { reached, stdout, stderr } = await sealed(workFolder(t), `${text}; true`);
        assert.deepEqual(reached, { ...nothing, homes }, text);
        assert.doesNotMatch(stdout + stderr, /not connected|Function not implemented/);
      }
    });

    // Only root can make one.
    if (process.getuid?.() === 0)
      test('a folder that another program makes beside those of users meanwhile is not noted', async (t) => {
        const host = tempDir(t);
        const strange = `/vbuild-test-${process.pid}`;
        t.after(() => rmSync(strange, { recursive: true, force: true }));
        const running = sealed(host, `touch begun; until [ -e ${strange}/file ]; do sleep 0.02; done`);
        while (!existsSync(join(host, 'begun'))) await setTimeout(20);
        mkdirSync(strange);
        writeFileSync(join(strange, 'file'), '');
        assert.deepEqual((await running).reached, nothing);
      });

    // Only root can take it away.
    if (namespace.by === 'root')
      test('without FUSE, what is still there of what it wrote into a home is noted all the same', async (t) => {
        const host = workFolder(t);
        const writes = 'mkdir -p /root/.cache && echo x >/root/.cache/left && ls -A /root';
        const own = inNamespace({ namespace, host, seen }, seen, ['/bin/sh', '-c', writes]);
        const without = 'if [ -e /dev/fuse ]; then mount --bind /dev/null /dev/fuse; fi && exec "$@"';
        const argv = ['unshare', '--mount', '--', 'sh', '-c', without, 'sh', ...own];
        const finished = await run({ argv, cwd: host, env });
        assert.equal(finished.stdout, '.cache', finished.stderr);
        assert.deepEqual(reachedFor(host, ['build-host']), { ...nothing, files: ['/root/.cache/left'] });
      });

    test('many that look at once are all answered', { skip: !watched && 'no FUSE' }, async (t) => {
      const looks =
        'for one in $(seq 400); do test ! -e "/root/$1.$one" || exit 9; mkdir "/root/$1.$one" 2>/dev/null && exit 9; done; exit 0';
      const { exitStatus, reached } = await sealed(
        workFolder(t),
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
        workFolder(t),
        `curl -s http://127.0.0.1:${port}/; ls -A /root /srv | grep -v :`,
        true,
      );
      assert.equal(stdout, 'outside');
    });

    test('what an earlier command noted is not told of the next one', async (t) => {
      const host = workFolder(t);
      writeFileSync(`${host}.reached`, 'name left.example.org\n');
      assert.deepEqual((await sealed(host, 'true')).reached, nothing);
    });
  });
}
