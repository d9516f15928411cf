/** The deploy recipes that are no programs of their own: the script, and the tasks for Ansible. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { checkIn } from '../support/check-in.ts';
import { insistOnSuccess } from '../support/events.ts';
import type { Project } from '../support/project.ts';
import { served } from '../support/served.ts';
import { capfile } from '../support/shop.ts';
import { sshServer } from '../support/ssh-server.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { checkout, type Ended, runProgram, vbuildBin } from '../support/vbuild.ts';

/** What the prefix of a project holds. */
const holds = (site: Project, prefix: string): string[] => Object.keys(site.installed(prefix));

/** The same Buildfile, asking for these by default. */
const asking = (site: Project, before: string, now: string): void =>
  site.edit('Buildfile.ts', `defaults: [${before}]`, `defaults: [${now}]`);

test('the deploy script installs, and goes back where the command at its end fails', async (t) => {
  const { clone: site } = await served(t);
  const folder = tempDir(t, 'prefix');
  const prefix = join(folder, 'vendor');
  const bin = tempDir(t, 'bin');
  symlinkSync(vbuildBin, join(bin, 'vbuild'));
  const deployTo = (place: string, ...command: readonly string[]): Promise<Ended> =>
    runProgram([join(checkout, 'deploy/deploy.sh'), relative(folder, site.path), place, ...command], {
      cwd: folder,
      home: site.home,
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
  const deploy = (...command: readonly string[]): Promise<Ended> => deployTo('vendor', ...command);

  const unfinished = await deploy();
  assert.deepEqual([unfinished.exitStatus, unfinished.stderr], [2, 'usage: deploy.sh PROJECT PREFIX COMMAND…\n']);
  assert.equal((await deploy('true')).exitStatus, 3, 'the defaults are in no cache');
  asking(site, 'app, lone', 'leaf');
  const first = insistOnSuccess(await deploy('echo', 'restarted'));
  assert.match(first.stdout, /^restarted$/m);
  assert.deepEqual(holds(site, prefix), ['leaf']);

  asking(site, 'leaf', 'branch');
  // As a site that does not come up with what is new.
  const picky = ['sh', '-c', `echo asked; ! test -e '${prefix}/lib/libbranch.so'`];
  const second = await deploy(...picky);
  assert.equal(second.exitStatus, 1, second.stderr);
  assert.equal(second.stdout.match(/^asked$/gm)?.length, 2);
  assert.deepEqual(holds(site, prefix), ['leaf']);
  // As shells complete it.
  for (const place of ['vendor', 'vendor/', `${prefix}/`]) {
    assert.equal((await deployTo(place, 'false')).exitStatus, 1);
    assert.deepEqual(holds(site, prefix), ['leaf'], place);
  }
});

test('the tasks for Ansible install once, report a change once, and fail where a cache lacks something', async (t) => {
  const { clone: site } = await served(t);
  const folder = tempDir(t, 'ansible');
  const prefix = join(folder, 'vendor');
  writeTree(folder, {
    'site.yml': `- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    vbuild_program: ${vbuildBin}
    vbuild_project: ${site.path}
    vbuild_prefix: ${prefix}
    vbuild_cache: ${join(site.home, 'cache')}
  tasks:
    - ansible.builtin.import_tasks: ${join(checkout, 'deploy/ansible/vbuild.yml')}
      notify: Restart
    - ansible.builtin.debug:
        msg: "restart={{ vbuild_installed.changed }}"
  handlers:
    - name: Restart
      ansible.builtin.debug:
        msg: restarted
`,
  });
  const play = (...options: readonly string[]): Promise<Ended> =>
    runProgram(['ansible-playbook', '-i', 'localhost,', ...options, 'site.yml'], {
      cwd: folder,
      home: join(folder, 'home'),
      env: { ANSIBLE_LOCALHOST_WARNING: 'false', ANSIBLE_NOCOLOR: '1' },
    });

  const refused = await play();
  assert.equal(refused.exitStatus, 2, refused.stdout);
  assert.match(refused.stdout, /failed=1/);
  asking(site, 'app, lone', 'branch');
  const first = insistOnSuccess(await play());
  assert.match(first.stdout, /restart=True[\s\S]*restarted[\s\S]* changed=1 /);
  assert.deepEqual(holds(site, prefix), ['branch', 'leaf']);
  const second = insistOnSuccess(await play());
  assert.match(second.stdout, /restart=False[\s\S]* changed=0 /);
  assert.doesNotMatch(second.stdout, /restarted/);

  // The other way to use it, with every variable that is left, from the project on.
  const text = readFileSync(join(folder, 'site.yml'), 'utf8');
  const own = `vbuild_targets: [leaf]\n    vbuild_prefix: own vendor`;
  writeTree(folder, {
    'site.yml': text
      .replace('import_tasks', 'include_tasks')
      .replace('      notify: Restart\n', '')
      .replace(`vbuild_prefix: ${prefix}`, own),
  });
  const dry = insistOnSuccess(await play('--check'));
  assert.match(dry.stdout, /skipped=1/);
  assert.match(insistOnSuccess(await play()).stdout, /restart=True/);
  assert.deepEqual(holds(site, join(site.path, 'own vendor')), ['leaf']);
});

test('the recipe for Capistrano goes by all of its settings, and leaves no release where a cache lacks something', async (t) => {
  const { clone: site } = await served(t);
  const top = tempDir(t, 'capistrano');
  const [repository, server, cache] = [join(top, 'repository'), join(top, 'srv'), join(top, 'a cache')];
  const ssh = await sshServer(t, top);
  const text = (value: unknown): string => JSON.stringify(value);
  cpSync(site.path, join(repository, 'sites/shop'), { recursive: true, filter: (path) => !path.endsWith('/.git') });
  renameSync(join(repository, 'sites/shop/Buildfile.ts'), join(repository, 'sites/shop/Shop.ts'));
  renameSync(join(repository, 'sites/shop/Buildfile.lock'), join(repository, 'sites/shop/Shop.lock'));
  writeTree(repository, {
    'sites/shop/cap/Capfile': capfile,
    'sites/shop/cap/lib/capistrano/tasks/vbuild.rake': readFileSync(
      join(checkout, 'deploy/capistrano/vbuild.rake'),
      'utf8',
    ),
    'sites/shop/cap/config/deploy.rb': `set :application, 'shop'
set :repo_url, ${text(repository)}
set :repo_tree, 'sites/shop'
set :branch, 'main'
set :deploy_to, ${text(server)}
set :tmp_dir, ${text(top)}
set :vbuild, ${text(`env FROM=capistrano ${vbuildBin}`)}
set :vbuild_roles, :app
set :vbuild_targets, ENV.fetch('TARGETS').split
set :vbuild_buildfile, 'Shop.ts'
set :vbuild_prefix, 'own vendor'
set :vbuild_cache, ${text(cache)}
set :vbuild_files, ['Shop.ts', 'Shop.lock', 'patches', 'upstream']
`,
    'sites/shop/cap/config/deploy/production.rb': ssh.server,
  });
  checkIn(repository);
  const cap = (targets: string, task = 'deploy'): Promise<Ended> =>
    runProgram(['cap', 'production', task], {
      cwd: join(repository, 'sites/shop/cap'),
      home: join(top, 'home'),
      env: { TARGETS: targets },
    });
  const release = (): string => readlinkSync(join(server, 'current'));

  insistOnSuccess(await cap('leaf branch'));
  const first = release();
  assert.deepEqual(holds(site, join(first, 'own vendor')), ['branch', 'leaf']);
  assert.ok(existsSync(join(cache, 'v1')));
  const lacking = await cap('lone');
  assert.notEqual(lacking.exitStatus, 0);
  assert.match(lacking.stdout, /lone@1\.0/);
  assert.deepEqual([release(), readdirSync(join(server, 'releases')).length], [first, 1]);
  assert.notEqual((await cap('lone', 'vbuild:check')).exitStatus, 0);
  insistOnSuccess(await cap('leaf'));
  assert.deepEqual(holds(site, join(release(), 'own vendor')), ['leaf']);
  insistOnSuccess(await cap('leaf branch', 'deploy:rollback'));
  assert.equal(release(), first);
});
