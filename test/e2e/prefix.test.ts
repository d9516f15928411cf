/** What ends up in a prefix, in several of them, and in one over time. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { insistOnSuccess } from '../support/events.ts';
import { allStages, appSays, project, projectAt, stagesFrom } from '../support/project.ts';
import { runProgram, workspace } from '../support/vbuild.ts';

test('a prefix keeps what was asked of it before, and holds nothing that was only needed to build', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build(['lone']));
  assert.deepEqual(Object.keys(site.installed()), ['lone']);
  const second = insistOnSuccess(await site.build(['app']));
  assert.ok(!second.stages.some((stage) => stage.startsWith('lone')));
  assert.deepEqual(Object.keys(site.installed()), ['app', 'branch', 'leaf', 'lone']);
  assert.deepEqual(readdirSync(join(site.path, 'vendor/bin')).sort(), ['app', 'lone']);
  assert.equal(await site.output('bin/lone'), 'alone\n');
  assert.equal(await site.output('bin/app'), appSays);
  // Both are roots now, so naming either of them changes nothing.
  for (const target of ['lone', 'app', 'branch']) {
    const run = insistOnSuccess(await site.build([target]));
    assert.deepEqual(run.stages, []);
  }

  await t.test('a package that left the Buildfile leaves the prefix, and that is said', async () => {
    const text = site.read('Buildfile.ts');
    const start = text.indexOf('const lone =');
    site.write({
      'Buildfile.ts': (text.slice(0, start) + text.slice(text.indexOf('export default'))).replaceAll(', lone]', ']'),
    });
    const run = insistOnSuccess(await site.build());
    assert.deepEqual(
      run.warnings.map(({ code, package: id }) => [code, id]),
      [['root-dropped', 'lone@1.0']],
    );
    assert.deepEqual(readdirSync(join(site.path, 'vendor/bin')), ['app']);
    assert.deepEqual(insistOnSuccess(await site.build()).warnings, []);
  });
});

test('the prefix is a link to one generation: who entered the old one stays in it, and exec runs in the new one', async (t) => {
  const site = project(t);
  insistOnSuccess(await site.build(['lone']));
  const before = realpathSync(join(site.path, 'vendor'));
  assert.equal(readlinkSync(join(site.path, 'vendor')), '.vendor.generations/1');
  insistOnSuccess(await site.build(['app']));
  assert.equal(readlinkSync(join(site.path, 'vendor')), '.vendor.generations/2');
  assert.deepEqual(readdirSync(join(before, 'bin')), ['lone']);
  const ran = await site.run(['exec', '--', 'app']);
  assert.deepEqual([ran.exitStatus, ran.stdout], [0, appSays], ran.stderr);
  const env = await site.run(['env', '--json']);
  const { variables } = JSON.parse(env.stdout) as { readonly variables: Record<string, string> };
  const { PATH, PKG_CONFIG_PATH } = variables;
  assert.ok(PATH?.startsWith(`${site.path}/.vendor.generations/2/bin:`), PATH);
  assert.equal(PKG_CONFIG_PATH, `${site.path}/.vendor.generations/2/lib/pkgconfig`);
  const failing = await site.run(['exec', '--', 'sh', '-c', 'exit 9']);
  assert.equal(failing.exitStatus, 9);
});

test('a real folder, or a link of somebody else, in the place of the prefix is refused and left alone', async (t) => {
  const site = project(t);
  mkdirSync(join(site.path, 'vendor'));
  writeFileSync(join(site.path, 'vendor/precious'), 'mine');
  const run = await site.build(['lone']);
  assert.equal(run.exitStatus, 1);
  assert.deepEqual(
    run.errors.map(({ code, where }) => [code, where.file]),
    [['install-refused', join(site.path, 'vendor')]],
  );
  // Said before anything is built for it.
  assert.deepEqual(run.stages, []);
  assert.equal(site.read('vendor/precious'), 'mine');
  insistOnSuccess(await site.build(['lone', '--prefix', 'elsewhere']));
  assert.equal(await site.output('bin/lone', join(site.path, 'elsewhere')), 'alone\n');
});

test('--no-install stops at the artifacts, and a later run only installs them', async (t) => {
  const site = project(t);
  const packed = insistOnSuccess(await site.build(['lone', '--no-install']));
  assert.deepEqual([packed.stages, packed.installs], [allStages('lone@1.0'), 0]);
  assert.ok(!readdirSync(site.path).includes('vendor'));
  const run = insistOnSuccess(await site.build(['lone']));
  assert.deepEqual([run.stages, run.installs], [[], 1]);
});

const twoVersions = (version: string, value: number): string => `definePackage('leaf', {
  version: '${version}',
  source: tarball('upstream/leaf-1.0.tar.gz'),
  recipe: make({ ...options, before: [['sed', '-i', 's/return 1/return ${value}/', 'leaf.c']] }),
})`;

test('two versions of one package stand in one Buildfile for two prefixes, never for one', async (t) => {
  const site = project(t);
  site.write({
    'Buildfile.ts': `import { defineBuild, definePackage, make, place, tarball } from 'vbuild';
const options = { variables: { PREFIX: place.prefix } };
const leaf1 = ${twoVersions('1.0', 1)};
const leaf2 = ${twoVersions('2.0', 2)};
const top = (name: string, leaf: typeof leaf1) => definePackage(name, {
  version: '1.0',
  source: tarball('upstream/branch-2.0.tar.gz'),
  deps: [leaf],
  recipe: make(options),
});
const old = top('old', leaf1);
const now = top('now', leaf2);
export default defineBuild({ packages: [old, now] });
`,
  });
  const values = async (target: string, prefix: string): Promise<string> => {
    insistOnSuccess(await site.build([target, '--prefix', prefix]));
    return site.installed(join(site.path, prefix))['leaf']?.version ?? 'none';
  };
  assert.equal(await values('old', 'one'), '1.0');
  assert.equal(await values('now', 'two'), '2.0');

  const ambiguous = await site.build(['leaf', '--prefix', 'three']);
  assert.deepEqual([ambiguous.exitStatus, ambiguous.errors.map(({ code }) => code)], [2, ['ambiguous-target']]);
  assert.equal(await values('leaf@1.0', 'three'), '1.0');
  const both = await site.build(['--prefix', 'four']);
  assert.deepEqual([both.exitStatus, both.errors.map(({ code }) => code)], [2, ['buildfile-invalid']]);
  assert.deepEqual(both.stages, []);
});

test('a folder of the project as source follows every edit, and no touch', async (t) => {
  const site = workspace(t, {
    'src/Makefile':
      'install: hello\n\tmkdir -p $(DESTDIR)$(PREFIX)/bin\n\tcp hello $(DESTDIR)$(PREFIX)/bin\nhello: hello.c\n\t$(CC) $(CFLAGS) -o $@ hello.c\n',
    'src/hello.c': '#include <stdio.h>\nint main(void) { puts("one"); return 0; }\n',
    'Buildfile.ts': `import { defineBuild, definePackage, directory, make, place } from 'vbuild';
const hello = definePackage('hello', {
  version: '1',
  source: directory('src'),
  recipe: make({ targets: ['hello'], variables: { PREFIX: place.prefix } }),
});
export default defineBuild({ packages: [hello] });
`,
  });
  const says = async (): Promise<string> =>
    (await runProgram([join(site.path, 'vendor/bin/hello')], { cwd: '/', home: site.home })).stdout;
  const { build } = projectAt(site.path, site.home);
  assert.deepEqual(insistOnSuccess(await build()).stages, allStages('hello@1'));
  assert.equal(await says(), 'one\n');
  site.write({ 'src/hello.c': site.read('src/hello.c') });
  assert.deepEqual(insistOnSuccess(await build()).stages, []);
  site.write({ 'src/hello.c': site.read('src/hello.c').replace('one', 'two') });
  assert.deepEqual(insistOnSuccess(await build()).stages, allStages('hello@1'));
  assert.equal(await says(), 'two\n');
  site.write({ 'src/hello.c': site.read('src/hello.c').replace('two', 'one') });
  assert.deepEqual(insistOnSuccess(await build()).stages, []);
  assert.equal(await says(), 'one\n');
  // A new file is a change too, whether the makefile looks at it or not.
  site.write({ 'src/notes': '' });
  assert.deepEqual(insistOnSuccess(await build()).stages, [...stagesFrom('patch', 'hello@1'), 'hello@1 fetch'].sort());
  const shown = await site.run(['show', 'hello', '--json']);
  assert.match(shown.stdout, /"contentKey":"[0-9a-f]{64}"/);
});
