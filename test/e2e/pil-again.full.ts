/** PIL and its C libraries come out the same to the byte: two times under different circumstances, and as a usual build made them before. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import { closure } from '../support/example.ts';
import { tempDir } from '../support/temp.ts';
import { checkout, runVbuild } from '../support/vbuild.ts';

interface Document {
  readonly packages: readonly {
    readonly package: string;
    readonly differences: readonly object[];
    readonly witnesses: readonly { readonly tier: string; readonly equals: string }[];
  }[];
}

test('the whole closure of PIL is reproducible to the byte', async (t) => {
  const top = tempDir(t, 'pil');
  for (const name of ['patches', 'Buildfile.example.ts'])
    cpSync(join(checkout, name), join(top, 'site', name), { recursive: true });
  const vbuild = (args: readonly string[]): ReturnType<typeof runVbuild> =>
    runVbuild([...args, '-f', 'Buildfile.example.ts'], { cwd: join(top, 'site'), home: join(top, 'home') });
  insistOnSuccess(await vbuild(['pil', '--no-install']));
  const ended = await vbuild(['verify', '--rebuild', '--offline', '--json']);
  const { packages } = JSON.parse(ended.stdout) as Document;
  assert.deepEqual(
    packages.map((one) => [one.package, one.differences, one.witnesses.map(({ tier, equals }) => `${tier} ${equals}`)]),
    closure.map((id) => [id, [], ['disk both']]),
  );
  insistOnSuccess(ended);
});
