/** What a disguised command finds, and what stays ours. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { disguised, findDisguise, otherHost, surroundings } from '../../src/system/disguise.ts';
import { asOtherCaller } from '../../src/system/other-caller.ts';
import { run } from '../../src/system/process.ts';
import { tempDir } from '../support/temp.ts';

test('otherHost() is another name of the same length', () => {
  for (const name of ['vm', 'builder-1.example.org', 'A9'] as const) {
    assert.notEqual(otherHost(name), name);
    assert.equal(otherHost(name).length, name.length);
  }
  assert.notEqual(otherHost('-'), '-');
});

test('a disguised command finds another host, user and number of processors, and its files are ours', async (t) => {
  const folder = tempDir(t);
  const own = surroundings();
  const disguise = await findDisguise(new AbortController().signal);
  const argv = disguised(['/bin/sh', '-c', 'hostname; id -un; nproc; echo x >file'], disguise);
  const { stdout, exitStatus } = await run({ argv, cwd: folder, env: { PATH: '/usr/bin:/bin' } });
  const [host, user, processors] = stdout.split('\n');
  assert.deepEqual([exitStatus, host, user], [0, disguise.host, disguise.user?.name]);
  assert.notEqual(host, own.host);
  assert.notEqual(user, own.user.name);
  assert.equal(processors, own.processors.length > 1 ? '1' : String(own.processors.length));
  assert.equal(statSync(join(folder, 'file')).uid, process.getuid?.());
});

test('asOtherCaller() changes variables and umask for real, and back', () => {
  const before = [process.env['TZ'], process.env['LC_ALL'], process.umask()];
  {
    using _other = asOtherCaller({ TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8' });
    assert.deepEqual(
      [process.env['TZ'], process.env['LC_ALL'], process.umask()],
      ['Asia/Kathmandu', 'tr_TR.UTF-8', 0o077],
    );
    assert.equal(new Date(0).getMinutes(), 30);
  }
  assert.deepEqual([process.env['TZ'], process.env['LC_ALL'], process.umask()], before);
});
