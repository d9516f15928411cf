/** The example workflows of docs/ci, held against vbuild's own command line. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCommandLine } from '../src/commands/options.ts';
import { checkout } from './support/vbuild.ts';

for (const file of ['docs/ci/github.yml', 'docs/ci/gitlab.yml']) {
  test(`every command of vbuild in ${file} is one that it takes, and artifacts are built before they are pushed`, () => {
    const text = readFileSync(join(checkout, file), 'utf8');
    const lines = [...text.matchAll(/npx vbuild (.*)$/gm)].map(([, args = '']) => args.trim());
    assert.ok(lines.length >= 3);
    for (const line of lines) assert.doesNotThrow(() => parseCommandLine(line.split(' ')), line);
    assert.ok(lines.includes('cache push') && lines.includes('cache prove'));
    assert.ok(lines.indexOf('--frozen --install-tools') < lines.indexOf('cache push'));
  });
}
