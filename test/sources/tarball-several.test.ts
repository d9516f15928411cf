/** Several archives that become one tree. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { VbuildError } from '../../src/model/error.ts';
import { tarball, tarballKind, type TarballSpec } from '../../src/sources/tarball.ts';
import { walk } from '../../src/system/files.ts';
import { httpServer, serve } from '../support/http-server.ts';
import { type Tree, tempDir, writeTree } from '../support/temp.ts';
import { fetchTarget, packWithTar, sourceContext, upstreamTarball } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

function setting(t: TestContext, more: Readonly<Record<string, Tree>>) {
  const top = tempDir(t);
  upstreamTarball(top, { 'a.c': 'a', 'lib/b.c': 'b' }, 'main.tar.gz');
  for (const [name, tree] of Object.entries(more)) upstreamTarball(top, tree, name);
  return { top, context: sourceContext(top) };
}

async function fetched(spec: TarballSpec, { top, context }: ReturnType<typeof setting>): Promise<string> {
  assert.deepEqual(tarballKind.problems(spec), []);
  const target = fetchTarget(top);
  await tarballKind.fetch(spec, await tarballKind.resolve(spec, context), target, context);
  assert.deepEqual(
    walk(join(top, 'target')).filter(({ path }) => path.startsWith('.')),
    [],
  );
  return target.tree;
}

test('tarball() unpacks further archives into folders of the tree, each with a pin of its own, in the order given', async (t) => {
  const here = setting(t, { 'demos.tar.gz': { 'd.c': 'd' }, 'data.tar.gz': { 'share/x': 'x', y: 'y' } });
  const spec = tarball('main.tar.gz', {
    also: [
      { from: 'demos.tar.gz', into: 'third/demos' },
      { from: ['gone.tar.gz', 'data.tar.gz'], into: 'lib', subdir: 'share' },
    ],
  });
  const pin = await tarballKind.resolve(spec, here.context);
  assert.deepEqual(
    pin.files?.map(({ name, digest }) => [name, digest]),
    ['main.tar.gz', 'demos.tar.gz', 'data.tar.gz'].map((name) => [
      name === 'data.tar.gz' ? 'gone.tar.gz' : name,
      digestOf(readFileSync(join(here.top, name))),
    ]),
  );
  assert.deepEqual(names(await fetched(spec, here)), [
    'a.c',
    'lib',
    'lib/b.c',
    'lib/x',
    'third',
    'third/demos',
    'third/demos/d.c',
  ]);
});

test('tarball() unpacks beside what is there at the top, and works when all upstreams are gone', async (t) => {
  const here = setting(t, { 'more.tar.gz': { 'lib/c.c': 'c' } });
  const spec = tarball('main.tar.gz', { also: [{ from: 'more.tar.gz', into: '.' }] });
  const pin = await tarballKind.resolve(spec, here.context);
  for (const name of ['main.tar.gz', 'more.tar.gz']) rmSync(join(here.top, name));
  const target = fetchTarget(here.top);
  await tarballKind.fetch(spec, pin, target, here.context);
  assert.deepEqual(names(target.tree), ['a.c', 'lib', 'lib/b.c', 'lib/c.c']);
});

for (const [title, tree, into, member] of [
  ['a file that two archives have', { 'b.c': 'other' }, 'lib', '"lib/b.c"'],
  ['a folder in the place of a file', { 'x.c': 'x' }, 'a.c', '"a.c"'],
  ['a folder with the name of a file', { 'a.c/x': 'x' }, '.', '"a.c"'],
] as const)
  test(`tarball() refuses ${title}`, async (t) => {
    const here = setting(t, { 'more.tar.gz': tree });
    await assert.rejects(
      fetched(tarball('main.tar.gz', { also: [{ from: 'more.tar.gz', into }] }), here),
      (error: VbuildError) => {
        assert.equal(error.code, 'archive-refused');
        assert.deepEqual([error.where.file, error.facts['member']], ['more.tar.gz', member]);
        return true;
      },
    );
  });

test('tarball() lets no archive write through, or lead out by, the links of another one', async (t) => {
  const here = setting(t, { 'more.tar.gz': { 'x.c': 'x' } });
  const folder = join(here.top, 'linked');
  writeTree(folder, { 'lib/b.c': 'b', 'down/deep/x': 'x' });
  symlinkSync('lib', join(folder, 'alias'));
  symlinkSync('b/..', join(folder, 'up'));
  packWithTar(folder, join(here.top, 'linked.tar.gz'));
  await assert.rejects(
    fetched(tarball('linked.tar.gz', { also: [{ from: 'more.tar.gz', into: 'alias/sub' }] }), here),
    { code: 'archive-refused' },
  );
  const second = join(here.top, 'second');
  mkdirSync(second);
  symlinkSync('down/deep', join(second, 'b'));
  writeTree(second, { 'dir/file': 'x' });
  symlinkSync('../b/../../../outside', join(second, 'dir/out'));
  packWithTar(second, join(here.top, 'second.tar.gz'));
  await assert.rejects(
    fetched(tarball('linked.tar.gz', { also: [{ from: 'second.tar.gz', into: '.', strip: 1 }] }), {
      ...here,
      top: join(here.top, 'again'),
    }),
    { code: 'archive-refused' },
  );
});

const further = (changes: object): TarballSpec =>
  tarball('a.tar', { also: [{ from: 'b.tar', into: 'b', ...changes }] });
for (const [title, spec, problem] of [
  ['a list that is none', tarball('a.tar', { also: 'b.tar' as unknown as [] }), /also must be a list/],
  ['an archive that is a string', tarball('a.tar', { also: ['b.tar'] as unknown as [] }), /also must be a list/],
  ['an archive without a place', further({ from: undefined }), /also\[0\]: tarball needs/],
  ['no folder', further({ into: undefined }), /also\[0\]: into must be/],
  ['a folder that climbs', further({ into: '../x' }), /also\[0\]: into must be/],
  ['a digest that is none', further({ sha256: 'x' }), /also\[0\]: sha256 must be/],
] as const)
  test(`tarball() names ${title} among further archives`, () => {
    assert.match(tarballKind.problems(spec).join('; '), problem);
  });

test('tarball() insists on the digest of each archive', async (t) => {
  const here = setting(t, { 'more.tar.gz': { x: 'x' } });
  const bytes = readFileSync(join(here.top, 'more.tar.gz'));
  let answer = bytes;
  const server = await httpServer(t, (request, response) => serve(request, response, answer));
  const spec = tarball('main.tar.gz', {
    also: [{ from: `${server.url}/more.tar.gz`, into: 'more', sha256: digestOf(bytes) }],
  });
  const pin = await tarballKind.resolve(spec, here.context);
  answer = readFileSync(upstreamTarball(here.top, { x: 'other' }, 'other.tar.gz'));
  const elsewhere = sourceContext(join(here.top, 'elsewhere'), { buildfileFolder: here.top });
  await assert.rejects(tarballKind.resolve(spec, elsewhere), { code: 'pin-mismatch' });
  await assert.rejects(tarballKind.fetch(spec, pin, fetchTarget(here.top), elsewhere), { code: 'pin-mismatch' });
});
