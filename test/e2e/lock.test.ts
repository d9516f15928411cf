/** Pins made and moved by the commands for it, one package at a time, with nothing built. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Lock } from '../../src/buildfile/pins.ts';
import { insistOnSuccess } from '../support/events.ts';
import { project } from '../support/project.ts';
import { upstreamTarball } from '../support/upstream.ts';

test('lock pins what is named with all that it needs, update moves what is named and says what moved', async (t) => {
  const site = project(t);
  const lock = (): Lock => JSON.parse(site.read('Buildfile.lock')) as Lock;
  const run = async (...args: string[]): Promise<string> => insistOnSuccess(await site.run(args)).stdout;

  assert.match(
    await run('lock', 'branch'),
    /^leaf@1\.0 {2}tarball leaf-1\.0\.tar\.gz\nbranch@2\.0 {2}tarball branch-2\.0\.tar\.gz\n$/,
  );
  assert.deepEqual(Object.keys(lock().sources), ['branch@2.0', 'leaf@1.0']);
  const before = site.read('Buildfile.lock');
  assert.equal(await run('lock', 'branch'), 'nothing to pin\n');
  assert.equal(site.read('Buildfile.lock'), before);
  await run('lock');
  const whole = site.read('Buildfile.lock');
  assert.equal(Object.keys(lock().sources).length, 5);
  assert.ok(!existsSync(join(site.path, 'vendor')));

  // The order of a Buildfile is nothing to its lock.
  site.edit('Buildfile.ts', 'packages: [leaf, branch, gen, app, lone]', 'packages: [lone, app, gen, branch, leaf]');
  assert.equal(await run('lock'), 'nothing to pin\n');
  assert.equal(await run('update'), 'nothing to move\n');
  assert.equal(site.read('Buildfile.lock'), whole);

  for (const name of ['lone', 'gen'])
    upstreamTarball(
      join(site.path, 'upstream'),
      { Makefile: `install:\n\t: ${name}\n` },
      `${name}-${name === 'gen' ? '0.1' : '1.0'}.tar.gz`,
    );
  const was = lock().sources;
  const said = await run('update', 'lone');
  const digests = [was, lock().sources].map((sources) => sources['lone@1.0']?.pin.files?.[0]?.digest.slice(0, 12));
  assert.equal(said, `lone@1.0  tarball lone-1.0.tar.gz  ${digests[0]} → ${digests[1]}\n`);
  assert.deepEqual({ ...lock().sources, 'lone@1.0': was['lone@1.0'] }, was);
  site.edit('Buildfile.ts', "tarball('upstream/lone", "tarball('./upstream/lone");
  assert.equal(await run('update', 'lone'), 'lone@1.0  tarball lone-1.0.tar.gz  unchanged\n');
  site.edit('Buildfile.ts', "tarball('./upstream/lone", "tarball('upstream/lone");
  await run('update', 'lone');
  const { changes } = JSON.parse((await run('update', '--json')).trim().split('\n').at(-1) ?? '') as {
    changes: { package: string; before: unknown }[];
  };
  assert.deepEqual(
    changes.map(({ package: id, before: old }) => [id, old]),
    [['gen@0.1', was['gen@0.1']]],
  );
});
