/** A real browser for pages that are read without network: what it shows, and whether it asks for anything else. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tempDir, type WithCleanUp } from './temp.ts';

const isThere = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'chromium')));

/** For `test(…, { skip })`: its absence is a failure where `CI` is set and else a reason to skip. */
export const skipWithoutChromium: string | false =
  isThere || process.env['CI'] ? false : 'no browser here: apt-get install --no-install-recommends chromium';

export interface Page {
  /** The value of an expression in the page, as JSON carries it. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Writes what is seen, whole, as a PNG. */
  screenshot(path: string): Promise<void>;
  /** Everything that was asked for beside the page itself. */
  readonly requests: readonly string[];
  /** What the page complained about. */
  readonly complaints: readonly string[];
}

/** Opens a file in a browser of its own, which ends with the test. */
export async function openPage(
  t: WithCleanUp,
  file: string,
  { width, scheme }: { readonly width: number; readonly scheme: 'light' | 'dark' },
): Promise<Page> {
  const profile = tempDir(t, 'chromium');
  const browser = spawn(
    'chromium',
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--no-first-run',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: { ...process.env, HOME: profile, TMPDIR: profile } },
  );
  t.after(async () => {
    const gone = new Promise((resolve) => browser.on('exit', resolve));
    if (browser.pid === undefined || browser.exitCode !== null) return;
    process.kill(-browser.pid, 'SIGKILL');
    await gone;
  });
  const port = await new Promise<string>((resolve, reject) => {
    let said = '';
    browser.on('error', reject);
    browser.on('exit', () => reject(new Error(`chromium ended: ${said}`)));
    browser.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      const [, found] = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  t.after(() => socket.close());

  const url = pathToFileURL(file).href;
  const requests: string[] = [];
  const complaints: string[] = [];
  const waiting = new Map<number, (answer: { result?: unknown; error?: unknown }) => void>();
  const loaded = Promise.withResolvers<void>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data));
    if (message.id !== undefined) return waiting.get(message.id)?.(message);
    if (message.method === 'Network.requestWillBeSent' && message.params.request.url !== url)
      requests.push(message.params.request.url);
    if (message.method === 'Log.entryAdded') complaints.push(message.params.entry.text);
    if (message.method === 'Page.loadEventFired') loaded.resolve();
  });
  let last = 0;
  async function call<Result>(method: string, params: object = {}): Promise<Result> {
    const id = (last += 1);
    const answered = Promise.withResolvers<{ result?: unknown; error?: unknown }>();
    waiting.set(id, answered.resolve);
    socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answered.promise;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Result;
  }
  for (const domain of ['Network', 'Log', 'Page']) await call(`${domain}.enable`);
  await call('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
  await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
  await call('Page.navigate', { url });
  await loaded.promise;
  return {
    requests,
    complaints,
    async evaluate<Value>(expression: string) {
      const { result, exceptionDetails } = await call<{
        result: { value: Value };
        exceptionDetails?: { text: string };
      }>('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
      return result.value;
    },
    async screenshot(path) {
      const { data } = await call<{ data: string }>('Page.captureScreenshot', { captureBeyondViewport: true });
      writeFileSync(path, data, 'base64');
    },
  };
}
