import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { canonicalRoot } from '../../src/artifact/build-root.ts';
import { parseManifest, serialiseManifest } from '../../src/artifact/manifest-text.ts';
import { pack } from '../../src/artifact/pack.ts';
import { PREFIX_TOKEN } from '../../src/artifact/places.ts';
import { digestOf } from '../../src/model/digest.ts';
import { run } from '../../src/system/process.ts';
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
  searchPath,
  stageGreeting,
} from './fixtures.ts';

test('pack() notes which programs and what processor a tree needs from its host', async () => {
  using place = buildPlace();
  put(place.staged, {
    'bin/report': '#!/usr/bin/perl -w\nprint 1;\n',
    'bin/asked-for': '#!/usr/bin/env python3\n',
    'bin/own': `#!${place.prefix}/bin/report\n`,
    'lib/python3.11/site-packages/shop.py': 'WORD = 1\n',
  });
  const wide = process.arch === 'x64' ? ['-march=x86-64-v3', '-mneeded'] : [];
  await cc(join(place.staged, 'bin/program'), 'int main(void) { return 0; }', wide);
  const { manifest } = await pack(request(place));
  const loader = /^\/lib.*\/ld-linux/;
  assert.deepEqual(
    manifest.needs.interpreters?.filter((one) => !loader.test(one)),
    ['/usr/bin/perl', 'python3.11'],
  );
  assert.equal(manifest.needs.interpreters?.filter((one) => loader.test(one)).length, 1);
  assert.equal(manifest.needs.cpu, process.arch === 'x64' ? 'x86-64-v3' : undefined);
  assert.deepEqual(parseManifest(Buffer.from(serialiseManifest(manifest))), { manifest });
});

describe('pack() of a library and a program', () => {
  test('pack() leaves no trace of the build root, and says what the tree provides and needs', async () => {
    using place = buildPlace();
    await stageGreeting(place);
    put(place.staged, {
      'lib/pkgconfig/greet.pc': `prefix=${place.prefix}\nlibdir=\${prefix}/lib\n`,
      'lib/libgreet.la': '# a libtool library file\n',
      'share/empty/../empty/x/y': 'z',
    });
    symlinkSync('libgreet.la', join(place.staged, 'lib/again.la'));
    symlinkSync('../lib/again.la', join(place.staged, 'lib/more.la'));
    const { manifest, tree, dropped } = await pack(request(place));
    const left = await run({ argv: ['grep', '-r', '-l', '-F', place.root, tree], cwd: '/', env: { PATH: searchPath } });
    assert.equal(left.stdout, '');
    assert.deepEqual(dropped, [
      { path: 'lib/libgreet.la', why: 'libtool archive' },
      { path: 'lib/again.la', why: 'link to libgreet.la, which is left out' },
      { path: 'lib/more.la', why: 'link to ../lib/again.la, which is left out' },
    ]);
    assert.deepEqual(
      manifest.files.map(({ path }) => path),
      [
        'bin/greet',
        'lib/libgreet.so',
        'lib/libgreet.so.1',
        'lib/libgreet.so.1.0',
        'lib/pkgconfig/greet.pc',
        'share/empty/x/y',
      ],
    );
    assert.deepEqual(
      manifest.files.flatMap(({ path, prefix }) => (prefix ? [[path, prefix.as]] : [])),
      [
        ['bin/greet', 'run-path'],
        ['lib/libgreet.so.1.0', 'run-path'],
        ['lib/pkgconfig/greet.pc', 'text'],
      ],
    );
    assert.equal(readFileSync(join(tree, 'lib/pkgconfig/greet.pc'), 'utf8').split('\n')[0], `prefix=${PREFIX_TOKEN}`);
    assert.deepEqual(manifest.provides, { 'libgreet.so.1': 'lib/libgreet.so.1' });
    assert.deepEqual(manifest.needs.libraries, ['libc.so.6']);
    assert.match(manifest.needs.symbolVersions['GLIBC'] ?? '', /^2\.\d+$/);
    assert.equal(elfOf(join(tree, 'bin/greet')).runPaths[0]?.value, '$ORIGIN/../lib');
    assert.equal(elfOf(join(tree, 'lib/libgreet.so.1.0')).runPaths[0]?.value, '$ORIGIN');
    assert.equal(await must([join(tree, 'bin/greet')], '/'), 'hello');
  });

  test('pack() strips symbols that are not needed, and keeps all when told so', async () => {
    using place = buildPlace();
    await stageGreeting(place);
    const symbols = async (strip: boolean): Promise<string> => {
      const { tree } = await pack(request(place, { strip }));
      return must(['readelf', '-W', '-S', join(tree, 'bin/greet')], '/');
    };
    assert.doesNotMatch(await symbols(true), /\.symtab/);
    assert.match(await symbols(false), /\.symtab/);
  });

  test('pack() gives equal artifacts for other build folders, orders, times, modes and owners of files', async () => {
    const build = async (
      label: string,
      paths: readonly string[],
      mask: number,
    ): Promise<{ digest: string; tree: string; needs: unknown; files: unknown }> => {
      const before = process.umask(mask);
      const zone = process.env['TZ'];
      process.env['TZ'] = mask === 0 ? 'Asia/Kathmandu' : 'America/Caracas';
      try {
        using place = buildPlace(label);
        await stageGreeting(place);
        for (const path of paths) {
          put(place.staged, { [path]: `${path} in ${place.prefix}\n` });
          utimesSync(join(place.staged, path), 1e9 + mask, 1e9 + mask);
        }
        const { manifest } = await pack(request(place));
        return { digest: manifest.body.digest, tree: manifest.tree, needs: manifest.needs, files: manifest.files };
      } finally {
        process.umask(before);
        if (zone === undefined) delete process.env['TZ'];
        else process.env['TZ'] = zone;
      }
    };
    const paths = ['share/a', 'share/ü b', 'share/B', `share/${'long'.repeat(50)}/x`];
    assert.deepEqual(await build('one', paths, 0), await build('another-place', [...paths].reverse(), 0o077));
  });

  test('pack() reads the stage only, and starts anew over what an interrupted one left', async () => {
    using place = buildPlace();
    await stageGreeting(place);
    const before = await must(['find', place.stage, '-type', 'f', '-exec', 'sha256sum', '{}', '+'], '/');
    put(place.top, { 'packed/tree/left-over': 'x', 'packed/body.tar.zst': 'half' });
    const { manifest } = await pack(request(place));
    assert.ok(manifest.files.every(({ path }) => path !== 'left-over'));
    assert.equal(await must(['find', place.stage, '-type', 'f', '-exec', 'sha256sum', '{}', '+'], '/'), before);
  });

  test('pack() keeps a symbol that shares the tail of the run path, and its program runs', async () => {
    using place = buildPlace();
    const lib = join(place.staged, 'lib');
    await cc(join(lib, 'libtail.so'), 'int lib(void) { return 42; }', ['-shared', '-fPIC', rpath(place)]);
    await cc(
      join(place.staged, 'bin/tail'),
      '#include <stdio.h>\nint lib(void); int main(void) { printf("%d\\n", lib()); }',
      [`-L${lib}`, '-ltail', rpath(place)],
    );
    assert.ok(
      (elfOf(join(place.staged, 'bin/tail')).runPaths[0]?.freeBytes ?? 0) < place.prefix.length + 5,
      'the linker no longer shares tails',
    );
    const { tree } = await pack(request(place));
    assert.equal(elfOf(join(tree, 'bin/tail')).runPaths[0]?.value, '$ORIGIN/../lib');
    assert.equal(await must([join(tree, 'bin/tail')], '/'), '42');
  });

  test('pack() reads the stage where it lies, looks for the paths that steps saw, and for those of this machine', async () => {
    using here = buildPlace();
    const seen = (path: string): string => canonicalRoot + path.slice(here.root.length);
    const places = { root: canonicalRoot, prefix: seen(here.prefix), stage: seen(here.stage) };
    const place = { ...here, ...places, staged: here.stage + places.prefix };
    await stageGreeting(place);
    put(place.staged, {
      'lib/pkgconfig/greet.pc': `prefix=${places.prefix}\n`,
      'share/link': `-> ${places.prefix}/bin/greet`,
    });
    const { manifest, tree } = await pack(request({ ...here, ...places }, { host: here.root }));
    assert.equal(readFileSync(join(tree, 'lib/pkgconfig/greet.pc'), 'utf8'), `prefix=${PREFIX_TOKEN}\n`);
    assert.equal(elfOf(join(tree, 'bin/greet')).runPaths[0]?.value, '$ORIGIN/../lib');
    assert.equal(manifest.files.find(({ path }) => path === 'share/link')?.target, '../bin/greet');
    put(place.staged, { 'share/a': `mounted from ${here.root}`, 'share/b': `in ${canonicalRoot}/tree` });
    assert.deepEqual(
      (await problemsOf(request({ ...here, ...places }, { host: here.root }))).map(({ where }) => where.file),
      ['share/a', 'share/b'],
    );
  });

  test('pack() takes CMake build folders out of a run path', async () => {
    using place = buildPlace();
    await cc(join(place.staged, 'bin/a'), 'int main(void) { return 0; }', [
      `-Wl,-rpath,${place.tree}/build/lib:::::::::`,
    ]);
    const { tree } = await pack(request(place));
    assert.deepEqual(
      elfOf(join(tree, 'bin/a')).runPaths.map(({ value }) => value),
      [''],
    );
    await must([join(tree, 'bin/a')], '/');
  });
});

describe('pack() where a run path has no room of its own', () => {
  /** A library whose symbol is the run path but for its first few bytes, so that `$ORIGIN/../lib` does not fit before it. */
  async function stageTight(place: BuildPlace): Promise<void> {
    const symbol = `${place.prefix}/lib`.slice(8);
    await cc(join(place.staged, 'lib/own/tight.so'), `int value __asm__("\\"${symbol}\\"") = 7;`, [
      '-shared',
      '-fPIC',
      '-nostdlib',
      rpath(place),
    ]);
    const [runPath] = elfOf(join(place.staged, 'lib/own/tight.so')).runPaths;
    assert.equal(runPath?.freeBytes, 8);
  }

  test('pack() has patchelf make room, and refuses its work where a name was harmed', async () => {
    using place = buildPlace();
    await stageTight(place);
    const outcome = await problemsOf(request(place));
    const version = await must(['patchelf', '--version'], '/');
    // Debian 12's patchelf writes over the shared tail; later ones leave it, and then the file is whole.
    if (outcome.length > 0) assert.match(outcome[0]?.facts['found'] ?? '', /patchelf/, version);
    else assert.equal(elfOf(join(place.top, 'packed/tree/lib/own/tight.so')).runPaths[0]?.value, '$ORIGIN/..');
  });

  test('pack() names patchelf where it is missing', async () => {
    using place = buildPlace();
    await stageTight(place);
    const bin = join(place.top, 'bin');
    mkdirSync(bin);
    put(bin, { strip: '-> /usr/bin/strip' });
    const [problem, ...others] = await problemsOf(request(place, { searchPath: bin }));
    assert.deepEqual(others, []);
    assert.equal(problem?.code, 'artifact-refused');
    assert.match(problem.mend, /install patchelf/);
  });

  test('pack() uses what patchelf did where nothing else was harmed', async () => {
    using place = buildPlace();
    // A run path that is relative and short by itself, in a file that must get a longer one.
    const file = join(place.staged, `${'deep/'.repeat(60)}x`);
    await cc(file, 'int main(void) { return 0; }', [rpath(place)]);
    assert.ok(Buffer.byteLength(`$ORIGIN/${'../'.repeat(60)}lib`) > place.prefix.length + 5);
    const { tree } = await pack(request(place));
    const packed = join(tree, `${'deep/'.repeat(60)}x`);
    assert.equal(elfOf(packed).runPaths[0]?.value, `$ORIGIN/${'../'.repeat(60)}lib`);
    await must([packed], '/');
  });
});

describe('pack() refuses', () => {
  const rows: readonly [
    title: string,
    stage: (place: BuildPlace) => void | Promise<void>,
    headline: string,
    file: string | undefined,
    mend: RegExp,
  ][] = [
    ['a package that installed nothing', () => {}, 'Package installed nothing', undefined, /DESTDIR/],
    [
      'a package of empty folders',
      (place) => void mkdirSync(join(place.staged, 'lib'), { recursive: true }),
      'Package installed nothing',
      undefined,
      /DESTDIR/,
    ],
    [
      'a library that landed beside the prefix',
      (place) => put(place.stage, { [`${place.tree}/build/lib/libx.so`]: 'x' }),
      'File was installed outside of the prefix',
      '/',
      /CMAKE_INSTALL_LIBDIR:STRING/,
    ],
    [
      'a link out of the prefix',
      (place) => put(place.staged, { 'bin/x': '-> /etc/passwd' }),
      'Symbolic link leads out of the prefix',
      'bin/x',
      /relative/,
    ],
    [
      'a program that gives rights',
      (place) => (put(place.staged, { 'bin/x': '#!/bin/sh\n' }), chmodSync(join(place.staged, 'bin/x'), 0o4755)),
      'File would run with the rights of its owner',
      'bin/x',
      /bits/,
    ],
    [
      'a pipe',
      (place) => (
        mkdirSync(join(place.staged, 'run'), { recursive: true }),
        void must(['mkfifo', join(place.staged, 'run/x')], '/')
      ),
      'Neither file nor folder nor link',
      'run/x',
      /install step/,
    ],
    [
      'a text that names its tree',
      (place) => put(place.staged, { 'lib/x.cmake': `set(S ${place.tree}/src)` }),
      'File holds a path of its build',
      'lib/x.cmake',
      /patch/,
    ],
    [
      'a string in a program',
      (place) =>
        cc(join(place.staged, 'bin/x'), `#include <stdio.h>\nint main(void) { puts("${place.prefix}/share/x"); }`),
      'File holds a path of its build',
      'bin/x',
      /patch/,
    ],
    [
      'a string in a static library',
      async (place) => {
        await cc(join(place.top, 'x.o'), `const char *where(void) { return "${place.tree}/x.c"; }`, ['-c']);
        mkdirSync(join(place.staged, 'lib'), { recursive: true });
        await must(['ar', 'cr', join(place.staged, 'lib/libx.a'), join(place.top, 'x.o')], '/');
      },
      'File holds a path of its build',
      'lib/libx.a',
      /patch/,
    ],
    [
      'a thin archive',
      async (place) => {
        await cc(join(place.top, 'x.o'), 'int x;', ['-c']);
        mkdirSync(join(place.staged, 'lib'), { recursive: true });
        await must(['ar', 'crT', join(place.staged, 'lib/libx.a'), join(place.top, 'x.o')], '/');
      },
      'Archive only names its members',
      'lib/libx.a',
      /T flag/,
    ],
    [
      'a run path to the host',
      (place) => cc(join(place.staged, 'bin/x'), 'int main(void) { return 0; }', ['-Wl,-rpath,/opt/x/lib']),
      'Run path leads out of the prefix',
      'bin/x',
      /link flags/,
    ],
    [
      'a name with a line end',
      (place) => put(place.staged, { 'share/a\nb': 'x' }),
      'File name cannot be packed',
      'share/a\nb',
      /rename/,
    ],
  ];
  for (const [title, stage, headline, file, mend] of rows) {
    test(`pack() refuses ${title}`, async () => {
      using place = buildPlace();
      await stage(place);
      if (title === 'a pipe')
        while (!existsSync(join(place.staged, 'run/x'))) await new Promise((done) => setTimeout(done, 5));
      const [problem, ...others] = await problemsOf(request(place));
      assert.deepEqual(others, []);
      assert.equal(problem?.code, 'artifact-refused');
      assert.equal(problem.message, headline);
      assert.ok(file === undefined ? problem.where.file === undefined : problem.where.file?.startsWith(file));
      assert.match(problem.mend, mend);
    });
  }

  test('pack() reports every fault of a tree at once', async () => {
    using place = buildPlace();
    put(place.staged, { 'lib/a.cmake': place.tree, 'lib/b.cmake': place.stage, 'lib/c': '-> /etc' });
    assert.deepEqual(
      (await problemsOf(request(place))).map(({ where }) => where.file),
      ['lib/a.cmake', 'lib/b.cmake', 'lib/c'],
    );
  });
});

describe('pack() and libraries', () => {
  /** A program that needs libdep.so.2, which is in the private prefix only. */
  async function stageDependent(place: BuildPlace, flags: readonly string[] = [rpath(place)]): Promise<void> {
    const lib = join(place.prefix, 'lib');
    await cc(join(lib, 'libdep.so.2'), 'int dep(void) { return 1; }', ['-shared', '-fPIC', '-Wl,-soname,libdep.so.2']);
    put(lib, { 'libdep.so': '-> libdep.so.2' });
    await cc(join(place.staged, 'bin/x'), 'int dep(void); int main(void) { return dep(); }', [
      `-L${lib}`,
      '-ldep',
      ...flags,
    ]);
  }
  const dep = manifestOf('dep', { provides: { 'libdep.so.2': 'lib/libdep.so.2' } });

  test('pack() accepts a library of the declared closure, and does not count it among the needs of the host', async () => {
    using place = buildPlace();
    await stageDependent(place);
    const { manifest } = await pack(request(place, { dependencies: [dep], closure: [dep] }));
    assert.deepEqual(manifest.needs.libraries, ['libc.so.6']);
    assert.deepEqual(manifest.dependencies, [{ name: 'dep', version: '1.0', key: dep.key, tree: dep.tree }]);
  });

  test('pack() refuses a library that nobody declared, naming file and library', async () => {
    using place = buildPlace();
    await stageDependent(place);
    const [problem] = await problemsOf(request(place));
    assert.equal(problem?.message, 'Library is not in the declared closure');
    assert.deepEqual([problem.where.file, problem.facts['needs']], ['bin/x', 'libdep.so.2']);
    assert.match(problem.mend, /`hostLibraries`/);
  });

  test('pack() names the package where a library comes from a build dependency', async () => {
    using place = buildPlace();
    await stageDependent(place);
    const [problem] = await problemsOf(request(place, { buildOnly: [dep] }));
    assert.equal(problem?.mend, 'move dep from `buildDeps` to `deps`');
  });

  test("pack() accepts what the package declares to be the host's", async () => {
    using place = buildPlace();
    await stageDependent(place);
    const { manifest } = await pack(request(place, { hostLibraries: ['libdep.so.2'] }));
    assert.deepEqual(manifest.needs.libraries, ['libc.so.6', 'libdep.so.2']);
  });

  test("pack() refuses a file whose run path does not lead to its library: the host's would be taken", async () => {
    using place = buildPlace();
    await stageDependent(place, []);
    const [problem] = await problemsOf(request(place, { closure: [dep] }));
    assert.equal(problem?.message, 'Run path does not lead to a library that the file needs');
    assert.match(problem.mend, /-Wl,-rpath,@prefix@\/lib/);
  });

  test('pack() refuses a library that is asked for by its path', async () => {
    using place = buildPlace();
    await cc(join(place.prefix, 'lib/plain.so'), 'int dep(void) { return 1; }', ['-shared', '-fPIC']);
    await cc(join(place.staged, 'bin/x'), 'int dep(void); int main(void) { return dep(); }', [
      join(place.prefix, 'lib/plain.so'),
    ]);
    assert.equal((await problemsOf(request(place)))[0]?.message, 'Library is asked for by its path');
  });

  test("pack() knows the C++ run-time library to be the host's, with the versions that are needed", async () => {
    using place = buildPlace();
    await cc(join(place.staged, 'bin/x'), 'void *_Znwm(unsigned long); int main(void) { return _Znwm(1) == 0; }', [
      `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libstdc++.so.6`,
    ]);
    const { manifest } = await pack(request(place));
    assert.ok(manifest.needs.libraries.includes('libstdc++.so.6'));
    assert.match(manifest.needs.symbolVersions['GLIBCXX'] ?? '', /^3\.4/);
  });
});

describe('pack() and lists of files', () => {
  const quoted = (bytes: string): string => Buffer.from(digestOf(bytes), 'hex').toString('base64url');

  test('pack() rewrites RECORD for what it changed and left out', async () => {
    using place = buildPlace();
    const site = 'lib/python3.11/site-packages';
    const script = `#!${place.prefix}/bin/python3\n`;
    put(place.staged, {
      'bin/tool': script,
      [`${site}/pkg/__init__.py`]: 'x = 1\n',
      [`${site}/pkg/a, b.py`]: `p = "${place.prefix}"\n`,
      [`${site}/pkg/old.la`]: '# a libtool library file',
      [`${site}/pkg-1.dist-info/RECORD`]: `../../../bin/tool,sha256=${quoted(script)},${script.length}\npkg/__init__.py,sha256=${quoted('x = 1\n')},6\n"pkg/a, b.py",sha256=old,1\npkg/old.la,sha256=x,1\npkg-1.dist-info/RECORD,,\n`,
    });
    const { tree, manifest } = await pack(request(place));
    const [tool, module] = [`#!${PREFIX_TOKEN}/bin/python3\n`, `p = "${PREFIX_TOKEN}"\n`];
    const record = readFileSync(join(tree, site, 'pkg-1.dist-info/RECORD'), 'utf8');
    assert.equal(
      record,
      `../../../bin/tool,sha256=${quoted(tool)},${tool.length}\npkg/__init__.py,sha256=${quoted('x = 1\n')},6\n"pkg/a, b.py",sha256=${quoted(module)},${module.length}\npkg-1.dist-info/RECORD,,\n`,
    );
    assert.equal(manifest.files.find(({ path }) => path.endsWith('RECORD'))?.digest, digestOf(record));
  });

  test('pack() leaves out what `remove` names, folders whole and hidden files too, and tells which patterns named nothing', async () => {
    using place = buildPlace();
    put(place.staged, {
      'lib/a.a': 'x',
      'lib/a.so': '-> b',
      'share/man/man1/x.1': 'x',
      'share/man/.hidden': 'x',
      'share/doc/x/index.html': 'x',
      'share/doc/x/y.txt': 'x',
      'share/keep': 'x',
      'share/[x]': 'x',
      'share/gone': 'x',
    });
    const { manifest, unmatched } = await pack(
      request(place, { remove: ['lib/*.{a,so}', 'share/man', '**/*.html', 'share/none/**', 'share/gone'] }),
    );
    assert.deepEqual(
      manifest.files.map(({ path }) => path),
      ['share/[x]', 'share/doc/x/y.txt', 'share/keep'],
    );
    assert.deepEqual(unmatched, [{ option: 'remove', pattern: 'share/none/**' }]);
  });

  test('pack() reduces modes to 0755 and 0644 and stores hard links as files', async () => {
    using place = buildPlace();
    put(place.staged, { 'bin/x': '#!/bin/sh\n', 'share/a': 'a' });
    chmodSync(join(place.staged, 'bin/x'), 0o555);
    chmodSync(join(place.staged, 'share/a'), 0o600);
    await must(['ln', join(place.staged, 'share/a'), join(place.staged, 'share/b')], '/');
    const { manifest, tree } = await pack(request(place));
    assert.deepEqual(
      manifest.files.map(({ path, mode }) => [path, mode]),
      [
        ['bin/x', 0o755],
        ['share/a', 0o644],
        ['share/b', 0o644],
      ],
    );
    assert.equal(statSync(join(tree, 'share/a')).nlink, 1);
    assert.deepEqual(readdirSync(join(place.top, 'packed')).sort(), ['body.tar.zst', 'tree']);
    writeFileSync(join(tree, 'share/a'), 'changed');
    assert.equal(readFileSync(join(tree, 'share/b'), 'utf8'), 'a');
  });
});
