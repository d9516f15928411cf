/** An artifact that certifies in which prefixes it works, and a prefix in which it does not. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import { projectAt } from '../support/project.ts';
import { tempDir, writeTree } from '../support/temp.ts';

const buildfile = `import { defineBuild, definePackage, directory, directoryCache, steps } from 'vbuild';
const one = definePackage('one', {
  version: '1',
  source: directory('source'),
  prefixInBinaries: ['share/*.bin'],
  recipe: steps([{ group: 'install', run: 'mkdir -p @stage@@prefix@/share; printf "\\\\0@prefix@/share/x\\\\0" >@stage@@prefix@/share/one.bin' }]),
});
const user = definePackage('user', {
  version: '1',
  source: directory('source'),
  buildDeps: [one],
  recipe: steps([{ group: 'install', run: 'mkdir -p @stage@@prefix@/share; echo used >@stage@@prefix@/share/used' }]),
});
export default defineBuild({ packages: [one, user], defaults: [one], cache: [directoryCache('../cache')] });
`;

test('an artifact that has no room for a prefix is refused by file and offset before its body is brought', async (t) => {
  const top = tempDir(t);
  mkdirSync(join(top, 'cache'));
  writeTree(join(top, 'site'), { 'Buildfile.ts': buildfile, 'source/file': '' });
  const ci = projectAt(join(top, 'site'), join(top, 'ci'));
  insistOnSuccess(await ci.build(['one', '--push']));

  const server = projectAt(join(top, 'site'), join(top, 'server'));
  const long = join(top, 'p'.repeat(180));
  for (const command of [
    ['check', '--no-install', '--json'],
    ['install', '--json'],
    ['build', 'one', '--no-build', '--json', '--work', join(top, 'work')],
    ['build', 'one', '--json', '--work', join(top, 'work')],
    ['plan', 'one', '--json', '--work', join(top, 'work')],
  ]) {
    const { exitStatus, stdout, stderr } = await server.run([...command, '--prefix', long]);
    assert.equal(exitStatus, 4, stdout + stderr);
    assert.match(stdout, /share\/one\.bin cannot work in [^ ]*, at byte 1: it has room for a prefix of 167 bytes/);
    assert.equal(existsSync(join(server.home, '.cache/vbuild/v1/blobs')), false);
    assert.equal(existsSync(long), false);
  }
  // What only a build needs does not go into the prefix.
  const builder = projectAt(join(top, 'site'), join(top, 'builder'));
  const told = insistOnSuccess(await builder.build(['user', '--prefix', long, '--work', join(top, 'other')]));
  assert.deepEqual(told.outcomes, { fresh: 0, restored: 1, built: 1 });
  const short = join(top, 'p');
  insistOnSuccess(await server.run(['install', '--prefix', short]));
  const text = readFileSync(join(short, 'share/one.bin'), 'latin1');
  assert.equal(text, `\0${short}${'/'.repeat(167 - short.length)}/share/x\0`);
  assert.deepEqual(readdirSync(join(server.home, '.cache/vbuild/v1/artifacts')), ['one']);
});
