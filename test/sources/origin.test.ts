import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import { bazaar } from '../../src/sources/bazaar.ts';
import { debian } from '../../src/sources/debian.ts';
import { directory } from '../../src/sources/directory.ts';
import { generated } from '../../src/sources/generated.ts';
import { git } from '../../src/sources/git.ts';
import { sourceKind, sourceKinds, type SourceSpec } from '../../src/sources/index.ts';
import { mercurial } from '../../src/sources/mercurial.ts';
import { npm } from '../../src/sources/npm.ts';
import type { Origin } from '../../src/sources/origin.ts';
import type { Pin } from '../../src/sources/source.ts';
import { subversion } from '../../src/sources/subversion.ts';
import { tarball } from '../../src/sources/tarball.ts';

const commit = 'c'.repeat(40);
const digest = 'd'.repeat(64) as Digest;
const archive = { name: 'a.tar.gz', digest };
const files = { files: [{ ...archive, sizeBytes: 1 }] };
const rev = { rev: 'v1' };

const rows: readonly (readonly [what: string, spec: SourceSpec, pin: Omit<Pin, 'kind'>, expected: Origin])[] = [
  [
    'a repository on GitHub, without the password of its URL',
    git('https://me:secret@github.com/Lz4/lz4.git', rev),
    { commit },
    { repository: `git+https://github.com/Lz4/lz4.git@${commit}`, purl: `pkg:github/lz4/lz4@${commit}` },
  ],
  [
    'a repository by ssh, and the folder that is the source',
    git('git@example.org:team/lib.git', { ...rev, subdir: 'c' }),
    { commit },
    { repository: `git+ssh://example.org/team/lib.git@${commit}#c` },
  ],
  ['no path of this machine', git('../lib', rev), { commit }, {}],
  ['no file of this machine', git('file:///srv/lib', rev), { commit }, {}],
  [
    'Mercurial',
    mercurial('https://example.org/hg', rev),
    { commit },
    { repository: `hg+https://example.org/hg@${commit}` },
  ],
  ['Subversion', subversion('svn://example.org/x'), { commit: 'r12' }, { repository: 'svn+svn://example.org/x@12' }],
  [
    'Bazaar',
    bazaar('https://example.org/b', rev),
    { commit: 'me@x-1' },
    { repository: 'bzr+https://example.org/b@me@x-1' },
  ],
  [
    'an archive, from the first of its places that others can reach',
    tarball(['mirror/a.tar.gz', 's3://bucket/a.tar.gz', 'https://x:y@example.org/a.tar.gz']),
    files,
    { archives: [{ ...archive, url: 'https://example.org/a.tar.gz' }] },
  ],
  ['an archive of the project', tarball('upstream/a.tar.gz'), files, { archives: [archive] }],
  ['an npm package', npm('@types/node', '1.2.3'), files, { archives: [archive], purl: 'pkg:npm/%40types/node@1.2.3' }],
  [
    'a Debian source with its patches',
    debian('libpng1.6', { patches: true }),
    { ...files, debianVersion: '1:1.6.39-2+deb12u1' },
    { archives: [archive], purl: 'pkg:deb/debian/libpng1.6@1:1.6.39-2%2Bdeb12u1?arch=source&distro=debian-12' },
  ],
  [
    'a Debian source without them, which is not what Debian has',
    debian('zlib'),
    { ...files, debianVersion: '1.2.13-1' },
    { archives: [archive] },
  ],
  ['steps', generated({ steps: ['true'] }), {}, {}],
  ['a folder', directory('lib'), {}, {}],
];

for (const [what, spec, pin, expected] of rows)
  test(`origin() of ${spec.kind}: ${what}`, () =>
    assert.deepEqual(sourceKind(spec).origin(spec, { kind: spec.kind, ...pin }, 'debian-12'), expected));

test('every kind of source has its row', () => {
  assert.deepEqual([...new Set(rows.map(([, { kind }]) => kind))].sort(), sourceKinds.map(({ kind }) => kind).sort());
});
