import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { readElf } from '../../src/artifact/elf.ts';
import { temporaryFolder } from '../../src/system/files.ts';
import { cc, elfOf, must } from './fixtures.ts';

const multiarch = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
const hostFiles = [
  'libc.so.6',
  'libm.so.6',
  'libstdc++.so.6',
  'libgcc_s.so.1',
  'libz.so.1',
  'libcrypto.so.3',
  'libssl.so.3',
  'libselinux.so.1',
  'libtinfo.so.6',
]
  .map((name) => join(multiarch, name))
  .concat('/bin/bash', '/usr/bin/perl', '/usr/bin/readelf')
  .filter((path) => existsSync(path));

describe('readElf() agrees with readelf', () => {
  for (const file of hostFiles) {
    test(`readElf() agrees with readelf about ${file}`, async () => {
      const elf = elfOf(file);
      const dynamic = await must(['readelf', '-W', '-d', file], '/');
      const named = (tag: string): string[] =>
        [...dynamic.matchAll(new RegExp(`\\(${tag}\\).*\\[(.*)\\]`, 'g'))].map(([, value]) => value ?? '');
      assert.deepEqual(elf.needed, named('NEEDED'));
      assert.deepEqual(elf.soname === undefined ? [] : [elf.soname], named('SONAME'));
      assert.deepEqual(
        elf.runPaths.map(({ value }) => value),
        [...named('RPATH'), ...named('RUNPATH')],
      );

      const versions = await must(['readelf', '-W', '-V', file], '/');
      const needs = versions.split(/^Version needs section/m)[1] ?? '';
      const seen = needs
        .split('\n')
        .flatMap((line) => /File: (\S+)|Name: (\S+)/.exec(line)?.slice(1) ?? [])
        .filter((one) => one !== undefined);
      assert.deepEqual(
        [...elf.versions].flatMap(([library, list]) => [library, ...list]),
        seen,
      );

      const interpreter = /Requesting program interpreter: (.*)\]/.exec(
        await must(['readelf', '-W', '-l', file], '/'),
      )?.[1];
      assert.equal(elf.interpreter, interpreter);
      const buildId = /Build ID: ([0-9a-f]+)/.exec(await must(['readelf', '-W', '-n', file], '/'))?.[1];
      const own =
        elf.buildId &&
        readFileSync(file).toString('hex', elf.buildId.offset, elf.buildId.offset + elf.buildId.sizeBytes);
      assert.equal(own, buildId);

      const symbols = await must(['readelf', '-W', '--dyn-syms', file], '/');
      const count = Number(/contains (\d+) entr/.exec(symbols)?.[1] ?? 1) - 1;
      const names = symbols
        .split('\n')
        .flatMap((line) => /^\s+\d+: [0-9a-f]+\s+\S+ \S+\s+\S+\s+\S+\s+\S+ ([^\s@]+)/.exec(line)?.[1] ?? []);
      const strings = elf.otherStrings();
      assert.deepEqual(
        strings.slice(strings.length - count).filter((name) => name !== ''),
        names,
      );
    });
  }
});

describe('readElf() finds who shares the bytes of a run path', () => {
  const folder = temporaryFolder('vbuild-test');
  after(() => folder[Symbol.dispose]());
  const rows: readonly [title: string, source: string, flags: readonly string[], value: string, freeBytes: number][] = [
    [
      'a run path of its own is free with its closing NUL',
      'int other;',
      ['-Wl,-rpath,/opt/one/lib'],
      '/opt/one/lib',
      13,
    ],
    ['a symbol that is the tail of it is not free', 'int lib;', ['-Wl,-rpath,/opt/one/lib'], '/opt/one/lib', 9],
    [
      'a symbol that is only asked for counts, though no hash table lists it',
      'extern int lib(void); __attribute__((visibility("hidden"))) int f(void) { return lib(); }',
      ['-Wl,-rpath,/opt/one/lib'],
      '/opt/one/lib',
      9,
    ],
    [
      'a SONAME that it is the tail of leaves nothing free',
      'int other;',
      ['-Wl,-rpath,one/lib', '-Wl,-soname,/opt/one/lib'],
      'one/lib',
      0,
    ],
    [
      'an old linker flag gives an RPATH',
      'int other;',
      ['-Wl,-rpath,/opt/one/lib', '-Wl,--disable-new-dtags'],
      '/opt/one/lib',
      13,
    ],
    ['32-bit files are read as well', 'int lib;', ['-m32', '-Wl,-rpath,/opt/one/lib'], '/opt/one/lib', 9],
    [
      'a file with the old hash table only',
      'int lib;',
      ['-Wl,--hash-style=sysv', '-Wl,-rpath,/opt/one/lib'],
      '/opt/one/lib',
      9,
    ],
  ];
  for (const [at, [title, source, flags, value, freeBytes]] of rows.entries()) {
    test(`readElf(): ${title}`, { skip: flags.includes('-m32') && process.arch !== 'x64' }, async () => {
      const file = join(folder.path, `${at}.so`);
      await cc(file, source, ['-shared', '-fPIC', '-nostdlib', ...flags]);
      for (const stripped of [false, true]) {
        if (stripped) await must(['strip', '--strip-unneeded', file], '/');
        const [runPath] = elfOf(file).runPaths;
        assert.equal(runPath?.value, value);
        assert.equal(runPath.tag, flags.includes('-Wl,--disable-new-dtags') ? 'RPATH' : 'RUNPATH');
        assert.equal(runPath.freeBytes, freeBytes);
        assert.equal(readFileSync(file).toString('utf8', runPath.offset, runPath.offset + value.length), value);
      }
    });
  }
});

describe('readElf() and hostile files', () => {
  const folder = temporaryFolder('vbuild-test');
  after(() => folder[Symbol.dispose]());
  let sample = Buffer.alloc(0);
  before(async () => {
    const file = join(folder.path, 'sample.so');
    await cc(file, '#include <stdio.h>\nint lib(void) { return puts("x"); }', [
      '-shared',
      '-fPIC',
      '-Wl,-soname,libx.so',
      '-Wl,-rpath,/opt/one/lib',
    ]);
    sample = readFileSync(file);
  });

  test('readElf() never throws, whatever bytes of a library were changed or cut off', () => {
    const header = fc.nat({ max: 1500 });
    const anywhere = fc.nat({ max: sample.length - 1 });
    const change = fc.tuple(
      fc.oneof(header, anywhere),
      fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0xff)),
    );
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 12 }),
        fc.oneof(fc.constant(sample.length), anywhere),
        (changes, length) => {
          const bytes = Buffer.from(sample);
          for (const [at, byte] of changes) bytes[at] = byte;
          const reading = readElf(bytes.subarray(0, length));
          if (reading.kind === 'elf') assert.ok(Array.isArray(reading.elf.otherStrings()));
          if (reading.kind === 'elf')
            for (const { offset, freeBytes } of reading.elf.runPaths) assert.ok(offset + freeBytes <= length);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('readElf() calls a file that does not begin as ELF not-elf, and a cut one unreadable', () => {
    assert.equal(readElf(Buffer.from('#!/bin/sh\n')).kind, 'not-elf');
    assert.equal(readElf(Buffer.alloc(0)).kind, 'not-elf');
    assert.equal(readElf(sample.subarray(0, 40)).kind, 'unreadable');
  });
});
