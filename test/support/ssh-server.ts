/** A real ssh server on loopback, run by whoever runs the tests, for whoever runs the tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { startDaemon } from './daemon.ts';
import type { WithCleanUp } from './temp.ts';

export interface SshServer {
  /** `ssh://USER@127.0.0.1:PORT`; an absolute path follows. */
  readonly url: string;
  /** The command of a client that knows the server and has the key. */
  readonly command: string;
  /** The same without knowing the server. */
  readonly commandOfStranger: string;
  readonly user: string;
  readonly port: number;
  /** What tells Capistrano of it: one server, with the role app. */
  readonly server: string;
}

/** @param top Absolute path of a folder for its keys. */
export async function sshServer(t: WithCleanUp, top: string): Promise<SshServer> {
  const folder = join(top, 'sshd');
  mkdirSync(folder);
  const [hostKey, userKey] = [join(folder, 'host'), join(folder, 'user')];
  for (const key of [hostKey, userKey]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const configuration = join(folder, 'sshd_config');
  writeFileSync(
    configuration,
    [
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${userKey}.pub`,
      'ListenAddress 127.0.0.1',
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      '',
    ].join('\n'),
  );
  // Where root runs it, it wants this folder of its own.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const { port } = await startDaemon(t, {
    argv: (free) => ['/usr/sbin/sshd', '-D', '-e', '-f', configuration, '-p', String(free)],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    scheme: 'ssh',
  });
  const known = join(folder, 'known_hosts');
  const published = execFileSync('ssh-keygen', ['-y', '-f', hostKey], { encoding: 'utf8' });
  writeFileSync(known, `[127.0.0.1]:${port} ${published}`);
  const command = (hosts: string): string =>
    `ssh -F none -i ${userKey} -o IdentitiesOnly=yes -o UserKnownHostsFile=${hosts} -o GlobalKnownHostsFile=/dev/null`;
  const { username: user } = userInfo();
  return {
    user,
    port,
    server: `server '127.0.0.1', user: ${JSON.stringify(user)}, roles: %w[app], ssh_options: {
  port: ${port}, keys: [${JSON.stringify(userKey)}], keys_only: true, config: false, auth_methods: %w[publickey],
  user_known_hosts_file: ${JSON.stringify(known)}, verify_host_key: :always
}
`,
    url: `ssh://${user}@127.0.0.1:${port}`,
    command: command(known),
    commandOfStranger: command('/dev/null'),
  };
}
