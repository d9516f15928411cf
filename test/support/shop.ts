/** A site on a server as people have it: a git repository that Capistrano deploys over ssh, run by supervisord. */
import { readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkIn } from './check-in.ts';
import { freePort, startDaemon } from './daemon.ts';
import { sshServer } from './ssh-server.ts';
import { type Tree, tempDir, type WithCleanUp, writeTree } from './temp.ts';
import { checkout, type Ended, runProgram, vbuildBin } from './vbuild.ts';

export interface Shop {
  /** Absolute path of the developer's clone, from where it is deployed. */
  readonly clone: string;
  /** Changes files and commits them. */
  commit(changes: Tree): void;
  cap(task: string, env?: Readonly<Record<string, string>>): Promise<Ended>;
  supervisorctl(...args: readonly string[]): Promise<Ended>;
  /** What the site answers, as soon as it does. */
  answer(): Promise<ShopAnswer>;
  /** Where `current` points. */
  release(): string;
}

export interface ShopAnswer {
  readonly version: string;
  readonly pid: number;
  readonly pil: string;
  readonly from: string;
}

/** What every project that Capistrano deploys from git begins with. */
export const capfile = `require 'capistrano/setup'
require 'capistrano/deploy'
require 'capistrano/scm/git'
install_plugin Capistrano::SCM::Git
Dir.glob('lib/capistrano/tasks/*.rake').each { |file| import file }
`;

/**
 * @param project What its repository holds beside the site itself: Buildfile, lock file, patches.
 * @param cache   Absolute path of the disk cache that stands for what the server has fetched so far.
 */
export async function shop(
  t: WithCleanUp,
  {
    project,
    buildfile,
    target,
    cache,
  }: { readonly project: Tree; readonly buildfile: string; readonly target: string; readonly cache: string },
): Promise<Shop> {
  const top = tempDir(t, 'shop');
  const [clone, server, home] = [join(top, 'clone'), join(top, 'srv'), join(top, 'home')];
  const ssh = await sshServer(t, top);
  const { port } = await supervisor(t, top, server);
  const ruby = (value: unknown): string => JSON.stringify(value);
  const lock = buildfile.replace(/ts$/, 'lock');
  writeTree(clone, {
    ...project,
    'shop.py': readFileSync(join(checkout, 'test/support/shop.py'), 'utf8'),
    Capfile: capfile,
    'lib/capistrano/tasks/vbuild.rake': readFileSync(join(checkout, 'deploy/capistrano/vbuild.rake'), 'utf8'),
    'config/deploy.rb': `lock '~> 3.17'
set :application, 'shop'
set :repo_url, ${ruby(clone)}
set :branch, 'main'
set :deploy_to, ${ruby(server)}
set :tmp_dir, ${ruby(top)}
set :keep_releases, 5
set :vbuild, ${ruby(vbuildBin)}
set :vbuild_targets, [${ruby(target)}]
set :vbuild_buildfile, ${ruby(buildfile)}
set :vbuild_files, ${ruby([buildfile, lock, 'patches'])}
Rake::Task['vbuild:check'].clear_actions if ENV['WITHOUT_CHECK']
after 'deploy:published', :restart_site do
  on(roles(:all)) { execute :supervisorctl, '-c', ${ruby(join(top, 'supervisord.conf'))}, 'restart', 'shop' }
end
`,
    'config/deploy/production.rb': ssh.server,
  });
  checkIn(clone);
  writeTree(server, { 'shared/README': '' });
  symlinkSync(cache, join(server, 'shared/vbuild'));
  const run = (argv: readonly string[], env = {}): Promise<Ended> => runProgram(argv, { cwd: clone, home, env });
  return {
    clone,
    commit(changes) {
      writeTree(clone, changes);
      checkIn(clone);
    },
    cap: (task, env = {}) => run(['cap', 'production', task], env),
    supervisorctl: (...args) => run(['supervisorctl', '-c', join(top, 'supervisord.conf'), ...args]),
    release: () => readlinkSync(join(server, 'current')),
    async answer() {
      for (let tries = 0; ; tries += 1) {
        try {
          return (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as ShopAnswer;
        } catch (error) {
          if (tries > 1200) throw error;
          await sleep(50);
        }
      }
    },
  };
}

/** A supervisord with one program, which is not there yet. @returns The port that the site is to listen on. */
async function supervisor(t: WithCleanUp, top: string, server: string): Promise<{ readonly port: number }> {
  const port = await freePort();
  const current = join(server, 'current');
  const configuration = (control: number): string => `[supervisord]
nodaemon=true
user=${process.getuid?.() === 0 ? 'root' : ''}
logfile=/dev/null
logfile_maxbytes=0
pidfile=${top}/supervisord.pid
[inet_http_server]
port=127.0.0.1:${control}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=http://127.0.0.1:${control}
[program:shop]
command=sh -c 'cd -P ${current} && exec ${vbuildBin} exec --prefix vendor -- /usr/bin/python3 shop.py ${port}'
environment=HOME="${top}/home",XDG_CACHE_HOME="${top}/home/.cache"
autostart=false
stopasgroup=true
killasgroup=true
stdout_logfile=${top}/shop.log
redirect_stderr=true
`;
  await startDaemon(t, {
    argv: (control) => {
      writeTree(top, { 'supervisord.conf': configuration(control).replace(/^user=\n/m, '') });
      return ['/usr/bin/supervisord', '-c', join(top, 'supervisord.conf')];
    },
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    scheme: 'http',
  });
  return { port };
}
