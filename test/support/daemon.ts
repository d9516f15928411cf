/** Servers for tests: real daemons on loopback that end with the test. */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WithCleanUp } from './temp.ts';

export interface Daemon {
  /** `SCHEME://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a program that listens on a free port of loopback and stays in the foreground; returns when it takes connections. */
export async function startDaemon(
  t: WithCleanUp,
  what: {
    readonly argv: (port: number) => readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly scheme: string;
    readonly cwd?: string;
  },
): Promise<Daemon> {
  const port = await freePort();
  const [program = '', ...args] = what.argv(port);
  const daemon = spawn(program, args, {
    env: what.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(what.cwd !== undefined && { cwd: what.cwd }),
  });
  let said = '';
  for (const output of [daemon.stdout, daemon.stderr])
    output.on('data', (text: Buffer) => void (said += text.toString()));
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    daemon.on('error', (error) => {
      failure = error;
      resolve();
    });
    daemon.on('exit', () => resolve());
  });
  const runs = (): boolean => failure === undefined && daemon.exitCode === null && daemon.signalCode === null;
  const stop = async (): Promise<void> => {
    if (runs() && daemon.pid !== undefined) process.kill(-daemon.pid, 'SIGKILL');
    await ended;
  };
  t.after(stop);
  for (let tries = 0; !(await listens(port)); tries += 1) {
    if (!runs() || tries > 600) throw new Error(`${program} does not listen: ${failure?.message ?? said}`);
    await sleep(50);
  }
  return { url: `${what.scheme}://127.0.0.1:${port}`, port, stop };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise<void>((resolve) => {
    probe.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
