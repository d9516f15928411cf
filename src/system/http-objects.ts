/** Objects that a plain web server hands out, for reading only. */
import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { agentsFor, ask, shownUrl } from './http.ts';
import { landObject } from './landing.ts';
import { arriving, collected, Damaged, NotFromStore, type Objects, type Traffic } from './objects.ts';

/** What the server, or the way to it, has against a request. */
export class HttpTrouble extends Error {
  override readonly name = 'HttpTrouble';
  /** Undefined where no answer came. */
  readonly status: number | undefined;
  /** Whether the same request may succeed a moment later. */
  readonly passing: boolean;

  constructor(reason: string, passing: boolean, status: number | undefined) {
    super(reason);
    this.passing = passing;
    this.status = status;
  }
}

interface HttpPlace {
  /** Without a slash at its end. */
  readonly url: string;
  /** For the proxy variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a connection may be silent, in milliseconds. */
  readonly idleMs: number;
}

export function openHttp({ url, env, idleMs }: HttpPlace): Objects {
  const traffic: Traffic = { requests: 0, receivedBytes: 0, sentBytes: 0 };
  const agents = agentsFor(env, { keepAlive: true });

  async function get(
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly response: IncomingMessage; readonly announcedBytes: number | undefined }> {
    traffic.requests += 1;
    const address = `${url}/${name.split('/').map(encodeURIComponent).join('/')}`;
    const answered = await ask({ url: address, headers: {}, environment: env, signal, stallMs: idleMs, agents });
    if ('error' in answered) {
      const { error, passing, status } = answered;
      const told = error.facts['status'];
      const reason = error.facts['reason'] ?? error.message;
      throw new HttpTrouble(reason, passing, status ?? (told === undefined ? undefined : Number(told)));
    }
    const { response } = answered;
    // A body that breaks before anyone reads it must not end the process; its reader sees the error all the same.
    response.on('error', () => {});
    if (response.headers['content-type']?.startsWith('text/html') === true) {
      response.destroy();
      throw new NotFromStore(`a web page instead of ${shownUrl(address)}`);
    }
    const length = response.headers['content-length'];
    return { response, announcedBytes: length === undefined ? undefined : Number(length) };
  }

  return {
    traffic,
    async getSmall(name, limitBytes, signal) {
      const { response, announcedBytes } = await get(name, signal);
      try {
        const uncounted = { receivedBytes: 0 };
        const bytes = await collected(arriving(response, { idleMs, signal, traffic }), limitBytes, uncounted);
        if (announcedBytes !== undefined && bytes.length !== announcedBytes)
          throw new Damaged(`it has ${bytes.length} bytes, announced were ${announcedBytes}`);
        return bytes;
      } finally {
        response.destroy();
      }
    },
    async getFile(name, into, { signal, ...checks }) {
      const { response, announcedBytes } = await get(name, signal);
      try {
        const body = Readable.from(arriving(response, { idleMs, signal, traffic }));
        return await landObject(body, into, announcedBytes, checks);
      } finally {
        response.destroy();
      }
    },
    async stat(name, signal) {
      try {
        const { response, announcedBytes } = await get(name, signal);
        response.destroy();
        return { sizeBytes: announcedBytes ?? 0, modifiedMs: Date.parse(response.headers['last-modified'] ?? '') || 0 };
      } catch (error) {
        if (error instanceof HttpTrouble && (error.status === 404 || error.status === 410)) return undefined;
        throw error;
      }
    },
  };
}
