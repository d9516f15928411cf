import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pack } from '../../src/artifact/pack.ts';
import { PREFIX_TOKEN } from '../../src/artifact/places.ts';
import { unpackVerified } from '../../src/artifact/unpack.ts';
import { VbuildError, VbuildErrors } from '../../src/model/error.ts';
import { assemble, type Member } from '../../src/prefix/assemble.ts';
import { checkOwners } from '../../src/prefix/owners.ts';
import { prefixProblems } from '../../src/prefix/fits.ts';
import { rewritten } from '../../src/prefix/rewritten.ts';
import { namesIn } from '../../src/system/files.ts';
import { treeDigest } from '../../src/system/tree-digest.ts';
import {
  type BuildPlace,
  buildPlace,
  cc,
  elfOf,
  manifestOf,
  must,
  problemsOf,
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

  test('assemble() takes the files of what is spare, and gives the same tree', async () => {
    const [shared, taken] = [join(place.top, 'from shared'), join(place.top, 'from spare')];
    const copies = members.map(({ manifest, tree }) => {
      cpSync(tree, `${tree}.spare`, { recursive: true, verbatimSymlinks: true });
      return { manifest, tree: `${tree}.spare`, isSpare: true };
    });
    const prefixPath = '/site/vendor';
    await assemble({ members, into: shared, prefixPath, link: 'reflink-or-hardlink' });
    await assemble({ members: copies, into: taken, prefixPath, link: 'reflink-or-hardlink' });
    assert.equal(treeDigest(taken), treeDigest(shared));
    assert.equal(statSync(join(taken, 'include/greet.h')).nlink, 1);
    assert.equal(statSync(join(taken, 'include/greet.h')).mode & 0o777, 0o444);
    // A tree in which steps may write takes nothing away, whosever the other one is.
    assert.deepEqual(namesIn(join(copies[0]?.tree ?? '', 'include')), []);
    const spare = members.map((member) => ({ ...member, isSpare: true }));
    await assemble({ members: spare, into: join(place.top, 'copied from spare'), prefixPath, link: 'copy' });
    assert.ok(members.every(({ tree, manifest }) => treeDigest(tree) === manifest.tree));
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

describe('a program with its prefix compiled in', () => {
  const source = (place: BuildPlace): string =>
    `#include <stdio.h>
static const char file[] = "${place.prefix}/share/word";
int main(void) {
  char word[9] = "";
  FILE *in = fopen(file, "r");
  if (in == NULL || fgets(word, sizeof word, in) == NULL) return 1;
  printf("%s %zu", word, sizeof file - 1);
}`;
  const stageReader = async (place: BuildPlace): Promise<void> => {
    await cc(join(place.staged, 'bin/reader'), source(place));
    put(place.staged, { 'share/word': 'found' });
  };

  test('works in shorter prefixes and in one of equal length, where lengths that it counts on are as before', async () => {
    using place = buildPlace();
    await stageReader(place);
    const member = await asMember(place, 'reader', { prefixInBinaries: ['bin/*'] });
    const use = member.manifest.files[0]?.prefix;
    assert.ok(use?.as === 'string' && use.offsets.length === 1 && use.roomBytes === place.prefix.length);
    renameSync(place.root, join(place.top, 'gone'));
    const equal = join(place.top, 'e'.repeat(place.prefix.length - place.top.length - 1));
    for (const into of [join(place.top, 's'), equal]) {
      assert.deepEqual(prefixProblems(member.manifest, into), []);
      await assemble({ members: [member], into, prefixPath: into, link: 'reflink-or-hardlink' });
      assert.equal(await must([join(into, 'bin/reader')], '/'), `found ${place.prefix.length + '/share/word'.length}`);
    }
  });

  test('is refused for a longer prefix by its manifest alone, with file and offset', async () => {
    using place = buildPlace();
    await stageReader(place);
    const member = await asMember(place, 'reader', { prefixInBinaries: ['bin/reader'] });
    const longer = `${place.prefix}/longer`;
    const [problem, ...others] = prefixProblems(member.manifest, longer);
    assert.deepEqual(others, []);
    assert.equal(problem?.file, 'bin/reader');
    assert.equal(
      problem.found,
      `it has room for a prefix of ${place.prefix.length} bytes, this one has ${longer.length}`,
    );
    const packed = readFileSync(join(member.tree, 'bin/reader'));
    assert.equal(packed.toString('latin1', problem.offset, problem.offset + PREFIX_TOKEN.length), PREFIX_TOKEN);
    const assembling = assemble({ members: [member], into: join(place.top, 'into'), prefixPath: longer, link: 'copy' });
    await assert.rejects(assembling, { code: 'install-refused' });
  });

  test('gives the same artifact wherever it was compiled', async () => {
    const digests = [];
    for (const label of ['one', 'another-place']) {
      using place = buildPlace(label);
      await stageReader(place);
      digests.push((await asMember(place, 'reader', { prefixInBinaries: ['bin/reader'] })).manifest.body.digest);
    }
    assert.equal(digests[0], digests[1]);
  });

  test('is refused when it is packed where its author does not vouch for it, or nothing separates the prefix from what may share its end', async () => {
    using place = buildPlace();
    await stageReader(place);
    const [unsaid] = await problemsOf(request(place));
    assert.equal(unsaid?.message, 'File holds a path of its build');
    assert.match(unsaid.mend ?? '', /prefixInBinaries/);
    await cc(
      join(place.staged, 'bin/reader'),
      `#include <stdio.h>\nint main(void) { puts("${place.prefix}"); puts("x"); }`,
    );
    const [bare] = await problemsOf(request(place, { prefixInBinaries: ['bin/reader'] }));
    assert.equal(bare?.message, 'Compiled-in prefix cannot be moved');
    assert.match(bare.facts['at'] ?? '', /^byte \d+$/);
  });

  test('is refused when its placeholders are not where the manifest says', () => {
    const use = { as: 'string', roomBytes: 20, offsets: [3] } as const;
    const bytes = Buffer.from(`..${PREFIX_TOKEN}/////////////`);
    assert.ok('refused' in rewritten({ path: 'bin/x', prefix: use }, bytes, '/a'));
    assert.ok('refused' in rewritten({ path: 'bin/x', prefix: { ...use, roomBytes: 4 } }, bytes, '/a'));
  });
});

test('prefixProblems() tells of interpreter lines before anything is fetched', async () => {
  using place = buildPlace();
  put(place.staged, {
    'bin/tool': `#!${place.prefix}/bin/python3 -E\n`,
    'bin/plain': `#!/bin/sh\necho ${place.prefix}\n`,
  });
  const { manifest } = await asMember(place, 'tool');
  const line = '#!/bin/python3 -E'.length;
  assert.deepEqual(
    manifest.files.map(({ prefix }) => prefix),
    [{ as: 'text' }, { as: 'text', interpreterLineBytes: line }],
  );
  assert.deepEqual(prefixProblems(manifest, '/site/vendor'), []);
  assert.deepEqual(prefixProblems(manifest, `/${'a'.repeat(255 - line)}`), [
    { file: 'bin/tool', offset: 0, found: 'its interpreter line would have 256 bytes, the kernel reads 255' },
  ]);
  assert.equal(prefixProblems(manifest, '/a b')[0]?.found, 'its interpreter line cannot name a prefix with a blank');
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
      const result = rewritten({ path, prefix: { as: 'text' } }, Buffer.from(text), prefix);
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
