import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { type Host, thisHost, unfitReasons } from '../../src/install/host.ts';
import { manifestOf } from '../artifact/fixtures.ts';

test('thisHost() agrees with getconf, the linker, and the shell about what is here', () => {
  const host = thisHost();
  const said = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' }).trim();
  assert.equal(`glibc ${host.version('GLIBC')}`, said('getconf', 'GNU_LIBC_VERSION'));
  const library = said('g++', '-print-file-name=libstdc++.so.6');
  const versions = said(
    'sh',
    '-c',
    `strings -a "${library}" | sed -n 's/^GLIBCXX_\\([0-9.]*\\)$/\\1/p' | sort -V | tail -1`,
  );
  assert.equal(host.version('GLIBCXX'), versions);
  assert.equal(host.version('LIBFOO'), undefined);
  assert.ok(host.hasLibrary('libc.so.6') && host.hasLibrary('libstdc++.so.6') && !host.hasLibrary('libfoo.so.2'));
  assert.ok(
    host.hasProgram('/bin/sh') && host.hasProgram('sh') && !host.hasProgram('/bin/none') && !host.hasProgram('none'),
  );
});

const host: Host = {
  version: (family) => ({ GLIBC: '2.31', GLIBCXX: '3.4.28' })[family],
  hasLibrary: (name) => name === 'libc.so.6',
  hasProgram: (name) => ['/bin/sh', 'python3.9'].includes(name),
  cpuLevel: () => 2,
};

const rows: readonly [title: string, needs: Partial<Manifest['needs']>, expected: readonly string[]][] = [
  ['fits where nothing is needed', {}, []],
  ['fits on the same versions', { symbolVersions: { GLIBC: '2.31', GLIBCXX: '3.4.28' } }, []],
  ['fits on a newer one, compared by number', { symbolVersions: { GLIBC: '2.4' } }, []],
  ['fits where the host cannot tell', { symbolVersions: { ZLIB: '9' } }, []],
  [
    'does not fit on older ones',
    { symbolVersions: { GLIBC: '2.34', GLIBCXX: '3.4.30' } },
    ['pil needs GLIBC_2.34, this host has 2.31', 'pil needs GLIBCXX_3.4.30, this host has 3.4.28'],
  ],
  ['counts a third number', { symbolVersions: { GLIBC: '2.31.1' } }, ['pil needs GLIBC_2.31.1, this host has 2.31']],
  [
    'names libraries that are not here, and who would bring them',
    { libraries: ['libc.so.6', 'libfoo.so.2', 'libpng16.so.16', 'libX11.so.6', 'libdb-5.3.so', 'libodd.so'] },
    [
      'libfoo.so.2 is not here (Debian: libfoo2)',
      'libpng16.so.16 is not here (Debian: libpng16-16)',
      'libX11.so.6 is not here (Debian: libx11-6)',
      'libdb-5.3.so is not here (Debian: libdb5.3)',
      'libodd.so is not here (Debian: libodd)',
    ],
  ],
  [
    'names programs that are not here',
    { interpreters: ['/bin/sh', '/usr/bin/perl', 'python3.11', 'python3.9'] },
    ['/usr/bin/perl is not here', 'python3.11 is not here'],
  ],
  ['fits a processor that can do as much', { cpu: 'x86-64-v2' }, []],
  [
    'does not fit a lesser processor',
    { cpu: 'x86-64-v3' },
    ['pil needs a processor of level x86-64-v3, this one is x86-64-v2'],
  ],
];
for (const [title, needs, expected] of rows) {
  test(`unfitReasons(): an artifact ${title}`, () => {
    const manifest = manifestOf('pil', { needs: { symbolVersions: {}, libraries: [], ...needs } });
    assert.deepEqual(unfitReasons(manifest, host), expected);
  });
}
