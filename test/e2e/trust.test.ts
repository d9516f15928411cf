/** Signed artifacts from key to prefix: who is believed, what a pull request can do, how keys are changed, and that no secret is ever printed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { signed } from '../../src/artifact/sealed.ts';
import { minisignSecretKey } from '../../src/key/minisign.ts';
import { filesBelow } from '../cache/sample.ts';
import { checkIn } from '../support/check-in.ts';
import { type EventsOf, insistOnSuccess } from '../support/events.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { cloneOf, type Project, project } from '../support/project.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import type { Ended } from '../support/vbuild.ts';

interface Key {
  readonly id: string;
  readonly publicKey: string;
  readonly secretFile: string;
}

let site: Project;
const said: Ended[] = [];
const secrets: string[] = [];

async function newKey(name: string): Promise<Key> {
  const run = await site.run(['key', 'new', join(site.home, name), '--json']);
  assert.equal(run.exitStatus, 0, run.stderr);
  said.push(run);
  const key = JSON.parse(run.stdout) as Key;
  const line = readFileSync(key.secretFile, 'utf8').split('\n')[1] ?? '';
  const seed = Buffer.from(line, 'base64').subarray(62, 94);
  secrets.push(line.slice(84, 120), seed.toString('base64').slice(2, -4), seed.toString('hex').slice(0, 20));
  return key;
}

const signingWith = ({ secretFile }: Key): Record<string, string> => ({ VBUILD_SIGNING_KEY_FILE: secretFile });

/** Puts a policy into the Buildfile of a project, in place of the one that is there. */
function trusting(
  where: Project,
  keys: Readonly<Record<string, readonly [Key, role: string]>>,
  require?: object,
): void {
  const trust = {
    keys: Object.entries(keys).map(([name, [{ publicKey }, role]]) => ({ name, publicKey, role })),
    ...(require && { require }),
  };
  where.write({ 'trust.ts': `export const trust = ${JSON.stringify(trust)};\n` });
}

test('artifacts under a policy', { skip: skipWithoutS3 }, async (t) => {
  const server: S3Server = await startS3Server();
  t.after(() => server.close());
  const proxy = await faultProxy(server.endpoint);
  t.after(() => proxy.close());
  const bucket = await server.bucket({ who: 'reader', may: 'list and get' });
  const { owner, reader } = server;
  site = project(t);
  site.edit('Buildfile.ts', 'make, place, tarball', 'make, place, s3, tarball');
  const spec = JSON.stringify({ bucket, endpoint: proxy.url });
  site.edit('Buildfile.ts', 'defaults: [app, lone]', `defaults: [leaf], cache: [s3(${spec})], trust`);
  site.edit('Buildfile.ts', '\n\nconst options', "\nimport { trust } from './trust.ts';\n\nconst options");
  const [ci, pr] = [await newKey('ci.key'), await newKey('pr.key')];
  trusting(site, { ci: [ci, 'ci'], pr: [pr, 'pr'] }, { builder: 'ci', ref: 'main' });
  checkIn(site.path);

  const build = async (where: Project, args: readonly string[], env: Record<string, string>): Promise<EventsOf> => {
    const run = await where.build([...args, '--verbose'], { env });
    said.push(run);
    return run;
  };
  const machine = (name: string): Project => cloneOf(site, `${site.path}-${name}`, `${site.home}-${name}`);
  const manifests = async (): Promise<string[]> =>
    (await server.list(bucket)).filter((name) => name.startsWith('v1/artifacts/'));
  const restores = async (where: Project): Promise<EventsOf> => {
    const run = insistOnSuccess(await build(where, ['--no-build', '--frozen'], reader));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 1, built: 0 });
    return run;
  };
  /** What CI pushed from main. */
  let object = '';
  /** A server that must not take it; nothing of a body may have been asked for. */
  const refuses = async (where: Project, reason: RegExp): Promise<void> => {
    const before = proxy.log.length;
    const run = await build(where, ['--no-build', '--frozen'], reader);
    assert.equal(run.exitStatus, 3, run.stderr);
    const answers = run.events.filter(({ type, tier }) => type === 'cache-looked-up' && tier !== 'disk');
    assert.deepEqual(
      answers.map(({ answer }) => answer),
      ['rejected'],
    );
    assert.match(answers[0]?.reason ?? '', reason);
    assert.deepEqual(
      proxy.log.slice(before).filter((line) => line.includes('/blobs/')),
      [],
    );
  };

  await t.test('nothing is built for a push that nobody would accept', async () => {
    for (const [env, found] of [
      [{}, 'No key is given to sign artifacts with'],
      [{ VBUILD_SIGNING_KEY_FILE: join(site.home, 'none') }, 'File of the signing key is not there'],
      [signingWith(await newKey('stranger.key')), 'Signing key is not one that the Buildfile trusts'],
      [{ VBUILD_SIGNING_KEY: secrets[0] ?? '' }, 'Signing key cannot be read'],
      [{ VBUILD_SIGNING_KEY: 'x', VBUILD_SIGNING_KEY_FILE: 'y' }, 'Signing key is given twice'],
    ] as const) {
      const run = await build(site, ['--push'], { ...owner, ...env });
      assert.equal(run.exitStatus, 2, run.stderr);
      assert.deepEqual(
        run.errors.map(({ code, headline }) => [code, headline]),
        [['signing-key', found]],
      );
      assert.deepEqual(
        run.stages.filter((stage) => stage.endsWith('compile')),
        [],
      );
    }
  });

  await t.test(
    'what CI pushes from main is restored; its statement and signature can be read with other tools',
    async () => {
      insistOnSuccess(await build(site, ['--push'], { ...owner, ...signingWith(ci) }));
      const [pushed = '', ...others] = await manifests();
      object = pushed;
      assert.deepEqual([object.endsWith(`/${ci.id}.json`), others], [true, []]);
      const { payload, signature } = JSON.parse((await server.get(bucket, object)).toString()) as Record<
        string,
        string
      >;
      const { statement } = JSON.parse(payload ?? '') as { statement: Record<string, object> };
      assert.deepEqual(statement['revision'], { clean: true, commit: headOf(site), ref: 'main' });
      assert.equal(statement['builder'], 'ci');
      const { sources } = JSON.parse(site.read('Buildfile.lock')) as {
        sources: Record<string, { pin: object; tree: string }>;
      };
      assert.deepEqual(statement['source'], { pin: sources['leaf@1.0']?.pin, tree: sources['leaf@1.0']?.tree });
      site.write({ 'out/payload': payload ?? '', 'out/payload.minisig': signature ?? '' });
      verifyWithMinisign(t, join(site.path, 'out'), ci);
      await restores(machine('production'));
    },
  );

  await t.test('a restored artifact bears its signature on the disk as well', async () => {
    const second = cloneOf(site, `${site.path}-second`, `${site.home}-production`);
    const run = insistOnSuccess(await build(second, ['--no-build', '--offline'], {}));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 1, built: 0 });
  });

  await t.test("what a pull request's job pushed, nobody else takes", async () => {
    const job = machine('pull-request');
    git(job, 'switch', '--quiet', '--create', 'feature');
    job.edit('patches/leaf/value.patch', '+int leaf_value(void) { return 2; }', '+int leaf_value(void) { return 3; }');
    checkIn(job.path);
    insistOnSuccess(await build(job, ['--push'], { ...owner, ...signingWith(pr) }));
    const production = cloneOf(job, `${site.path}-lured`, `${site.home}-lured`);
    await refuses(production, /^it was built by pr, and the policy wants ci$/);
    // With the key of CI, but from another branch.
    insistOnSuccess(await build(job, ['--push'], { ...owner, ...signingWith(ci) }));
    await refuses(production, /it was built from feature, and the policy wants main/);
    assert.equal((await manifests()).length, 3);
  });

  await t.test('unsigned and tampered manifests are refused before their bodies are asked for', async () => {
    const bytes = await server.get(bucket, object);
    const clone = machine('victim');
    await server.put(bucket, object, bytes.toString().replace('1.0', '1.1'));
    await refuses(clone, /its signature by ci \(\S+\) does not hold/);
    await server.remove(bucket, object);
    const { payload = '' } = JSON.parse(bytes.toString()) as Record<string, string>;
    await server.put(bucket, object.replace(ci.id, 'unsigned'), payload);
    await refuses(clone, /^it is not signed$/);
    await server.put(bucket, object.replace(ci.id, '0123456789ABCDEF'), bytes);
    await refuses(clone, /^it is not signed, or signed by 0123456789ABCDEF, which the Buildfile does not trust$/);
    await server.put(bucket, object, bytes);
    await restores(clone);
  });

  await t.test(
    'what the same key pushed from another branch is no use to main: its push says so, and can repair it',
    async () => {
      const before = await manifests();
      const branch = machine('branch');
      branch.edit(
        'patches/leaf/value.patch',
        '+int leaf_value(void) { return 2; }',
        '+int leaf_value(void) { return 9; }',
      );
      checkIn(branch.path);
      git(branch, 'switch', '--quiet', '--create', 'feature');
      insistOnSuccess(await build(branch, ['--push'], { ...owner, ...signingWith(ci) }));
      const [taken = ''] = (await manifests()).filter((name) => !before.includes(name));
      git(branch, 'switch', '--quiet', 'main');
      const refused = await build(branch, ['--push'], { ...owner, ...signingWith(ci) });
      assert.equal(refused.exitStatus, 5, refused.stderr);
      const [error] = refused.errors;
      assert.equal(error?.facts['object'], `s3://${bucket}/${taken}`);
      assert.match(error?.facts['reason'] ?? '', /it was built from feature, and the policy wants main$/);
      assert.match(error?.mend ?? '', /vbuild cache push --repair/);
      const production = cloneOf(branch, `${site.path}-merged`, `${site.home}-merged`);
      await refuses(production, /it was built from feature, and the policy wants main/);
      insistOnSuccess(
        await branch.run(['cache', 'push', '--repair', 'leaf'], { env: { ...owner, ...signingWith(ci) } }),
      );
      await restores(production);
      for (const name of await manifests()) if (!before.includes(name)) await server.remove(bucket, name);
    },
  );

  await t.test('a new key takes the place of an old one without anything being built again', async () => {
    const next = await newKey('next.key');
    const job = machine('rotation');
    trusting(job, { next: [next, 'ci'], ci: [ci, 'ci'] }, { builder: 'ci', ref: 'main' });
    checkIn(job.path);
    const run = insistOnSuccess(await build(job, ['--push', '--no-build'], { ...owner, ...signingWith(next) }));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 1, built: 0 });
    const retired = machine('retired');
    trusting(retired, { next: [next, 'ci'] }, { builder: 'ci', ref: 'main' });
    await restores(retired);
    const late = machine('late');
    trusting(late, { pr: [pr, 'ci'] });
    await refuses(late, /which the Buildfile does not trust$/);
  });

  await t.test(
    'what a stolen key signed leaves the prefix as soon as the Buildfile does not trust it any more',
    async () => {
      const bytes = await server.get(bucket, object);
      const production = machine('robbed');
      // What the pull request made, passed off as what main asks for.
      const [forged = ''] = (await manifests()).filter((name) => name.endsWith(`/${pr.id}.json`));
      const { payload: theirs = '' } = JSON.parse((await server.get(bucket, forged)).toString()) as Record<
        string,
        string
      >;
      const { payload: ours = '' } = JSON.parse(bytes.toString()) as Record<string, string>;
      const { key, keyText, statement } = JSON.parse(ours) as Manifest;
      const secret = minisignSecretKey(readFileSync(ci.secretFile, 'utf8'));
      assert.ok(typeof secret === 'object');
      const evil = signed(
        { ...(JSON.parse(theirs) as Manifest), key, keyText, ...(statement && { statement }) },
        secret,
      );
      await server.put(bucket, object, evil.bytes);
      await restores(production);
      assert.equal(production.installed()['leaf']?.tree, evil.manifest.tree);
      assert.notEqual(evil.manifest.tree, (JSON.parse(ours) as Manifest).tree);

      const next = await newKey('safe.key');
      trusting(production, { next: [next, 'ci'] }, { builder: 'ci', ref: 'main' });
      const run = insistOnSuccess(await build(production, [], reader));
      assert.deepEqual([run.outcomes, run.installs], [{ fresh: 0, restored: 0, built: 1 }, 1]);
      assert.equal(production.installed()['leaf']?.tree, (JSON.parse(ours) as Manifest).tree);
      assert.deepEqual((await build(production, [], reader)).stages, []);
      await server.put(bucket, object, bytes);
    },
  );

  await t.test('no secret was printed, nor seen by the Buildfile', async () => {
    for (const user of [owner, reader]) {
      const secret = user['AWS_SECRET_ACCESS_KEY'] ?? assert.fail();
      for (const { stdout, stderr } of said) assert.ok(!`${stdout}${stderr}`.includes(secret));
    }
    const nosy = machine('nosy');
    nosy.edit('Buildfile.ts', '\n\nconst options', '\nthrow new Error(JSON.stringify(process.env));\n\nconst options');
    const line = readFileSync(ci.secretFile, 'utf8');
    for (const args of [[], ['--verbose'], ['--json']])
      said.push(await nosy.run(['--push', ...args], { env: { ...owner, VBUILD_SIGNING_KEY: line } }));
    said.push(await site.run(['--push', '--verbose'], { env: { ...owner, VBUILD_SIGNING_KEY: line } }));
    assert.equal(said.at(-1)?.exitStatus, 0);
    assert.ok(secrets.every((secret) => secret.length > 15) && said.length > 20);
    for (const { stdout, stderr } of said)
      for (const secret of secrets) assert.ok(!`${stdout}${stderr}`.includes(secret), 'a secret was printed');
    // Nor does any file hold one that vbuild wrote: logs, stamps, records, the cache.
    for (const top of [join(site.path, '.vbuild'), join(site.path, '.vendor.generations'), join(site.home, '.cache')]) {
      for (const file of filesBelow(top)) {
        const text = readFileSync(join(top, file), 'latin1');
        for (const secret of secrets) assert.ok(!text.includes(secret), `a secret is in ${join(top, file)}`);
      }
    }
  });
});

const git = ({ path }: Project, ...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: path, encoding: 'utf8' });
const headOf = (where: Project): string => git(where, 'rev-parse', 'HEAD').trim();

function verifyWithMinisign(t: TestContext, folder: string, { publicKey }: Key): void {
  try {
    execFileSync('minisign', ['-V', '-m', 'payload', '-P', publicKey], { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || process.env['CI']) throw error;
    t.diagnostic('no minisign here: apt-get install minisign');
  }
}
