import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pack } from '../../src/artifact/pack.ts';
import { PREFIX_TOKEN } from '../../src/artifact/places.ts';
import { unpackVerified } from '../../src/artifact/unpack.ts';
import { VbuildError, VbuildErrors } from '../../src/model/error.ts';
import { assemble, type Member } from '../../src/prefix/assemble.ts';
import { checkOwners } from '../../src/prefix/owners.ts';
import { rewritten } from '../../src/prefix/rewritten.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import {
  type BuildPlace,
  buildPlace,
  cc,
  elfOf,
  manifestOf,
  must,
  put,
  request,
  rpath,
  stageGreeting,
} from '../artifact/fixtures.ts';

/** Packs what was staged, unpacks it again as a reader would, and empties the build root. */
async function asMember(place: BuildPlace, name: string, more: Parameters<typeof request>[1] = {}): Promise<Member> {
  const { manifest, bodyPath } = await pack(
    request(place, { package: { name, version: '1.0' }, into: join(place.top, `packed-${name}`), ...more }),
  );
  const tree = join(place.top, `unpacked-${name}`);
  await unpackVerified({ manifest, bodyFile: bodyPath, into: tree });
  rmSync(place.stage, { recursive: true });
  mkdirSync(place.stage);
  return { manifest, tree };
}

describe('assemble() of packages compiled one against the other', () => {
  let place: BuildPlace;
  let members: Member[] = [];
  before(async () => {
    place = buildPlace();
    await stageGreeting(place, 'from the library');
    put(place.staged, {
      'lib/pkgconfig/greet.pc': `prefix=${place.prefix}\nlibdir=\${prefix}/lib\nincludedir=\${prefix}/include\n\nName: greet\nDescription: greets\nVersion: 1\nLibs: -L\${libdir} -lgreet\nCflags: -I\${includedir}\n`,
      'include/greet.h': 'const char *greeting(void);\n',
      'bin/greet-config': `#!/bin/sh\necho ${place.prefix}\n`,
    });
    const greet = await asMember(place, 'greet');
    await assemble({ members: [greet], into: place.prefix, prefixPath: place.prefix, link: 'copy' });
    const flags = await must(['pkg-config', '--cflags', '--libs', 'greet'], '/', {
      PKG_CONFIG_LIBDIR: join(place.prefix, 'lib/pkgconfig'),
    });
    await cc(
      join(place.staged, 'bin/user'),
      '#include <stdio.h>\n#include <greet.h>\nint main(void) { puts(greeting()); }',
      [...flags.trim().split(' '), rpath(place)],
    );
    members = [greet, await asMember(place, 'user', { dependencies: [greet.manifest], closure: [greet.manifest] })];
    // What was compiled may not depend on the place where that was done.
    renameSync(place.root, join(place.top, 'gone'));
  });
  after(() => place[Symbol.dispose]());

  const equal = (folder: string): string =>
    join(folder, 'e'.repeat(Math.max(1, place.prefix.length - folder.length - 1)));
  const rows: readonly [title: string, prefix: (folder: string) => string][] = [
    ['a shorter prefix', (folder) => join(folder, 's')],
    ['a prefix of equal length', equal],
    ['a longer prefix', (folder) => join(equal(folder), 'longer')],
    ['a prefix with a blank and an umlaut', (folder) => join(folder, 'site ü', 'vendor tree')],
  ];
  for (const [at, [title, prefixIn]] of rows.entries()) {
    for (const link of ['copy', 'reflink-or-hardlink'] as const) {
      test(`assemble() by ${link}: programs, pkg-config and compilers work in ${title}, with the build's own gone`, async () => {
        const prefix = prefixIn(join(place.top, `${link.slice(0, 3)}${at}`));
        await assemble({ members, into: prefix, prefixPath: prefix, link });
        assert.equal(await must([join(prefix, 'bin/user')], '/'), 'from the library');
        assert.equal(await must([join(prefix, 'bin/greet')], '/'), 'from the library');
        assert.equal(await must([join(prefix, 'bin/greet-config')], '/'), prefix);
        const source = join(place.top, `again-${link}-${at}.c`);
        writeFileSync(source, "#include <greet.h>\nint main(void) { return greeting()[0] != 'f'; }");
        const compile = 'eval gcc -o "$0.out" "$0" "$(pkg-config --cflags --libs greet)"';
        await must(['sh', '-c', compile, source], '/', { PKG_CONFIG_LIBDIR: join(prefix, 'lib/pkgconfig') });
        await must([`${source}.out`], '/', { LD_LIBRARY_PATH: join(prefix, 'lib') });
      });
    }
  }

  test('assemble() by reflink or hard link gives read-only files, and copies where the prefix was written in', async () => {
    const into = join(place.top, 'shared');
    await assemble({ members, into, prefixPath: '/site/vendor', link: 'reflink-or-hardlink' });
    assert.equal(statSync(join(into, 'bin/user')).mode & 0o777, 0o555);
    assert.equal(statSync(join(into, 'include/greet.h')).mode & 0o777, 0o444);
    assert.equal(statSync(join(into, 'bin/greet-config')).nlink, 1);
    assert.equal(readFileSync(join(into, 'bin/greet-config'), 'utf8'), '#!/bin/sh\necho /site/vendor\n');
    assert.ok(members.every(({ tree, manifest }) => treeDigest(tree) === manifest.tree));
    assert.ok(readFileSync(join(members[0]?.tree ?? '', 'bin/greet-config'), 'utf8').includes(PREFIX_TOKEN));
  });

  test('assemble() by copy gives files that may be written in without harm to the artifact', async () => {
    const into = join(place.top, 'copied');
    await assemble({ members, into, prefixPath: into, link: 'copy' });
    assert.equal(statSync(join(into, 'include/greet.h')).mode & 0o777, 0o644);
    writeFileSync(join(into, 'include/greet.h'), 'other');
    assert.ok(members.every(({ tree, manifest }) => treeDigest(tree) === manifest.tree));
  });

  test('assemble() gives the same modes under any umask', async () => {
    const mask = process.umask(0o077);
    try {
      const into = join(place.top, 'masked');
      await assemble({ members, into, prefixPath: into, link: 'copy' });
      for (const [path, mode] of Object.entries({
        '': 0o755,
        lib: 0o755,
        'lib/pkgconfig': 0o755,
        'bin/user': 0o755,
        'bin/greet-config': 0o755,
        'include/greet.h': 0o644,
      })) {
        assert.equal(statSync(join(into, path)).mode & 0o777, mode, path);
      }
    } finally {
      process.umask(mask);
    }
  });

  test('assemble() leaves run paths alone: they were made relative when it was packed', () => {
    assert.equal(elfOf(join(members[1]?.tree ?? '', 'bin/user')).runPaths[0]?.value, '$ORIGIN/../lib');
  });
});

test('assemble() rewrites RECORD for the files in which the prefix was put', async () => {
  using place = buildPlace();
  const site = 'lib/python3.11/site-packages';
  put(place.staged, {
    [`${site}/p.py`]: `x = "${place.prefix}"\n`,
    [`${site}/q.py`]: 'y\n',
    [`${site}/p-1.dist-info/RECORD`]: 'p.py,sha256=x,1\nq.py,sha256=x,1\np-1.dist-info/RECORD,,\n',
  });
  const member = await asMember(place, 'p');
  const into = join(place.top, 'into');
  await assemble({ members: [member], into, prefixPath: '/site/vendor', link: 'copy' });
  for (const [file, digest, size] of readFileSync(join(into, site, 'p-1.dist-info/RECORD'), 'utf8')
    .trim()
    .split('\n')
    .map((row) => row.split(','))) {
    if (digest === '') continue;
    const bytes = readFileSync(join(into, site, file ?? ''));
    assert.deepEqual(
      [digest, size],
      [`sha256=${createHash('sha256').update(bytes).digest('base64url')}`, String(bytes.length)],
    );
  }
});

describe('rewritten()', () => {
  const rows: readonly [title: string, path: string, text: string, prefix: string, expected: string | undefined][] = [
    ['puts the prefix in as it is', 'bin/x-config', `echo ${PREFIX_TOKEN}`, '/a b', 'echo /a b'],
    ['quotes blanks for pkg-config', 'lib/pkgconfig/x.pc', `prefix=${PREFIX_TOKEN}`, '/a b', 'prefix=/a\\ b'],
    [
      'writes an interpreter line',
      'bin/x',
      `#!${PREFIX_TOKEN}/bin/python3\n`,
      '/site/vendor',
      '#!/site/vendor/bin/python3\n',
    ],
    ['refuses a blank in an interpreter line', 'bin/x', `#!${PREFIX_TOKEN}/bin/python3\n`, '/a b', undefined],
    [
      'refuses an interpreter line that the kernel would cut',
      'bin/x',
      `#!${PREFIX_TOKEN}/bin/python3\n`,
      `/${'a'.repeat(250)}`,
      undefined,
    ],
    ['minds the first line only', 'bin/x', `#!/bin/sh\necho ${PREFIX_TOKEN}\n`, '/a b', '#!/bin/sh\necho /a b\n'],
  ];
  for (const [title, path, text, prefix, expected] of rows) {
    test(`rewritten() ${title}`, () => {
      const result = rewritten(path, Buffer.from(text), prefix);
      assert.equal('bytes' in result ? result.bytes.toString() : undefined, expected);
    });
  }
});

test('assemble() names every file that cannot work in a prefix', async () => {
  using place = buildPlace();
  put(place.staged, {
    'bin/a': `#!${place.prefix}/bin/python3\n`,
    'bin/b': `#!${place.prefix}/bin/python3\n`,
    'bin/c': '#!/bin/sh\n',
  });
  const member = await asMember(place, 'scripts');
  await assert.rejects(
    assemble({ members: [member], into: join(place.top, 'into'), prefixPath: '/with blank', link: 'copy' }),
    (error) =>
      error instanceof VbuildErrors &&
      error.errors.map(({ where }) => where.file).join() === 'bin/a,bin/b' &&
      error.errors.every(({ code }) => code === 'install-refused'),
  );
});

describe('checkOwners()', () => {
  const owner = (name: string, ...paths: string[]) =>
    manifestOf(name, { files: paths.map((path) => ({ path, type: 'symlink', target: 'x' })) });
  const facts = (error: unknown): unknown =>
    error instanceof VbuildError ? { code: error.code, ...error.facts } : error;

  test('checkOwners() accepts packages that share folders', () => {
    checkOwners([owner('a', 'lib/a', 'share/doc/a'), owner('b', 'lib/b', 'share/doc/b')]);
  });
  const rows: readonly [title: string, manifests: ReturnType<typeof owner>[], expected: object][] = [
    [
      'one path with two owners',
      [owner('a', 'lib/x', 'lib/y'), owner('b', 'lib/x', 'lib/y')],
      { first: 'a@1.0', second: 'b@1.0', paths: 'lib/x, lib/y' },
    ],
    [
      'a file where another has a folder',
      [owner('a', 'lib64'), owner('b', 'lib64/x')],
      { first: 'a@1.0', second: 'b@1.0', paths: 'lib64/x' },
    ],
    [
      'a package in two versions',
      [owner('a', 'x'), { ...owner('a', 'y'), package: { name: 'a', version: '2.0' } }],
      { first: 'a@1.0', second: 'a@2.0' },
    ],
  ];
  for (const [title, manifests, expected] of rows) {
    test(`checkOwners() refuses ${title}, naming both packages`, () => {
      assert.throws(
        () => checkOwners(manifests),
        (error) => {
          assert.deepEqual(facts(error), { code: 'install-refused', ...expected });
          return true;
        },
      );
    });
  }

  test('checkOwners() gives one error for each pair of packages', () => {
    assert.throws(
      () =>
        checkOwners([
          owner('a', '1', '2', '3', '4', '5', '6', '7'),
          owner('b', '1', '2', '3', '4', '5', '6', '7'),
          owner('c', '1'),
        ]),
      (error) =>
        error instanceof VbuildErrors &&
        error.errors.length === 2 &&
        error.errors[0]?.facts['paths'] === '1, 2, 3, 4, 5 and 2 more',
    );
  });
});
