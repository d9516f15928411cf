/** What a start costs: only what is needed is loaded, so that asking is as quick as an empty program. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runAndListLoads } from './support/loads.ts';
import { tempDir } from './support/temp.ts';

const lines: readonly (readonly string[])[] = [['--help'], ['help', 'exec'], ['--version'], ['--jbos']];

for (const line of lines) {
  test(`vbuild ${line.join(' ')} loads no package and nothing that builds`, async (t) => {
    const home = join(tempDir(t), 'home');
    const { exitStatus, stderr, sources, packages } = await runAndListLoads(line, { cwd: tempDir(t), home });
    assert.equal(exitStatus, line[0] === '--jbos' ? 2 : 0, stderr);
    assert.ok(sources.includes('cli.ts'), sources.join(' '));
    assert.deepEqual(packages, []);
    assert.deepEqual(
      sources.filter((path) => /^(build|sources|patches|compile|cache|install|artifact|prefix)\//.test(path)),
      [],
    );
  });
}
