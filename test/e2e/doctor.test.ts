/** What vbuild doctor finds on a machine, and that it leaves nothing behind. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { clockFinding } from '../../src/build/examine-caches.ts';
import { examineDisk } from '../../src/build/examine-machine.ts';
import { probeTools } from '../../src/compile/probe-tools.ts';
import { toolNames } from '../../src/compile/tools.ts';
import type { Finding } from '../../src/model/finding.ts';
import { run } from '../../src/system/process.ts';
import { type Project, project } from '../support/project.ts';

const module = join(import.meta.dirname, '../../src/build/examine-machine.ts');
const none =
  (
    await run({
      argv: ['unshare', '--user', '--map-root-user', '--mount', 'true'],
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
    })
  ).exitStatus !== 0;

interface Examined {
  readonly exitStatus: number | undefined;
  readonly findings: readonly Finding[];
  of(check: string): readonly Finding[];
}

async function examined(site: Project, ...args: readonly string[]): Promise<Examined> {
  const { exitStatus, stdout, stderr } = await site.run(['doctor', '--json', ...args]);
  assert.notEqual(stdout, '', stderr);
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  return { exitStatus, findings, of: (check) => findings.filter((finding) => finding.check === check) };
}

const everything = (site: Project): string[] =>
  [site.path, site.home]
    .flatMap((top) => readdirSync(top, { recursive: true }).map((path) => join(top, String(path))))
    .filter((path) => !path.includes('/vbuild/compiled'))
    .sort();

test('on a machine that can build all is looked at, nothing is bad, and nothing is left behind', async (t) => {
  const site = project(t);
  await site.run(['list']);
  const before = everything(site);
  const { exitStatus, findings, of } = await examined(site);
  assert.deepEqual(everything(site), before);
  assert.equal(exitStatus, 0, JSON.stringify(findings));
  for (const check of ['node', 'host', 'programs', 'tools', 'apt', 'disk', 'locks', 'namespaces', 'sandbox'])
    assert.ok(of(check).length > 0, check);
  assert.match(of('tools')[0]?.found ?? '', /\bcc gcc \d+\..*\bmake \d/);
  assert.equal(of('disk').length, 3);
  const { stdout } = await site.run(['doctor']);
  assert.match(stdout, /^ {2}node +good {2}\d+\.\d+\.\d+ at \//m);
  assert.match(stdout, /\nnothing to mend.*\n$/);
});

test('without a Buildfile the machine alone is looked at; one that was named must be there', async (t) => {
  const site = project(t);
  const { of } = await examined(site, '-C', join(site.path, 'upstream'));
  assert.deepEqual(of('tools'), []);
  assert.equal(of('locks').length, 1);
  const named = await site.run(['doctor', '-f', 'no.ts']);
  assert.equal(named.exitStatus, 2);
});

test('what is bad is told with what to do: a cache that does not answer, a folder that cannot be written, a key that is none', async (t) => {
  const site = project(t);
  site.edit(
    'Buildfile.ts',
    'defaults: [app, lone] }',
    "defaults: [app, lone], cache: [httpCache('http://127.0.0.1:9/x')] }",
  );
  site.edit('Buildfile.ts', 'import { defineBuild', 'import { httpCache, defineBuild');
  const { exitStatus, findings, of } = await examined(site, '--work', '/proc/none');
  assert.equal(exitStatus, 1);
  const [cache] = of('http://127.0.0.1:9/x');
  assert.deepEqual([cache?.state, typeof cache?.mend], ['bad', 'string'], JSON.stringify(findings));
  const [work] = of('locks');
  assert.equal(work?.state, 'bad');
  assert.match(work?.found ?? '', /^work folder: .*\/proc/);
  const signed = await site.run(['doctor', '--push', '--json'], { env: { VBUILD_SIGNING_KEY: 'none' } });
  const key = (JSON.parse(signed.stdout) as { findings: Finding[] }).findings.find(({ check }) => check === 'signing');
  assert.equal(key?.state, 'bad');
  assert.ok(!signed.stdout.includes('none"'));
  assert.deepEqual((await examined(site, '--offline')).of('http://127.0.0.1:9/x'), []);
});

test('a tool that is missing is named with who needs it and the one command that installs it; a moved pin is noted', async (t) => {
  const found = await probeTools(toolNames, AbortSignal.timeout(60_000));
  const missing = toolNames.find((name) => found[name] === 'missing');
  if (missing === undefined) return t.skip('this machine has every tool that vbuild knows');
  const site = project(t);
  site.edit('Buildfile.ts', 'deps: [branch],\n', `deps: [branch],\n  tools: ['${missing}'],\n`);
  await site.run(['lock', 'lone']);
  site.write({ 'Buildfile.lock': site.read('Buildfile.lock').replace(/"make": "[^"]*"/, '"make": "1.2.3"') });
  const { exitStatus, of } = await examined(site);
  assert.equal(exitStatus, 1);
  const [lacking] = of('tools').filter(({ state }) => state === 'bad');
  assert.equal(lacking?.found, `${missing} is missing, needed by app@1.0`);
  assert.match(lacking?.mend ?? '', /apt-get install -y /);
  const [moved] = of('tools').filter(({ state }) => state === 'note');
  assert.match(moved?.found ?? '', /^make is \d\S*, its pin says 1\.2\.3$/);
});

test('what sandbox steps get here is told, and what it lacks', {
  skip: none && 'this machine forbids namespaces',
}, async () => {
  const found = async (script: string): Promise<string[]> => {
    const text = `import { examineNamespaces } from ${JSON.stringify(module)};
      const found = await examineNamespaces('/tmp');
      process.stdout.write(found.map(({ check, state, found, mend }) => [check, state, found.split(/[:;,]/)[0], mend !== undefined].join(' ')).join(String.fromCharCode(10)));`;
    const node = [process.execPath, '--input-type=module', '--eval', text];
    const argv = ['unshare', '--user', '--map-root-user', '--mount', '--', 'sh', '-c', script, 'sh', ...node];
    const { stdout, stderr } = await run({ argv, cwd: '/', env: { PATH: '/usr/bin:/bin' } });
    assert.notEqual(stdout, '', stderr);
    return stdout.split('\n');
  };
  const mounts = 'namespaces good a private mount namespace';
  const [, whole] = await found('exec "$@"');
  assert.ok(whole === `sandbox good steps have no network and no homes false` || !existsSync('/dev/fuse'), whole);
  assert.deepEqual(await found('if [ -e /dev/fuse ]; then mount --bind /dev/null /dev/fuse; fi; exec "$@"'), [
    `${mounts} false`,
    'sandbox note steps have no network and no homes true',
  ]);
  assert.deepEqual(await found('mount --bind /bin/false /usr/bin/perl; exec "$@"'), [
    `${mounts} false`,
    'sandbox note none can be made here true',
  ]);
  assert.deepEqual(await found('mount --bind /bin/false /usr/bin/unshare; exec "$@"'), [
    'namespaces note none can be made here true',
    'sandbox note none can be made here true',
  ]);
});

test('a file system without room is bad', () => {
  assert.equal(examineDisk('anything', '/proc/none', String).state, 'bad');
});

for (const [aheadMs, state, found] of [
  [1000, 'good', 'agrees with s3://b'],
  [-5_000, 'good', '5 s behind s3://b'],
  [90_000, 'note', '90 s ahead of s3://b'],
  [-1_200_000, 'bad', '1200 s behind s3://b'],
] as const) {
  test(`a clock that is ${aheadMs / 1000} s ahead is ${state}`, () => {
    const finding = clockFinding('s3://b', aheadMs);
    assert.deepEqual([finding.state, finding.found, finding.mend !== undefined], [state, found, state !== 'good']);
  });
}
