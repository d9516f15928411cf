import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions, libraryVerdict, providedLibraries } from '../../src/artifact/libraries.ts';
import type { Elf } from '../../src/artifact/elf.ts';

const elf = (more: Partial<Elf>): Elf => ({
  type: 'shared',
  needed: [],
  runPaths: [],
  versions: new Map(),
  otherStrings: () => [],
  ...more,
});
const nothing = { closure: [], buildOnly: [], hostLibraries: [] };

test('providedLibraries() counts a library only where a file or link bears its SONAME', () => {
  const files = [
    { path: 'lib/libz.so.1.3', elf: elf({ soname: 'libz.so.1' }) },
    { path: 'lib/libold.so.1.0', elf: elf({ soname: 'libold.so.1' }) },
    { path: 'lib/libplain.so', elf: elf({}) },
    { path: 'lib/plugin.so', elf: elf({}) },
    { path: 'bin/pie', elf: elf({}) },
    { path: 'lib/b/libtwo.so.1', elf: elf({ soname: 'libtwo.so.1' }) },
    { path: 'lib/a/libtwo.so.1', elf: elf({ soname: 'libtwo.so.1' }) },
  ];
  const paths = new Set([...files.map(({ path }) => path), 'lib/libz.so.1']);
  assert.deepEqual(providedLibraries({ files, paths }), {
    'libplain.so': 'lib/libplain.so',
    'libtwo.so.1': 'lib/a/libtwo.so.1',
    'libz.so.1': 'lib/libz.so.1',
  });
});

test('libraryVerdict() notes the highest version of each family that the host must have, by number', () => {
  const versions = new Map([
    ['libc.so.6', ['GLIBC_2.4', 'GLIBC_2.34', 'GLIBC_2.9', 'GLIBC_PRIVATE']],
    ['libm.so.6', ['GLIBC_2.29']],
    ['libgcc_s.so.1', ['GCC_3.0']],
    ['libown.so.1', ['OWN_9']],
  ]);
  const files = [
    { path: 'bin/x', elf: elf({ type: 'executable', versions }) },
    { path: 'lib/libown.so.1', elf: elf({ soname: 'libown.so.1' }) },
  ];
  const verdict = libraryVerdict({ files, paths: new Set(['lib/libown.so.1']), ...nothing });
  assert.deepEqual(verdict.needs.symbolVersions, { GCC: '3.0', GLIBC: '2.34' });
});

test('libraryVerdict() counts packed relative relocations as glibc 2.36', () => {
  const files = [
    { path: 'bin/x', elf: elf({ versions: new Map([['libc.so.6', ['GLIBC_2.17', 'GLIBC_ABI_DT_RELR']]]) }) },
  ];
  assert.deepEqual(libraryVerdict({ files, paths: new Set(), ...nothing }).needs.symbolVersions, { GLIBC: '2.36' });
});

test("libraryVerdict() takes the run-time libraries of C and C++ for the host's, and no others", () => {
  const verdict = (needed: readonly string[]) =>
    libraryVerdict({ files: [{ path: 'bin/x', elf: elf({ needed }) }], paths: new Set(), ...nothing });
  const host = [
    'ld-linux-aarch64.so.1',
    'ld-linux-x86-64.so.2',
    'libc.so.6',
    'libdl.so.2',
    'libgcc_s.so.1',
    'libm.so.6',
    'libmvec.so.1',
    'libpthread.so.0',
    'libresolv.so.2',
    'librt.so.1',
    'libstdc++.so.6',
    'libutil.so.1',
  ];
  assert.deepEqual(verdict(host), { needs: { symbolVersions: {}, libraries: host }, provides: {}, problems: [] });
  for (const name of [
    'libz.so.1',
    'libX11.so.6',
    'libcrypt.so.1',
    'libgomp.so.1',
    'libc.so',
    'libcxm.so.6',
    'xlibc.so.6',
  ]) {
    assert.deepEqual(
      verdict([name]).problems.map(({ facts }) => facts),
      [{ needs: name }],
    );
  }
});

test('compareVersions() compares part by part, by number', () => {
  assert.ok(compareVersions('2.10', '2.9') > 0);
  assert.ok(compareVersions('2.2', '2.2.5') < 0);
  assert.equal(compareVersions('2.36', '2.36.0'), 0);
});
