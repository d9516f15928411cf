/** What commands really print under --json, held to the schemas that are shipped. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkIn } from '../support/check-in.ts';
import { leafPatch, project, withFolderCache } from '../support/project.ts';
import { complaints, eventTypes, schemaNames, schemaOf } from '../support/schemas.ts';

test('every command prints what its schema says', async (t) => {
  const site = project(t);
  const bucket = withFolderCache(site, 'app');
  checkIn(site.path);
  const covered = new Set(['common', 'event']);
  const wrong: string[] = [];
  /** Runs a command with --json and looks at every line that it prints. @returns The last one. */
  async function look(
    command: string,
    words: readonly string[] = command.split(' '),
    exitStatus = 0,
  ): Promise<unknown> {
    const ended = await site.run([...words, '--json']);
    const lines = ended.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { readonly type?: string });
    assert.equal(ended.exitStatus, exitStatus, `${words.join(' ')}: ${ended.stdout}${ended.stderr}`);
    assert.ok(lines.length > 0, `${words.join(' ')} prints nothing`);
    const documents = lines.filter(({ type }) => type === undefined || !eventTypes.includes(type));
    assert.ok(documents.length <= 1, `${words.join(' ')} prints ${documents.length} documents`);
    for (const line of lines) {
      const schema = documents.includes(line) ? schemaOf(command) : 'event';
      if (documents.includes(line)) covered.add(schema);
      wrong.push(...complaints(schema, line).map((one) => `${words.join(' ')}: ${one}`));
    }
    return lines.at(-1);
  }

  await look('version');
  await look('version', ['--version']);
  await look('help');
  await look('help', ['help', 'cache']);
  await look('init', ['init', '-C', 'fresh']);
  await look('key new', ['key', 'new', 'ci.key']);
  await look('list');
  await look('show', ['show', 'app']);
  await look('graph');
  await look('status');
  await look('why', ['why', 'app']);
  await look('plan');
  await look('lock');
  await look('plan', ['-n', 'app']);
  await look('check', ['check'], 3);
  await look('doctor');
  await look('doctor', ['doctor', '--work', '/proc/none'], 1);
  await look('eject');
  await look('build', ['app', '--push']);
  await look('build', ['lone', '--no-build'], 3);
  await look('check', ['-q', 'app']);
  await look('check', ['check', 'app', '--no-install']);
  for (const command of [
    'plan',
    'status',
    'graph',
    'report',
    'env',
    'update',
    'cache push',
    'cache prove',
    'cache ls',
    'cache gc',
  ])
    await look(command);
  await look('cache gc', ['cache', 'gc', '--tier', bucket]);
  await look('show', ['show', 'app', 'leaf']);
  await look('why', ['why', 'app']);
  await look('log', ['log', 'app']);
  await look('log', ['log', 'leaf', 'patch']);
  await look('env', ['env', '--pth']);
  await look('legal', ['legal', 'handed-on']);
  await look('build', ['lone']);
  await look('rollback');
  await look('check', ['check', 'lone'], 3);
  await look('install', ['install', 'lone']);
  await look('generations');
  await look('verify');
  rmSync(join(site.path, 'vendor/bin/lone'));
  rmSync(join(site.path, 'vendor/bin/app'));
  site.write({ 'vendor/bin/app': 'other', 'vendor/bin/new': 'new' });
  await look('verify', ['verify'], 1);
  await look('release create', ['release', 'create', 'shop-1', 'app', '--push']);
  await look('release create', ['release', 'create', 'shop-2', 'branch']);
  await look('release diff', ['release', 'diff', 'shop-1', 'shop-2.release.json']);
  await look('release drop', ['release', 'drop', 'shop-1']);
  // What another standard describes is checked where it is made.
  covered.add('sbom');

  site.write({ 'patches/leaf/value.patch': leafPatch(3) });
  site.edit('Buildfile.ts', 'const options = { variables', "const options = { env: { WORD: 'a b' }, variables");
  await look('plan');
  await look('graph');
  await look('why', ['why', 'app']);
  await look('why', ['why', 'app', '--cache']);
  await look('why', ['why', 'patches/leaf/value.patch']);
  site.write({ 'patches/leaf/value.patch': leafPatch(3).replace('return 3;', 'return 3') });
  await look('build', ['build', '-k'], 1);
  await look('report');
  await look('report', ['report', '-o', '-'], 2);
  await look('status');
  await look('why', ['why', 'leaf']);
  await look('log', ['log', 'leaf', 'pack']);
  await look('build', ['nowhere'], 2);
  await look('list', ['list', '--nope'], 2);

  site.write({
    'patches/leaf/value.patch': leafPatch(2),
    'tree/leaf.c': '#include "leaf.h"\nint leaf_value(void) { return 1; }\n',
  });
  await look('patch apply', ['patch', 'apply', '-d', 'tree', 'patches/leaf/value.patch']);
  await look('patch check');
  await look('patch edit', ['patch', 'edit', 'leaf']);
  await look('patch save', ['patch', 'save', 'leaf']);
  await look('patch rebase', ['patch', 'rebase', 'leaf']);
  await look('clean', ['clean', '--dry-run']);
  await look('clean', ['clean', '--all']);

  assert.deepEqual(wrong, []);
  assert.deepEqual(
    schemaNames.filter((name) => !covered.has(name)),
    [],
    'a command is not looked at here',
  );
});
