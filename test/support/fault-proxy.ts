/** An HTTP proxy on loopback that misbehaves on demand, to stand between a client under test and a real server. */
import { Agent, type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import type { Socket } from 'node:net';
import { once } from 'node:events';

/** What goes wrong. `at` counts bytes of a body. */
export type Fault =
  /** The connection is reset once the request's head is read. */
  | { readonly kind: 'refuse' }
  /** The request is read and never answered. */
  | { readonly kind: 'hang' }
  /** The request's body is never read, and there is no answer. */
  | { readonly kind: 'hang-upload' }
  /** Answered without asking the server. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The server does what it is asked, but the client hears nothing of it: the connection is reset instead. */
  | { readonly kind: 'lose-answer' }
  /** One bit of the request's body is turned over. */
  | { readonly kind: 'flip-upload'; readonly at: number }
  /** One bit of the answer's body is turned over. */
  | { readonly kind: 'flip'; readonly at: number }
  /** The answer's body ends early: by a reset, by silence, or in good order with a Content-Length to match. */
  | { readonly kind: 'reset' | 'stall' | 'short'; readonly at: number }
  /** Nothing is wrong but that it takes longer. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** One byte of the answer's body per `everyMs`. */
  | { readonly kind: 'trickle'; readonly everyMs: number };

export interface Rule {
  readonly fault: Fault;
  /** Which requests; all when not given. */
  readonly when?: (method: string, url: string) => boolean;
  /** How often it fires before it is spent; without end when not given. */
  readonly times?: number;
}

export interface FaultProxy {
  readonly url: string;
  /** `METHOD /url` of each request in the order of arrival. */
  readonly log: readonly string[];
  /** Replaces all rules; the first that fits a request decides. */
  misbehave(...rules: readonly Rule[]): void;
  /** Resolves when the next request arrives for which `when` holds. */
  arrival(when: (method: string, url: string) => boolean): Promise<void>;
  close(): Promise<void>;
}

export const s3Error = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`;

/** @param target URL of the server behind; the Host header passes unchanged, so signatures made for the proxy's URL stay valid. */
export async function faultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const sockets = new Set<Socket>();
  const log: string[] = [];
  let rules: { rule: Rule; left: number }[] = [];
  let waiting: { when: (method: string, url: string) => boolean; tell: () => void }[] = [];

  const faultFor = (method: string, url: string): Fault | undefined => {
    const found = rules.find(({ rule, left }) => left > 0 && (rule.when?.(method, url) ?? true));
    if (found) found.left -= 1;
    return found?.rule.fault;
  };
  const flipped = (chunk: Buffer, start: number, at: number): Buffer => {
    if (at < start || at >= start + chunk.length) return chunk;
    const copy = Buffer.from(chunk);
    copy[at - start] = (copy[at - start] ?? 0) ^ 1;
    return copy;
  };

  async function serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '' } = asked;
    log.push(`${method} ${url}`);
    const fault = faultFor(method, url);
    const told = waiting.filter(({ when }) => when(method, url));
    waiting = waiting.filter((one) => !told.includes(one));
    for (const { tell } of told) tell();
    if (fault?.kind === 'refuse') return void asked.socket.resetAndDestroy();
    if (fault?.kind === 'hang-upload') return void asked.pause();
    if (fault?.kind === 'hang') return void asked.resume();
    if (fault?.kind === 'answer') {
      asked.resume();
      return void answer
        .writeHead(fault.status, { 'content-length': Buffer.byteLength(fault.body), ...fault.headers })
        .end(method === 'HEAD' ? undefined : fault.body);
    }
    if (fault?.kind === 'delay') await new Promise((passed) => setTimeout(passed, fault.ms));
    const behind = request({ hostname, port, method, path: url, headers: asked.headers, agent });
    behind.on('error', () => asked.socket.resetAndDestroy());
    answer.on('close', () => answer.writableFinished || behind.destroy());
    const replied = once(behind, 'response') as Promise<[IncomingMessage]>;
    // A client that goes away in the middle of its request never gets to hear of it.
    replied.catch(() => {});
    let sent = 0;
    for await (const chunk of asked as AsyncIterable<Buffer>) {
      if (!behind.write(fault?.kind === 'flip-upload' ? flipped(chunk, sent, fault.at) : chunk))
        await once(behind, 'drain');
      sent += chunk.length;
    }
    behind.end();
    const [reply] = await replied;
    if (fault?.kind === 'lose-answer') return void reply.resume().on('close', () => asked.socket.resetAndDestroy());
    answer
      .writeHead(
        reply.statusCode ?? 500,
        fault?.kind === 'short' ? { ...reply.headers, 'content-length': fault.at } : reply.headers,
      )
      .flushHeaders();
    let got = 0;
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      const cut =
        fault !== undefined &&
        'at' in fault &&
        fault.kind !== 'flip' &&
        fault.kind !== 'flip-upload' &&
        got + chunk.length >= fault.at
          ? fault
          : undefined;
      const part = cut
        ? chunk.subarray(0, cut.at - got)
        : fault?.kind === 'flip'
          ? flipped(chunk, got, fault.at)
          : chunk;
      got += part.length;
      if (fault?.kind === 'trickle') await trickle(part, answer, fault.everyMs);
      else if (part.length > 0 && !answer.write(part)) await drained(answer);
      if (answer.destroyed || cut?.kind === 'stall') return;
      if (cut?.kind === 'short') return void answer.end();
      if (cut?.kind === 'reset') return void setTimeout(() => asked.socket.resetAndDestroy(), 20);
    }
    answer.end();
  }

  const server = createServer((asked, answer) => {
    asked.on('error', () => {});
    answer.on('error', () => {});
    serve(asked, answer).catch(() => asked.socket.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    log,
    misbehave: (...given) =>
      void (rules = given.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }))),
    arrival: (when) => new Promise((tell) => waiting.push({ when, tell })),
    async close() {
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Resolves when there is room again, or nobody left to read. */
const drained = (answer: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      answer.off('drain', done).off('close', done);
      resolve();
    };
    answer.on('drain', done).on('close', done);
    if (answer.destroyed) done();
  });

async function trickle(bytes: Buffer, answer: ServerResponse, everyMs: number): Promise<void> {
  for (let at = 0; at < bytes.length && !answer.destroyed; at++) {
    answer.write(bytes.subarray(at, at + 1));
    await new Promise((passed) => setTimeout(passed, everyMs));
  }
}
