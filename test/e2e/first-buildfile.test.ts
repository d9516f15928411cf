/** What the README tells somebody to do first, done as it stands there, with the sources that this machine's apt offers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeBlocks, readPage, shellCommands } from '../support/docs.ts';
import { workspace } from '../support/vbuild.ts';

test('the first Buildfile of the README builds, installs, and is found by the command that follows it', async (t) => {
  const shown = codeBlocks(readPage('README.md'));
  const at = shown.findIndex(({ info }) => info === 'ts');
  const commands = shellCommands(shown[at + 1]?.text ?? '');
  assert.deepEqual(
    commands.map(([program, first]) => [program, first]),
    [
      ['vbuild', undefined],
      ['vbuild', 'exec'],
    ],
  );
  const site = workspace(t, { 'Buildfile.ts': shown[at]?.text ?? '' });
  const [built, used] = [await site.run([]), await site.run(commands[1]?.slice(1) ?? [])];
  assert.equal(built.exitStatus, 0, built.stderr);
  assert.match(built.stderr, /^libpng ready in vendor \(generation 1\): 2 built in /m);
  assert.deepEqual([used.exitStatus, used.stdout], [0, '1.6.39\n'], used.stderr);
});
