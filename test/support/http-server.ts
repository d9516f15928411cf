/** A real HTTP server on loopback whose answers a test decides, faults included. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { WithCleanUp } from './temp.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse, visit: number) => void;

export interface TestServer {
  /** `http://127.0.0.1:PORT`, without a slash at its end. */
  readonly url: string;
  /** Every request so far. */
  readonly seen: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** Ends the server: later connections are refused. */
  stop(): Promise<void>;
}

/** @param answer Called with the 1-based number of the request. */
export async function httpServer(t: WithCleanUp, answer: Answer): Promise<TestServer> {
  const seen: TestServer['seen'] = [];
  const server: Server = createServer((request, response) => {
    seen.push({ path: request.url ?? '', headers: request.headers });
    answer(request, response, seen.length);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening)
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
  };
  t.after(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, stop };
}

export interface ServeOptions {
  /** Answers `Range` requests; true when not given. */
  readonly ranges?: boolean;
  readonly etag?: string;
  /** Cuts the connection after this many bytes of the body. */
  readonly cutAfter?: number;
}

/** Answers like a file server that knows ranges and entity tags. */
export function serve(
  request: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array,
  options: ServeOptions = {},
): void {
  const { ranges = true, etag, cutAfter } = options;
  const wanted = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const start = Number(wanted?.[1] ?? 0);
  const applies =
    ranges && wanted !== null && (request.headers['if-range'] === undefined || request.headers['if-range'] === etag);
  if (applies && start >= body.length) {
    response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
    return;
  }
  const part = applies ? body.subarray(start) : body;
  response.writeHead(applies ? 206 : 200, {
    'content-length': part.length,
    ...(etag !== undefined && { etag }),
    ...(applies && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
  });
  if (cutAfter === undefined) response.end(part);
  else response.write(part.subarray(0, cutAfter), () => response.destroy());
}

/** Hands out the files of a folder, as any web server does. @returns as `httpServer`. */
export const fileServer = (t: WithCleanUp, folder: string): Promise<TestServer> =>
  httpServer(t, (request, response) => {
    const path = join(folder, decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html>Not found</html>');
      return;
    }
    response.writeHead(200, {
      'content-length': stat.size,
      'content-type': 'application/octet-stream',
      'last-modified': stat.mtime.toUTCString(),
    });
    // No more than was promised, whatever is put in the file's place while its end is looked for.
    if (stat.size === 0) response.end();
    else createReadStream(path, { end: stat.size - 1 }).pipe(response);
  });
