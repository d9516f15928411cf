/** The lock file as text: the same for the same pins, and such that two people's edits merge. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Lock, type LockedSource, lockPath, lockText, readLock, writeLock } from '../../src/buildfile/pins.ts';
import { digestOf } from '../../src/model/digest.ts';
import { VbuildError } from '../../src/model/error.ts';
import { tempDir } from '../support/temp.ts';

const locked = (name: string, seed = name): LockedSource => ({
  spec: { kind: 'tarball', from: [`https://example.org/${name}.tar.gz`] },
  pin: { kind: 'tarball', files: [{ name: `${name}.tar.gz`, digest: digestOf(seed), sizeBytes: 7 }] },
  tree: digestOf(`tree of ${seed}`),
});
const lockOf = (...sources: readonly (readonly [string, LockedSource])[]): Lock => ({
  sources: Object.fromEntries(sources),
  tools: { 'linux-x64-glibc debian-12': { make: '4.3', cc: 'gcc 12.2.0' } },
});
const names = ['app', 'branch', 'leaf', 'lone', 'zlib'];
const without = (sources: Lock['sources'], id: string): Lock['sources'] =>
  Object.fromEntries(Object.entries(sources).filter(([one]) => one !== id));
const base = lockOf(...names.map((name) => [`${name}@1.0`, locked(name)] as const));

test('the text of a lock does not depend on the order in which pins were made', () => {
  const other = lockOf(...names.toReversed().map((name) => [`${name}@1.0`, locked(name)] as const));
  assert.equal(lockText(other), lockText(base));
  const ids = [...lockText(base).matchAll(/^ {4}"(\w+)@1\.0": \{$/gm)].map(([, name]) => name);
  assert.deepEqual(ids, names);
  assert.ok(lockText(base).endsWith('}\n'));
  assert.ok(
    lockText(base)
      .split('\n')
      .every((line) => line.length < 200),
  );
});

test('a lock comes back as it was written', (t) => {
  const file = join(tempDir(t), 'Buildfile.lock');
  assert.deepEqual(readLock(file), { sources: {}, tools: {} });
  writeLock(file, base);
  assert.deepEqual(readLock(file), base);
  writeLock(file, readLock(file));
  assert.equal(readFileSync(file, 'utf8'), lockText(base));
});

test('moved, new and dropped pins of several people merge as text', (t) => {
  const folder = tempDir(t);
  const write = (name: string, lock: Lock): string => {
    writeFileSync(join(folder, name), lockText(lock));
    return name;
  };
  const mine: Lock = {
    ...base,
    sources: { ...without(base.sources, 'zlib@1.0'), 'app@1.0': locked('app', 'app moved') },
  };
  const theirs = {
    ...base,
    sources: { ...base.sources, 'leaf@1.0': locked('leaf', 'leaf moved'), 'gen@0.1': locked('gen') },
  };
  const merged = spawnSync(
    'git',
    ['merge-file', '-p', write('mine', mine), write('base', base), write('theirs', theirs)],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  assert.equal(merged.status, 0, merged.stdout);
  const sources = { ...theirs.sources, 'app@1.0': locked('app', 'app moved') };
  assert.equal(merged.stdout, lockText({ ...base, sources: without(sources, 'zlib@1.0') }));
});

const broken: readonly (readonly [title: string, text: string, found: RegExp])[] = [
  ['a merge conflict', `<<<<<<< HEAD\n${lockText(base)}=======\n>>>>>>> theirs\n`, /^a merge conflict$/],
  ['half a file', lockText(base).slice(0, 200), /JSON/],
  ['a later format', lockText(base).replace('"lock": 1', '"lock": 2'), /^lock format 2$/],
  ['a pin without a tree', lockText(base).replaceAll(/,\n *"tree": "\w+"/g, ''), /^no tree or pin for app@1.0$/],
  ['nothing', 'null', /^no object$/],
  ['a list', '[]', /^no object$/],
  ['a list of sources', JSON.stringify({ lock: 1, sources: [], tools: {} }), /^sources that are not listed/],
  ['a format alone', JSON.stringify({ lock: 1 }), /^sources that are not listed/],
  ['sources without tools', JSON.stringify({ lock: 1, sources: {} }), /^tools that are not listed/],
  ['a list of tools', JSON.stringify({ lock: 1, sources: {}, tools: [] }), /^tools that are not listed/],
  ['null for a platform', JSON.stringify({ lock: 1, sources: {}, tools: { host: null } }), /^no versions .* host$/],
  [
    'a number for a tool',
    JSON.stringify({ lock: 1, sources: {}, tools: { host: { cc: 4 } } }),
    /^no versions .* host$/,
  ],
  ['null for a source', JSON.stringify({ lock: 1, sources: { a: null }, tools: {} }), /^no tree or pin for a$/],
  ['a pin of other shape', lockText(base).replace('"files": [', '"files": [null, '), /^no tree or pin for app@1.0$/],
  ['a short digest', lockText(base).replace(/("digest": "\w+)\w"/, '$1"'), /^no tree or pin for app@1.0$/],
  [
    'a series by name',
    lockText(base).replace('"spec":', '"series": "x",\n"spec":'),
    /^no digest as series of app@1.0$/,
  ],
];
for (const [title, text, found] of broken)
  test(`a lock file that is ${title} is refused, with its name`, (t) => {
    const file = join(tempDir(t), 'Buildfile.lock');
    writeFileSync(file, text);
    assert.throws(
      () => readLock(file),
      (error: unknown) => {
        assert.ok(error instanceof VbuildError);
        assert.deepEqual([error.code, error.exitStatus, error.where.file], ['lock-file-invalid', 2, file]);
        assert.match(error.facts['found'] ?? '', found);
        return true;
      },
    );
  });

test('each Buildfile of a folder has a lock of its own', () => {
  assert.equal(lockPath('/site/Buildfile.ts'), '/site/Buildfile.lock');
  assert.equal(lockPath('/site/Buildfile.example.ts'), '/site/Buildfile.example.lock');
});
