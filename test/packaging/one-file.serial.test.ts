/** The one-file program that `npm run build:sea` makes: it needs no Node, and is held to tests that are made for the command. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../support/temp.ts';
import { checkout, runProgram } from '../support/vbuild.ts';
import { buildOneFile, failuresWith } from './one-file.ts';
import { tryOut } from './try-out.ts';

test('one file is all of vbuild', async (t) => {
  const folder = tempDir(t, 'one-file');
  const program = buildOneFile(folder);

  await t.test('it works, and neither runs a Node nor reads anything of the checkout', async (own) => {
    const trace = join(folder, 'trace');
    const watch = ['strace', '-f', '-qq', '-e', 'trace=execve,openat', '-e', 'signal=none', '-A', '-o', trace];
    await tryOut(own, program, (args, options) => runProgram([...watch, program, ...args], options));
    const lines = readFileSync(trace, 'utf8').split('\n');
    assert.ok(lines.some((line) => line.includes(`execve("${program}"`)));
    assert.deepEqual(
      lines.filter((line) => /execve\("[^"]*\/node"/.test(line) || line.includes(`"${checkout}/`)),
      [],
    );
  });

  await t.test('the licence of everything in it lies beside it', () => {
    const licences = readFileSync(join(folder, 'LICENSES'), 'utf8');
    const { dependencies } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
      dependencies: object;
    };
    for (const name of ['vbuild', `node-linux-${process.arch}`, ...Object.keys(dependencies)])
      assert.match(licences, new RegExp(`^${RegExp.escape(name)} \\S+ \\(.*\\)$`, 'm'));
    assert.match(licences, /^Permission is hereby granted/m);
  });

  await t.test('it restores from a bucket and fills it, as the command does', async () => {
    assert.deepEqual(await failuresWith(program, ['test/e2e/bucket.test.ts']), []);
  });
});
