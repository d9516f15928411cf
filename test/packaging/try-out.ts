/** What every form of vbuild is held to: all that depends on where its own files lie, on how it loads them, and on what it starts of itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import { checkIn } from '../support/check-in.ts';
import { tempDir, writeTree } from '../support/temp.ts';
import { type Ended, type RunOptions, runProgram } from '../support/vbuild.ts';
import { typingsPath } from '../types/typings.ts';

const buildfile = `import { defineBuild, definePackage, git, make, place } from 'vbuild';
import { version } from './versions.ts';

const hello = definePackage('hello', {
  version,
  source: git('./upstream', { rev: 'main' }),
  patches: ['loud.patch'],
  recipe: make({ variables: { PREFIX: place.prefix } }),
});
export default defineBuild({ packages: [hello] });
`;

const upstream = {
  Makefile:
    'PREFIX = /usr/local\nhello: hello.c\n\t$(CC) -o $@ hello.c\ninstall: hello\n\tinstall -D hello $(DESTDIR)$(PREFIX)/bin/hello\n',
  'hello.c': '#include <stdio.h>\nint main(void)\n{\n  puts("hello");\n  return 0;\n}\n',
};

/** Runs vbuild with these arguments in a folder, however it is started. */
export type Start = (args: readonly string[], options: RunOptions) => Promise<Ended>;

export async function tryOut(
  t: TestContext,
  vbuild: string,
  start: Start = (args, options) => runProgram([vbuild, ...args], options),
): Promise<void> {
  const top = tempDir(t, 'try out');
  const [cwd, home] = [join(top, 'site'), join(top, 'home')];
  const run = (args: readonly string[]): Promise<Ended> => start(args, { cwd, home });
  writeTree(join(cwd, 'upstream'), upstream);
  checkIn(join(cwd, 'upstream'));
  const patch = '--- a/hello.c\n+++ b/hello.c\n@@ -4 +4 @@\n-  puts("hello");\n+  puts("HELLO");\n';
  writeTree(cwd, {
    'Buildfile.ts': buildfile,
    'versions.ts': "export const version: string = '1.0';\n",
    'loud.patch': patch,
  });

  await t.test('it builds what a Buildfile of two TypeScript files says, from a git source with a patch', async () => {
    insistOnSuccess(await run([]));
    const { stdout } = insistOnSuccess(await run(['exec', '--', 'hello']));
    assert.equal(stdout, 'HELLO\n');
    const again = insistOnSuccess(await run([]));
    assert.equal(again.stderr, 'hello is fresh in vendor: nothing to do\n');
  });

  for (const [what, text, said] of [
    [
      'a syntax error by its line',
      buildfile.replace('version,', 'version: = 1,'),
      /^error: .*\n {2}file +Buildfile\.ts:5\n/m,
    ],
    [
      'an error of the engine by its line',
      `${buildfile}\nlet twice = 1;\nlet twice = 2;\n`,
      /^ {2}file +Buildfile\.ts:13$/m,
    ],
    [
      'a type that is imported as a value',
      buildfile.replace('{ defineBuild', '{ Package, defineBuild'),
      /write type before Package/,
    ],
    [
      'a name that vbuild does not export',
      buildfile.replace('{ defineBuild', '{ defineBiuld, defineBuild'),
      /write defineBuild$/m,
    ],
  ] as const)
    await t.test(`it names ${what}`, async () => {
      writeTree(cwd, { 'Buildfile.ts': text });
      const { exitStatus, stderr } = await run(['list']);
      assert.equal(exitStatus, 2, stderr);
      assert.match(stderr, said);
    });

  await t.test('it brings the typings for an editor', async () => {
    insistOnSuccess(await run(['init', '-C', 'fresh']));
    const written = readFileSync(join(cwd, 'fresh/.vbuild/typings/vbuild.d.ts'), 'utf8');
    assert.equal(written, readFileSync(typingsPath, 'utf8'));
  });
}
