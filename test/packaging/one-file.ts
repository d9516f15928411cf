/** Makes the one-file program, and holds it to the tests of the command. */
import { execFileSync, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { checkout } from '../support/vbuild.ts';

/** @returns The program's absolute path, in that folder. */
export function buildOneFile(folder: string): string {
  execFileSync('npm', ['run', '--silent', 'build:sea', '--', folder], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return join(folder, 'vbuild');
}

/** Runs test files as `npm test` does, with this program for the command. @returns The lines that tell of failures, if not all passed. */
export async function failuresWith(program: string, files: readonly string[]): Promise<readonly string[]> {
  // What the runner of this test tells its own children does not concern that one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(checkout, 'test/support/run.ts'), ...files], {
    cwd: checkout,
    env: { ...env, TEST_VBUILD: program },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await text(child.stdout);
  return /^[1-9]\d* passed, 0 failed\n$/m.test(said) ? [] : said.split('\n').filter((line) => !line.includes('✔'));
}
