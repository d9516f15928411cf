/** The deploy recipes that are no programs of their own: the script, and the tasks for Ansible. */
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import type { Project } from '../support/project.ts';
import { served } from '../support/served.ts';
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
  const deploy = (...command: readonly string[]): Promise<Ended> =>
    runProgram([join(checkout, 'deploy/deploy.sh'), relative(folder, site.path), 'vendor', ...command], {
      cwd: folder,
      home: site.home,
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });

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
  const third = await deploy('false');
  assert.equal(third.exitStatus, 1);
  assert.deepEqual(holds(site, prefix), ['leaf']);
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
    - ansible.builtin.include_tasks: ${join(checkout, 'deploy/ansible/vbuild.yml')}
    - ansible.builtin.debug:
        msg: "restart={{ vbuild_installed.changed }}"
`,
  });
  const play = (): Promise<Ended> =>
    runProgram(['ansible-playbook', '-i', 'localhost,', 'site.yml'], {
      cwd: folder,
      home: join(folder, 'home'),
      env: { ANSIBLE_LOCALHOST_WARNING: 'false', ANSIBLE_NOCOLOR: '1' },
    });

  const refused = await play();
  assert.equal(refused.exitStatus, 2, refused.stdout);
  assert.match(refused.stdout, /failed=1/);
  asking(site, 'app, lone', 'branch');
  const first = insistOnSuccess(await play());
  assert.match(first.stdout, /restart=True[\s\S]* changed=1 /);
  assert.deepEqual(holds(site, prefix), ['branch', 'leaf']);
  const second = insistOnSuccess(await play());
  assert.match(second.stdout, /restart=False[\s\S]* changed=0 /);
});
