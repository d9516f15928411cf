/** Git over HTTP and HTTPS on loopback, by git's own http-backend: with a log-in, and with a server of LFS beside it. */
import { execFileSync, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WithCleanUp } from './temp.ts';

export interface GitHttpServer {
  /** `http://127.0.0.1:PORT` or `https:`; a repository's path below the served folder follows. */
  readonly url: string;
  /** Every request so far: method and path. */
  readonly seen: readonly string[];
}

export interface GitHttpOptions {
  /** `user:password`; nobody else is answered. */
  readonly login?: string;
  /** Certificate and key as PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** What is asked by POST is answered after that; is called once for each. */
  readonly hold?: () => Promise<void>;
  /** What LFS has, by SHA-256. */
  readonly lfs?: ReadonlyMap<string, Uint8Array>;
}

/** Serves all repositories below a folder. */
export async function gitHttpServer(t: WithCleanUp, top: string, options: GitHttpOptions = {}): Promise<GitHttpServer> {
  const seen: string[] = [];
  let url = '';
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '';
    seen.push(`${request.method} ${path}`);
    const { login, lfs, hold } = options;
    if (login !== undefined && request.headers.authorization !== `Basic ${Buffer.from(login).toString('base64')}`)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    else if (lfs !== undefined && path.includes('/info/lfs/')) answerLfs(request, response, lfs, url);
    else if (hold !== undefined && request.method === 'POST') void hold().then(() => backend(request, response, top));
    else backend(request, response, top);
  };
  const { tls } = options;
  const server =
    tls === undefined ? createServer(answer) : createSecureServer({ cert: tls.certificate, key: tls.key }, answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, seen };
}

/** @see RFC 3875, and git-http-backend(1). */
function backend(request: IncomingMessage, response: ServerResponse, top: string): void {
  const { pathname, search } = new URL(request.url ?? '', 'http://x');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROJECT_ROOT: top,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  let head = '';
  child.stdout.on('data', (bytes: Buffer) => {
    if (response.headersSent) return void response.write(bytes);
    head += bytes.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const headers = head
      .slice(0, end)
      .split('\r\n')
      .map((line) => line.split(': ') as [string, string]);
    const status = Number(headers.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200);
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
    return void response.write(Buffer.from(head.slice(end + 4), 'latin1'));
  });
  child.stdout.on('end', () => response.end());
}

/** @see The Git LFS API specification, "Batch API" and "Basic Transfer API". */
function answerLfs(
  request: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, Uint8Array>,
  url: string,
): void {
  const wanted = /\/info\/lfs\/files\/([0-9a-f]+)$/.exec(request.url ?? '')?.[1];
  if (wanted !== undefined) return void response.end(files.get(wanted));
  const chunks: Buffer[] = [];
  request.on('data', (bytes: Buffer) => chunks.push(bytes));
  request.on('end', () => {
    const { objects } = JSON.parse(Buffer.concat(chunks).toString()) as { objects: { oid: string; size: number }[] };
    const top = (request.url ?? '').replace(/\/objects\/batch$/, '');
    const answers = objects.map(({ oid, size }) => ({
      oid,
      size,
      ...(files.has(oid)
        ? { actions: { download: { href: `${url}${top}/files/${oid}` } } }
        : { error: { code: 404, message: 'gone' } }),
    }));
    response
      .writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' })
      .end(JSON.stringify({ transfer: 'basic', objects: answers }));
  });
  return undefined;
}

/** A certificate for 127.0.0.1 that is its own authority. @returns PEM texts, and the path of the certificate. */
export function selfSigned(top: string): { certificate: string; key: string; file: string } {
  const [file, keyFile] = [join(top, 'certificate.pem'), join(top, 'key.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', file], { stdio: 'ignore' });
  return { certificate: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8'), file };
}
