/**
 * The whole program behind lines and servers that do their worst: it builds from source within a bounded time, tells once why, and with
 * `--no-build` ends with status 3 and what is missing.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkIn } from '../support/check-in.ts';
import { type EventsOf, insistOnSuccess } from '../support/events.ts';
import { type Fault, faultProxy, type Rule, s3Error } from '../support/fault-proxy.ts';
import { type Project, projectAt } from '../support/project.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { tempDir, type WithCleanUp } from '../support/temp.ts';
import { said, tinyChain, tinyFiles } from '../support/tiny.ts';
import { startProgram, takesModules } from '../support/vbuild.ts';

const ids = tinyChain.map(({ name }) => `${name}@1`);

let server: S3Server;
let bucket = '';

/** A clone that asks the bucket at an endpoint. */
function clone(t: WithCleanUp, endpoint: string): Project {
  const top = tempDir(t, 'line');
  const site = projectAt(join(top, 'site'), join(top, 'home'));
  site.write(tinyFiles(tinyChain));
  site.edit('Buildfile.ts', 'import { ', 'import { s3, ');
  site.edit('Buildfile.ts', 'defineBuild({', `defineBuild({ cache: [s3(${JSON.stringify({ bucket, endpoint })})],`);
  return site;
}

before(async () => {
  if (skipWithoutS3 !== false) return;
  server = await startS3Server();
  bucket = await server.bucket({ who: 'reader', may: 'list and get' });
  const site = clone({ after }, server.endpoint);
  checkIn(site.path);
  insistOnSuccess(await site.run(['--push', '--no-install'], { env: server.owner }));
});
after(() => server?.close());

const answered = (status: number, body: string, type = 'application/xml'): Fault => ({
  kind: 'answer',
  status,
  body,
  headers: { 'content-type': type },
});
const bodies = (fault: Fault): Rule => ({ fault, when: (_, url) => url.includes('/blobs/') });
const manifests = (fault: Fault): Rule => ({ fault, when: (_, url) => url.includes('/artifacts/') });
const page = '<!DOCTYPE html><html><body>Please log in</body></html>';

interface Line {
  readonly endpoint: string;
}

/** A proxy in front of the server, with these rules. */
const behind =
  (...rules: readonly Rule[]) =>
  async (t: WithCleanUp): Promise<Line> => {
    const proxy = await faultProxy(server.endpoint);
    t.after(() => proxy.close());
    proxy.misbehave(...rules);
    return { endpoint: proxy.url };
  };
const always = (fault: Fault): ((t: WithCleanUp) => Promise<Line>) => behind({ fault });

/** A place that takes connections and says something to each. */
async function listener(t: WithCleanUp, says: string): Promise<Line> {
  return {
    endpoint: `http://127.0.0.1:${await listening(
      t,
      createServer((socket) => void socket.end(says)),
    )}`,
  };
}

/** A port whose queue is full: the kernel drops whatever knocks, as a firewall does. */
async function blackHole(t: WithCleanUp): Promise<Line> {
  const program = `import socket, time
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(0); kept = []
for _ in range(3):
    c = socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname()); kept.append(c)
print(s.getsockname()[1], flush=True); time.sleep(600)`;
  const hole = startProgram(['python3', '-c', program], { cwd: '/', home: tempDir(t) });
  t.after(() => void hole.child.kill());
  const [line] = (await once(hole.child.stdout ?? assert.fail(), 'data')) as [string];
  return { endpoint: `http://127.0.0.1:${line.trim()}` };
}

const lines: readonly {
  readonly name: string;
  readonly line: (t: WithCleanUp) => Promise<Line>;
  readonly answer: 'unreachable' | 'rejected';
  readonly reason: RegExp;
}[] = [
  {
    name: 'nothing that listens',
    line: async () => ({ endpoint: 'http://127.0.0.1:9' }),
    answer: 'unreachable',
    reason: /^nothing listens there$/,
  },
  {
    name: 'a name that nobody knows',
    line: async () => ({ endpoint: 'http://s3.invalid' }),
    answer: 'unreachable',
    reason: /^the name of the host (is unknown|could not be looked up)$/,
  },
  { name: 'a black hole', line: blackHole, answer: 'unreachable', reason: /^no answer in time$/ },
  {
    name: 'a server that is silent',
    line: always({ kind: 'hang' }),
    answer: 'unreachable',
    reason: /^no answer in time$/,
  },
  {
    name: 'silence in mid-body',
    line: behind(bodies({ kind: 'stall', at: 20 })),
    answer: 'unreachable',
    reason: /^no answer in time$/,
  },
  {
    name: 'resets in mid-body',
    line: behind(bodies({ kind: 'reset', at: 20 })),
    answer: 'unreachable',
    reason: /^the connection was cut$/,
  },
  {
    name: 'a storm of 500',
    line: always(answered(500, s3Error('InternalError'))),
    answer: 'unreachable',
    reason: /^the server answered 500 InternalError$/,
  },
  {
    name: 'a storm of 503',
    line: always(answered(503, s3Error('SlowDown'))),
    answer: 'unreachable',
    reason: /asks to slow down$/,
  },
  {
    name: 'a bucket in another region',
    line: always(answered(400, s3Error('AuthorizationHeaderMalformed'))),
    answer: 'unreachable',
    reason: /^the bucket is in another region$/,
  },
  {
    name: 'denied access',
    line: always(answered(403, s3Error('AccessDenied'))),
    answer: 'unreachable',
    reason: /^access denied/,
  },
  {
    name: 'clocks that differ for good',
    line: always(answered(403, s3Error('RequestTimeTooSkewed'))),
    answer: 'unreachable',
    reason: /^the clocks of this machine and of the server differ/,
  },
  {
    name: 'a captive portal',
    line: always(answered(200, page, 'text/html')),
    answer: 'unreachable',
    reason: /^what answered is not an S3 server but a web page$/,
  },
  {
    name: "somebody else's JSON",
    line: always(answered(200, '{"status":"ok"}', 'application/json')),
    answer: 'rejected',
    reason: /^the manifest has format undefined/,
  },
  {
    name: 'no HTTP at all',
    line: (t) => listener(t, 'SSH-2.0-OpenSSH_9.2p1\r\n'),
    answer: 'unreachable',
    reason: /^what answered does not speak HTTP$/,
  },
  {
    name: 'bodies cut short in good order',
    line: behind(bodies({ kind: 'short', at: 20 })),
    answer: 'rejected',
    reason: /^it has 20 bytes, expected \d+$/,
  },
  {
    name: 'a flipped bit in bodies',
    line: behind(bodies({ kind: 'flip', at: 20 })),
    answer: 'rejected',
    reason: /^its SHA-256 is [0-9a-f]{64}, expected/,
  },
  {
    name: 'a flipped bit in manifests',
    line: behind(manifests({ kind: 'flip', at: 20 })),
    answer: 'rejected',
    reason: /^its SHA-256 is [0-9a-f]{64}, its label says/,
  },
];

/** Far above what a run may take even on a busy machine, far below forever. */
const boundMs = 300_000;

describe('a bucket behind', { skip: skipWithoutS3, concurrency: 6 }, () => {
  for (const { name, line, answer, reason } of lines) {
    test(`${name} is told once, and everything is built from source`, async (t) => {
      const { endpoint } = await line(t);
      const site = clone(t, endpoint);
      const options = { env: server.reader, timeoutMs: boundMs };
      insistOnSuccess(await site.run(['lock']));
      const [missing, built] = await Promise.all([
        site.build(['--no-build'], options),
        projectAt(site.path, `${site.home}-2`).run(['--work', `${site.home}-2/work`], options),
      ]);
      insistOnSuccess(built);
      assert.match(said(site, 'three'), /^three trois\n/);
      const warnings = [
        ...built.stderr.matchAll(
          /^warning: (?:Cache|Artifact in) (\S+) is (\w+)\n(?: {2}package .*\n)? {2}found +(.*)$/gm,
        ),
      ];
      assert.deepEqual(
        [built.stderr.split(/^warning: /m).length - 1, ...warnings.map(([, tier, what]) => [tier, what])],
        [1, [`s3://${bucket}`, answer]],
        built.stderr,
      );
      assert.match(warnings[0]?.[3] ?? '', reason);

      assert.equal(missing.exitStatus, 3, missing.stderr);
      assert.deepEqual(
        missing.errors.map(({ code, where }) => [code, where.package]),
        ids.map((id) => ['not-ready', id]),
      );
      const told = missing.events.filter((one) => one.type === 'cache-looked-up' && one.answer === answer);
      assert.deepEqual(
        told.map(({ package: id, tier }) => [id, tier]).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
        ids.map((id) => [id, `s3://${bucket}`]).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
      );
      for (const one of told) assert.match(one.reason ?? '', reason);
      for (const { facts } of missing.errors) assert.match(facts['found'] ?? '', /s3:/);
    });
  }
});

/** Speaks TLS before the server, under an authority that no machine knows. @returns Its port, and the file of the authority. */
async function tlsFront(t: WithCleanUp): Promise<{ readonly port: number; readonly authority: string }> {
  const folder = tempDir(t, 'tls');
  const [key, authority] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', key, '-out', authority];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', ...made, ...subject], { stdio: 'ignore' });
  const front = createTlsServer({ key: readFileSync(key), cert: readFileSync(authority) }, (socket) =>
    joined(socket, connect(Number(new URL(server.endpoint).port), '127.0.0.1')),
  );
  return { port: await listening(t, front), authority };
}

/** Lets https through for who knows its password. @returns Its port. */
async function passwordProxy(t: WithCleanUp, password: string): Promise<number> {
  const proxy = createHttpServer();
  proxy.on('connect', (request, socket: Socket) => {
    const known = `Basic ${Buffer.from(`shop:${password}`).toString('base64')}`;
    if (request.headers['proxy-authorization'] !== known)
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    return joined(socket, connect(Number(request.url?.split(':')[1]), '127.0.0.1'));
  });
  return listening(t, proxy);
}

function joined(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const)
    from
      .on('error', () => to.destroy())
      .on('close', () => to.destroy())
      .pipe(to);
}

async function listening(t: WithCleanUp, what: Server): Promise<number> {
  const sockets = new Set<Socket>();
  what.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    what.close();
  });
  await once(what.listen(0, '127.0.0.1'), 'listening');
  return (what.address() as { port: number }).port;
}

describe('a bucket on a network with its own ways', { skip: skipWithoutS3, concurrency: 3 }, () => {
  const password = 'correct-horse-battery';
  const restored = { fresh: 0, restored: 3, built: 0 };

  test('behind an authority and a proxy of its own restores, and says what is wrong without either, never the password', async (t) => {
    const [{ port, authority }, proxy] = await Promise.all([tlsFront(t), passwordProxy(t, password)]);
    const site = clone(t, `https://127.0.0.1:${port}`);
    insistOnSuccess(await site.run(['lock']));
    const proxied = (login: string): Record<string, string> => ({
      HTTPS_PROXY: `http://${login}@127.0.0.1:${proxy}`,
      NO_PROXY: '',
      no_proxy: '',
    });
    const authorised = { NODE_EXTRA_CA_CERTS: authority };
    const asked = async (env: Readonly<Record<string, string>>): Promise<EventsOf> => {
      const run = await projectAt(site.path, tempDir(t, 'home')).build(['--no-build', '--no-install', '--verbose'], {
        env: { ...server.reader, ...env },
      });
      assert.ok(!`${run.stdout}${run.stderr}`.includes(password));
      return run;
    };
    assert.deepEqual((await asked(authorised)).outcomes, restored);
    assert.deepEqual((await asked({ ...authorised, ...proxied(`shop:${password}`) })).outcomes, restored);
    const refusals: readonly (readonly [env: Record<string, string>, reason: RegExp])[] = [
      [{}, /^the certificate of the server is not trusted$/],
      [{ ...authorised, ...proxied('shop:wrong') }, /^the proxy does not let the connection through$/],
      [
        { ...authorised, HTTPS_PROXY: `http://shop:${password}@127.0.0.1:port`, NO_PROXY: '', no_proxy: '' },
        /^the proxy that the environment names is not a URL$/,
      ],
    ];
    for (const [env, reason] of refusals) {
      const run = await asked(env);
      assert.equal(run.exitStatus, 3, run.stderr);
      const answers = run.events.filter(({ answer }) => answer === 'unreachable');
      assert.equal(answers.length, 3);
      for (const one of answers) assert.match(one.reason ?? '', reason);
    }
  });

  if (takesModules)
    test('is read by a machine whose clock is an hour wrong', async (t) => {
      const site = clone(t, server.endpoint);
      insistOnSuccess(await site.run(['lock']));
      site.write({
        '../clock.mjs':
          'const now = Date.now; Date.now = () => now() - 3_600_000;\nconst Real = Date;\nglobalThis.Date = class extends Real { constructor(...args) { super(...(args.length === 0 ? [Real.now()] : args)); } };\n',
      });
      const env = { ...server.reader, NODE_OPTIONS: `--import ${join(site.path, '../clock.mjs')}` };
      const run = insistOnSuccess(await site.build(['--no-build'], { env }));
      assert.deepEqual(run.outcomes, restored);
      // The first one was refused, and told what time it is.
      const { requests = 0 } = run.events.find(({ type }) => type === 'cache-traffic') ?? {};
      assert.ok(requests > 6, String(requests));
    });

  test('is asked with the credentials of the profile that is named, before others', async (t) => {
    const site = clone(t, server.endpoint);
    insistOnSuccess(await site.run(['lock']));
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, ...region } = server.reader;
    site.write({
      '../home/.aws/credentials': `[shop]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`,
    });
    const env = { ...region, AWS_PROFILE: 'shop', AWS_ACCESS_KEY_ID: 'NOBODY', AWS_SECRET_ACCESS_KEY: 'wrong' };
    const run = insistOnSuccess(await site.build(['--no-build', '--verbose'], { env }));
    assert.deepEqual(run.outcomes, restored);
    assert.ok(!`${run.stdout}${run.stderr}`.includes(secret ?? assert.fail()));
  });

  test('is never written to with --push left out, whatever it lacks', async (t) => {
    const proxy = await faultProxy(server.endpoint);
    t.after(() => proxy.close());
    const site = clone(t, proxy.url);
    site.edit('Buildfile.ts', 'WORD: "trois"', 'WORD: "drei"');
    const run = insistOnSuccess(await site.build([], { env: server.owner }));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 2, built: 1 });
    const { requests } = run.events.find(({ type }) => type === 'cache-traffic') ?? {};
    assert.equal(requests, proxy.log.length);
    assert.ok(proxy.log.length >= 5);
    assert.deepEqual(
      proxy.log.filter((line) => !line.startsWith('GET ')),
      [],
    );
  });
});
