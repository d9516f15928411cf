/** What a project looks like from outside: its graph. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PackageGraph } from '../../src/model/graph.ts';
import { insistOnSuccess } from '../support/events.ts';
import { cloneOf, leafPatch, type Project, project } from '../support/project.ts';

const said = async (site: Project, ...args: readonly string[]): Promise<string> =>
  insistOnSuccess(await site.run(args)).stdout;

async function standingsOf(site: Project, ...args: readonly string[]): Promise<Record<string, string>> {
  const { format, packages } = JSON.parse(await said(site, 'graph', ...args, '--json')) as PackageGraph & {
    readonly format: number;
  };
  assert.equal(format, 1);
  return Object.fromEntries(packages.map((one) => [one.package, one.standing]));
}

test('a graph shows where each package stands, in every form', async (t) => {
  const site = project(t);
  assert.deepEqual(new Set(Object.values(await standingsOf(site))), new Set(['unpinned']));
  insistOnSuccess(await site.build(['branch', 'lone']));
  assert.deepEqual(await standingsOf(site), {
    'leaf@1.0': 'fresh',
    'branch@2.0': 'fresh',
    'gen@0.1': 'unpinned',
    'app@1.0': 'unpinned',
    'lone@1.0': 'fresh',
  });
  insistOnSuccess(await site.run(['lock']));
  assert.deepEqual(await standingsOf(site, 'app'), {
    'leaf@1.0': 'fresh',
    'branch@2.0': 'fresh',
    'gen@0.1': 'stale',
    'app@1.0': 'stale',
  });
  assert.deepEqual(
    new Set(Object.values(await standingsOf(cloneOf(site, `${site.path}-clone`), 'branch'))),
    new Set(['cached']),
  );

  site.write({ 'patches/leaf/value.patch': leafPatch(3).replace('return 3;', 'return 3') });
  assert.equal((await site.build(['branch'])).exitStatus, 1);
  const tree = `app@1.0         stale              never made ready here
├─ branch@2.0   stale              follows leaf
│  └─ leaf@1.0  failed in compile  patch 1 changed
└─ gen@0.1      stale              never made ready here, only to build
lone@1.0        fresh
`;
  assert.equal(await said(site, 'graph'), tree);
  const [svg, dot, mermaid] = await Promise.all(
    ['--svg', '--dot', '--mermaid'].map((form) => said(site, 'graph', form)),
  );
  assert.match(svg ?? '', /<title>Packages and what they need: 1 fresh, 3 stale, 1 failed<\/title>/);
  assert.match(svg ?? '', /<g class="vg-follows"><path class="vg-edge"/);
  assert.match(dot ?? '', /"app@1.0" -> "gen@0.1" \[style=dashed\];/);
  assert.match(mermaid ?? '', /p0\{\{"leaf@1.0<br>failed in compile<br>patch 1 changed"\}\}:::failed/);

  site.write({ 'patches/leaf/value.patch': leafPatch(2) });
  assert.equal((await standingsOf(site))['leaf@1.0'], 'fresh');
  // The failure was of another patch: it says nothing about this state.
  rmSync(join(site.home, '.cache/vbuild/v1/artifacts/leaf'), { recursive: true });
  rmSync(join(site.path, 'vendor'), { recursive: true });
  assert.match(await said(site, 'graph', 'leaf'), /^leaf@1.0 +stale +its artifact is gone$/m);

  const clash = await site.run(['graph', '--svg', '--dot']);
  assert.match(clash.stderr, /Options --svg and --dot contradict each other/);
});
