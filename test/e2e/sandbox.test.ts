/** Steps that reach for more than they declare, in a whole build. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readIfThere } from '../../src/system/files.ts';
import { insistOnSuccess } from '../support/events.ts';
import { projectAt, type Project } from '../support/project.ts';
import { type WithCleanUp, tempDir, writeTree } from '../support/temp.ts';

/** A project of one package whose only step does this, too. */
function projectWith(t: WithCleanUp, line: string, more = ''): Project {
  const top = tempDir(t);
  writeTree(join(top, 'site'), {
    'source/word': 'word\n',
    'Buildfile.ts': `import { defineBuild, definePackage, directory, steps } from 'vbuild';
const one = definePackage('one', {
  version: '1',
  source: directory('source'),
  ${more}
  recipe: steps([{ group: 'install', run: ${JSON.stringify(`install -D -m 644 word "@stage@@prefix@/share/one"; ${line}`)} }]),
});
export default defineBuild({ packages: [one] });
`,
  });
  return projectAt(join(top, 'site'), join(top, 'home'));
}

const asks = 'getent hosts files.example.org || true';

test('a step that asks for a host fails with its name, though it ended well, unless it may', async (t) => {
  const { errors, exitStatus } = await projectWith(t, asks).build();
  assert.equal(exitStatus, 1);
  assert.equal(errors[0]?.code, 'step-failed');
  assert.equal(errors[0].facts['network'], 'files.example.org');
  insistOnSuccess(await projectWith(t, asks).build(['--sandbox', 'off']));
  insistOnSuccess(await projectWith(t, asks, 'network: true,').build());
});

test('a step that tries an address of another machine fails with it, though it went on, by IPv4 and by IPv6', async (t) => {
  const tries = '(echo >/dev/tcp/192.0.2.1/80) || (echo >/dev/tcp/2001:db8::1/443) || true';
  const { errors, exitStatus } = await projectWith(t, tries).build();
  assert.equal(exitStatus, 1);
  assert.deepEqual([errors[0]?.code, errors[0]?.facts['network']], ['step-failed', '192.0.2.1:80, [2001:db8::1]:443']);
  const own = `python3 -c 'import socket as s
for f, a in ((s.AF_INET, "127.0.0.1"), (s.AF_INET6, "::1")):
  l = s.socket(f); l.bind((a, 0)); l.listen(); s.create_connection(l.getsockname()[:2])'; hostname; uname -n`;
  insistOnSuccess(await projectWith(t, own).build());
});

test('a step that writes into a home fails with the path', async (t) => {
  const { errors } = await projectWith(t, 'mkdir -p /root/.cache && echo x >/root/.cache/left').build();
  const { 'written outside': file, 'in a home': place } = errors[0]?.facts ?? {};
  // Where the machine can watch homes they cannot be written, either.
  assert.ok(file === '/root/.cache/left' || place === '/root/.cache', JSON.stringify(errors[0]?.facts));
});

test('a step that looks into a home for what is there fails with the path, one that finds nothing there does not', {
  skip: (process.getuid?.() !== 0 || !existsSync('/dev/fuse')) && 'needs root and FUSE',
}, async (t) => {
  const [there = ''] = readdirSync('/root');
  const { errors } = await projectWith(t, `cat "/root/${there}" || true`).build();
  assert.deepEqual([errors[0]?.code, errors[0]?.facts['in a home']], ['step-failed', `/root/${there}`]);
  insistOnSuccess(await projectWith(t, 'cat /root/.nobody-has-this || true').build());
});

test('a step that fails without a network says what it asked for', async (t) => {
  const { errors } = await projectWith(t, 'getent hosts files.example.org').build();
  assert.equal(errors[0]?.facts['network'], 'files.example.org');
  assert.match(errors[0].facts['ended'] ?? '', /^exit status 2/);
});

test('a hostile step gets at no secret and changes nothing but what it makes, nor does it live on', async (t) => {
  const secrets = tempDir(t);
  writeTree(secrets, { id_rsa: 'secret-of-a-file\n', 'project/vendor/lib/x': 'x\n' });
  const site = projectWith(
    t,
    `cat "${secrets}/id_rsa" || true; cat /proc/*/environ | tr "\\0" "\\n" | grep SECRET || true
rm -rf "${secrets}" ../../../../.. || true
kill -9 -1 2>/dev/null || true
(setsid sleep 4321.25 &)
ln -s "${secrets}/id_rsa" "@stage@@prefix@/share/stolen"`,
  );
  const { errors, exitStatus, stderr } = await site.build([], {
    env: { AWS_SECRET_ACCESS_KEY: 'SECRET-of-a-variable' },
  });
  assert.equal(exitStatus, 1);
  assert.equal(errors[0]?.code, 'artifact-refused', stderr);
  assert.equal(readFileSync(join(secrets, 'id_rsa'), 'utf8'), 'secret-of-a-file\n');
  assert.equal(readFileSync(join(secrets, 'project/vendor/lib/x'), 'utf8'), 'x\n');
  const log = await site.run(['log', 'one']);
  assert.match(log.stdout, /No such file or directory/);
  assert.doesNotMatch(log.stdout, /^(secret-of|AWS|SECRET)/m);
  const commands = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readIfThere(`/proc/${pid}/cmdline`) ?? '');
  assert.ok(!commands.some((command) => command.includes('4321.25')));
});

test('the manifest says whether steps were locked in, and both ways give the same artifact', async (t) => {
  const placeOf = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const site = projectWith(t, 'true');
    insistOnSuccess(await site.build(args, { env }));
    const [{ key, tree } = { key: '', tree: '' }] = Object.values(site.installed());
    const folder = join(site.home, '.cache/vbuild/v1/artifacts/one', key);
    const { build } = JSON.parse(readFileSync(join(folder, 'local.json'), 'utf8')) as {
      build: { sandbox: string; place: string };
    };
    return { key, tree, sandbox: build.sandbox };
  };
  const locked = await placeOf(['--sandbox=require']);
  assert.equal((locked as { sandbox: string }).sandbox, 'sealed');
  assert.deepEqual(await placeOf(['--sandbox=off']), { ...(locked as object), sandbox: 'open' });
  assert.deepEqual(await placeOf([], { VBUILD_PADDED: '1' }), { ...(locked as object), sandbox: 'open' });
});

test('--sandbox=require builds nothing where steps cannot be locked in', async (t) => {
  const { errors, exitStatus } = await projectWith(t, 'true').build(['--sandbox=require'], {
    env: { VBUILD_PADDED: '1' },
  });
  assert.equal(exitStatus, 4);
  assert.equal(errors[0]?.code, 'unsupported-host');
  const misspelt = await projectWith(t, 'true').build([], { env: { VBUILD_SANDBOX: 'on' } });
  assert.equal(misspelt.errors[0]?.code, 'usage');
});
