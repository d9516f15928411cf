/** What is pushed and what is not: the rules for what no commit holds, completing, repairing, and building when upstream is gone. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Plan } from '../../src/model/plan.ts';
import { checkIn } from '../support/check-in.ts';
import { type EventsOf, eventsOf, insistOnSuccess } from '../support/events.ts';
import { cloneOf, leafPatch, type Project, project } from '../support/project.ts';
import { type S3Server, skipWithoutS3, startS3Server } from '../support/s3-server.ts';

const pushed = ({ events }: EventsOf): string[] =>
  events.flatMap(({ type, package: id }) => (type === 'pushed' ? [id ?? ''] : [])).sort();
/** Why packages were not pushed, by package. */
const withheld = ({ events }: EventsOf): Record<string, string> => {
  const { mend: _, ...facts } = events.find(({ code }) => code === 'push-withheld')?.facts ?? {};
  return facts;
};

test('pushing', { skip: skipWithoutS3 }, async (t) => {
  const server: S3Server = await startS3Server();
  t.after(() => server.close());
  const bucket = await server.bucket();
  const { endpoint, owner } = server;
  const site = project(t, {
    'local/Makefile': 'install:\n\tmkdir -p $(DESTDIR)$(PREFIX)/share\n\tcp note $(DESTDIR)$(PREFIX)/share\n',
    'local/note': 'one\n',
  });
  site.edit('Buildfile.ts', 'make, place, tarball', 'directory, make, place, s3, tarball');
  site.edit(
    'Buildfile.ts',
    'export default',
    "const own = definePackage('own', { version: '1', source: directory('local'), recipe: make(options) });\n\nexport default",
  );
  const spec = JSON.stringify({ bucket, endpoint });
  site.edit(
    'Buildfile.ts',
    'packages: [leaf, branch, gen, app, lone], defaults: [app, lone]',
    `packages: [leaf, branch, lone, own], defaults: [branch, own], cache: [s3(${spec})]`,
  );
  checkIn(site.path);
  const build = async (where: Project, ...args: string[]): Promise<EventsOf> => where.build(args, { env: owner });
  const cachePush = async (where: Project, ...args: string[]): Promise<EventsOf> =>
    eventsOf(await where.run(['cache', 'push', ...args, '--json'], { env: owner }));
  const objects = async (part: string): Promise<string[]> =>
    (await server.list(bucket)).filter((name) => name.includes(part));

  /** What a plan says of a push: packages with the sizes that are known, those that are held back with why, and the text for people. */
  const planned = async (): Promise<readonly [Record<string, number | undefined>, Record<string, string>, string]> => {
    const look = async (...args: string[]) =>
      insistOnSuccess(await site.run(['plan', '--push', ...args], { env: owner })).stdout;
    const { uploads = [], withheld: held = [] } = JSON.parse(await look('--json')) as Plan;
    return [
      Object.fromEntries(uploads.map((one) => [one.package, one.sizeBytes])),
      Object.fromEntries(held.map((one) => [one.package, one.reason])),
      await look(),
    ];
  };

  await t.test('a clean checkout is pushed, although the lock file is not committed', async () => {
    const run = insistOnSuccess(await build(site, '--push'));
    assert.deepEqual([pushed(run), withheld(run)], [['branch@2.0', 'leaf@1.0', 'own@1'], {}]);
    assert.equal((await objects('/artifacts/')).length, 3);
    // Three bodies and the archives of two sources; a folder of the project has none.
    assert.equal((await objects('/blobs/')).length, 5);
  });

  await t.test('what is there already is not pushed again', async () => {
    const [uploads, held, text] = await planned();
    assert.deepEqual([uploads, held], [{}, {}]);
    assert.match(text, /^nothing is pushed to s3:/m);
    const run = insistOnSuccess(await build(site, '--push'));
    assert.deepEqual([pushed(run), run.stages], [[], []]);
  });

  await t.test('what rests on a modified patch is built and not pushed, nor is what needs it', async () => {
    const before = await server.list(bucket);
    site.write({ 'patches/leaf/value.patch': leafPatch(3) });
    const [uploads, held, text] = await planned();
    const run = insistOnSuccess(await build(site, '--push'));
    assert.deepEqual(run.outcomes, { fresh: 1, restored: 0, built: 2 });
    const reason = `${site.path}/patches/leaf/value.patch is modified`;
    assert.deepEqual(withheld(run), { 'leaf@1.0': reason, 'branch@2.0': reason });
    assert.deepEqual([uploads, held], [{}, withheld(run)]);
    assert.match(text, /^not pushed: leaf@1\.0 and branch@2\.0: .* is modified$/m);
    assert.deepEqual([pushed(run), await server.list(bucket)], [[], before]);
    const named = insistOnSuccess(await cachePush(site, 'branch'));
    assert.deepEqual(withheld(named), { 'leaf@1.0': reason, 'branch@2.0': 'it needs leaf@1.0, which is not pushed' });
    assert.deepEqual(await server.list(bucket), before);
  });

  await t.test('it is pushed by name, with a statement that says so', async () => {
    const run = insistOnSuccess(await cachePush(site, 'leaf', 'branch'));
    assert.deepEqual([pushed(run), withheld(run)], [['branch@2.0', 'leaf@1.0'], {}]);
    const statements = await Promise.all(
      (await objects('/artifacts/leaf/')).map(async (name) => {
        const { statement } = JSON.parse((await server.get(bucket, name)).toString()) as {
          statement: { revision: { clean: boolean } };
        };
        return statement.revision.clean;
      }),
    );
    assert.deepEqual(new Set(statements), new Set([false, true]));
    site.write({ 'patches/leaf/value.patch': leafPatch(2) });
  });

  const unclean: readonly (readonly [
    name: string,
    change: (where: Project) => void,
    withheld: Record<string, RegExp>,
  ])[] = [
    [
      'a modified Buildfile',
      (where) => where.edit('Buildfile.ts', "version: '1',", "version: '1', remove: ['x'],"),
      { 'leaf@1.0': /Buildfile\.ts is modified/, 'branch@2.0': /Buildfile\.ts/, 'own@1': /Buildfile\.ts/ },
    ],
    [
      'an untracked file in a folder of the project',
      (where) => where.write({ 'local/new': 'x' }),
      { 'own@1': /local is untracked/ },
    ],
    [
      'an ignored one',
      (where) => {
        where.write({ 'local/.gitignore': 'junk\n' });
        checkIn(where.path);
        where.write({ 'local/.gitignore': 'junk\n', 'local/junk': 'x' });
      },
      { 'own@1': /local is ignored by git/ },
    ],
    [
      'a file that is imported and not committed',
      (where) =>
        where.write({
          'more.ts': 'export const more = 1;\n',
          'Buildfile.ts': `import './more.ts';\n${where.read('Buildfile.ts')}`,
        }),
      { 'leaf@1.0': /(more|Buildfile)\.ts is/, 'branch@2.0': /\.ts/, 'own@1': /\.ts/ },
    ],
    [
      'no repository at all',
      (where) => rmSync(join(where.path, '.git'), { recursive: true }),
      { 'leaf@1.0': /not under version control/, 'branch@2.0': /not under/, 'own@1': /not under/ },
    ],
  ];
  for (const [at, [name, change, expected]] of unclean.entries()) {
    await t.test(`${name} keeps what rests on it from being pushed`, async () => {
      const clone = cloneOf(site, `${site.path}-${at}`, site.home);
      change(clone);
      const run = insistOnSuccess(await build(clone, '--push', '--no-install'));
      assert.deepEqual(pushed(run), []);
      const reasons = withheld(run);
      assert.deepEqual(Object.keys(reasons).sort(), Object.keys(expected).sort());
      for (const [id, pattern] of Object.entries(expected)) assert.match(reasons[id] ?? '', pattern);
    });
  }

  await t.test('cache push completes what is missing, and builds nothing', async () => {
    const [manifest = ''] = await objects('/artifacts/own/');
    const { body } = JSON.parse((await server.get(bucket, manifest)).toString()) as { body: { digest: string } };
    const [lost = ''] = await objects(body.digest);
    const sources = JSON.parse(site.read('Buildfile.lock')) as {
      sources: Record<string, { pin: { files: { digest: string }[] } }>;
    };
    const [archive = ''] = await objects(sources.sources['leaf@1.0']?.pin.files[0]?.digest ?? 'none');
    await server.remove(bucket, lost);
    await server.remove(bucket, archive);
    const run = insistOnSuccess(await cachePush(site));
    assert.deepEqual([pushed(run), run.stages], [['leaf@1.0', 'own@1'], []]);
    assert.deepEqual([(await objects(lost)).length, (await objects(archive)).length], [1, 1]);
    assert.deepEqual(pushed(insistOnSuccess(await cachePush(site))), []);
    const text = insistOnSuccess(await site.run(['cache', 'push'], { env: owner }));
    assert.equal(text.stdout, '3 artifacts complete in every cache\n');
  });

  await t.test('an object that cannot be used ends with status 5 and the command that repairs it', async () => {
    const [manifest = ''] = await objects('/artifacts/own/');
    const sound = await server.get(bucket, manifest);
    await server.put(bucket, manifest, '{"format":1}');
    const run = await cachePush(site, 'own');
    assert.equal(run.exitStatus, 5, run.stderr);
    assert.deepEqual(
      run.errors.map(({ code, facts, mend }) => [code, facts['object'], /vbuild cache push --repair/.test(mend)]),
      [['upload-failed', `s3://${bucket}/${manifest}`, true]],
    );
    const last = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
    assert.deepEqual([last['present'], last['unsent']], [[], ['own@1']]);
    insistOnSuccess(await cachePush(site, 'own', '--repair'));
    assert.equal((await server.get(bucket, manifest)).toString(), sound.toString());
  });

  await t.test('what no cache has ends with status 3', async () => {
    const run = await cachePush(site, 'lone');
    assert.equal(run.exitStatus, 2, run.stderr);
    insistOnSuccess(await site.run(['lock', 'lone']));
    const missing = await cachePush(site, 'lone');
    assert.equal(missing.exitStatus, 3, missing.stderr);
    assert.deepEqual(
      missing.errors.map(({ code, where }) => [code, where.package]),
      [['not-ready', 'lone@1.0']],
    );
  });

  await t.test('with upstream gone and no artifact left, sources come from the bucket', async () => {
    for (const part of ['/artifacts/', '/equal/'])
      for (const name of await objects(part)) await server.remove(bucket, name);
    const clone = cloneOf(site, `${site.path}-later`, `${site.home}-later`);
    rmSync(join(clone.path, 'upstream'), { recursive: true });
    const run = insistOnSuccess(await build(clone, 'branch'));
    assert.deepEqual(run.outcomes, { fresh: 0, restored: 0, built: 2 });
  });
});
