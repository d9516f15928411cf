import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { digestOf } from '../../src/model/digest.ts';
import type { VbuildError } from '../../src/model/error.ts';
import { tarball, tarballKind, type TarballSpec } from '../../src/sources/tarball.ts';
import { walk } from '../../src/system/files.ts';
import { httpServer, serve } from '../support/http-server.ts';
import { tempDir } from '../support/temp.ts';
import { fetchTarget, sourceContext, upstreamTarball } from '../support/upstream.ts';

const names = (folder: string): string[] => walk(folder).map(({ path }) => path);

function setting(t: TestContext) {
  const top = tempDir(t);
  const archive = upstreamTarball(top, { 'a.c': 'one', 'lib/b.c': 'two' });
  const bytes = readFileSync(archive);
  return { top, archive, bytes, digest: digestOf(bytes), context: sourceContext(top) };
}

const rows: readonly (readonly [title: string, spec: TarballSpec, problem: RegExp | undefined])[] = [
  ['an https URL', tarball('https://example.org/a-1.tar.gz'), undefined],
  ['mirrors', tarball(['http://a.example/x.zip', 'file:///srv/x.zip', 'archives/x.zip']), undefined],
  ['a full set of options', tarball('a.tar', { sha256: 'a'.repeat(64), strip: 0, subdir: 'src/lib' }), undefined],
  ['no place at all', tarball([]), /needs a URL or a path/],
  ['an empty place', tarball(''), /needs a URL or a path/],
  ['a scheme that cannot be fetched', tarball('ftp://example.org/a.tar.gz'), /ftp:/],
  ['no URL after all', tarball('http://'), /is not a URL/],
  ['a file: URL that is escaped', tarball('file:///srv/a%20b%25.tar.gz'), undefined],
  ['a file: URL with no escape', tarball('file:///srv/a%zz.tar.gz'), /a%zz.tar.gz" names no file of this machine/],
  ['a file: URL of another host', tarball('file://server/share/a.tar.gz'), /names no file of this machine/],
  ['a file: URL with an escaped slash', tarball('file:///srv/b%2Fa.tar.gz'), /names no file of this machine/],
  ['a file: URL with NUL', tarball('file:///srv/a%00.tar.gz'), /names no file of this machine/],
  ['a path with NUL', tarball('a\0.tar.gz'), /needs a URL or a path/],
  ['an s3: URL that is escaped', tarball('s3://bucket/100%25.tar.gz'), undefined],
  ['an s3: URL with no escape', tarball('s3://bucket/100%.tar.gz'), /100%.tar.gz" has a % that begins no escape/],
  ['a short digest', tarball('a.tar', { sha256: 'abc' }), /sha256/],
  ['an upper-case digest', tarball('a.tar', { sha256: 'A'.repeat(64) }), /sha256/],
  ['a negative strip', tarball('a.tar', { strip: -1 }), /strip/],
  ['an absolute subdir', tarball('a.tar', { subdir: '/etc' }), /subdir/],
  ['a subdir that climbs', tarball('a.tar', { subdir: 'a/../..' }), /subdir/],
];

for (const [title, spec, problem] of rows)
  test(`tarball() ${problem ? 'refuses' : 'accepts'} ${title}`, () => {
    const found = tarballKind.problems(spec);
    if (problem === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('; '), problem);
  });

for (const [title, place] of [
  ['a path relative to the Buildfile', () => './upstream-1.0.tar.gz'],
  ['an absolute path', (archive: string) => archive],
  ['a file: URL', (archive: string) => pathToFileURL(archive).href],
] as const)
  test(`tarball() takes ${title}, and keeps a copy for when it is gone`, async (t) => {
    const { context, archive, digest, bytes, top } = setting(t);
    const spec = tarball(place(archive));
    const pin = await tarballKind.resolve(spec, context);
    assert.deepEqual(pin, {
      kind: 'tarball',
      files: [{ name: 'upstream-1.0.tar.gz', digest, sizeBytes: bytes.length }],
    });
    rmSync(archive);
    const target = fetchTarget(top);
    await tarballKind.fetch(spec, pin, target, context);
    assert.deepEqual(names(target.tree), ['a.c', 'lib', 'lib/b.c']);
    assert.deepEqual(names(target.series), []);
  });

test('tarball() insists on sha256 when it is first pinned', async (t) => {
  const { context, digest } = setting(t);
  await tarballKind.resolve(tarball('upstream-1.0.tar.gz', { sha256: digest }), context);
  const wrong = digestOf('other');
  await assert.rejects(
    tarballKind.resolve(tarball('upstream-1.0.tar.gz', { sha256: wrong }), context),
    (error: VbuildError) => {
      assert.equal(error.code, 'pin-mismatch');
      assert.ok(error.facts['expected']?.includes(wrong) && error.facts['found']?.includes(digest));
      // There is no pin that an update could move.
      assert.match(error.message, /than the Buildfile gives$/);
      assert.match(error.mend, /correct sha256 in the Buildfile/);
      return true;
    },
  );
  assert.equal(await context.findBlob(wrong), undefined);
});

test('tarball() with a sha256 that is here already asks nobody', async (t) => {
  const { context, archive, digest, bytes } = setting(t);
  await tarballKind.resolve(tarball(archive), context);
  const pin = await tarballKind.resolve(tarball('https://example.org/upstream-1.0.tar.gz', { sha256: digest }), {
    ...context,
    offline: true,
  });
  assert.deepEqual(pin.files, [{ name: 'upstream-1.0.tar.gz', digest, sizeBytes: bytes.length }]);
});

test('tarball() fetches an archive again when its copy was damaged', async (t) => {
  const { context, archive, digest, top } = setting(t);
  const spec = tarball(archive);
  const pin = await tarballKind.resolve(spec, context);
  writeFileSync(context.blobs.pathOf(digest), 'damaged');
  const target = fetchTarget(top);
  await tarballKind.fetch(spec, pin, target, context);
  assert.deepEqual(names(target.tree), ['a.c', 'lib', 'lib/b.c']);
});

test('tarball() passes over mirrors that fail or have another file, and says so', async (t) => {
  const { context, bytes, digest, top } = setting(t);
  const server = await httpServer(t, (request, response) => {
    if (request.url === '/gone') response.writeHead(404).end();
    else serve(request, response, request.url === '/other' ? Buffer.from('other bytes') : bytes);
  });
  const good = await tarballKind.resolve(tarball(`${server.url}/good`), sourceContext(join(top, 'first')));
  const spec = tarball([`${server.url}/gone`, `${server.url}/other`, `${server.url}/good`]);
  const target = fetchTarget(top);
  await tarballKind.fetch(spec, good, target, context);
  assert.deepEqual(names(target.tree), ['a.c', 'lib', 'lib/b.c']);
  assert.deepEqual(
    context.events.flatMap((event) => (event.type === 'notice' ? [event.code] : [])),
    ['source-missing', 'pin-mismatch'],
  );
  assert.ok(existsSync(context.blobs.pathOf(digest)));
});

test('tarball() names the file that does not match when no mirror has the pinned one', async (t) => {
  const { bytes, top } = setting(t);
  const server = await httpServer(t, (request, response) => {
    if (request.url === '/gone') response.writeHead(404).end();
    else serve(request, response, bytes);
  });
  const pin = { kind: 'tarball', files: [{ name: 'a', digest: digestOf('wanted'), sizeBytes: bytes.length }] };
  const spec = tarball([`${server.url}/gone`, `${server.url}/a`]);
  await assert.rejects(tarballKind.fetch(spec, pin, fetchTarget(top), sourceContext(join(top, 'other'))), {
    code: 'pin-mismatch',
  });
});

test('tarball() resumes in the next run what was cut off in this one', async (t) => {
  const { context, bytes, digest } = setting(t);
  let cut = true;
  const server = await httpServer(t, (request, response) =>
    serve(request, response, bytes, { etag: '"1"', ...(cut && { cutAfter: 100 }) }),
  );
  const spec = tarball(`${server.url}/a.tar.gz`);
  const stop = new AbortController();
  await assert.rejects(tarballKind.resolve(spec, { ...context, signal: stop.signal, emit: () => stop.abort() }));
  cut = false;
  assert.equal((await tarballKind.resolve(spec, context)).files?.[0]?.digest, digest);
  assert.equal(server.seen.at(-1)?.headers.range, 'bytes=100-');
});

test('tarball() applies strip and subdir, and names the archive that it refuses', async (t) => {
  const { context, archive, top } = setting(t);
  const pin = await tarballKind.resolve(tarball(archive), context);
  const kept = fetchTarget(top, 'kept');
  await tarballKind.fetch(tarball(archive, { strip: 0 }), pin, kept, context);
  assert.deepEqual(names(kept.tree), ['upstream-1.0', 'upstream-1.0/a.c', 'upstream-1.0/lib', 'upstream-1.0/lib/b.c']);
  const part = fetchTarget(top, 'part');
  await tarballKind.fetch(tarball(archive, { subdir: 'lib' }), pin, part, context);
  assert.deepEqual(names(part.tree), ['b.c']);
  await assert.rejects(
    tarballKind.fetch(tarball(archive, { subdir: 'gone' }), pin, fetchTarget(top, 'none'), context),
    (error: VbuildError) => {
      assert.equal(error.code, 'source-missing');
      assert.equal(error.where.file, 'upstream-1.0.tar.gz');
      return true;
    },
  );
});

test('tarball() says where it looked for an archive that is not there', async (t) => {
  const { context, top } = setting(t);
  mkdirSync(join(top, 'archives'));
  await assert.rejects(tarballKind.resolve(tarball('archives/gone.tar'), context), (error: VbuildError) => {
    assert.equal(error.code, 'source-missing');
    assert.equal(error.where.file, join(top, 'archives/gone.tar'));
    return true;
  });
});

test('tarball() tells how far a download is', async (t) => {
  const { context, bytes } = setting(t);
  const server = await httpServer(t, (request, response) => serve(request, response, bytes));
  await tarballKind.resolve(tarball(`${server.url}/dl/a.tar.gz?x=1`), context);
  assert.deepEqual(context.events.at(-1), {
    type: 'transfer',
    package: 'upstream@1.0',
    what: 'a.tar.gz',
    doneBytes: bytes.length,
    totalBytes: bytes.length,
  });
});
