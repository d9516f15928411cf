import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { digestOf } from '../../src/model/digest.ts';
import type { VbuildError } from '../../src/model/error.ts';
import { download, type DownloadRequest } from '../../src/system/download.ts';
import { type Answer, httpServer, serve, type TestServer } from '../support/http-server.ts';
import { tempDir } from '../support/temp.ts';

const body = Buffer.alloc(300_000, 'some archive, which goes on ');

interface Setting {
  readonly server: TestServer;
  readonly into: string;
  readonly get: (changes?: Partial<DownloadRequest>) => ReturnType<typeof download>;
}

async function setting(t: TestContext, answer: Answer): Promise<Setting> {
  const server = await httpServer(t, answer);
  const into = join(tempDir(t), 'file');
  const get: Setting['get'] = (changes = {}) =>
    download({
      url: `${server.url}/a.tar.gz`,
      into,
      offline: false,
      signal: new AbortController().signal,
      stallMs: 5000,
      backoffMs: 1,
      ...changes,
    });
  return { server, into, get };
}

/** Insists that a whole, right file has landed and nothing else is left. */
function landed(into: string): void {
  assert.ok(readFileSync(into).equals(body));
  assert.equal(existsSync(`${into}.part`), false);
  assert.equal(existsSync(`${into}.part.json`), false);
}

const failsWith =
  (code: VbuildError['code'], facts: Readonly<Record<string, RegExp>> = {}) =>
  (error: VbuildError) => {
    assert.equal(error.code, code, error.message);
    for (const [name, pattern] of Object.entries(facts)) assert.match(error.facts[name] ?? '', pattern);
    return true;
  };

test('download() writes the file and tells digest and size', async (t) => {
  const { get, into } = await setting(t, (request, response) => serve(request, response, body));
  const seen: [number, number | undefined][] = [];
  const found = await get({ progress: (...now) => seen.push(now) });
  assert.deepEqual(found, { digest: digestOf(body), sizeBytes: body.length });
  assert.deepEqual(seen.at(-1), [body.length, body.length]);
  landed(into);
});

test('download() keeps bytes as the server sent them, without undoing a content coding', async (t) => {
  const { get, into, server } = await setting(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'x-gzip' }).end(body),
  );
  await get();
  landed(into);
  assert.equal(server.seen[0]?.headers['accept-encoding'], 'identity');
});

test('download() goes on where the connection broke', async (t) => {
  const { get, into, server } = await setting(t, (request, response, visit) =>
    serve(request, response, body, { etag: '"v1"', ...(visit === 1 && { cutAfter: 100_000 }) }),
  );
  await get({ digest: digestOf(body), sizeBytes: body.length });
  landed(into);
  assert.equal(server.seen[1]?.headers['if-range'], '"v1"');
  assert.match(server.seen[1]?.headers.range ?? '', /^bytes=\d{4,6}-$/);
});

test('download() goes on where an earlier run was killed', async (t) => {
  const { get, into, server } = await setting(t, (request, response) =>
    serve(request, response, body, { etag: '"v1"' }),
  );
  writeFileSync(`${into}.part`, body.subarray(0, 77));
  writeFileSync(`${into}.part.json`, JSON.stringify({ url: `${server.url}/a.tar.gz`, validator: '"v1"' }));
  assert.equal((await get()).digest, digestOf(body));
  landed(into);
  assert.equal(server.seen[0]?.headers.range, 'bytes=77-');
  assert.equal(server.seen.length, 1);
});

const restarts: readonly (readonly [
  title: string,
  note: (url: string) => string | undefined,
  options: { etag: string; ranges?: boolean },
])[] = [
  ['the file changed upstream', (url) => JSON.stringify({ url, validator: '"v0"' }), { etag: '"v1"' }],
  ['the server knows no ranges', (url) => JSON.stringify({ url, validator: '"v1"' }), { etag: '"v1"', ranges: false }],
  ['nothing tells which file the part is of', () => undefined, { etag: '"v1"' }],
  [
    'the part is of another URL',
    () => JSON.stringify({ url: 'http://127.0.0.1/other', validator: '"v1"' }),
    { etag: '"v1"' },
  ],
  ['the note beside the part is cut short', () => '{"url":"ht', { etag: '"v1"' }],
];

for (const [title, note, options] of restarts)
  test(`download() starts anew when ${title}`, async (t) => {
    const { get, into, server } = await setting(t, (request, response) => serve(request, response, body, options));
    writeFileSync(`${into}.part`, 'of another file');
    const text = note(`${server.url}/a.tar.gz`);
    if (text !== undefined) writeFileSync(`${into}.part.json`, text);
    assert.equal((await get()).digest, digestOf(body));
    landed(into);
  });

test('download() starts anew when the part is longer than the file', async (t) => {
  const { get, into, server } = await setting(t, (request, response) =>
    serve(request, response, body, { etag: '"v1"' }),
  );
  writeFileSync(`${into}.part`, Buffer.alloc(body.length + 5));
  writeFileSync(`${into}.part.json`, JSON.stringify({ url: `${server.url}/a.tar.gz`, validator: '"v1"' }));
  await get();
  landed(into);
  assert.equal(server.seen.length, 2);
});

test('download() starts anew when the resumed file does not have the digest that is insisted on', async (t) => {
  const { get, into, server } = await setting(t, (request, response) =>
    serve(request, response, body, { etag: '"v1"' }),
  );
  writeFileSync(`${into}.part`, 'spoilt on disk');
  writeFileSync(`${into}.part.json`, JSON.stringify({ url: `${server.url}/a.tar.gz`, validator: '"v1"' }));
  await get({ digest: digestOf(body) });
  landed(into);
  assert.equal(server.seen.length, 2);
});

test('download() starts anew when the server sends another range than the one asked for', async (t) => {
  const { get, into, server } = await setting(t, (request, response, visit) => {
    if (visit === 2)
      response
        .writeHead(206, { 'content-range': `bytes 0-9/${body.length}`, 'content-length': 10 })
        .end(body.subarray(0, 10));
    else serve(request, response, body, { etag: '"v1"', ...(visit === 1 && { cutAfter: 1000 }) });
  });
  await get();
  landed(into);
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.range),
    [undefined, 'bytes=1000-', undefined],
  );
});

test('download() refuses a file cut short without a broken connection, and keeps what came', async (t) => {
  const { get, into } = await setting(t, (request, response) =>
    serve(request, response, body, { etag: '"v1"', ranges: false, cutAfter: 1000 }),
  );
  await assert.rejects(get(), failsWith('download-failed', { received: /of 300000 bytes/ }));
  assert.equal(existsSync(into), false);
  assert.equal(statSync(`${into}.part`).size, 1000);
});

test('download() gives up on a server that falls silent', async (t) => {
  const { get, server } = await setting(
    t,
    (_, response) => void response.writeHead(200, { 'content-length': body.length }).write(body.subarray(0, 10)),
  );
  await assert.rejects(
    get({ stallMs: 60 }),
    failsWith('download-failed', { reason: /sent less than 60 bytes in 60 ms/, received: /10 of 300000/ }),
  );
  assert.ok(server.seen.length > 1, 'tried again');
});

test('download() gives up on a server that sends a byte now and then', async (t) => {
  const { get, server } = await setting(t, (_, response) => {
    response.writeHead(200, { 'content-length': body.length });
    const trickle = setInterval(() => response.write('x'), 5);
    response.on('close', () => clearInterval(trickle));
  });
  await assert.rejects(
    get({ stallMs: 100 }),
    failsWith('download-failed', { reason: /sent less than 100 bytes in 100 ms/ }),
  );
  assert.ok(server.seen.length > 1, 'tried again');
});

test('download() gives up on a server that never answers', async (t) => {
  const { get } = await setting(t, () => {});
  await assert.rejects(get({ stallMs: 40 }), failsWith('download-failed', { reason: /no answer within 40 ms/ }));
});

test('download() tries again when the server is in trouble for a while', async (t) => {
  const { get, into, server } = await setting(t, (request, response, visit) => {
    if (visit === 1) response.writeHead(503).end();
    else if (visit === 2) request.socket.destroy();
    else if (visit === 3) response.writeHead(500).end('oops');
    else serve(request, response, body);
  });
  await get();
  landed(into);
  assert.equal(server.seen.length, 4);
});

test('download() gives up when the trouble lasts', async (t) => {
  const { get, server } = await setting(t, (_, response) => response.writeHead(502).end());
  await assert.rejects(get(), failsWith('download-failed', { status: /^502$/ }));
  assert.equal(server.seen.length, 4);
});

for (const status of [404, 410])
  test(`download() takes ${status} for an answer, at once`, async (t) => {
    const { get, server } = await setting(t, (_, response) => response.writeHead(status).end());
    await assert.rejects(get(), failsWith('source-missing', { status: new RegExp(`^${status}$`), url: /a\.tar\.gz/ }));
    assert.equal(server.seen.length, 1);
  });

for (const status of [401, 403])
  test(`download() does not ask twice after ${status}`, async (t) => {
    const { get, server } = await setting(t, (_, response) => response.writeHead(status).end());
    await assert.rejects(get(), failsWith('download-failed', { status: new RegExp(`^${status}$`) }));
    assert.equal(server.seen.length, 1);
  });

test('download() follows redirects', async (t) => {
  const { get, into, server } = await setting(t, (request, response) => {
    if (request.url === '/a.tar.gz') response.writeHead(302, { location: '/b' }).end('moved');
    else if (request.url === '/b') response.writeHead(307, { location: `${server.url}/c` }).end();
    else serve(request, response, body);
  });
  await get();
  landed(into);
  assert.deepEqual(
    server.seen.map(({ path }) => path),
    ['/a.tar.gz', '/b', '/c'],
  );
});

const redirects: readonly (readonly [title: string, location: string | undefined, reason: RegExp])[] = [
  ['that never end', '/a.tar.gz', /more than 10 redirects/],
  ['to a file', 'file:///etc/passwd', /redirect to file:/],
  ['to nowhere', undefined, /redirect to nowhere/],
];

for (const [title, location, reason] of redirects)
  test(`download() refuses redirects ${title}`, async (t) => {
    const { get } = await setting(t, (_, response) =>
      response.writeHead(302, location === undefined ? {} : { location }).end(),
    );
    await assert.rejects(get(), failsWith('download-failed', { reason }));
  });

test('download() refuses a web page where an archive is expected, and takes it elsewhere', async (t) => {
  const page = '\n<!DOCTYPE html>\n<html><title>Log in</title></html>';
  const { get, into, server } = await setting(t, (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(page),
  );
  await assert.rejects(get({ expect: 'archive' }), failsWith('download-failed', { reason: /web page/ }));
  assert.equal(existsSync(`${into}.part`), false);
  assert.equal(server.seen.length, 1);
  await get();
  assert.equal(readFileSync(into, 'utf8'), page);
});

test('download() refuses a file that is not the one insisted on, naming both', async (t) => {
  const { get, into } = await setting(t, (request, response) => serve(request, response, body));
  const wanted = digestOf('another');
  await assert.rejects(
    get({ digest: wanted }),
    failsWith('pin-mismatch', { expected: new RegExp(wanted), found: new RegExp(digestOf(body)) }),
  );
  await assert.rejects(get({ sizeBytes: 7 }), failsWith('pin-mismatch', { expected: /7 bytes/ }));
  assert.equal(existsSync(into), false);
  assert.equal(existsSync(`${into}.part`), false);
});

test('download() opens no socket when offline', async (t) => {
  const { get, server } = await setting(t, (request, response) => serve(request, response, body));
  await assert.rejects(get({ offline: true }), failsWith('download-failed', { url: /a\.tar\.gz/, reason: /offline/ }));
  assert.equal(server.seen.length, 0);
});

test('download() says so when nobody listens', async (t) => {
  const { get, server } = await setting(t, () => {});
  await server.stop();
  await assert.rejects(get(), failsWith('download-failed', { reason: /no connection/ }));
});

test('download() stops when it is told to, with the reason given', async (t) => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const { get } = await setting(
    t,
    (_, response) => void response.writeHead(200, { 'content-length': body.length }).write(body.subarray(0, 10)),
  );
  const pending = get({ signal: stop.signal, progress: () => stop.abort(reason) });
  await assert.rejects(pending, (thrown) => thrown === reason);
});

test('download() uses user and password of a URL and never shows them', async (t) => {
  const { get, server } = await setting(t, (_, response) => response.writeHead(403).end());
  const url = `${server.url.replace('://', '://jo:s3cret@')}/a`;
  await assert.rejects(get({ url }), (error: VbuildError) => {
    assert.doesNotMatch(JSON.stringify(error.facts), /s3cret|jo/);
    return true;
  });
  assert.equal(server.seen[0]?.headers.authorization, `Basic ${Buffer.from('jo:s3cret').toString('base64')}`);
});

test('download() goes through the proxy of the environment, but not for hosts in no_proxy', async (t) => {
  const { get, into, server } = await setting(t, (request, response) => serve(request, response, body));
  const proxy = await httpServer(t, (request, response) => {
    httpGet(request.url ?? '', (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)));
  });
  await get({ environment: { http_proxy: proxy.url, no_proxy: '127.0.0.1' } });
  assert.equal(proxy.seen.length, 0);
  await get({ into: `${into}2`, environment: { http_proxy: proxy.url } });
  assert.deepEqual(
    proxy.seen.map(({ path }) => path),
    [`${server.url}/a.tar.gz`],
  );
  landed(`${into}2`);
});

/** What one download from an https server on loopback ends with, in a process of its own: authorities are read at its start. */
async function overHttps(
  t: TestContext,
  answer: string,
  trusting: (cert: string) => NodeJS.ProcessEnv,
): Promise<string> {
  const folder = tempDir(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const form = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', ...form, ...subject, '-keyout', key, '-out', cert]);
  const script = `
    import { createServer } from 'node:https';
    import { readFileSync } from 'node:fs';
    import { download } from ${JSON.stringify(join(import.meta.dirname, '../../src/system/download.ts'))};
    const server = createServer({ key: readFileSync(${JSON.stringify(key)}), cert: readFileSync(${JSON.stringify(cert)}) }, (_, response) => ${answer});
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { sizeBytes } = await download({ url: 'https://127.0.0.1:' + server.address().port + '/a', into: ${JSON.stringify(join(folder, 'file'))}, offline: false, signal: new AbortController().signal, backoffMs: 1 });
      console.log('downloaded ' + sizeBytes);
    } catch (error) { console.log(error.code + ': ' + error.facts.reason); }
    server.close();
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...trusting(cert) },
  });
  return stdout;
}

test('download() refuses a redirect from https to http', async (t) => {
  const answer = "response.writeHead(302, { location: 'http://127.0.0.1:1/a' }).end()";
  assert.match(
    await overHttps(t, answer, (cert) => ({ NODE_EXTRA_CA_CERTS: cert })),
    /^download-failed: a redirect from https to http/,
  );
});

for (const variable of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'])
  test(`download() trusts an authority that ${variable} names, and none that nobody named`, async (t) => {
    const answer = "response.end('12345')";
    assert.equal(await overHttps(t, answer, (cert) => ({ [variable]: cert })), 'downloaded 5\n');
    assert.match(await overHttps(t, answer, () => ({})), /^download-failed: no connection \(.*certificate/);
  });
