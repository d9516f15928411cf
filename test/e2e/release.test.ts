/** Releases: one signed document is enough for a server, decides what a bucket keeps, and tells a ticket what has changed. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { minisignKey } from '../../src/key/minisign.ts';
import { checkIn } from '../support/check-in.ts';
import { eventsOf, insistOnSuccess } from '../support/events.ts';
import { faultProxy, s3Error } from '../support/fault-proxy.ts';
import { fileServer } from '../support/http-server.ts';
import { cloneOf, leafPatch, project, projectAt, withFolderCache } from '../support/project.ts';
import { skipWithoutS3, startS3Server } from '../support/s3-server.ts';
import { tempDir } from '../support/temp.ts';
import { filesBelow } from '../cache/sample.ts';

interface Key {
  readonly publicKey: string;
  readonly secretFile: string;
}

test('a release is made, signed, installed by, compared and kept', async (t) => {
  const site = project(t);
  const bucket = withFolderCache(site, 'branch');
  const keyFrom = async (name: string): Promise<Key> =>
    JSON.parse(insistOnSuccess(await site.run(['key', 'new', join(site.home, name), '--json'])).stdout) as Key;
  const key = await keyFrom('ci.key');
  const trust = { keys: [{ name: 'ci', publicKey: key.publicKey, role: 'ci' }] };
  const env = { VBUILD_SIGNING_KEY_FILE: key.secretFile };
  site.edit('Buildfile.ts', 'defaults: [branch],', `defaults: [branch], trust: ${JSON.stringify(trust)},`);
  const create = (name: string, args: readonly string[] = []) =>
    site.run(['release', 'create', name, ...args], { env });
  insistOnSuccess(await site.run(['lock']));
  checkIn(site.path);

  await t.test('only of what a cache has that servers can reach', async () => {
    insistOnSuccess(await site.build(['--no-install']));
    const early = await create('shop-0');
    assert.equal(early.exitStatus, 3);
    assert.match(early.stderr, /^ {2}package +leaf@1\.0$/m);
    assert.ok(!existsSync(join(site.path, 'shop-0.release.json')));
  });

  insistOnSuccess(await site.build(['--push', '--no-install'], { env }));
  const made = insistOnSuccess(await create('shop-1', ['--push']));
  assert.match(made.stdout, /^wrote \S+shop-1\.release\.json: 2 packages, .* to download, signed by [0-9A-F]{16}$/m);
  assert.match(made.stdout, /^put it into \S+bucket as shop-1$/m);
  checkIn(site.path);

  site.write({
    'patches/leaf/series': 'better.patch\n',
    'patches/leaf/better.patch': leafPatch(4),
  });
  checkIn(site.path);
  insistOnSuccess(await site.build(['--push', '--no-install'], { env }));
  insistOnSuccess(await create('shop-2', ['--push']));

  await t.test('a name is given once, and not used up where the document cannot be written', async () => {
    const taken = join(site.path, 'shop-3.release.json');
    writeFileSync(taken, 'mine\n');
    const late = await create('shop-3', ['--push']);
    assert.deepEqual([late.exitStatus, /^error: There is a file already$/m.test(late.stderr)], [2, true]);
    assert.ok(!existsSync(join(bucket, 'v1/releases/shop-3')));
    assert.equal(readFileSync(taken, 'utf8'), 'mine\n');
    rmSync(taken);
    assert.equal((await create('shop/2')).exitStatus, 2);
    const written = join(site.path, 'shop-1.release.json');
    const other = await create('shop-1', ['--push']);
    assert.deepEqual(
      [other.exitStatus, /^ {2}found +it has another revision, leaf@1\.0, /m.test(other.stderr)],
      [2, true],
    );
    renameSync(written, `${written}.aside`);
    const again = await create('shop-1', ['--push']);
    assert.equal(again.exitStatus, 5, again.stderr);
    assert.match(again.stderr, /^error: Another release of this name is there already$/m);
    assert.ok(!existsSync(written));
    renameSync(`${written}.aside`, written);
  });

  await t.test('the same one is made twice to no effect, whatever of it is there already', async () => {
    const place = join(bucket, 'v1/releases/shop-2', `${minisignKey(key.publicKey)?.id}.json`);
    const written = join(site.path, 'shop-2.release.json');
    const bytes = readFileSync(written);
    const again = insistOnSuccess(await create('shop-2', ['--push']));
    assert.match(again.stdout, /^\S+shop-2\.release\.json is there already: .*\n\S+bucket has it already as shop-2\n$/);
    for (const lost of [written, place]) {
      rmSync(lost);
      insistOnSuccess(await create('shop-2', ['--push']));
      assert.deepEqual([readFileSync(written), readFileSync(place)], [bytes, bytes]);
    }
    // What nobody has signed so is none of ours.
    writeFileSync(place, Buffer.from(bytes).toString().replace('trusted comment: vbuild', 'trusted comment: Vbuild'));
    const forged = await create('shop-2', ['--push']);
    assert.deepEqual([forged.exitStatus, /its signature does not hold$/m.test(forged.stderr)], [5, true]);
    writeFileSync(place, bytes);
  });

  const server = projectAt(tempDir(t, 'server'), join(tempDir(t, 'server-home'), 'home'));
  const file = join(server.path, 'shop-1.release.json');
  copyFileSync(join(site.path, 'shop-1.release.json'), file);
  server.write({ 'trust.json': JSON.stringify(trust) });
  const by = (release: string, ...args: string[]): string[] => ['--release', release, '--trust', 'trust.json', ...args];

  await t.test('a server installs by it with nothing else: no Buildfile, no sources', async () => {
    assert.equal((await server.run(['check', ...by(file)])).exitStatus, 3);
    assert.equal((await server.run(['check', '--no-install', ...by(file)])).exitStatus, 0);
    const run = insistOnSuccess(eventsOf(await server.run(['install', '--json', ...by(file)])));
    assert.deepEqual([run.outcomes, run.installs], [{ fresh: 0, restored: 2, built: 0 }, 1]);
    assert.equal((await server.run(['check', ...by(file)])).exitStatus, 0);
    assert.equal(insistOnSuccess(eventsOf(await server.run(['install', '--json', ...by(file)]))).installs, 0);
    assert.deepEqual(readdirSync(server.path).sort(), [
      '.vendor.generations',
      'shop-1.release.json',
      'trust.json',
      'vendor',
    ]);
    const { packages } = JSON.parse(readFileSync(join(server.path, '.vendor.generations/1.json'), 'utf8')) as {
      packages: object;
    };
    assert.deepEqual(Object.keys(packages), ['branch', 'leaf']);
  });

  await t.test('by its name from a web server that hands out the cache, and back', async () => {
    const { url } = await fileServer(t, bucket);
    // A folder that is called so is no document.
    mkdirSync(join(server.path, 'shop-2'));
    insistOnSuccess(await server.run(['install', ...by('shop-2', '--from', url)]));
    assert.equal((await server.run(['check', ...by('shop-2', '--from', url)])).exitStatus, 0);
    assert.equal((await server.run(['check', ...by(file)])).exitStatus, 3);
    insistOnSuccess(await server.run(['rollback']));
    assert.equal((await server.run(['check', ...by(file)])).exitStatus, 0);
    const none = await server.run(['install', ...by('shop-9', '--from', url)]);
    assert.equal(none.exitStatus, 3);
    for (const from of ['ftp://cache/shop', `file://${bucket}`, 's3://', 'S3://shop']) {
      const strange = await server.run(['check', ...by('shop-2', '--from', from)]);
      assert.deepEqual(
        [strange.exitStatus, /^error: Cache cannot be named so$/m.test(strange.stderr)],
        [2, true],
        from,
      );
    }
  });

  await t.test('nobody is believed whom the server does not trust, and nothing that was changed', async () => {
    const prefix = ['--prefix', 'elsewhere'];
    const untold = await server.run(['install', '--release', file, ...prefix]);
    assert.deepEqual([untold.exitStatus, /--trust FILE/.test(untold.stderr)], [1, true]);
    mkdirSync(join(server.path, 'folder'));
    const shut = await server.run(['install', '--release', file, '--trust', 'folder', ...prefix]);
    assert.deepEqual(
      [shut.exitStatus, /^error: A folder lies where a file is needed\n {2}file +folder$/m.test(shut.stderr)],
      [1, true],
      shut.stderr,
    );
    const stranger = await keyFrom('stranger.key');
    server.write({
      'others.json': JSON.stringify({ keys: [{ name: 'x', publicKey: stranger.publicKey, role: 'ci' }] }),
      'broken.json': '{ "keys": [] }',
    });
    const refused = await server.run(['install', '--release', file, '--trust', 'others.json', ...prefix]);
    assert.deepEqual([refused.exitStatus, /which the Buildfile does not trust/.test(refused.stderr)], [1, true]);
    assert.equal((await server.run(['install', '--release', file, '--trust', 'broken.json', ...prefix])).exitStatus, 2);
    const text = readFileSync(file, 'utf8');
    for (const [from, to] of [
      ['shop-1', 'shop-7'],
      ['branch@2.0', 'branch@2.1'],
    ] as const) {
      writeFileSync(join(server.path, 'forged.json'), text.replace(`\\"${from}\\"`, `\\"${to}\\"`));
      const forged = await server.run(['install', ...by('forged.json', ...prefix)]);
      assert.deepEqual([forged.exitStatus, /does not hold/.test(forged.stderr)], [1, true], forged.stderr);
    }
    assert.ok(!existsSync(join(server.path, 'elsewhere')));
  });

  await t.test('by its name only one that bears it, made by whom the policy wants', async () => {
    const place = (release: string): string => join(bucket, 'v1/releases', release);
    const [own = ''] = readdirSync(place('shop-2'));
    const good = readFileSync(join(place('shop-2'), own));
    const named = (trustFile: string) =>
      server.run(['check', '--no-install', '--release', 'shop-2', '--from', bucket, '--trust', trustFile]);
    const other = await keyFrom('other.key');
    const keys = [{ name: 'other', publicKey: other.publicKey, role: 'developer' }, ...trust.keys];
    server.write({
      'two.json': JSON.stringify({ keys }),
      'strict.json': JSON.stringify({
        keys: keys.map((one) => ({ ...one, role: one.role === 'ci' ? 'developer' : 'ci' })),
        require: { builder: 'ci' },
      }),
    });
    const strict = await named('strict.json');
    assert.deepEqual(
      [strict.exitStatus, /it was made by developer, and the policy wants ci$/m.test(strict.stderr)],
      [1, true],
    );
    const first = join(place('shop-2'), `${minisignKey(other.publicKey)?.id}.json`);
    writeFileSync(first, 'no release\n');
    assert.equal((await named('two.json')).exitStatus, 0);
    copyFileSync(join(place('shop-1'), own), join(place('shop-2'), own));
    const swapped = await named('two.json');
    assert.equal(swapped.exitStatus, 1, swapped.stderr);
    assert.match(
      swapped.stderr,
      /bucket by other: it lies in .* is not signed; \S+bucket by ci: it is release shop-1$/m,
    );
    assert.equal((await server.run(['install', ...by('shop-2', '--from', bucket)])).exitStatus, 1);
    writeFileSync(join(place('shop-2'), own), good);
    rmSync(first);
  });

  await t.test('two of them are compared as Markdown', async () => {
    const { stdout } = insistOnSuccess(await site.run(['release', 'diff', 'shop-1', 'shop-2.release.json']));
    assert.match(stdout, /^# shop-2 after shop-1\n\n- Platform: linux-/);
    assert.match(stdout, /^- Buildfile: [0-9a-f]{12}… \(\S+\) → [0-9a-f]{12}… \(\S+\)$/m);
    assert.match(stdout, /^- Packages: 2 of 2 changed$/m);
    assert.match(stdout, /^\| leaf \| 1\.0 \| \S+ k?B.* \| .* \|$/m);
    assert.match(
      stdout,
      /^## Patches\n\n- leaf: added `patches\/leaf\/better\.patch`\n- leaf: dropped `patches\/leaf\/value\.patch`$/m,
    );
    assert.match(stdout, /^- leaf: `patch\.001: [0-9a-f]{12}… → [0-9a-f]{12}…`\n- branch: follows leaf$/m);
    const same = insistOnSuccess(await site.run(['release', 'diff', 'shop-2', 'shop-2']));
    assert.match(same.stdout, /0 of 2 changed\n$/);
  });

  await t.test('a bucket keeps what releases reach, until they are dropped', async () => {
    const old = new Date(Date.now() - 90 * 24 * 3_600_000);
    for (const path of filesBelow(bucket)) utimesSync(join(bucket, path), old, old);
    const sweep = async (): Promise<{ releases: string[]; swept: { name: string }[] }> =>
      JSON.parse(insistOnSuccess(await site.run(['cache', 'gc', '--tier', bucket, '--json'])).stdout) as never;
    const kept = await sweep();
    assert.deepEqual([kept.releases, kept.swept], [['shop-1', 'shop-2'], []]);
    insistOnSuccess(await site.run(['release', 'drop', 'shop-1']));
    const swept = await sweep();
    assert.deepEqual(swept.releases, ['shop-2']);
    assert.equal(swept.swept.filter(({ name }) => name.includes('/artifacts/')).length, 2);
    assert.equal((await site.run(['release', 'drop', 'shop-1'])).exitStatus, 3);
  });
});

test('another build of the same keys is not what a release says, neither in the prefix nor in the cache of this machine', async (t) => {
  const bucket = join(tempDir(t), 'bucket');
  const site = project(t, {
    'source/word': 'word\n',
    'Buildfile.ts': `import { defineBuild, definePackage, directory, directoryCache, steps } from 'vbuild';
const run = 'mkdir -p "@stage@@prefix@/share" && od -An -N16 -tx1 /dev/urandom >"@stage@@prefix@/share/dice"';
const dice = definePackage('dice', { version: '1', source: directory('source'), recipe: steps([{ group: 'install', run }]) });
export default defineBuild({ packages: [dice], defaults: [dice], cache: [directoryCache(${JSON.stringify(bucket)})] });
`,
  });
  mkdirSync(bucket);
  insistOnSuccess(await site.build());
  insistOnSuccess(await site.run(['cache', 'push', 'dice']));
  insistOnSuccess(await site.run(['release', 'create', 'dice-1']));
  const there = readFileSync(join(site.path, 'vendor/share/dice'), 'utf8');

  const server = cloneOf(site, join(tempDir(t), 'server'), join(tempDir(t), 'home'));
  insistOnSuccess(await server.build(['--no-cache']));
  const dice = (): string => readFileSync(join(server.path, 'vendor/share/dice'), 'utf8');
  const [asBuilt, before] = [dice(), server.installed()];
  assert.deepEqual(
    [
      before['dice']?.key === site.installed()['dice']?.key,
      before['dice']?.tree === site.installed()['dice']?.tree,
      asBuilt === there,
    ],
    [true, false, false],
  );
  const by = ['--release', 'dice-1.release.json'];
  const checked = async (...args: string[]) => {
    const { exitStatus, stdout } = await server.run(['check', ...by, ...args, '--json']);
    const { packages, reasons } = JSON.parse(stdout) as {
      packages: { state: string; tier?: string; reason?: string }[];
      reasons: { input: string }[];
    };
    return {
      exitStatus,
      states: packages.map(({ state, tier }) => [state, tier]),
      reason: packages[0]?.reason,
      reasons,
    };
  };
  const found = await checked();
  assert.deepEqual([found.exitStatus, found.states], [3, [['available', bucket]]]);
  assert.ok(found.reasons.some(({ input }) => input === 'dice@1 tree'));
  const offline = await checked('--offline');
  assert.deepEqual([offline.exitStatus, offline.states], [3, [['missing', undefined]]]);
  assert.match(offline.reason ?? '', /^disk: another build of this key, with tree /);
  const lacking = await server.run(['install', ...by, '--offline']);
  assert.equal(lacking.exitStatus, 3);
  assert.match(
    lacking.stderr,
    /^ {2}mend +push it again from where it was built, name another cache with --from, or /m,
  );

  assert.equal(insistOnSuccess(eventsOf(await server.run(['install', ...by, '--json']))).installs, 1);
  assert.equal(dice(), there);
  assert.deepEqual(server.installed(), site.installed());
  assert.deepEqual([(await checked()).exitStatus, (await checked('--offline', '--no-install')).exitStatus], [0, 0]);
});

test('a release that one cache took and another refused is completed by the same command', async (t) => {
  const server = skipWithoutS3 === false ? await startS3Server() : undefined;
  t.after(() => server?.close());
  const site = project(t);
  const bucket = withFolderCache(site, 'lone');
  const env = server?.owner ?? {};
  insistOnSuccess(await site.build(['--no-install']));
  insistOnSuccess(await site.run(['cache', 'push', 'lone']));
  checkIn(site.path);
  const own = `directoryCache(${JSON.stringify(bucket)})`;
  const unmounted = join(site.home, 'unmounted');
  const later: [cache: string, place: string, mend: () => unknown, outcome?: string][] = [
    [`directoryCache(${JSON.stringify(unmounted)})`, unmounted, () => mkdirSync(unmounted)],
  ];
  if (server !== undefined) {
    later.push([
      `s3(${JSON.stringify({ bucket: 'made-later', endpoint: server.endpoint })})`,
      's3://made-later',
      () => server.client.send(new CreateBucketCommand({ Bucket: 'made-later' })),
    ]);
    const proxy = await faultProxy(server.endpoint);
    t.after(() => proxy.close());
    const when = (method: string): boolean => method === 'PUT';
    proxy.misbehave({ fault: { kind: 'answer', status: 403, body: s3Error('AccessDenied') }, when });
    const behind = await server.bucket();
    later.push([
      `s3(${JSON.stringify({ bucket: behind, endpoint: proxy.url })})`,
      `s3://${behind}`,
      // The server takes it and is not heard: tried again, it says that there is one, which is this one.
      () => proxy.misbehave({ fault: { kind: 'lose-answer' }, when, times: 1 }),
      String.raw`\S+ has it already`,
    ]);
  }
  site.edit('Buildfile.ts', 'directoryCache, make', 'directoryCache, s3, make');
  for (const [at, [cache, place, mend, outcome = String.raw`put it into \S+`]] of later.entries()) {
    await t.test(place, async () => {
      const buildfile = site.read('Buildfile.ts');
      site.edit('Buildfile.ts', `cache: [${own}]`, `cache: [${own}, ${cache}]`);
      checkIn(site.path);
      const name = `shop-${at}`;
      const create = () => site.run(['release', 'create', name, '--push'], { env });
      const first = await create();
      assert.equal(first.exitStatus, 5, first.stderr);
      assert.match(first.stdout, /^wrote .*\nput it into \S+bucket as shop-.\n$/);
      assert.match(first.stderr, new RegExp(`^ {2}cache +${place}\n`, 'm'));
      assert.match(first.stderr, /^ {2}mend .*; then the same command completes it$/m);
      const bytes = readFileSync(join(site.path, `${name}.release.json`));
      // A job of CI begins without the file.
      rmSync(join(site.path, `${name}.release.json`));
      await mend();
      const second = insistOnSuccess(await create());
      assert.match(
        second.stdout,
        new RegExp(`^wrote .*\\n\\S+bucket has it already as shop-.\\n${outcome} as shop-.\\n$`),
      );
      assert.deepEqual(readFileSync(join(site.path, `${name}.release.json`)), bytes);
      const there = JSON.parse(
        insistOnSuccess(await site.run(['release', 'diff', name, name, '--json'], { env })).stdout,
      );
      assert.equal((there as { now: { createdAt: string } }).now.createdAt, JSON.parse(bytes.toString()).createdAt);
      const third = insistOnSuccess(await create());
      assert.match(
        third.stdout,
        /^\S+ is there already: .*\n\S+ has it already as shop-.\n\S+ has it already as shop-.\n$/,
      );
      site.write({ 'Buildfile.ts': buildfile });
      checkIn(site.path);
    });
  }
});
