/** One GET over HTTP or HTTPS: proxies, redirects, and each way of failing told apart. */
import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { messageOf, VbuildError } from '../model/error.ts';

// An import would look at all that they export, and so load Node's WebSocket, which takes longer than a request.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

export interface Answered {
  /** Status 200 or 206; its body is still to be read. Bytes are as sent: no content coding is undone. */
  readonly response: IncomingMessage;
  readonly finalUrl: string;
}

export interface Trouble {
  readonly error: VbuildError;
  /** Whether trying again may help. */
  readonly passing: boolean;
  readonly status?: number;
}

interface Question {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the proxy variables are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Longest wait for the head of an answer, in milliseconds. */
  readonly stallMs: number;
  /** Whose connections are used, for many requests to one server; each request has its own when not given. */
  readonly agents?: Agents;
}

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** What the environment says of a proxy cannot be used. The value is not shown, for it may hold a password. */
class ProxyUnusable extends Error {
  override readonly name = 'ProxyUnusable';
}

/**
 * Agents that know the proxies of the environment, and the authorities of `NODE_EXTRA_CA_CERTS` and of the system.
 *
 * @param environment Where the proxy variables are looked up.
 * @throws {ProxyUnusable} here, or when `https` is first used.
 */
export function agentsFor(
  environment: Question['environment'],
  options: { readonly keepAlive?: boolean; readonly maxSockets?: number } = {},
): Agents {
  const proxyEnv = { ...environment };
  let secure: HttpsAgent | undefined;
  return {
    http: usable(() => new http.Agent({ proxyEnv, ...options })),
    get https() {
      return (secure ??= usable(() => new https.Agent({ proxyEnv, ...options, secureContext: secureContext() })));
    },
  };
}

let context: SecureContext | undefined;
/** One for all connections, since taking in some hundred authorities takes longer than a request. */
const secureContext = (): SecureContext =>
  // Debian keeps a site's own authorities in the system's store, which Node does not read by itself.
  (context ??= createSecureContext({ ca: [...getCACertificates('default'), ...getCACertificates('system')] }));

function usable<Agent>(make: () => Agent): Agent {
  try {
    return make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_PROXY_INVALID_CONFIG') throw error;
    throw new ProxyUnusable('the proxy that the environment names is not a URL');
  }
}

const mostRedirects = 10;

/** An URL without user, password and fragment, fit to be shown and kept. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  parsed.hash = '';
  return parsed.href;
}

/** Asks, following up to ten redirects; never from https to http, where anybody on the way could answer. Throws only for what is not trouble of the net. */
export async function ask(question: Question): Promise<Answered | Trouble> {
  let url = new URL(question.url);
  for (let redirects = 0; ; redirects += 1) {
    const found = await askOnce(url, question);
    if ('error' in found) return found;
    const { statusCode: status = 0, headers } = found;
    const refuse = (reason: string, passing: boolean): Trouble => {
      found.destroy();
      return trouble(question.url, reason, passing, {
        status: String(status),
        ...(redirects > 0 && { 'came from': withoutQuery(url) }),
      });
    };
    if (status === 200 || status === 206) return { response: found, finalUrl: url.href };
    if (status === 404 || status === 410) {
      found.destroy();
      return {
        error: missing(question.url, status, redirects > 0 ? withoutQuery(url) : undefined),
        passing: false,
        status,
      };
    }
    if (![301, 302, 303, 307, 308].includes(status)) {
      const passing = status >= 500 || status === 408 || status === 425 || status === 429;
      return { ...refuse(`the server answered ${status} ${found.statusMessage ?? ''}`.trim(), passing), status };
    }
    if (redirects >= mostRedirects) return refuse(`more than ${mostRedirects} redirects`, false);
    const { location } = headers;
    if (location === undefined || !URL.canParse(location, url.href))
      return refuse(`a redirect to nowhere (${location ?? 'no location given'})`, false);
    const next = new URL(location, url);
    if (next.protocol !== 'http:' && next.protocol !== 'https:') return refuse(`a redirect to ${next.protocol}`, false);
    if (url.protocol === 'https:' && next.protocol === 'http:')
      return refuse(`a redirect from https to http (${withoutQuery(next)})`, false);
    found.destroy();
    url = next;
  }
}

async function askOnce(
  url: URL,
  { headers, environment, signal, stallMs, url: asked, agents }: Question,
): Promise<IncomingMessage | Trouble> {
  const secure = url.protocol === 'https:';
  let stalled = false;
  try {
    const options = {
      agent: (agents ?? agentsFor(environment))[secure ? 'https' : 'http'],
      signal,
      headers: { 'user-agent': 'vbuild', accept: '*/*', 'accept-encoding': 'identity', ...headers },
    };
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const request = secure ? https.get(url, options, answer) : http.get(url, options, answer);
      const stall = setTimeout(() => {
        stalled = true;
        request.destroy(new Error('no answer'));
      }, stallMs);
      function answer(response: IncomingMessage): void {
        clearTimeout(stall);
        resolve(response);
      }
      request.on('error', (error) => {
        clearTimeout(stall);
        reject(error);
      });
    });
  } catch (error) {
    signal.throwIfAborted();
    if (stalled) return trouble(asked, `no answer within ${stallMs} ms`, true);
    if (error instanceof ProxyUnusable) return trouble(asked, error.message, false);
    const code = (error as NodeJS.ErrnoException).code ?? '';
    return trouble(
      asked,
      `no connection (${messageOf(error) || code})`,
      ['ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'ECONNABORTED'].includes(code),
    );
  }
}

/** Queries of redirected requests are often signatures that let anybody in. */
const withoutQuery = (url: URL): string => `${url.origin}${url.pathname}`;

const missing = (url: string, status: number, cameFrom: string | undefined): VbuildError =>
  new VbuildError('source-missing', 'Upstream has no such file', {
    facts: { url: shownUrl(url), status: String(status), ...(cameFrom !== undefined && { 'came from': cameFrom }) },
    mend: 'correct the URL, or name a mirror as a second one',
  });

export const troubleMendedBy =
  (mend: string) =>
  (url: string, reason: string, passing: boolean, facts: Readonly<Record<string, string>> = {}): Trouble => ({
    error: new VbuildError('download-failed', 'Download failed', {
      facts: { url: shownUrl(url), reason, ...facts },
      mend,
    }),
    passing,
  });

const trouble = troubleMendedBy('check the network and the proxy settings, or name a mirror as a second URL');
