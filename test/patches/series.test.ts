import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/model/error.ts';
import type { PatchSpec } from '../../src/patches/patch-spec.ts';
import { readSeries, readSeriesFolder } from '../../src/patches/series.ts';
import { tempDir, type Tree, writeTree } from '../support/temp.ts';

test('readSeries() reads a series file in quilt syntax', (t) => {
  const folder = tempDir(t);
  writeTree(folder, {
    'p/series': '# ours\n\nb.patch\n  sub/a.diff -p0  # why\nc.patch -p2\r\n#d.patch\n',
    'p/b.patch': '',
    'p/sub/a.diff': '',
    'p/c.patch': '',
    'p/d.patch': '',
    'p/sub/e.patch': '',
  });
  assert.deepEqual(readSeries('p', folder), {
    patches: [
      { name: 'p/b.patch', path: join(folder, 'p/b.patch'), strip: 1 },
      { name: 'p/sub/a.diff', path: join(folder, 'p/sub/a.diff'), strip: 0 },
      { name: 'p/c.patch', path: join(folder, 'p/c.patch'), strip: 2 },
    ],
    seriesFile: join(folder, 'p/series'),
  });
});

test('readSeries() takes the patches of a folder without series in code-unit order', (t) => {
  const folder = tempDir(t);
  writeTree(folder, {
    'p/10.patch': '',
    'p/9.patch': '',
    'p/B.patch': '',
    'p/a.patch': '',
    'p/README': '',
    'p/sub/x.patch': '',
  });
  const series = readSeries('p/', folder);
  assert.deepEqual(
    series.patches.map(({ name }) => name),
    ['p/10.patch', 'p/9.patch', 'p/B.patch', 'p/a.patch'],
  );
  assert.equal(series.seriesFile, undefined);
});

test('readSeries() takes a list as it stands, with strip levels of its own', (t) => {
  const folder = tempDir(t);
  writeTree(folder, { 'z.patch': '', 'p/a.diff': '' });
  assert.deepEqual(readSeries(['z.patch', { file: 'p/a.diff', strip: 0 }], folder).patches, [
    { name: 'z.patch', path: join(folder, 'z.patch'), strip: 1 },
    { name: 'p/a.diff', path: join(folder, 'p/a.diff'), strip: 0 },
  ]);
});

test('readSeries() takes an empty series for no patches', (t) => {
  const folder = tempDir(t);
  writeTree(folder, { 'p/series': '# none yet\n' });
  assert.deepEqual(readSeries('p', folder).patches, []);
});

const refused: readonly [title: string, tree: Tree, spec: PatchSpec, code: ErrorCode, place: string, line?: number][] =
  [
    ['a folder that is not there', {}, 'p', 'patch-missing', 'p'],
    ['a folder without patches', { 'p/README': '' }, 'p', 'series-invalid', 'p'],
    ['a patch given as if it were a folder', { 'a.patch': '' }, 'a.patch', 'series-invalid', 'a.patch'],
    ['a listed patch that is not there', {}, ['a.patch'], 'patch-missing', 'a.patch'],
    ['a folder in a list', { 'p/series': '' }, ['p'], 'patch-missing', 'p'],
    ['a patch listed twice', { 'a.patch': '' }, ['a.patch', './a.patch'], 'series-invalid', 'a.patch'],
    ['a series entry that is not there', { 'p/series': 'a\n' }, 'p', 'patch-missing', 'p/series', 1],
    ['a series entry that is a folder', { 'p/series': 'a\n', 'p/a/b': '' }, 'p', 'patch-missing', 'p/series', 1],
    [
      'a series entry that leaves the folder',
      { 'p/series': '\nx/../../a.patch\n', 'a.patch': '' },
      'p',
      'series-invalid',
      'p/series',
      2,
    ],
    ['an absolute series entry', { 'p/series': '/etc/passwd\n' }, 'p', 'series-invalid', 'p/series', 1],
    ['a series entry given twice', { 'p/series': 'a\n./a\n', 'p/a': '' }, 'p', 'series-invalid', 'p/series', 2],
    ['a reversed patch', { 'p/series': 'a -R\n', 'p/a': '' }, 'p', 'series-invalid', 'p/series', 1],
    ['an unknown option', { 'p/series': 'a -p1 --fuzz=3\n', 'p/a': '' }, 'p', 'series-invalid', 'p/series', 1],
    ['a series that is a folder', { 'p/series/a.patch': '' }, 'p', 'series-invalid', 'p/series'],
  ];
for (const [title, tree, spec, code, place, line] of refused) {
  test(`readSeries() refuses ${title}`, (t) => {
    const folder = tempDir(t);
    writeTree(folder, tree);
    assert.throws(() => readSeries(spec, folder), {
      name: 'VbuildError',
      code,
      where: { file: join(folder, place), ...(line !== undefined && { line }) },
    });
  });
}

test('readSeriesFolder() reads as dpkg-source does: every patch at strip level 1, and no series is an empty one', (t) => {
  const folder = tempDir(t);
  assert.deepEqual(readSeriesFolder(join(folder, 'none')), []);
  assert.deepEqual(readSeriesFolder(folder), []);
  writeTree(folder, { series: 'a.patch -p0\nsub/b -R\n', 'a.patch': '', 'sub/b': '', 'c.patch': '' });
  assert.deepEqual(
    readSeriesFolder(folder).map(({ name, strip }) => [name, strip]),
    [
      ['a.patch', 1],
      ['sub/b', 1],
    ],
  );
});

test('readSeriesFolder() takes no symlink for a patch', (t) => {
  const folder = tempDir(t);
  writeTree(folder, { outside: '', 'p/series': 'a.patch\n' });
  symlinkSync('../outside', join(folder, 'p/a.patch'));
  assert.throws(() => readSeriesFolder(join(folder, 'p')), { code: 'patch-missing' });
  mkdirSync(join(folder, 'q'));
  writeTree(folder, { 'q/series': 'd/outside\n' });
  symlinkSync('..', join(folder, 'q/d'));
  assert.throws(() => readSeriesFolder(join(folder, 'q')), { code: 'patch-missing' });
});
